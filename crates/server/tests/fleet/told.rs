//! People are told where they work: in one comment and one check run, each edited in place, and healing waits for neither.

use std::sync::atomic::Ordering;

use regreen_domain::Mode;
use regreen_engine::{CallBudget, ToldConfig, pause_scope};
use regreen_forge::{CheckState, Conclusion, Forge as _, ForgeError, Marker};
use regreen_ledger::State;

use crate::{
    RUN, Stage,
    host::{CODE, NETWORK, commit},
    octo,
    outage::{MINUTE, Play, here},
    outcome,
};

const PULL: u64 = 7;
const HOUR: i64 = 60 * MINUTE;

async fn play(mode: Mode, told: ToldConfig) -> Play {
    play_with(mode, |stage| stage.config.told = told).await
}

async fn play_with(mode: Mode, set: impl FnOnce(&mut Stage)) -> Play {
    let mut play = Play::new(mode, 0).await;
    set(&mut play.stage);
    for _ in 0..2 {
        play.nodes.push(play.node(crate::open(play.stage.folder.path()).await));
    }
    play
}

const BOTH: ToldConfig = ToldConfig { pull_requests: true, check_runs: true };
const COMMENT: ToldConfig = ToldConfig { pull_requests: true, check_runs: false };

impl Play {
    /// A run of the pull request has failed.
    async fn pull_fails(&self, run: u64, log: &'static str) {
        self.stage.host.fail(run, &[("build", log)]);
        self.stage.host.make_pull(run, PULL);
        self.stage.hook(&format!("{run}-1"), run, 1, Conclusion::Failure).await;
        self.settle().await;
    }

    async fn ends(&self, run: u64, conclusion: Conclusion) {
        self.pass(1_000).await;
        self.stage.host.end(run, conclusion);
        self.stage.hook(&format!("{run}-2"), run, 2, conclusion).await;
        self.settle().await;
    }

    /// The only comment.
    fn comment(&self) -> String {
        let said = self.stage.host.said(PULL);
        assert_eq!(said.len(), 1, "{said:#?}");
        said[0].clone()
    }

    fn is_silent(&self) -> bool {
        self.stage.host.said(PULL).is_empty() && self.stage.host.checks_written().is_empty()
    }
}

fn bad_gateway() -> ForgeError {
    ForgeError::Unreachable { what: "it".to_owned(), why: "status 502".to_owned() }
}

