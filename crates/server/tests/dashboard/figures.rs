//! Figures on the pages: what was saved, what repairs took, how fast services answer, what happened to breakers, and what proves a
//! playbook. What has no data says so.

use regreen_ledger::BreakerKey;

use super::{World, full, news::answer, now, seed};

const HERE: &str = "Host: localhost:8787\r\n";

#[tokio::test]
async fn what_was_never_measured_says_so() {
    let world = World::new().await;
    let trends = answer(&world, "/trends", HERE).await;
    assert!(trends.contains("No recovery was tried, so nothing was saved"), "{trends}");
    assert!(trends.contains("<b class=\"nothing\">no data</b><span>No recovery was tried, so"), "{trends}");
    let (_, repair) = trends.split_once("From red to green: the MTTR and its parts").unwrap();
    assert!(repair.starts_with("</h2><p class=\"none\">Nothing was healed in these days."), "{repair}");
    let services = answer(&world, "/services", HERE).await;
    assert_eq!(services.matches("<span class=\"soft\">no data</span>").count(), 2, "{services}");
}

#[tokio::test]
async fn what_was_measured_is_shown_with_its_parts() {
    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    let trends = answer(&world, "/trends", HERE).await;
    for said in [
        "<span>of people’s time saved</span> <a href=\"#h-saved\">",
        "<th scope=\"row\">Failures spared</th>",
        "All that healed is counted: there is no control group.",
        "<th scope=\"row\">Money left when the runners are paid, in the operator’s own unit</th>",
        "<th scope=\"row\">Detect</th>",
        "<th scope=\"row\">Between</th>",
        "until it was known to be healed: the MTTR",
        "<p class=\"hint\" id=\"counted\">Counted <time datetime=\"",
    ] {
        assert!(trends.contains(said), "{said}\n{trends}");
    }
    let playbooks = answer(&world, "/playbooks", HERE).await;
    assert!(playbooks.contains("<summary>What is proved<span"), "{playbooks}");
    assert!(playbooks.contains("<td>decided: heal</td>"), "{playbooks}");
    assert!(
        playbooks.contains(" decisions, ")
            && !playbooks.contains("<dd>1 decisions")
            && playbooks.contains(" breaks: rolled back"),
        "{playbooks}"
    );
}

#[tokio::test]
async fn services_show_how_fast_they_answer_and_what_happened_to_breakers() {
    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    let at = now();
    for (took, ago) in [(Some(70), 9_000), (Some(90), 8_000), (Some(120), 7_000)] {
        world.ledger.asked("pypi.org", took, at - ago).await.unwrap();
    }
    world.ledger.asked("registry.npmjs.org", None, at - 6_000).await.unwrap();
    let services = answer(&world, "/services", HERE).await;
    assert!(services.contains("120 ms just now<small>half of 3 within 90 ms</small>"), "{services}");
    assert!(services.contains("no answer just now<small>1 question, none answered</small>"), "{services}");
    assert!(services.contains("<summary>What happened to it</summary>"), "{services}");
    assert!(services.contains("A recovery failed: <a href=\"/incidents/"), "{services}");
}

#[tokio::test]
async fn who_closed_a_breaker_is_named() {
    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    let key = BreakerKey {
        class: "network-timeout".to_owned(),
        service: "npm".to_owned(),
        repository: "acme/data-lake".to_owned(),
    };
    assert!(world.ledger.breaker_reset(&key, seed::HOSTILE[0], now()).await.unwrap());
    let services = answer(&world, "/services", HERE).await;
    let told = services.split("<summary>What happened to it</summary>").nth(1).unwrap();
    let told = told.split("</ol>").next().unwrap();
    let signs = [('&', "&#38;"), ('<', "&#60;"), ('>', "&#62;"), ('"', "&#34;"), ('\'', "&#39;")];
    let by =
        signs.into_iter().fold(seed::HOSTILE[0].to_owned(), |by, (sign, as_text)| by.replace(sign, as_text));
    assert!(told.contains(&format!("Closed on the word of {by}")), "{told}");
}

#[tokio::test]
async fn how_many_were_taken_back_stands_with_its_interval_and_its_days() {
    let part = async |world: &World| {
        let trends = answer(world, "/trends?days=90", HERE).await;
        let part = trends.split("aria-labelledby=\"h-rollback\"").nth(1).unwrap();
        part.split("</section>").next().unwrap().to_owned()
    };
    let part_of_nothing = part(&World::new().await).await;
    assert!(part_of_nothing.contains("No data: no recovery failed in these days."), "{part_of_nothing}");
    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    let part = part(&world).await;
    let rate = world.ledger.metrics(now(), None).await.unwrap().rollback.unwrap();
    assert!(rate.n > 1, "{rate:?}");
    let percent = |share: f64| (share * 100.0 + 1e-9).floor();
    let says = format!(
        "{} % were taken back whole: {} of {}, between {} and {} % (95 % interval)",
        percent(rate.share),
        rate.hits,
        rate.n,
        percent(rate.low),
        percent(rate.high)
    );
    assert!(part.contains(&says), "{says}: {part}");
    // Each day's share has its interval beside it, and the days make up the whole.
    let table = part.split("<details id=\"d-rollback\">").nth(1).unwrap();
    let days: Vec<&str> = table.split("data-label=\"Taken back\">").skip(1).collect();
    let of = |day: &str| -> u64 {
        let (_, n) = day.split_once(" of ").unwrap();
        n.split(')').next().unwrap().parse().unwrap()
    };
    assert_eq!(days.iter().map(|day| of(day)).sum::<u64>(), rate.n, "{table}");
    for day in days {
        let (_, range) = day.split_once("data-label=\"95 % interval\">").unwrap();
        let range = range.split("</td>").next().unwrap();
        assert!(range.contains(" to ") && range.ends_with(" %"), "{range}");
    }
}

