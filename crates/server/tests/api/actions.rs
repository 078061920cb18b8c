//! What an operator does over HTTP: with their name in the audit log, and nothing by whoever may not.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use regreen_domain::FailureClass;
use regreen_ledger::State;
use regreen_propose::{Draft, Rest, Words, expression};
use regreen_server::{Task, access::Role};
use serde_json::{Value, json};

use crate::{
    seed::lived_in,
    world::{Answer, NOW, World, here, there},
};

/// Every action, with a body that it takes.
const ACTIONS: [(&str, &str); 12] = [
    ("/api/v1/incidents/i-waits/approve", "{}"),
    ("/api/v1/incidents/i-waits/deny", "{}"),
    ("/api/v1/incidents/i-open/rollback", "{}"),
    ("/api/v1/incidents/i-open/retry", "{}"),
    ("/api/v1/incidents/i-open/reopen", "{}"),
    ("/api/v1/incidents/i-open/feedback", "{\"class\":\"test-failure\"}"),
    ("/api/v1/dispatch", "{\"host\":\"github\",\"repository\":\"octo/shop\",\"run\":7}"),
    ("/api/v1/pause", "{}"),
    ("/api/v1/unpause", "{}"),
    ("/api/v1/breakers/reset", "{\"key\":\"network-timeout/npm/octo/shop\"}"),
    ("/api/v1/patterns", "{\"file\":\"id = 'ours'\"}"),
    ("/api/v1/patterns/ours/take-back", "{}"),
];

fn post(path: &str, token: &str, media: &str, body: &str) -> Request<Body> {
    let request = there(path).method(Method::POST).header("Authorization", format!("Bearer {token}"));
    request.header("Content-Type", media).body(Body::from(body.to_owned())).unwrap()
}

async fn act(world: &World, token: &str, path: &str, body: Value) -> Answer {
    world.send(post(path, token, "application/json", &body.to_string())).await
}

#[tokio::test]
async fn nobody_acts_who_may_not() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let viewer = world.token("viewer", Role::Viewer).await;
    let head = world.ledger.audit_head().await.unwrap();
    for (path, body) in ACTIONS {
        let present = here(path).method(Method::POST).header("Content-Type", "application/json");
        let present = world.send(present.body(Body::from(body)).unwrap()).await;
        assert_eq!(present.status, StatusCode::UNAUTHORIZED, "{path}");
        let refused = world.send(post(path, &viewer, "application/json", body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        // What is accepted is read at the same path.
        let read = world.get(path).await;
        assert!(
            path == "/api/v1/patterns"
                || [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_FOUND].contains(&read.status),
            "{path}"
        );
    }
    assert_eq!(world.ledger.audit_head().await.unwrap(), head, "nothing was done");
}

#[tokio::test]
async fn a_form_of_another_site_is_no_document() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let token = world.token("ann", Role::Operator).await;
    let head = world.ledger.audit_head().await.unwrap();
    for (path, body) in ACTIONS {
        for media in ["application/x-www-form-urlencoded", "text/plain", "application/jsonx", ""] {
            let refused = world.send(post(path, &token, media, body)).await;
            assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {media}");
        }
        for bad in ["", "{", "[]", "{\"more\":1}", "null"] {
            let refused = world.send(post(path, &token, "application/json", bad)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path} {bad}");
        }
    }
    assert_eq!(world.ledger.audit_head().await.unwrap(), head, "nothing was done");
}

