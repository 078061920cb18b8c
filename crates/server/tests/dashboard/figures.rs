//! Figures on the pages: what was saved, what repairs took, how fast services answer, what happened to breakers, and what proves a
//! playbook. What has no data says so.

use super::{World, news::answer, now, seed};

const HERE: &str = "Host: localhost:8787\r\n";

#[tokio::test]
async fn what_was_never_measured_says_so() {
    let world = World::new().await;
    let trends = answer(&world, "/trends", HERE).await;
    assert!(trends.contains("No recovery was tried, so nothing was saved"), "{trends}");
    assert!(trends.contains("<b class=\"nothing\">no data</b><span>No recovery was tried, so"), "{trends}");
    let (_, repair) = trends.split_once("From red to green").unwrap();
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
        "of people’s time saved: ",
        " failures spared (all that healed; there is no control group). Runners ran ",
        "; in money, that paid: ",
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
    assert!(playbooks.contains(" decisions, ") && playbooks.contains(" breaks: rolled back"), "{playbooks}");
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
    assert!(services.contains("no answer just now<small>none of 1 questions answered</small>"), "{services}");
    assert!(services.contains("<summary>What happened to it</summary>"), "{services}");
    assert!(services.contains("A recovery failed: <a href=\"/incidents/"), "{services}");
}