#[tokio::test]
async fn behind_each_chart_stands_its_table() {
    let world = World::new().await;
    seed::fill(&world.ledger, 60, now()).await;
    let trends = answer(&world, "/trends", HERE).await;
    for (part, table, says) in [
        ("h-classes", "d-classes", "<th scope=\"col\" class=\"num\">network timeout</th>"),
        ("h-success", "d-success", "<th scope=\"col\" class=\"num\">95 % interval</th>"),
        ("h-recovery", "d-recovery", "<th scope=\"col\" class=\"num\">95 of 100 within</th>"),
        ("h-calibration", "d-calibration", "<th scope=\"col\" class=\"num\">95 % interval</th>"),
    ] {
        let section = trends.split(&format!("aria-labelledby=\"{part}\"")).nth(1).unwrap();
        let section = section.split("</section>").next().unwrap();
        assert!(section.contains("<svg class=\"chart\""), "{part}: {section}");
        assert!(
            section.contains(&format!("<details id=\"{table}\">")) && section.contains(says),
            "{part}: {section}"
        );
    }
    // Each day's share has its interval beside it.
    let row = trends.split("id=\"d-success\"").nth(1).unwrap().split("<tr>").nth(2).unwrap();
    let (healed, range) = row.split_once("data-label=\"95 % interval\">").unwrap();
    assert!(healed.contains(" of ") && range.contains(" to ") && range.contains(" %</td>"), "{row}");
}

#[tokio::test]
async fn a_pattern_is_shown_with_each_log_that_proves_it() {
    let world = World::new().await;
    let catalog = full::hostile_catalog();
    let pattern = catalog.pattern("npm-connection-lost").unwrap();
    let page = answer(&world, "/patterns/npm-connection-lost", HERE).await;
    let page = page.split("id=\"h-proofs\"").nth(1).unwrap().split("</section>").next().unwrap();
    let signs = [
        ("<code>", "`"),
        ("</code>", "`"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ];
    let page = signs.into_iter().fold(page.to_owned(), |page, (sign, text)| page.replace(sign, text));
    let (speaks_for, against) = page.split_once("<h3>Not found in</h3>").unwrap();
    assert!(!pattern.examples.is_empty() && !pattern.counterexamples.is_empty());
    for one in pattern.examples.iter() {
        assert!(
            speaks_for.contains(&format!("<li>{}<small>{}</small></li>", one.name, one.origin)),
            "{}: {page}",
            one.name
        );
    }
    for one in pattern.counterexamples.iter() {
        assert!(
            against.contains(&format!("<li>{}<small>{}</small></li>", one.name, one.why)),
            "{}: {page}",
            one.name
        );
    }
}

/// The row of a service.
fn row<'p>(page: &'p str, host: &str) -> &'p str {
    let mut rows = page.split("id=\"p-outages\"").next().unwrap().split("<tr>");
    rows.find(|row| row.contains(&format!("<strong>{host}</strong>"))).unwrap()
}

#[tokio::test]
async fn a_service_is_up_where_it_answered_and_never_where_it_did_not() {
    let world = World::new().await;
    let at = now();
    let stands = async |want: [(&str, &str, &str); 2]| {
        let page = answer(&world, "/services", HERE).await;
        for (host, badge, says) in want {
            let row = row(&page, host);
            assert!(
                row.contains(&format!("</i>{badge}</span>")) && row.contains(says),
                "{host}, {badge}: {row}"
            );
        }
    };
    let (npm, pypi) = ("registry.npmjs.org", "pypi.org");
    stands([(npm, "not asked", "no job failed at it"), (pypi, "not asked", "no job failed at it")]).await;
    world.ledger.asked(pypi, Some(70), at - 9_000).await.unwrap();
    world.ledger.asked(npm, None, at - 8_000).await.unwrap();
    stands([(npm, "no answer", "asked just now"), (pypi, "up", "answered just now within 70 ms")]).await;
    world.ledger.asked(pypi, None, at - 7_000).await.unwrap();
    world.ledger.asked(npm, Some(45), at - 6_000).await.unwrap();
    stands([(npm, "up", "answered just now within 45 ms"), (pypi, "no answer", "asked just now")]).await;
    // What jobs meet counts for more than what it answers this node.
    seed::fill(&world.ledger, 0, now()).await;
    stands([(npm, "down", "for 9 min"), (pypi, "no answer", "asked just now")]).await;
}