#[tokio::test]
async fn an_operators_word_is_on_record_with_their_name() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let token = world.token("ann", Role::Operator).await;
    let path = "/api/v1/incidents/i-waits";
    for _ in 0..2 {
        let approved = act(&world, &token, &format!("{path}/approve"), json!({})).await;
        assert_eq!(
            (approved.status, &approved.body["incident"]["state"]),
            (StatusCode::OK, &json!("approved"))
        );
        assert_eq!(approved.body["goes_on"], false, "it is no run of a CI host's");
    }
    let denied = act(&world, &token, &format!("{path}/deny"), json!({ "reason": "frozen" })).await;
    assert_eq!((denied.status, &denied.body["incident"]["outcome"]), (StatusCode::OK, &json!("left-alone")));
    let over = act(&world, &token, &format!("{path}/approve"), json!({})).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.body);
    let word = world.ledger.incident("i-waits").await.unwrap().unwrap();
    assert_eq!(word.state, State::Closed);
    let word = word.approval.unwrap();
    assert_eq!(
        (word.granted, word.actor.as_str(), word.reason.as_deref()),
        (false, "token:ann", Some("frozen"))
    );
    let labelled = json!({ "class": "test-failure", "note": "flaky" });
    assert_eq!(
        act(&world, &token, "/api/v1/incidents/i-healed/feedback", labelled).await.status,
        StatusCode::OK
    );
    let feedback = world.ledger.feedback_of("i-healed").await.unwrap();
    assert_eq!((feedback[1].class.as_str(), feedback[1].actor.as_str()), ("test-failure", "token:ann"));
    let unknown = act(&world, &token, "/api/v1/incidents/i-healed/feedback", json!({ "class": "bad" })).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    for action in ["approve", "deny", "rollback", "retry", "reopen"] {
        let gone = act(&world, &token, &format!("/api/v1/incidents/none/{action}"), json!({})).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND, "{action}");
        let elsewhere = act(&world, &token, &format!("/api/v1/incidents/i-healed/{action}"), json!({})).await;
        assert_eq!(elsewhere.status, StatusCode::CONFLICT, "{action}: {}", elsewhere.body);
    }
    assert!(world.ledger.audit_verify(None).await.unwrap().is_sound());
}

