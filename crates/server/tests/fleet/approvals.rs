//! A question beside the fleet: asked by the record, answered by a person, carried out by the node that looks next; or over.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_domain::Mode;
use regreen_engine::PAUSED_FLEET;
use regreen_forge::Conclusion;
use regreen_ledger::{APPROVAL_LASTS_MS, Incident, State};
use regreen_server::Pace;
use tokio::time::sleep;

use crate::{RUN, Stage, host::NETWORK, open, outcome};

static AHEAD: AtomicI64 = AtomicI64::new(0);

fn ahead() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap() + AHEAD.load(Ordering::SeqCst)
}

/// An incident that waits for a person's word.
pub(crate) async fn waiting(stage: &mut Stage) -> Incident {
    stage.config.ask_ms = 20;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let node = stage.start_one();
    let incident = stage.closed().await;
    assert_eq!(outcome(&incident), ("awaiting-approval", "mode-approve"));
    node.abort();
    let _killed = node.await;
    incident
}

/// The only incident, once it is over.
pub(crate) async fn over(stage: &Stage) -> Incident {
    let begun = Instant::now();
    loop {
        let mut all = stage.incidents().await;
        if all[0].state == State::Closed {
            return all.remove(0);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{all:#?}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_yes_lets_it_go_on_and_is_used_once() {
    let mut stage = Stage::new(Mode::Approve).await;
    let incident = waiting(&mut stage).await;
    let node = stage.start(open(stage.folder.path()).await, Duration::from_millis(400));
    sleep(Duration::from_millis(100)).await;
    assert_eq!(stage.host.reruns(RUN), 0);
    stage.ledger.approve(&incident.id, "ann", ahead()).await.unwrap();
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    let incident = over(&stage).await;
    assert_eq!((outcome(&incident).0, stage.host.reruns(RUN)), ("healed", 1));
    assert!(incident.approval.is_some_and(|word| word.granted && word.actor == "ann"));
    let kinds: Vec<_> =
        stage.ledger.audit_of(&incident.id).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    let at = |kind: &str| kinds.iter().position(|one| one == kind);
    assert!(at("incident-approved") < at("approval-used") && at("approval-used").is_some(), "{kinds:?}");
    node.abort();
}

#[tokio::test]
async fn a_no_ends_it() {
    let mut stage = Stage::new(Mode::Approve).await;
    let incident = waiting(&mut stage).await;
    stage.ledger.deny(&incident.id, "ann", Some("not today"), ahead()).await.unwrap();
    let node = stage.start_one();
    assert_eq!(outcome(&over(&stage).await).0, "left-alone");
    let begun = Instant::now();
    while stage.ledger.waiting(&[], ahead()).await.unwrap() != regreen_ledger::Waiting::default() {
        assert!(begun.elapsed() < Duration::from_secs(20), "its work is done");
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stage.host.reruns(RUN), 0);
    node.abort();
}

#[tokio::test]
async fn a_yes_counts_only_for_what_it_was_said_about() {
    type Change = fn(&mut Stage);
    let changes: [(&str, Change, &str); 4] = [
        ("somebody ran it again", |stage| stage.host.again(RUN), "left-alone"),
        ("it may only observe by now", |stage| stage.config.policy.mode = Mode::Observe, "suggested"),
        ("it may only suggest by now", |stage| stage.config.policy.mode = Mode::Suggest, "suggested"),
        (
            "another job failed by its code",
            |stage| stage.host.fail(RUN, &[("build", crate::host::CODE)]),
            "left-alone",
        ),
    ];
    for (name, change, want) in changes {
        let mut stage = Stage::new(Mode::Approve).await;
        let incident = waiting(&mut stage).await;
        change(&mut stage);
        stage.ledger.approve(&incident.id, "ann", ahead()).await.unwrap();
        let node = stage.start_one();
        assert_eq!(outcome(&over(&stage).await).0, want, "{name}");
        assert_eq!(stage.host.reruns(RUN), 0, "{name}");
        node.abort();
    }
}

#[tokio::test]
async fn a_yes_does_not_count_while_healing_is_paused() {
    let mut stage = Stage::new(Mode::Approve).await;
    let incident = waiting(&mut stage).await;
    stage.ledger.pause(PAUSED_FLEET, "bob", "release", 1).await.unwrap();
    stage.ledger.approve(&incident.id, "ann", ahead()).await.unwrap();
    let node = stage.start_one();
    assert_eq!(outcome(&over(&stage).await), ("suggested", "paused"));
    assert_eq!(stage.host.reruns(RUN), 0);
    node.abort();
}

#[tokio::test]
async fn a_question_ends_with_its_time_and_so_does_an_answer() {
    for answered in [false, true] {
        let mut stage = Stage::new(Mode::Approve).await;
        let incident = waiting(&mut stage).await;
        if answered {
            stage.ledger.approve(&incident.id, "ann", ahead()).await.unwrap();
        }
        AHEAD.store(APPROVAL_LASTS_MS + 60_000, Ordering::SeqCst);
        let pace = Pace { idle: Duration::from_millis(10), ..Pace::default() };
        let node = tokio::spawn(
            stage
                .worker_with(stage.ledger.clone(), pace, ahead, std::sync::Arc::new(crate::Quiet))
                .run(std::future::pending()),
        );
        assert_eq!(outcome(&over(&stage).await).0, "suggested");
        assert_eq!(stage.host.reruns(RUN), 0);
        node.abort();
        AHEAD.store(0, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_question_stands_on_the_pull_request_where_comments_are_obeyed() {
    for comments in [false, true] {
        let mut stage = Stage::new(Mode::Approve).await;
        stage.config.comments = comments;
        stage.host.fail(RUN, &[("build", NETWORK)]);
        stage.host.make_pull(RUN, 7);
        let node = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        let id = stage.closed().await.id;
        let said = stage.host.said(7);
        assert_eq!(said.len(), usize::from(comments));
        assert!(said.iter().all(|text| text.contains(&format!("    /regreen approve {id}\n"))), "{said:?}");
        node.abort();
    }
}
