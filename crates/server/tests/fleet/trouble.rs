//! A host that stumbles, lags or is told of by other names: nothing is lost, and nothing is taken for healed that is not.

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime},
};

use regreen_decide::Denial;
use regreen_domain::{Mode, Tool};
use regreen_engine::pause_scope;
use regreen_forge::{Conclusion, ForgeError, Quota, Repository};

use crate::{
    RUN, Stage,
    host::{NETWORK, Silence},
    open, outcome,
};

#[tokio::test]
async fn a_host_that_stumbles_at_any_call_delays_the_healing_and_no_more() {
    let what = || "it".to_owned();
    let errors = [
        ForgeError::Unreachable { what: what(), why: "status 502".to_owned() },
        ForgeError::RateLimited { until: SystemTime::now() + Duration::from_millis(50), quota: Quota::Burst },
        ForgeError::Denied { what: what(), why: "the token is being changed".to_owned() },
    ];
    let mut stumbling = tokio::task::JoinSet::new();
    for error in errors {
        for call in 0..8 {
            stumbling.spawn(stumbles_at(call, error.clone()));
        }
    }
    while let Some(done) = stumbling.join_next().await {
        done.unwrap();
    }
}

async fn stumbles_at(call: usize, error: ForgeError) {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.stumble(call, error.clone());
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until(&format!("{error:?} at {call}"), |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    assert_eq!(outcome(&stage.closed().await), ("healed", ""), "{error:?} at {call}");
    assert_eq!(stage.host.reruns(RUN), 1, "{error:?} at {call}");
    node.abort();
}

#[tokio::test]
async fn a_host_that_does_not_show_yet_what_it_told_is_asked_again() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.show_end(RUN, false);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it was never asked", |host| host.calls.load(std::sync::atomic::Ordering::SeqCst) > 1).await;
    stage.host.show_end(RUN, true);
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    node.abort();
}

#[tokio::test]
async fn names_of_repositories_have_no_case() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.ledger.pause(&pause_scope(None, Some("Octo/Shop")), "ann", "not now", 1).await.unwrap();
    let node = stage.start_one();
    for (id, name) in [("one", "octo/shop"), ("two", "OCTO/Shop")] {
        let repository = Repository::parse(name).unwrap();
        stage.hook_of(repository, id, RUN, 1, Conclusion::Failure).await;
    }
    assert_eq!(outcome(&stage.closed().await), ("suggested", "paused"));
    assert_eq!((stage.host.reruns(RUN), stage.incidents().await.len()), (0, 1));
    node.abort();
}

#[tokio::test]
async fn of_jobs_that_share_a_name_each_must_end_well() {
    for ends in [[Conclusion::Failure, Conclusion::Success], [Conclusion::Success, Conclusion::Failure]] {
        let stage = Stage::new(Mode::Auto).await;
        stage.host.fail(RUN, &[("test", NETWORK), ("test", NETWORK)]);
        let node = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
        stage.host.end_each(RUN, &ends);
        assert_eq!(outcome(&stage.closed().await).0, "rolled-back");
        node.abort();
    }
}

#[tokio::test]
async fn what_was_decided_under_a_looser_mode_is_not_carried_out() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    // It dies at its first look before the effect: the decision is on record then, and nothing is done.
    stage.host.silence(Some(Silence { call: 3, after: false }));
    let lease = Duration::from_millis(400);
    let first = stage.start(open(stage.folder.path()).await, lease);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    loop {
        let all = stage.incidents().await;
        if all.first().is_some_and(|one| one.decision.is_some()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.abort();
    let _killed = first.await;
    stage.host.silence(None);
    stage.config.policy.mode = Mode::Observe;
    let second = stage.start(stage.ledger.clone(), lease);
    assert_eq!(stage.closed().await.outcome.as_deref(), Some("suggested"));
    assert_eq!(stage.host.reruns(RUN), 0);
    second.abort();
}

#[tokio::test]
async fn what_was_begun_under_a_looser_mode_is_looked_for_and_not_sent() {
    for (is_there, by_mode) in [(false, true), (true, true), (false, false)] {
        let mut stage = Stage::new(Mode::Auto).await;
        stage.host.fail(RUN, &[("build", NETWORK)]);
        // The request is begun, and refused: it has to wait.
        let why = "the token is being changed".to_owned();
        stage.host.rerun_goes(ForgeError::Denied { what: "it".to_owned(), why }, is_there);
        stage.config.look_ms = 300;
        let first = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        stage.until("it was never begun", |host| host.checks.load(Ordering::SeqCst) == 1).await;
        while stage.ledger.waiting(&[], crate::real_time()).await.unwrap().taken > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.abort();
        let _stopped = first.await;
        match by_mode {
            true => stage.config.policy.mode = Mode::Observe,
            false => stage.config.policy.deny = vec![Denial::Tool(Tool::new("npm").unwrap())],
        }
        let second = stage.start_one();
        if is_there {
            stage.until("it was never looked for", |host| host.checks.load(Ordering::SeqCst) == 2).await;
            stage.host.end(RUN, Conclusion::Success);
        }
        let closed = stage.closed().await;
        assert_eq!(outcome(&closed).0, if is_there { "healed" } else { "rolled-back" });
        assert_eq!(stage.host.reruns(RUN), usize::from(is_there));
        let says = &closed.verification.unwrap()[0].says;
        assert_eq!(says.contains("does not allow it any more"), !is_there, "{says}");
        second.abort();
    }
}