#[tokio::test]
async fn an_operator_pauses_and_closes_breakers() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    let token = world.token("ann", Role::Operator).await;
    for (path, body, changed) in [
        ("/api/v1/pause", json!({ "reason": "release" }), true),
        ("/api/v1/pause", json!({}), false),
        ("/api/v1/unpause", json!({}), true),
        ("/api/v1/unpause", json!({}), false),
        ("/api/v1/unpause", json!({ "repository": "Octo/Other", "host": "github" }), false),
        ("/api/v1/unpause", json!({ "repository": "Octo/Other" }), true),
        ("/api/v1/pause", json!({ "repository": "octo/other", "host": "gitlab" }), true),
        ("/api/v1/unpause", json!({ "repository": "octo/other" }), false),
        ("/api/v1/unpause", json!({ "repository": "octo/other", "host": "gitlab" }), true),
        ("/api/v1/pause", json!({ "host": "github" }), true),
        ("/api/v1/breakers/reset", json!({ "key": "network-timeout/npm/octo/shop" }), true),
    ] {
        let answer = act(&world, &token, path, body.clone()).await;
        assert_eq!(
            (answer.status, &answer.body["changed"]),
            (StatusCode::OK, &json!(changed)),
            "{path} {body}"
        );
    }
    let breakers = world.get("/api/v1/breakers").await;
    assert_eq!(breakers.body["items"][0]["state"], "closed");
    for (path, body, status) in [
        ("/api/v1/pause", json!({ "repository": "octo" }), StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/v1/pause", json!({ "host": "gitea" }), StatusCode::BAD_REQUEST),
        ("/api/v1/pause", json!({ "reason": "x".repeat(1001) }), StatusCode::UNPROCESSABLE_ENTITY),
        ("/api/v1/breakers/reset", json!({ "key": "a/b/c" }), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(act(&world, &token, path, body).await.status, status);
    }
    let names: Vec<_> = world.ledger.audit(0, 1_000).await.unwrap().into_iter().map(|one| one.body).collect();
    assert!(names.iter().filter(|body| body.contains("token:ann")).count() >= 4, "{names:#?}");
}

#[tokio::test]
async fn a_run_is_put_on_the_list_of_work_by_an_operator_alone() {
    let world = World::new().await;
    let (operator, viewer) =
        (world.token("ann", Role::Operator).await, world.token("bob", Role::Viewer).await);
    let put = async |token: &str, body: &str| {
        let request = there("/api/v1/dispatch").method("POST").header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {token}"));
        let answer = world.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        (answer.status, answer.body)
    };
    let good = r#"{"host":"github","repository":"Octo/Shop","run":77}"#;
    assert_eq!(put(&viewer, good).await.0, StatusCode::FORBIDDEN);
    for bad in [
        "{}",
        r#"{"host":"gitea","repository":"octo/shop","run":77}"#,
        r#"{"host":"github","repository":"octo/../shop","run":77}"#,
        r#"{"host":"github","repository":"octo/shop","run":0}"#,
        r#"{"host":"github","repository":"octo/shop","run":77,"attempt":1}"#,
    ] {
        let status = put(&operator, bad).await.0;
        assert!(matches!(status.as_u16(), 400 | 422), "{bad}: {status}");
    }
    assert_eq!(world.ledger.waiting(&[], NOW).await.unwrap().ready, 0);
    let (status, body) = put(&operator, good).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert!(body["work"].as_str().unwrap().starts_with("github/run/octo/shop/77/latest/by-hand/"), "{body}");
    let claim = world.ledger.claim(&["run-ended"], "n", 1_000, NOW).await.unwrap().unwrap();
    assert!(Task::read("run-ended", &claim.payload).is_some());
    let audit = world.ledger.audit(0, 99).await.unwrap();
    let listed = audit.iter().find(|entry| entry.kind == "work-listed-by-hand").unwrap();
    assert!(listed.body.contains("token:ann"), "{}", listed.body);
}

/// A completed draft.
fn pattern(id: &str, line: &str) -> String {
    let rest = Rest {
        fix: "Ask for more seats.".to_owned(),
        origin: "recorded: lic 3, in two incidents".to_owned(),
        elsewhere: "A test prints it.".to_owned(),
    };
    let words =
        Words { title: "no seat is free".to_owned(), explain: "All are taken.".to_owned(), rest: Some(rest) };
    let draft = Draft {
        id: id.to_owned(),
        class: FailureClass::parse("service-unavailable").unwrap(),
        class_note: String::new(),
        tool: None,
        expression: expression(line),
        examples: vec![line.to_owned()],
        about: Vec::new(),
        words: Some(words),
    };
    draft.write().text
}

#[tokio::test]
async fn an_accepted_pattern_stands_once_it_has_proved_itself_until_it_is_taken_back() {
    let world = World::new().await;
    let token = world.token("ann", Role::Operator).await;
    let accept = async |file: &str| act(&world, &token, "/api/v1/patterns", json!({ "file": file })).await;
    let good = pattern("no-seat", "licence server: no seat is free in pool nightly");
    for (file, status, says) in [
        ("", StatusCode::CONFLICT, "pattern.toml"),
        ("id = 'no-seat'", StatusCode::CONFLICT, "no-seat.toml"),
        (&good.replace("Ask for", "FILL IN: ask for"), StatusCode::CONFLICT, "`FILL IN` still stands"),
        (&good.replace("'''\nlicence server", "'''\nlicense server"), StatusCode::CONFLICT, "example"),
        (
            &good.replace("no-seat", "npm-connection-lost"),
            StatusCode::CONFLICT,
            "taken by a pattern (built-in)",
        ),
    ] {
        let refused = accept(file).await;
        assert_eq!(refused.status, status, "{file}: {}", refused.body);
        assert!(refused.body["detail"].as_str().unwrap().contains(says), "{}", refused.body);
    }
    assert_eq!(world.ledger.accepted_patterns().await.unwrap(), []);
    for _ in 0..2 {
        let accepted = accept(&good).await;
        assert_eq!((accepted.status, &accepted.body), (StatusCode::OK, &json!({ "pattern": "no-seat" })));
    }
    let other = accept(&good.replace("All are taken.", "None is left.")).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{}", other.body);
    let known = world.get("/api/v1/patterns/no-seat").await.body;
    assert_eq!((&known["source"], &known["accepted"]["by"]), (&json!("accepted"), &json!("token:ann")));
    assert_eq!(known["accepted"]["file"], json!(good));
    for changed in [true, false] {
        let answer = act(&world, &token, "/api/v1/patterns/no-seat/take-back", json!({})).await;
        assert_eq!((answer.status, answer.body), (StatusCode::OK, json!({ "changed": changed })));
    }
    assert_eq!(world.get("/api/v1/patterns/no-seat").await.status, StatusCode::NOT_FOUND);
    let kinds: Vec<_> = world.ledger.audit(0, 99).await.unwrap().into_iter().map(|one| one.kind).collect();
    let ours = kinds.iter().filter(|kind| kind.starts_with("pattern-")).collect::<Vec<_>>();
    assert_eq!(ours, ["pattern-accepted", "pattern-taken-back"]);
}