#[tokio::test]
async fn a_healed_run_is_told_as_healed_in_the_comment_that_said_that_it_failed() {
    here(async {
        let play = play_with(Mode::Auto, |stage| {
            (stage.config.told, stage.config.comments) = (BOTH, true);
        })
        .await;
        play.pull_fails(RUN, NETWORK).await;
        let id = play.stage.incidents().await[0].id.clone();
        let first = play.comment();
        for part in [
            "**Regreen: being healed**",
            "`build` failed in attempt 1: **infrastructure: network-timeout** (confidence 0.",
            "ECONNRESET",
            "to act by the playbook `rerun-failed-jobs`",
            &format!("    /regreen rollback {id}\n    /regreen explain\n"),
        ] {
            assert!(first.contains(part), "{part}\n\n{first}");
        }
        play.ends(RUN, Conclusion::Success).await;
        let last = play.comment();
        assert!(last.starts_with("**Regreen: healed, not plain green**"), "{last}");
        assert!(!last.contains("being healed") && !last.contains("rollback"), "{last}");
        let checks = play.stage.host.checks_written();
        let titles: Vec<&str> = checks.iter().map(|check| check.title.as_str()).collect();
        assert_eq!(titles, ["network-timeout: being healed", "network-timeout: healed, not plain green"]);
        for check in &checks {
            assert_eq!((check.name.as_str(), check.state), ("Regreen", CheckState::Neutral));
            assert_eq!((&check.head_sha, &check.marker), (&commit(RUN), &checks[0].marker));
        }
        assert!(last.starts_with(checks[1].summary.trim_end()), "{last}");
        // Delivered again, by the same id and by others, nothing is written.
        for again in [format!("{RUN}-1"), "new".to_owned()] {
            play.stage.hook(&again, RUN, 1, Conclusion::Failure).await;
            play.settle().await;
        }
        play.skip(12 * HOUR).await;
        assert_eq!((play.comment(), play.stage.host.checks_written().len()), (last, 2));
        assert!(play.troubles().is_empty() && play.given_up().is_empty());
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_of_forks_of_code_where_it_is_only_observed_or_not_asked_for() {
    here(async {
        for (name, mode, told, log, fork) in [
            ("off", Mode::Auto, ToldConfig::default(), NETWORK, false),
            ("observe", Mode::Observe, BOTH, NETWORK, false),
            ("code", Mode::Auto, BOTH, CODE, false),
            ("fork", Mode::Auto, BOTH, NETWORK, true),
        ] {
            let play = play(mode, told).await;
            play.stage.host.fail(RUN, &[("build", log)]);
            play.stage.host.make_pull(RUN, PULL);
            if fork {
                play.stage.host.make_fork(RUN);
            }
            play.stage.hook("one", RUN, 1, Conclusion::Failure).await;
            play.skip(5 * MINUTE).await;
            assert_eq!(play.stage.incidents().await.len(), 1, "{name}");
            assert!(play.is_silent(), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_run_that_failed_again_for_another_reason_says_both() {
    here(async {
        let play = play(Mode::Auto, COMMENT).await;
        play.pull_fails(RUN, NETWORK).await;
        play.pass(1_000).await;
        play.stage.host.end(RUN, Conclusion::Failure);
        play.stage.host.logs(RUN, CODE);
        play.stage.hook("two", RUN, 2, Conclusion::Failure).await;
        play.settle().await;
        let said = play.comment();
        assert!(said.starts_with("**Regreen: left alone**"), "{said}");
        assert!(said.contains("in attempt 2: **code: ") && said.contains("Decided: to do nothing"), "{said}");
        assert!(said.contains("- Attempt 1 before it: network-timeout, tried, not healed."), "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_question_stands_in_the_same_comment_as_its_answer() {
    here(async {
        let play = play_with(Mode::Approve, |stage| {
            (stage.config.told, stage.config.comments) = (COMMENT, true);
        })
        .await;
        play.pull_fails(RUN, NETWORK).await;
        let id = play.stage.incidents().await[0].id.clone();
        let asked = play.comment();
        assert!(asked.contains(&format!("    /regreen approve {id}\n    /regreen deny {id}\n")), "{asked}");
        // While it waits, and is met again and again, the host is not asked for that.
        let calls = play.stage.host.calls.load(Ordering::SeqCst);
        for _ in 0..12 {
            play.skip(6 * MINUTE).await;
        }
        assert_eq!(play.stage.host.calls.load(Ordering::SeqCst), calls);
        play.stage.ledger.deny(&id, "github:ann", None, play.now()).await.unwrap();
        play.pass(6 * MINUTE).await;
        let said = play.comment();
        assert!(said.contains("`github:ann` said no") && !said.contains("/regreen approve"), "{said}");
    })
    .await;
}

#[tokio::test]
async fn while_it_is_paused_nothing_is_written_and_after_a_day_never() {
    here(async {
        let scope = pause_scope(None, Some("octo/shop"));
        for (hours, told) in [(2, true), (30, false)] {
            let play = play(Mode::Suggest, BOTH).await;
            play.stage.ledger.pause(&scope, "ann", "not now", 1).await.unwrap();
            play.pull_fails(RUN, NETWORK).await;
            for _ in 0..hours {
                play.skip(HOUR).await;
            }
            assert!(play.is_silent());
            play.stage.ledger.unpause(&scope, "ann", play.now()).await.unwrap();
            play.skip(6 * HOUR).await;
            assert_eq!(play.is_silent(), !told);
            assert_eq!(play.given_up().len(), if told { 0 } else { 2 }, "{:?}", play.given_up());
        }
    })
    .await;
}

#[tokio::test]
async fn a_host_that_stumbles_holds_up_no_healing_and_is_left_after_a_day() {
    here(async {
        let play = play(Mode::Auto, COMMENT).await;
        play.stage.host.comment_goes(bad_gateway());
        play.pull_fails(RUN, NETWORK).await;
        assert_eq!((play.stage.host.reruns(RUN), play.stage.host.said(PULL).len()), (1, 0));
        play.pass(2 * MINUTE).await;
        assert!(play.comment().contains("being healed"));
        (0..200).for_each(|_| play.stage.host.comment_goes(bad_gateway()));
        play.ends(RUN, Conclusion::Success).await;
        let all = play.stage.incidents().await;
        assert_eq!((outcome(&all[0]), all[0].state), (("healed", ""), State::Closed));
        for _ in 0..30 {
            play.skip(HOUR).await;
        }
        assert!(play.comment().contains("being healed"));
        assert!(
            matches!(play.given_up().as_slice(), [why] if why.contains("status 502")),
            "{:?}",
            play.given_up()
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_newer_stays() {
    here(async {
        let play = play(Mode::Auto, COMMENT).await;
        let marker = Marker::parse(&format!("told/{RUN:x}")).unwrap();
        let newer = Marker::in_order("newer", (play.now() + HOUR, 0));
        play.stage.host.comment(&octo(), PULL, &marker, &newer).await.unwrap();
        play.pull_fails(RUN, NETWORK).await;
        play.ends(RUN, Conclusion::Success).await;
        assert_eq!(play.comment(), newer);
    })
    .await;
}

#[tokio::test]
async fn a_node_whose_clock_is_behind_is_heard_all_the_same() {
    here(async {
        let play = play(Mode::Auto, COMMENT).await;
        play.pull_fails(RUN, NETWORK).await;
        assert!(play.comment().contains("being healed"));
        // Another node goes on, and its clock is ten minutes behind that of the one which said so.
        play.skip(-10 * MINUTE).await;
        play.ends(RUN, Conclusion::Success).await;
        play.skip(11 * MINUTE).await;
        assert!(play.comment().starts_with("**Regreen: healed"), "{}", play.comment());
    })
    .await;
}

#[tokio::test]
async fn a_check_run_that_is_refused_is_told_once_and_tried_again_the_next_day() {
    here(async {
        let play = play(Mode::Suggest, BOTH).await;
        let no = ForgeError::Denied { what: "the check".to_owned(), why: "status 403".to_owned() };
        play.stage.host.check_goes(no);
        for run in [1, 2] {
            play.pull_fails(run, NETWORK).await;
        }
        assert_eq!((play.stage.host.said(PULL).len(), play.stage.host.checks_written().len()), (2, 0));
        assert!(
            matches!(play.troubles().as_slice(), [why] if why.contains("status 403")),
            "{:?}",
            play.troubles()
        );
        play.skip(25 * HOUR).await;
        play.pull_fails(3, NETWORK).await;
        assert_eq!((play.stage.host.checks_written().len(), play.troubles().len()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_used_up_are_waited_for() {
    here(async {
        let play = play_with(Mode::Suggest, |stage| {
            stage.config.told = COMMENT;
            stage.config.calls = CallBudget { repository: Some(3), organisation: None };
        })
        .await;
        play.past_the_hour(MINUTE);
        play.pull_fails(RUN, NETWORK).await;
        assert_eq!(play.stage.incidents().await.len(), 1);
        assert!(play.is_silent());
        play.skip(HOUR).await;
        assert!(play.comment().contains("not healed, left to people"));
    })
    .await;
}
