//! What a person asks for over HTTP, or by the command line, and has shown that they may: what comes of it beside the fleet.

use std::time::{Duration, Instant};

use regreen_domain::Mode;
use regreen_forge::Conclusion;
use regreen_ledger::{APPROVAL_SKEW_MS, LedgerError};
use regreen_server::act::{Listed, approve, retry, roll_back};
use tokio::time::sleep;

use crate::{
    RUN, Stage,
    approvals::{over, waiting},
    host::NETWORK,
    outcome, real_time,
};

const ANN: &str = "token:ann";

#[tokio::test]
async fn a_yes_wakes_whoever_works_on_it() {
    let mut stage = Stage::new(Mode::Approve).await;
    let incident = waiting(&mut stage).await;
    // Only a yes wakes it in time.
    stage.config.ask_ms = APPROVAL_SKEW_MS;
    let node = stage.start_one();
    let answered = approve(&stage.ledger, &incident.id, ANN, real_time()).await.unwrap();
    assert!(answered.woken);
    stage.bell.notify_one();
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    let incident = over(&stage).await;
    assert_eq!(outcome(&incident).0, "healed");
    assert!(incident.approval.is_some_and(|word| word.granted && word.actor == ANN));
    node.abort();
}

#[tokio::test]
async fn what_is_under_way_is_taken_back_once_and_what_is_over_is_not() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    let id = stage.incidents().await.remove(0).id;
    for _ in 0..2 {
        assert_eq!(roll_back(&stage.ledger, &id, ANN, real_time()).await.unwrap(), Listed::Listed);
    }
    stage.bell.notify_one();
    let incident = stage.closed().await;
    assert_eq!((outcome(&incident).0, stage.host.cancels(RUN)), ("rolled-back", 1));
    let audit = stage.ledger.audit_of(&id).await.unwrap();
    let said = audit.iter().find(|entry| entry.kind == "incident-commanded").unwrap();
    assert!(said.body.contains(ANN) && said.body.contains("rollback"), "{}", said.body);
    let begun = Instant::now();
    while stage.ledger.waiting(&["asked"], real_time()).await.unwrap() != regreen_ledger::Waiting::default() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the second asking is done with");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stage.host.cancels(RUN), 1);
    let late = roll_back(&stage.ledger, &id, ANN, real_time()).await.unwrap();
    assert!(matches!(late, Listed::Pointless(_)), "{late:?}");
    assert_eq!(retry(&stage.ledger, &id, ANN, real_time()).await.unwrap(), Listed::Listed);
    let gone = retry(&stage.ledger, "none", ANN, real_time()).await;
    assert!(matches!(gone, Err(LedgerError::UnknownIncident { .. })), "{gone:?}");
    node.abort();
}
