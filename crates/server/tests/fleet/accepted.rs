//! A pattern that a person accepts names the failures of every node that works, from the next one on; and heals nothing.

use std::time::{Duration, Instant};

use regreen_domain::{FailureClass, Mode};
use regreen_engine::LiveCatalog;
use regreen_forge::Conclusion;
use regreen_ledger::{Incident, State};
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
        tool: None,
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
    let stage = Stage::new(Mode::Auto).await;
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

    assert!(act::take_back(&stage.ledger, "no-seat", "ann", 2).await.unwrap());
    let after = failed(&stage, RUN + 2).await;
    assert_eq!(after.diagnosis.pattern, None, "{after:#?}");
    node.abort();
}
