//! What is easily overlooked: answers that were lost, work that is cut off, several pieces of work about one incident, and a
//! kill switch that is thrown in the middle.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use regreen_domain::Mode;
use regreen_engine::{EndedRun, PAUSED_FLEET};
use regreen_forge::{Conclusion, ForgeError, RunRef, hook::Sender};
use regreen_ledger::State;
use regreen_server::{Listed, Pace, Task};
use tokio::time::sleep;

use crate::{RUN, Stage, host::NETWORK, octo, open, outcome};

const HOUR: i64 = 3_600_000;

fn lost() -> ForgeError {
    ForgeError::Unknown { what: "the rerun".to_owned(), why: "status 502".to_owned() }
}

fn by_hand(attempt: Option<u32>) -> Listed {
    let run = RunRef { repository: octo(), run_id: RUN };
    Task::Run { sender: Sender::GitHub, ended: EndedRun { run, attempt } }.listed(1).once_more("by-hand")
}

#[tokio::test]
async fn a_request_whose_answer_was_lost_is_looked_for_soon() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.look_ms = HOUR;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.rerun_goes(lost(), true);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    // No hook tells of it.
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    assert_eq!(stage.host.reruns(RUN), 1);
    node.abort();
}

#[tokio::test]
async fn a_request_that_never_arrived_is_given_up_and_never_sent_again() {
    let mut stage = Stage::new(Mode::Auto).await;
    (stage.config.look_ms, stage.config.lost_ms) = (HOUR, 100);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.rerun_goes(lost(), false);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let incident = stage.closed().await;
    assert_eq!(outcome(&incident), ("rolled-back", ""));
    let says = &incident.verification.unwrap()[0].says;
    assert!(says.contains("lost; it was not sent again"), "{says}");
    assert_eq!((stage.host.reruns(RUN), stage.host.checks.load(Ordering::SeqCst)), (0, 1));
    node.abort();
}

#[tokio::test]
async fn a_host_that_fails_while_a_run_is_cancelled_is_asked_again() {
    let what = || "cancelling".to_owned();
    let troubles = [
        (ForgeError::Unreachable { what: what(), why: "status 502".to_owned() }, false),
        (ForgeError::Unknown { what: what(), why: "status 504".to_owned() }, true),
        (ForgeError::Denied { what: what(), why: "the token is being changed".to_owned() }, false),
    ];
    for (error, done) in troubles {
        let mut stage = Stage::new(Mode::Auto).await;
        stage.config.wait_ms = 50;
        stage.host.fail(RUN, &[("build", NETWORK)]);
        stage.host.cancel_goes(error.clone(), done);
        let node = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        assert_eq!(outcome(&stage.closed().await), ("rolled-back", ""), "{error:?}");
        assert_eq!(stage.host.cancels(RUN), 1 + usize::from(done), "{error:?}");
        node.abort();
    }
}

#[tokio::test]
async fn an_incident_is_not_taken_from_a_node_that_is_alive() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.hold(true);
    // It hangs at its request, alive: its lease is kept.
    let lease = Duration::from_millis(600);
    let first = stage.start(open(stage.folder.path()).await, lease);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never came to its request", |host| host.checks.load(Ordering::SeqCst) == 1).await;
    // Another piece of work about the same incident, at another node.
    stage.ledger.enqueue(&[by_hand(None).work()]).await.unwrap();
    let second = stage.start(stage.ledger.clone(), lease);
    sleep(lease * 2).await;
    assert_eq!(stage.host.checks.load(Ordering::SeqCst), 1, "the incident was taken from a node that lives");
    // Dead, it is gone on with.
    first.abort();
    let _killed = first.await;
    stage.host.hold(false);
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    assert_eq!(stage.host.reruns(RUN), 1);
    second.abort();
}

#[tokio::test]
async fn work_that_a_stop_cuts_off_is_not_given_to_another_at_once() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.hold(true);
    let pace = Pace { drain: Duration::from_millis(50), idle: Duration::from_millis(10), ..Pace::default() };
    let worker = stage.worker_at(stage.ledger.clone(), pace);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let host = stage.host.clone();
    worker
        .run(async move {
            while host.checks.load(Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let soon = i64::try_from(now).unwrap() + 30_000;
    assert_eq!(stage.ledger.waiting(&[], soon).await.unwrap().ready, 0, "its request may be under way");
    assert_eq!(stage.ledger.waiting(&[], soon + 60_000).await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_kill_switch_holds_within_two_seconds_in_every_node() {
    const RUNS: u64 = 8;
    let stage = Stage::new(Mode::Auto).await;
    for run in 1..=RUNS {
        stage.host.fail(run, &[("build", NETWORK)]);
    }
    // All of them are looked at right before they are sent, for long.
    stage.host.hold(true);
    let mut nodes = Vec::new();
    for _ in 0..2 {
        nodes.push(stage.start(open(stage.folder.path()).await, Duration::from_secs(5)));
    }
    for run in 1..=RUNS {
        stage.hook(&format!("a{run}"), run, 1, Conclusion::Failure).await;
    }
    stage
        .until("not all came to their request", |host| host.checks.load(Ordering::SeqCst) as u64 == RUNS)
        .await;
    let thrown = Instant::now();
    stage.ledger.pause(PAUSED_FLEET, "ann", "stop", 1).await.unwrap();
    sleep(Duration::from_secs(2).saturating_sub(thrown.elapsed())).await;
    stage.host.hold(false);
    let all = loop {
        let all = stage.incidents().await;
        if all.iter().all(|one| one.state != State::Open) {
            break all;
        }
        assert!(thrown.elapsed() < Duration::from_secs(20), "{all:#?}");
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(all.len() as u64, RUNS);
    assert_eq!((1..=RUNS).map(|run| stage.host.reruns(run)).sum::<usize>(), 0);
    for node in nodes {
        node.abort();
    }
}

#[tokio::test]
async fn what_a_person_lists_and_what_is_given_up_is_in_the_audit_log() {
    let stage = Stage::new(Mode::Auto).await;
    let listed = by_hand(Some(1));
    assert!(stage.ledger.enqueue_by_hand(&listed.work(), "ann", 5).await.unwrap());
    assert!(!stage.ledger.enqueue_by_hand(&listed.work(), "ann", 6).await.unwrap());
    let claim = stage.ledger.claim(&[], "n", 100, 10).await.unwrap().unwrap();
    stage.ledger.give_up(&claim, "the disk is full", 11).await.unwrap();
    let said: Vec<_> =
        stage.ledger.audit(0, 10).await.unwrap().into_iter().map(|e| (e.kind, e.body)).collect();
    let key = listed.key();
    assert_eq!(
        said,
        [
            ("work-listed-by-hand".to_owned(), format!("{{\"actor\":\"ann\",\"work\":\"{key}\"}}")),
            ("work-given-up".to_owned(), format!("{{\"why\":\"the disk is full\",\"work\":\"{key}\"}}")),
        ]
    );
    assert_eq!(stage.ledger.outcome(key).await.unwrap().as_deref(), Some("given-up"));
    assert!(stage.ledger.audit_verify(None).await.unwrap().is_sound());
}
