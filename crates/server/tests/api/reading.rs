//! What can be read: each resource, its pages, and what is refused.

use axum::http::StatusCode;
use regreen_ledger::{Booking, BreakerKey, CallsOf, NewOutage};
use serde_json::{Value, json};

use crate::{
    seed::{OWNER, healed, lived_in, opened, waiting},
    world::{NOW, World},
};

async fn read(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_a_path_does_not_take_is_refused() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    for path in [
        "/api/v1/incidents/i-healed",
        "/api/v1/metrics/days",
        "/api/v1/openapi.json",
        "/api/auto-healing-status",
        "/api/infrastructure-auto-healing-metrics",
        "/metrics",
    ] {
        let refused = world.get(&format!("{path}?colour=red")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(world.get(&format!("{path}?")).await.status, StatusCode::OK, "{path}: nothing is asked");
    }
    assert_eq!(world.get("/api/v1/gone?colour=red").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn budgets_show_what_was_spent_and_what_may_be() {
    let world = World::new().await;
    // An hour of the clock is not over yet when it is asked.
    for (id, repository, ago) in [("i-1", "octo/shop", 5_000), ("i-2", "octo/bank", 7_200_000)] {
        healed(&world.ledger, id, repository, NOW - ago).await;
    }
    for (number, repository) in [(1, "octo/shop"), (2, "zoo/ark")] {
        let organisation = repository.split('/').next().unwrap();
        let of = CallsOf { forge: "github", organisation, repository };
        let by = Booking { book: "one", number, at: NOW };
        world.ledger.add_calls(&[(of, 7)], &by).await.unwrap();
    }
    let all = read(&world, "/api/v1/budgets").await;
    let names: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|one| one["repository"].as_str().unwrap()).collect();
    assert_eq!(names, ["octo/bank", "octo/shop", "zoo/ark"]);
    let shop = &all["items"][1];
    assert_eq!(shop["own"]["attempts_in_hour"], json!({ "spent": 1.0, "most": 60.0 }));
    assert_eq!(shop["own"]["attempts_in_day"], json!({ "spent": 1.0, "most": null }));
    assert_eq!(shop["own"]["calls_in_hour"]["github"], json!({ "spent": 7.0, "most": 500.0 }));
    assert_eq!(shop["own"]["calls_in_hour"]["gitlab"]["spent"], 0.0);
    let together = &shop["of_organisation"];
    assert_eq!(
        (&shop["organisation"], &together["attempts_in_hour"]["spent"]),
        (&json!("octo"), &json!(1.0))
    );
    assert_eq!(together["attempts_in_day"], json!({ "spent": 2.0, "most": 100.0 }));
    let first = read(&world, "/api/v1/budgets?limit=1").await;
    assert_eq!(first["next"], "octo/bank");
    let next = read(&world, "/api/v1/budgets?limit=1&after=octo/bank").await;
    assert_eq!(next["items"], json!([shop]));
    let one = read(&world, "/api/v1/budgets?repository=Octo/Shop").await;
    assert_eq!(one["items"], json!([shop]));
    let unspent = read(&world, "/api/v1/budgets?repository=octo/new").await;
    assert_eq!(unspent["items"][0]["own"]["attempts_in_day"]["spent"], 0.0);
    assert_eq!(read(&world, "/api/v1/budgets?repository=shop").await["items"], json!([]));
    for bad in ["limit=0", "limit=201", "colour=red"] {
        assert_eq!(
            world.get(&format!("/api/v1/budgets?{bad}")).await.status,
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn incidents_are_listed_by_what_they_are() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    for (query, want) in [
        ("", vec!["i-open", "i-waits", "i-healed"]),
        ("?repository=octo/shop", vec!["i-open", "i-healed"]),
        ("?state=awaiting-approval", vec!["i-waits"]),
        ("?outcome=healed", vec!["i-healed"]),
        ("?class=network-timeout&repository=octo%2Fother", vec!["i-waits"]),
        ("?class=test-failure", vec![]),
        ("?pattern=npm-connection-lost&limit=200", vec!["i-open", "i-waits", "i-healed"]),
        ("?text=OTHER", vec!["i-waits"]),
        ("?since=2027-01-15T07:59:52Z", vec!["i-open", "i-waits"]),
        ("?until=2027-01-15T07:59:52Z", vec!["i-healed"]),
    ] {
        let page = read(&world, &format!("/api/v1/incidents{query}")).await;
        assert_eq!((ids(&page), &page["next"]), (want, &Value::Null), "{query}");
    }
    for bad in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1&limit=2",
        "class=gone",
        "state=",
        "outcome=fine",
        "since=yesterday",
        "after=x",
        "after=1.",
        "after=9999999999999999999.a",
        "colour=red",
        "repository=%00",
        &format!("text={}", "x".repeat(201)),
    ] {
        let refused = world.get(&format!("/api/v1/incidents?{bad}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert!(refused.body["detail"].as_str().is_some_and(|why| !why.is_empty()), "{}", refused.body);
    }
}

#[tokio::test]
async fn pages_follow_each_other_whatever_comes_in_between() {
    let world = World::new().await;
    for n in 0..5 {
        healed(&world.ledger, &format!("a{n}"), "octo/shop", NOW - 50_000 + n * 1_000).await;
    }
    let (mut path, mut seen) = ("/api/v1/incidents?limit=2".to_owned(), Vec::new());
    loop {
        let page = read(&world, &path).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        healed(&world.ledger, &format!("new{}", seen.len()), "octo/shop", NOW).await;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/incidents?limit=2&after={next}");
    }
    assert_eq!(seen, ["a4", "a3", "a2", "a1", "a0"]);
    let (mut path, mut last) = ("/api/v1/audit?limit=7".to_owned(), 0);
    loop {
        let page = read(&world, &path).await;
        for entry in page["items"].as_array().unwrap() {
            last += 1;
            assert_eq!(entry["seq"], last);
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/audit?limit=7&after={next}");
    }
    assert_eq!(last, world.ledger.audit(0, 1_000).await.unwrap().len() as i64);
}

#[tokio::test]
async fn what_waits_and_what_is_down_are_followed_to_the_end() {
    let world = World::new().await;
    let tend = |id: &str| (format!("outage/{id}"), "{}".to_owned());
    for n in 0..7_i64 {
        waiting(&world.ledger, &format!("w{n}"), "octo/shop", NOW - 9_000 + n * 10).await;
        if n % 2 == 1 {
            // One that asks in the middle of its plan, and one that asks nothing.
            let asking = format!("q{n}");
            opened(&world.ledger, &asking, "octo/shop", NOW - 9_000 + n * 10 + 5).await;
            world.ledger.ask(&asking, OWNER, "rerun", "may I?", NOW - 1).await.unwrap();
            opened(&world.ledger, &format!("o{n}"), "octo/shop", NOW - 9_000 + n * 10 + 6).await;
        }
        let service = format!("s{n}.example");
        let new =
            NewOutage { service: &service, class: "network-timeout", began_at: NOW - 50 + n, known: false };
        let outage = world.ledger.begin_outage(&new, tend, "outage", NOW - 20).await.unwrap();
        if n < 4 {
            world.ledger.end_outage(&outage.id, |_| Vec::new(), NOW - 10).await.unwrap();
        }
    }
    let followed = async |resource: &str, name: &str| {
        let (mut path, mut seen, mut pages) = (format!("/api/v1/{resource}?limit=3"), Vec::new(), 0);
        loop {
            let page = read(&world, &path).await;
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|one| one.pointer(name).unwrap().as_str().unwrap().to_owned()));
            pages += 1;
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(items.len(), 3, "a page is full where others follow");
            path = format!("/api/v1/{resource}?limit=3&after={next}");
        }
        (seen, pages)
    };
    let (seen, pages) = followed("approvals", "/incident/id").await;
    assert_eq!((seen.join(" "), pages), ("w6 q5 w5 w4 q3 w3 w2 q1 w1 w0".to_owned(), 4));
    let (seen, pages) = followed("outages", "/service").await;
    let want = ["s6", "s5", "s4", "s3", "s2", "s1", "s0"].map(|name| format!("{name}.example"));
    assert_eq!((seen.as_slice(), pages), (want.as_slice(), 3));
    for bad in [
        "approvals?after=x",
        "approvals?limit=0",
        "approvals?before=1",
        "outages?after=on.1",
        "outages?after=off.1.a",
    ] {
        assert_eq!(world.get(&format!("/api/v1/{bad}")).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn one_incident_has_all_that_is_on_record() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let one = read(&world, "/api/v1/incidents/i-healed").await;
    assert_eq!((&one["class"], &one["confidence"]), (&json!("network-timeout"), &json!(0.98)));
    let details = &one["details"];
    assert_eq!(details["evidence"][0]["text"], "npm error code ECONNRESET");
    assert_eq!(details["evidence"][1]["text"], "<script>alert(1)</script>");
    assert_eq!(details["alternatives"][0]["class"], "cache-corruption");
    assert_eq!(details["decision"]["action"], "heal");
    assert_eq!(details["decision"]["arguments"]["rerun"]["attempts"], "3");
    let step = json!({ "id": "rerun", "kind": "rerun-command", "args": { "attempts": "3" }, "lists": {} });
    assert_eq!(details["steps"], json!([step]));
    assert_eq!(details["feedback"][0]["note"], "right");
    assert_eq!(details["timings_ms"]["act"], 20);
    let timeline = details["timeline"].as_array().unwrap();
    let whats: Vec<&str> = timeline.iter().map(|one| one["what"].as_str().unwrap()).collect();
    let want = [
        "incident-opened",
        "incident-decided",
        "prepared",
        "started",
        "applied",
        "verified",
        "incident-closed",
    ];
    assert_eq!(whats, want);
    assert_eq!(timeline[4]["detail"], "it ran again");
    assert_eq!((&timeline[2]["before"], &timeline[2]["receipt"]), (&json!({ "file": "a" }), &Value::Null));
    assert_eq!(timeline[4]["receipt"], json!({ "said": "it ran again" }));
    assert!(timeline[3].get("before").is_none());
    let gone = world.get("/api/v1/incidents/none").await;
    assert_eq!((gone.status, &gone.body["title"]), (StatusCode::NOT_FOUND, &json!("Not Found")));
    let waits = read(&world, "/api/v1/approvals").await;
    assert_eq!(
        (waits["items"].as_array().unwrap().len(), &waits["items"][0]["incident"]["id"]),
        (1, &json!("i-waits"))
    );
    assert!(waits["items"][0]["until"].is_string());
}

#[tokio::test]
async fn what_stands_in_the_way_is_shown() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let breakers = read(&world, "/api/v1/breakers").await;
    assert_eq!(breakers["items"][0]["key"], "network-timeout/npm/octo/shop");
    assert_eq!(
        (&breakers["items"][0]["state"], &breakers["items"][0]["failures"]),
        (&json!("open"), &json!(3))
    );
    let after = read(&world, "/api/v1/breakers?after=network-timeout/npm/octo/shop").await;
    assert_eq!(after["items"], json!([]));
    let sinks = read(&world, "/api/v1/sinks?limit=1").await;
    assert_eq!((&sinks["items"][0]["name"], &sinks["next"]), (&json!("mail"), &json!("mail")));
    assert_eq!((&sinks["items"][0]["failing"], &sinks["items"][0]["sent_at"]), (&json!(false), &Value::Null));
    assert_eq!(
        read(&world, "/api/v1/sinks?after=mail").await,
        json!({
            "items": [{
                "name": "ops",
                "kind": "slack",
                "failing": true,
                "failing_since": "2027-01-15T07:59:59.200Z",
                "sent_at": null,
                "failed_at": "2027-01-15T07:59:59.200Z",
                "why": "503 <b>busy</b>",
                "waiting": 1,
                "sent": 0,
                "given_up": 0
            }],
            "next": null
        })
    );
    let outages = read(&world, "/api/v1/outages").await;
    assert_eq!(
        (&outages["items"][0]["service"], &outages["items"][0]["waiting"]),
        (&json!("registry.npmjs.org"), &json!(1))
    );
    assert_eq!(outages["items"][0]["latency"], Value::Null, "nobody asked it");
    world.ledger.asked("registry.npmjs.org", Some(84), NOW - 900).await.unwrap();
    world.ledger.asked("registry.npmjs.org", None, NOW - 800).await.unwrap();
    let outages = read(&world, "/api/v1/outages").await;
    assert_eq!(
        outages["items"][0]["latency"],
        json!({
            "asked_at": "2027-01-15T07:59:59.200Z",
            "last_ms": null,
            "asked": 2,
            "took_ms": { "n": 1, "p50": 84, "p95": 84 }
        })
    );
    let id = outages["items"][0]["id"].as_str().unwrap();
    assert_eq!(read(&world, &format!("/api/v1/outages/{id}")).await, outages["items"][0]);
    assert_eq!(world.get("/api/v1/outages/none").await.status, StatusCode::NOT_FOUND);
    let key = "network-timeout/npm/octo/shop";
    let (mut path, mut told) = (format!("/api/v1/breakers/history?key={key}&limit=2"), Vec::new());
    loop {
        let page = read(&world, &path).await;
        told.extend(page["items"].as_array().unwrap().iter().map(|one| one["at"].clone()));
        assert_eq!(
            (&page["items"][0]["event"], &page["items"][0]["incident"]),
            (&json!("failure"), &json!("i-open"))
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/breakers/history?key={key}&limit=2&after={next}");
    }
    assert_eq!(told, ["2027-01-15T07:59:55.002Z", "2027-01-15T07:59:55.001Z", "2027-01-15T07:59:55.000Z"]);
    for none in ["a", "a/b/c", "network-timeout/npm", "%5B"] {
        let gone = world.get(&format!("/api/v1/breakers/history?key={none}")).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{none}");
    }
    for bad in ["", "?key=a/b/c&after=x", "?key=a/b/c&after=1.", "?key=a/b/c&limit=0", "?key=a/b/c%00"] {
        let refused = world.get(&format!("/api/v1/breakers/history{bad}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
    }
    let [class, service, repository] = ["network-timeout", "npm", "octo/shop"].map(str::to_owned);
    let reset = BreakerKey { class, service, repository };
    world.ledger.breaker_reset(&reset, "token:ann", NOW).await.unwrap();
    let told = read(&world, &format!("/api/v1/breakers/history?key={key}&limit=2")).await;
    let told: Vec<_> =
        told["items"].as_array().unwrap().iter().map(|one| (&one["event"], &one["actor"])).collect();
    assert_eq!(told, [(&json!("reset"), &json!("token:ann")), (&json!("failure"), &Value::Null)]);
    // Two began at one moment.
    for scope in ["host:github", "host:gitlab"] {
        world.ledger.pause(scope, "ann", "it is slow", NOW - 500).await.unwrap();
    }
    let (mut path, mut pauses) = ("/api/v1/pauses?limit=1".to_owned(), Vec::new());
    loop {
        let page = read(&world, &path).await;
        pauses.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/pauses?limit=1&after={next}");
    }
    assert_eq!(Value::from(pauses.clone()), read(&world, "/api/v1/pauses").await["items"]);
    assert_eq!((pauses.len(), &pauses[1]["since"]), (3, &pauses[0]["since"]));
    assert_ne!(pauses[0]["scope"], pauses[1]["scope"]);
    assert_eq!(
        (&pauses[2]["scope"], &pauses[2]["reason"]),
        (&json!("repository:octo/other"), &json!("release day"))
    );
    for bad in ["?after=x", "?after=1.", "?limit=0", "?limit=201", "?colour=red"] {
        assert_eq!(world.get(&format!("/api/v1/pauses{bad}")).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn what_is_known_of_failures_and_cures_is_shown() {
    let world = World::new().await;
    for resource in ["patterns", "playbooks"] {
        let (mut path, mut seen) = (format!("/api/v1/{resource}?limit=20"), Vec::new());
        loop {
            let page = read(&world, &path).await;
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/api/v1/{resource}?limit=20&after={next}");
        }
        assert!(seen.len() > 5 && seen.is_sorted(), "{seen:?}");
        let one = read(&world, &format!("/api/v1/{resource}/{}", seen[3])).await;
        let proof = if resource == "patterns" { "examples" } else { "decisions" };
        assert!(one["proofs"][proof][0]["name"].as_str().is_some_and(|name| !name.is_empty()), "{one}");
        assert_eq!((one["id"].as_str(), &one["version"]), (Some(seen[3].as_str()), &json!(1)));
        assert_eq!(world.get(&format!("/api/v1/{resource}/none")).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn figures_without_data_are_null_and_with_data_are_counted() {
    let world = World::new().await;
    let path = "/api/infrastructure-auto-healing-metrics";
    let empty = read(&world, path).await;
    let current = &empty["current_metrics"];
    for (group, fields) in [
        ("failure_detection", ["detection_accuracy", "mean_detection_time", "false_positive_rate"]),
        ("recovery_orchestration", ["success_rate", "mean_recovery_time", "rollback_capability"]),
        ("performance_metrics", ["engine_overhead", "detection_latency", "recovery_efficiency"]),
    ] {
        for field in fields {
            assert_eq!(current[group].get(field), Some(&Value::Null), "{group}.{field}");
        }
    }
    assert_eq!(
        (&current["recovery_orchestration"]["success_rate_target"], &empty["history"]),
        (&json!(0.9), &json!([]))
    );
    assert_eq!(empty["lastUpdated"], "2027-01-15T08:00:00.000Z");
    assert!(empty["dashboardIntegration"].is_object() && empty["targets"]["success_rate"] == 0.9);

    let world = World::new().await;
    lived_in(&world.ledger).await;
    let full = read(&world, path).await;
    assert_eq!(full["current_metrics"]["recovery_orchestration"]["success_rate"], 1.0);
    assert_eq!(
        (&full["history"][0]["date"], &full["history"][0]["incidents"]),
        (&json!("2027-01-15"), &json!(3))
    );
    let own = read(&world, "/api/v1/metrics?days=1").await;
    assert_eq!(own["counted_at"], "2027-01-15T08:00:00.000Z");
    assert_eq!(own["mttr_ms"], json!({ "n": 1, "p50": 45, "p95": 45 }));
    let exactly = |value: f64| json!({ "value": value, "low": value, "high": value });
    let saved = &own["saved"];
    assert_eq!((&saved["counted"], &saved["failures"]), (&json!("healed"), &exactly(1.0)));
    assert_eq!((&saved["person_minutes"], &saved["person_money"]), (&exactly(10.0), &exactly(15.0)));
    assert_eq!((&saved["runner_minutes"], &saved["runner_money"]), (&json!(0.0005), &json!(0.00025)));
    assert_eq!(saved["net_money"]["value"], 15.0 - 0.00025);
    assert_eq!(
        (&own["incidents"], &own["success"]["n"], &own["by_outcome"]["healed"]),
        (&json!(3), &json!(1), &json!(1))
    );
    let days = read(&world, "/api/v1/metrics/days").await;
    assert_eq!(days["items"][0]["metrics"]["incidents"], 3);
    assert_eq!(world.get("/api/v1/metrics?days=0").await.status, StatusCode::BAD_REQUEST);
    // What PostgreSQL would not take, what is not there, and what is asked in another way.
    assert_eq!(world.get("/api/v1/incidents/a%00").await.status, StatusCode::BAD_REQUEST);
    let nothing = world.get("/api/v1/nothing").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    assert_eq!(nothing.headers["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_figures_day_by_day_come_a_page_at_a_time() {
    let world = World::new().await;
    for day in 0..5 {
        healed(&world.ledger, &format!("i-{day}"), "octo/shop", NOW - 9_000 - day * 86_400_000).await;
    }
    let whole = read(&world, "/api/v1/metrics/days").await;
    let since = |page: &Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["since"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = since(&whole);
    assert_eq!((all.len(), &whole["next"], all.is_sorted()), (5, &Value::Null, true));
    let (mut seen, mut path) = (Vec::new(), "/api/v1/metrics/days?limit=2".to_owned());
    loop {
        let page = read(&world, &path).await;
        assert!(since(&page).len() <= 2, "{page}");
        seen.extend(since(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/metrics/days?limit=2&after={next}");
    }
    assert_eq!(seen, all);
    for wrong in ["limit=0", "limit=201", "after=x", "after=2027-13-45", "after=", "colour=red"] {
        let refused = world.get(&format!("/api/v1/metrics/days?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let after_all = read(&world, "/api/v1/metrics/days?after=9999-12-31").await;
    assert_eq!((since(&after_all).len(), &after_all["next"]), (0, &Value::Null));
}

#[tokio::test]
async fn the_status_says_what_goes_on() {
    let world = World::new().await;
    let idle = read(&world, "/api/auto-healing-status").await;
    assert_eq!(
        (&idle["state"], &idle["last_incident"], &idle["breakers"]),
        (&json!("idle"), &Value::Null, &json!([]))
    );
    lived_in(&world.ledger).await;
    let busy = read(&world, "/api/auto-healing-status").await;
    assert_eq!((&busy["state"], &busy["healing"][0]["id"]), (&json!("recovering"), &json!("i-open")));
    assert_eq!((&busy["last_incident"]["id"], &busy["awaiting_approval"]), (&json!("i-open"), &json!(1)));
    assert_eq!((&busy["breakers"][0]["state"], &busy["down"][0]["runs"]), (&json!("open"), &json!(1)));
    world.ledger.pause("fleet", "ann", "release day", NOW).await.unwrap();
    let paused = read(&world, "/api/auto-healing-status").await;
    assert_eq!((&paused["state"], &paused["paused"]), (&json!("paused"), &json!("release day")));
}

#[tokio::test]
async fn the_description_names_every_path_and_only_problems_for_errors() {
    let world = World::new().await;
    let described = read(&world, "/api/v1/openapi.json").await;
    assert_eq!(described["openapi"], "3.1.0");
    let paths = described["paths"].as_object().unwrap();
    for path in ["/api/v1/incidents/{id}", "/api/infrastructure-auto-healing-metrics", "/api/v1/jobs/ask"] {
        assert!(paths.contains_key(path), "{path} of {:?}", paths.keys());
    }
    let classes = described["paths"]["/api/v1/incidents"]["get"]["parameters"].as_array().unwrap();
    let class = classes.iter().find(|one| one["name"] == "class").unwrap();
    assert!(class["schema"]["enum"].as_array().is_some_and(|all| all.len() == 16), "{class}");
}
