//! Work that the host does not let be done: asked again less and less often, given up after a day, told, and nothing is left open.

use std::sync::atomic::Ordering;

use regreen_domain::{Mode, Outcome};
use regreen_engine::{EndedRun, EscalationConfig};
use regreen_forge::{Conclusion, ForgeError, RunRef, hook::Sender};
use regreen_ledger::{BreakerState, Closing, Incident, State};
use regreen_server::Task;

use crate::{
    RUN,
    host::NETWORK,
    octo,
    outage::{MINUTE, NPM, Play, here},
    outcome,
};

fn denied() -> ForgeError {
    ForgeError::Denied { what: "it".to_owned(), why: "bad credentials".to_owned() }
}

fn garbage() -> ForgeError {
    ForgeError::Garbage { what: "it".to_owned(), why: "no JSON".to_owned() }
}

/// How the work of the run's first attempt ended.
async fn ended(play: &Play) -> Option<String> {
    play.stage.ledger.outcome("github/run/octo/shop/77/1").await.unwrap()
}

async fn only(play: &Play) -> Incident {
    let mut all = play.stage.incidents().await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

async fn hours(play: &Play, hours: i64) {
    for _ in 0..hours * 12 {
        play.skip(5 * MINUTE).await;
    }
}

#[tokio::test]
async fn a_host_that_refuses_for_a_day_is_asked_less_and_less_often_and_the_work_given_up_and_told() {
    here(async {
        for (error, most) in [(denied(), 60), (garbage(), 120)] {
            let play = Play::new(Mode::Auto, 1).await;
            play.stage.host.refuse(Some(error.clone()));
            play.fails("octo/shop", RUN, NETWORK).await;
            play.settle().await;
            let calls = || play.stage.host.calls.load(Ordering::SeqCst);
            hours(&play, 1).await;
            let first = calls();
            hours(&play, 21).await;
            let before = calls();
            hours(&play, 1).await;
            assert!(first >= 8 && calls() - before <= 2, "{first}, then {} in an hour", calls() - before);
            assert_eq!((ended(&play).await, play.given_up().len()), (None, 0), "not before a day is over");
            hours(&play, 3).await;
            assert_eq!(ended(&play).await.as_deref(), Some("given-up"));
            assert_eq!(play.given_up(), [error.to_string()]);
            assert!(calls() <= most, "{}", calls());
            let audit = play.stage.ledger.audit(0, 9).await.unwrap();
            assert!(audit.iter().any(|entry| entry.kind == "work-given-up"));
            hours(&play, 2).await;
            assert!(calls() <= most && play.stage.incidents().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_ends_in_time_costs_nothing_and_the_next_one_has_a_day_of_its_own() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let host = play.stage.host.clone();
        host.refuse(Some(denied()));
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        hours(&play, 20).await;
        host.refuse(None);
        hours(&play, 2).await;
        assert_eq!(host.reruns(RUN), 1);
        host.refuse(Some(denied()));
        hours(&play, 20).await;
        host.refuse(None);
        host.end(RUN, Conclusion::Success);
        hours(&play, 2).await;
        assert_eq!((outcome(&only(&play).await), play.given_up().len()), (("healed", ""), 0));
    })
    .await;
}

#[tokio::test]
async fn what_was_not_begun_is_closed_as_it_stands() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.stage.remotes.set(NPM, true);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        assert_eq!(only(&play).await.state, State::Open);
        play.stage.remotes.set(NPM, false);
        play.stage.host.refuse(Some(denied()));
        hours(&play, 27).await;
        let closed = only(&play).await;
        assert_eq!((closed.state, outcome(&closed)), (State::Closed, ("left-alone", "")));
        let told = play.given_up();
        assert!(matches!(told.as_slice(), [one] if one.ends_with(" is closed as left-alone")), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_never_let_through_is_taken_back_and_does_not_count() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        for _ in 0..200 {
            play.stage.host.rerun_goes(denied(), false);
        }
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        hours(&play, 27).await;
        let closed = only(&play).await;
        assert_eq!((closed.state, outcome(&closed)), (State::Closed, ("rolled-back", "")));
        let says = &closed.verification.unwrap()[0].says;
        assert!(says.starts_with("given up: it: not permitted"), "{says}");
        assert_eq!((ended(&play).await.as_deref(), play.stage.host.reruns(RUN)), (Some("given-up"), 0));
        let breakers = play.stage.ledger.breakers(play.stage.config.breaker, i64::MAX / 2).await.unwrap();
        assert!(breakers.iter().all(|one| one.state == BreakerState::Closed && one.failures == 0));
        assert!(play.stage.ledger.audit_verify(None).await.unwrap().is_sound());
    })
    .await;
}

#[tokio::test]
async fn what_runs_again_and_can_be_neither_seen_nor_cancelled_ends_stuck_and_never_healed() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        assert_eq!(play.stage.host.reruns(RUN), 1);
        play.stage.host.refuse(Some(denied()));
        hours(&play, 47).await;
        assert_eq!(only(&play).await.state, State::Open);
        hours(&play, 4).await;
        let closed = only(&play).await;
        assert_eq!((closed.state, outcome(&closed)), (State::Closed, ("stuck", "")));
        assert_eq!(
            (play.given_up().len(), play.stage.ledger.waiting(&["run-ended"], 0).await.unwrap().later),
            (1, 0)
        );
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_can_never_be_right_is_not_asked_for_again() {
    here(async {
        let what = || "the jobs".to_owned();
        let errors = [
            ForgeError::TooLarge { what: what(), limit: 9 },
            ForgeError::Endless { what: what(), pages: 100 },
            ForgeError::NotFound { what: what() },
        ];
        for error in errors {
            let play = Play::new(Mode::Auto, 1).await;
            play.stage.host.refuse(Some(error.clone()));
            play.fails("octo/shop", RUN, NETWORK).await;
            play.settle().await;
            assert_eq!(ended(&play).await.as_deref(), Some("nothing"), "{error}");
            assert_eq!(play.stage.host.calls.load(Ordering::SeqCst), 1, "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_that_is_gone_leaves_nothing_open_where_nobody_told_its_attempt() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.stage.host.fail(RUN, &[("build", NETWORK)]);
        let run = RunRef { repository: octo(), run_id: RUN };
        let task = Task::Run { sender: Sender::GitHub, ended: EndedRun { run, attempt: None } };
        play.stage.ledger.enqueue(&[task.listed(1).work()]).await.unwrap();
        play.settle().await;
        assert_eq!((play.stage.host.reruns(RUN), only(&play).await.state), (1, State::Open));
        play.stage.host.refuse(Some(ForgeError::NotFound { what: "the run".to_owned() }));
        hours(&play, 1).await;
        let closed = only(&play).await;
        assert_eq!((closed.state, outcome(&closed).0), (State::Closed, "rolled-back"));
        assert_eq!(play.stage.ledger.waiting(&["run-ended"], i64::MAX).await.unwrap().ready, 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_node_closed_and_died_before_it_told_is_told_by_the_next() {
    here(async {
        let mut play = Play::new(Mode::Auto, 0).await;
        play.stage.config.escalation = EscalationConfig { issues: true, ..EscalationConfig::default() };
        play.nodes.push(play.node(crate::open(play.stage.folder.path()).await));
        play.stage.host.fail(RUN, &[("build", NETWORK)]);
        let run = RunRef { repository: octo(), run_id: RUN };
        let task = Task::Run { sender: Sender::GitHub, ended: EndedRun { run, attempt: None } };
        play.stage.ledger.enqueue(&[task.listed(1).work()]).await.unwrap();
        play.settle().await;
        let (id, ledger) = (only(&play).await.id, play.stage.ledger.clone());
        // As a node leaves it that dies right after it has closed what can't be brought to its end.
        assert_eq!(ledger.take_over_from_the_gone(&id, "dying", play.now()).await.unwrap(), None);
        ledger.close(&id, "dying", &Closing::new(Outcome::RolledBack), play.now()).await.unwrap();
        assert!(ledger.escalations("github", None).await.unwrap().is_empty());
        play.stage.host.refuse(Some(ForgeError::NotFound { what: "the run".to_owned() }));
        hours(&play, 1).await;
        let told = ledger.escalations("github", None).await.unwrap();
        assert!(matches!(told.as_slice(), [one] if one.incident == id), "{told:?}");
        assert_eq!(ledger.waiting(&["run-ended"], i64::MAX).await.unwrap().ready, 0);
    })
    .await;
}
