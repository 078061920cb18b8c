//! What a person opens again: it is looked at and decided anew, by what holds then, and that is no leave to heal.

use std::time::{Duration, Instant};

use regreen_domain::Mode;
use regreen_forge::Conclusion;
use regreen_ledger::{Incident, LedgerError, State};
use regreen_server::act::{Listed, approve, reopen};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    RUN, Stage,
    host::{CODE, NETWORK},
    outcome, real_time,
};

const ANN: &str = "token:ann";

/// The failure was looked at, and nothing was done.
async fn undone(stage: &Stage) -> Incident {
    let node = node(stage);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let incident = stage.closed().await;
    node.abort();
    let _killed = node.await;
    incident
}

/// Whose leases end soon: the tests kill it wherever it is.
fn node(stage: &Stage) -> JoinHandle<()> {
    stage.start(stage.ledger.clone(), Duration::from_millis(400))
}

/// A person opens it again, and a node works until it was decided anew and has ended or waits; what is on record then.
async fn again(stage: &Stage, id: &str) -> Incident {
    let decided = async || {
        let audit = stage.ledger.audit_of(id).await.unwrap();
        audit.iter().filter(|entry| entry.kind == "incident-decided").count()
    };
    let before = decided().await;
    let listed = reopen(&stage.ledger, id, None, ANN, Some("look once more"), real_time()).await.unwrap();
    assert_eq!(listed, Listed::Listed);
    let open = stage.ledger.incident(id).await.unwrap().unwrap();
    assert_eq!((open.state, open.decision, open.approval), (State::Open, None, None));
    let node = node(stage);
    let (begun, mut ended) = (Instant::now(), false);
    loop {
        let incident = stage.ledger.incident(id).await.unwrap().unwrap();
        if incident.state != State::Open && decided().await > before {
            node.abort();
            let _killed = node.await;
            return incident;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{incident:#?}");
        if !ended && stage.host.reruns(RUN) > 0 {
            stage.host.end(RUN, Conclusion::Success);
            ended = true;
        }
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn it_is_decided_by_what_holds_now_and_opening_it_allows_nothing() {
    let mut stage = Stage::new(Mode::Observe).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let id = undone(&stage).await.id;
    let incident = again(&stage, &id).await;
    assert_eq!((outcome(&incident), stage.host.reruns(RUN)), (("suggested", "mode-observe"), 0));
    stage.config.policy.mode = Mode::Approve;
    let incident = again(&stage, &id).await;
    assert_eq!((outcome(&incident), stage.host.reruns(RUN)), (("awaiting-approval", "mode-approve"), 0));
    // What waits is not over.
    let refused = reopen(&stage.ledger, &id, None, ANN, None, real_time()).await;
    assert!(matches!(refused, Err(LedgerError::WrongState { .. })), "{refused:?}");
    // A no is no more than a word on what was seen then: it is asked anew.
    stage.ledger.deny(&id, ANN, Some("not today"), real_time()).await.unwrap();
    let incident = again(&stage, &id).await;
    assert_eq!((outcome(&incident).0, stage.host.reruns(RUN)), ("awaiting-approval", 0));
    stage.ledger.deny(&id, ANN, None, real_time()).await.unwrap();
    // Every gate is asked.
    stage.config.policy.mode = Mode::Auto;
    stage.ledger.pause("fleet", "root", "a release", real_time()).await.unwrap();
    assert_eq!(outcome(&again(&stage, &id).await), ("suggested", "paused"));
    stage.ledger.unpause("fleet", "root", real_time()).await.unwrap();
    let healed = again(&stage, &id).await;
    assert_eq!((outcome(&healed).0, stage.host.reruns(RUN)), ("healed", 1));
    let refused = reopen(&stage.ledger, &id, None, ANN, None, real_time()).await;
    assert!(matches!(refused, Err(LedgerError::WrongState { .. })), "something was done: {refused:?}");
    let audit = stage.ledger.audit_of(&id).await.unwrap();
    let opened: Vec<_> = audit.iter().filter(|entry| entry.kind == "incident-reopened").collect();
    assert!(opened.len() == 5 && opened.iter().all(|entry| entry.body.contains(ANN)), "{opened:?}");
    assert!(stage.ledger.audit_verify(None).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_yes_of_before_counts_no_more() {
    let mut stage = Stage::new(Mode::Approve).await;
    stage.config.ask_ms = 20;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let id = undone(&stage).await.id;
    assert!(approve(&stage.ledger, &id, ANN, real_time()).await.unwrap().woken);
    // The yes is taken up under a mode that does not allow it any more.
    stage.config.policy.mode = Mode::Observe;
    let node = node(&stage);
    let begun = Instant::now();
    while stage.ledger.incident(&id).await.unwrap().unwrap().state != State::Closed {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    node.abort();
    let _killed = node.await;
    stage.config.policy.mode = Mode::Approve;
    let incident = again(&stage, &id).await;
    assert_eq!((outcome(&incident).0, stage.host.reruns(RUN)), ("awaiting-approval", 0));
}

#[tokio::test]
async fn it_is_taken_for_what_it_looks_like_now() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", CODE)]);
    let seen = undone(&stage).await;
    assert_eq!(outcome(&seen), ("left-alone", "code-failure"));
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let healed = again(&stage, &seen.id).await;
    assert_eq!((outcome(&healed).0, healed.diagnosis.verdict.as_str()), ("healed", "infrastructure"));
    assert_ne!(healed.diagnosis.fingerprint, seen.diagnosis.fingerprint);
    let audit = stage.ledger.audit_of(&seen.id).await.unwrap();
    let anew = audit.iter().find(|entry| entry.kind == "incident-diagnosed").unwrap();
    assert!(anew.body.contains(&seen.diagnosis.class), "{}", anew.body);
}

#[tokio::test]
async fn what_the_run_has_left_behind_stays_closed() {
    let stage = Stage::new(Mode::Observe).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let first = undone(&stage).await;
    let late = reopen(&stage.ledger, &first.id, Some(first.changed_at - 1), ANN, None, real_time()).await;
    assert!(matches!(late, Err(LedgerError::WrongState { .. })), "it has changed since: {late:?}");
    // What it would cost now would be counted in no budget of today.
    let tomorrow = real_time() + 21 * 3_600_000;
    let old = reopen(&stage.ledger, &first.id, None, ANN, None, tomorrow).await;
    assert!(matches!(old, Err(LedgerError::WrongState { .. })), "{old:?}");
    let gone = reopen(&stage.ledger, "none", None, ANN, None, real_time()).await;
    assert!(matches!(gone, Err(LedgerError::UnknownIncident { .. })), "{gone:?}");
    // The host is past it, and nobody here has seen that yet.
    stage.host.again_by_hand(RUN);
    let node = node(&stage);
    // As by somebody who died before the work was listed: said again, it is.
    stage.ledger.open_anew(&first.id, None, ANN, None, real_time()).await.unwrap();
    let listed = reopen(&stage.ledger, &first.id, None, ANN, None, real_time()).await.unwrap();
    assert_eq!(listed, Listed::Listed);
    let incident = stage.closed().await;
    assert_eq!((incident.outcome.as_deref(), stage.host.reruns(RUN)), (Some("left-alone"), 0));
    stage.host.end(RUN, Conclusion::Failure);
    stage.hook("two", RUN, 2, Conclusion::Failure).await;
    let begun = Instant::now();
    while stage.incidents().await.len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        sleep(Duration::from_millis(5)).await;
    }
    node.abort();
    let past = reopen(&stage.ledger, &first.id, None, ANN, None, real_time()).await.unwrap();
    assert!(matches!(past, Listed::Pointless(why) if why.contains("later attempt")), "{past:?}");
}
