//! A pattern that a person accepts names the failures of every node that works, from the next one on; and heals nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_catalog::PatternSource;
use regreen_domain::{FailureClass, Mode, Tool};
use regreen_engine::{LiveCatalog, OutageConfig};
use regreen_forge::Conclusion;
use regreen_ledger::{Acceptance, Incident, State};
use regreen_propose::{Draft, Rest, Words, expression};
use regreen_server::act;
use tokio::time::sleep;

use crate::{RUN, Stage, outcome};

const LINE: &str = "licence server lic-7.example refused the seat: pool `nightly` is empty";

/// A log in which no built-in pattern knows a cause.
const LOG: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run ./simulate
2026-11-29T09:00:01.1000000Z ./simulate
2026-11-29T09:00:01.2000000Z ##[endgroup]
2026-11-29T09:00:02.0000000Z licence server lic-7.example refused the seat: pool `nightly` is empty
2026-11-29T09:00:03.0000000Z ##[error]Process completed with exit code 3.
";

/// As the dashboard's form completes a draft.
fn completed() -> String {
    let rest = Rest {
        fix: "Ask for more seats.".to_owned(),
        origin: "recorded: in incidents beside the fleet".to_owned(),
        elsewhere: "A test prints it.".to_owned(),
    };
    let words = Words {
        title: "no seat is free".to_owned(),
        explain: "All seats are taken.".to_owned(),
        rest: Some(rest),
    };
    let draft = Draft {
        id: "no-seat".to_owned(),
        class: FailureClass::parse("network-timeout").unwrap(),
        class_note: String::new(),
        tool: Tool::new("npm"),
        expression: expression(LINE),
        examples: vec![LINE.to_owned()],
        about: Vec::new(),
        words: Some(words),
    };
    draft.write().text
}

/// The incident of a run that fails so, once it is over.
async fn failed(stage: &Stage, run: u64) -> Incident {
    stage.host.fail(run, &[("simulate", LOG)]);
    stage.hook(&format!("hook-{run}"), run, 1, Conclusion::Failure).await;
    let begun = Instant::now();
    loop {
        let ours = |one: &Incident| one.id.starts_with(&format!("{run:x}-")) && one.state != State::Open;
        if let Some(one) = stage.incidents().await.into_iter().find(ours) {
            return one;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:#?}", stage.incidents().await);
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_accepted_names_the_next_failure_on_a_node_that_works_and_heals_nothing() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.outage.services = OutageConfig::public();
    let node = stage.start_one();
    let before = failed(&stage, RUN).await;
    assert_eq!(before.diagnosis.pattern, None, "{before:#?}");

    // The person is at another node, which has the same ledger.
    let catalog = LiveCatalog::new(regreen_builtin::catalog().unwrap());
    let accepted = act::accept(&stage.ledger, &catalog, &completed(), "ann", 1).await.unwrap();
    assert_eq!(accepted.unwrap(), "no-seat");
    let named = failed(&stage, RUN + 1).await;
    let diagnosis = &named.diagnosis;
    assert_eq!(
        (diagnosis.pattern.as_deref(), diagnosis.class.as_str(), diagnosis.confidence),
        (Some("no-seat"), "network-timeout", 0.0)
    );
    assert!(diagnosis.reason.contains("accepted from a draft"), "{}", diagnosis.reason);
    // A playbook that heals this class is there, and the mode would let it: it is not begun all the same.
    assert_eq!((stage.host.reruns(RUN + 1), outcome(&named)), (0, ("suggested", "below-threshold")));

    // Nor is it a witness that npm's registry is down, for which others would have to wait.
    assert_eq!(stage.ledger.sightings_of(&named.id).await.unwrap(), []);

    assert!(act::take_back(&stage.ledger, "no-seat", "ann", 2).await.unwrap());
    let after = failed(&stage, RUN + 2).await;
    assert_eq!(after.diagnosis.pattern, None, "{after:#?}");
    node.abort();
}

#[tokio::test]
async fn what_no_longer_proves_itself_is_left_out_and_the_rest_counts() {
    let stage = Stage::new(Mode::Auto).await;
    let accept =
        async |name: &str, text: &str| stage.ledger.accept_pattern(name, text, "ann", 1).await.unwrap();
    // As a later version may find them: one is no pattern, one has the id of a built-in one.
    let taken = completed().replace("no-seat", "npm-connection-lost");
    for (name, text) in
        [("broken", "id = 'broken'"), ("no-seat", &completed()), ("npm-connection-lost", &taken)]
    {
        assert_eq!(accept(name, text).await, Acceptance::Accepted);
    }
    let catalog = LiveCatalog::new(regreen_builtin::catalog().unwrap());
    let known = catalog.look(&stage.ledger).await.unwrap();
    let names = |one: &regreen_ledger::AcceptedPattern| one.name.clone();
    assert_eq!(known.accepted.iter().map(names).collect::<Vec<_>>(), ["no-seat"]);
    let mut left: Vec<String> = known.left_out.iter().map(|(one, _)| one.name.clone()).collect();
    left.sort();
    assert_eq!(left, ["broken", "npm-connection-lost"]);
    assert_eq!(known.catalog.pattern("npm-connection-lost").unwrap().source, PatternSource::BuiltIn);
    // Nothing is built again until something changes.
    assert!(Arc::ptr_eq(&known, &catalog.look(&stage.ledger).await.unwrap()));
    let tried =
        act::accept(&stage.ledger, &catalog, &completed().replace("no-seat", "suggested"), "ann", 1).await;
    assert!(tried.unwrap().unwrap_err().to_string().contains("the name of a page"));
    let retired =
        completed().replace("no-seat", "other").replace("status = \"stable\"", "status = \"retired\"");
    let tried = act::accept(&stage.ledger, &catalog, &retired, "ann", 1).await;
    assert!(tried.unwrap().unwrap_err().to_string().contains("it is retired"));
    // Whoever asked may have gone before it was built.
    assert!(stage.ledger.take_pattern_back("broken", "ann", 2).await.unwrap());
    let gone = tokio::time::timeout(Duration::ZERO, catalog.look(&stage.ledger)).await;
    assert!(gone.is_err(), "a look reads the ledger first");
    let known = catalog.look(&stage.ledger).await.unwrap();
    assert_eq!(known.left_out.len(), 1);
}
