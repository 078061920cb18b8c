//! People are told once for each failure that is theirs, and told again when it is well.

use std::sync::{Arc, atomic::Ordering};

use regreen_domain::Mode;
use regreen_engine::{EscalationConfig, Rule};
use regreen_forge::{Conclusion, Repository, hook::Sender};

use crate::{
    host::{CODE, Host, NETWORK},
    outage::{MINUTE, NPM, Play, here},
};

const CREDENTIAL: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run npm ci
2026-11-29T09:00:01.1000000Z npm ci
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:00:02.0000000Z npm error code E401
2026-11-29T09:00:02.1000000Z npm error Incorrect or missing password.
2026-11-29T09:00:02.2000000Z ##[error]Process completed with exit code 1.
";

async fn told(mode: Mode, issues: bool) -> Play {
    let mut play = Play::new(mode, 0).await;
    play.stage.config.escalation = EscalationConfig {
        issues,
        outages_in: Repository::parse("octo/ops"),
        host: Some(Sender::GitHub),
        ..EscalationConfig::default()
    };
    for _ in 0..2 {
        play.nodes.push(play.node(crate::open(play.stage.folder.path()).await));
    }
    play
}

#[tokio::test]
async fn a_failure_that_is_a_persons_is_one_issue_until_the_job_is_green() {
    here(async {
        let play = told(Mode::Auto, true).await;
        let host = play.stage.host.clone();
        play.fails("octo/shop", 1, CREDENTIAL).await;
        play.settle().await;
        let (issues, writes) = host.issues();
        assert_eq!((issues.len(), writes, issues[0].open), (1, 1, true));
        assert!(issues[0].title.contains("credential-failure"), "{}", issues[0].title);
        assert!(
            issues[0].body.contains("octo/shop") && !issues[0].body.contains("/regreen"),
            "{}",
            issues[0].body
        );
        // It happens again: the same issue says so.
        play.pass(5_000).await;
        play.fails("octo/shop", 2, CREDENTIAL).await;
        play.settle().await;
        let (again, writes) = host.issues();
        assert_eq!((again.len(), writes), (1, 2));
        assert_ne!(again[0].body, issues[0].body);
        // Nothing new: nothing is written, also after a person has closed it.
        host.close_by_hand(1);
        play.pass(2 * 60 * MINUTE).await;
        assert_eq!((host.issues().1, host.issues().0[0].open), (2, false));
        play.fails("octo/shop", 3, CREDENTIAL).await;
        play.settle().await;
        assert!(host.issues().0[0].open);
        // Another job's end is no end of it.
        host.fail(4, &[("lint", "")]);
        host.end_well(4);
        play.pass(20_000).await;
        play.stage.hook("four", 4, 1, Conclusion::Success).await;
        play.settle().await;
        assert!(host.issues().0[0].open);
        // Nor is a fork's, whatever its branch is called.
        host.fail(7, &[("build", "")]);
        host.end_well(7);
        host.make_fork(7);
        play.stage.hook("seven", 7, 1, Conclusion::Success).await;
        play.settle().await;
        assert!(host.issues().0[0].open);
        host.fail(5, &[("build", ""), ("lint", "")]);
        host.end_well(5);
        play.pass(20_000).await;
        play.stage.hook("five", 5, 1, Conclusion::Success).await;
        play.settle().await;
        assert!(!host.issues().0[0].open);
        // Told of the old failure once more, nobody is called; a new one is another matter.
        let writes = host.issues().1;
        play.stage.hook("once-more", 1, 1, Conclusion::Failure).await;
        play.settle().await;
        assert_eq!(host.issues().1, writes);
        play.pass(5_000).await;
        play.fails("octo/shop", 6, CREDENTIAL).await;
        play.settle().await;
        assert!(host.issues().0.len() == 1 && host.issues().0[0].open);
    })
    .await;
}

#[tokio::test]
async fn an_issue_is_assigned_once_to_whom_the_workflows_file_belongs() {
    here(async {
        let owned = "* @everybody\n/.github/workflows/ @octo/team @ann @<b> not@mail.example @bob\n";
        for (text, codeowners, want) in [
            (Some(owned), true, vec!["ann", "bob"]),
            (Some("docs/ @ann\n"), true, vec!["zoe"]),
            (None, true, vec!["zoe"]),
            (Some(owned), false, vec!["zoe"]),
        ] {
            let mut play = told(Mode::Auto, true).await;
            play.stage.config.escalation.codeowners = codeowners;
            play.stage.config.escalation.assignees = vec!["zoe".to_owned()];
            play.nodes = vec![play.node(crate::open(play.stage.folder.path()).await)];
            let host = play.stage.host.clone();
            text.inspect(|text| host.owned(text));
            for run in 1..=2 {
                play.fails("octo/shop", run, CREDENTIAL).await;
                play.settle().await;
                play.pass(5_000).await;
            }
            let want: Vec<String> = want.into_iter().map(str::to_owned).collect();
            assert_eq!(host.assigned(), [(1, want)], "{text:?} {codeowners}");
        }
        let play = told(Mode::Auto, true).await;
        play.stage.host.owned(owned);
        play.fails("octo/shop", 1, CREDENTIAL).await;
        play.settle().await;
        assert_eq!(
            (play.stage.host.issues().0.len(), play.stage.host.assigned().len()),
            (1, 0),
            "not asked for"
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_unless_it_was_asked_for() {
    here(async {
        for (mode, issues, log) in
            [(Mode::Auto, false, CREDENTIAL), (Mode::Observe, true, CREDENTIAL), (Mode::Auto, true, CODE)]
        {
            let play = told(mode, issues).await;
            play.stage.remotes.set(NPM, true);
            play.fails("octo/shop", 1, log).await;
            // Also of an outage.
            for run in 2..=4 {
                if mode == Mode::Observe || !issues {
                    play.fails(&format!("octo/r{run}"), run, NETWORK).await;
                }
            }
            play.settle().await;
            play.pass(2 * MINUTE).await;
            assert_eq!(play.stage.host.issues().1, 0, "{mode:?} {issues}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_one_issue_and_closed_at_its_end() {
    here(async {
        let play = told(Mode::Auto, true).await;
        let (host, registry) = (play.stage.host.clone(), play.stage.remotes.clone());
        registry.set(NPM, true);
        for run in 1..=6 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        play.pass(3 * MINUTE).await;
        let (issues, writes) = host.issues();
        assert_eq!((issues.len(), issues[0].open), (1, true));
        assert!(issues[0].title.contains(NPM) && issues[0].body.contains("octo/r6"), "{}", issues[0].body);
        assert!(writes <= 2, "{writes}");
        registry.set(NPM, false);
        play.pass(MINUTE).await;
        assert!(!host.issues().0[0].open);
        assert!(host.calls.load(Ordering::SeqCst) > 0 && host.issues().0.len() == 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_forks_log_says_becomes_no_issue() {
    here(async {
        let play = told(Mode::Auto, true).await;
        let host = play.stage.host.clone();
        host.fail(1, &[("strangers", CREDENTIAL)]);
        host.make_fork(1);
        play.stage.hook("one", 1, 1, Conclusion::Failure).await;
        play.settle().await;
        assert_eq!((play.stage.incidents().await.len(), host.issues().1), (1, 0));
        // Nor is it told of in the issue of a failure that is one's own.
        play.pass(5_000).await;
        play.fails("octo/shop", 2, CREDENTIAL).await;
        play.settle().await;
        let (issues, writes) = host.issues();
        assert_eq!((issues.len(), writes), (1, 1));
        assert!(!issues[0].body.contains("strangers"), "{}", issues[0].body);
    })
    .await;
}

#[tokio::test]
async fn an_issue_is_known_by_its_number_and_made_once() {
    here(async {
        let play = told(Mode::Auto, true).await;
        let host = play.stage.host.clone();
        host.keep_labels_off();
        for run in 1..=2 {
            play.fails("octo/shop", run, CREDENTIAL).await;
            play.settle().await;
            play.pass(5_000).await;
        }
        let (issues, writes) = host.issues();
        assert_eq!((issues.len(), writes), (1, 2));
        assert!(play.troubles().is_empty());
        // A person wants it gone: it stays so while this lasts, and an operator is told.
        host.delete_by_hand(1);
        play.fails("octo/shop", 3, CREDENTIAL).await;
        play.settle().await;
        assert_eq!(host.issues().1, 2);
        let troubles = play.troubles();
        assert!(troubles.len() == 1 && troubles[0].contains("issue 1"), "{troubles:?}");
        // The end of it is an end all the same, and the next failure a new matter.
        play.pass(5_000).await;
        host.fail(4, &[("build", "")]);
        host.end_well(4);
        play.stage.hook("four", 4, 1, Conclusion::Success).await;
        play.settle().await;
        play.pass(5_000).await;
        play.fails("octo/shop", 5, CREDENTIAL).await;
        play.settle().await;
        assert_eq!((host.issues().0.len(), host.issues().1, play.troubles().len()), (2, 3, 1));
    })
    .await;
}

#[tokio::test]
async fn what_is_only_observed_by_now_has_its_issue_left_as_it_is() {
    here(async {
        let mut play = told(Mode::Auto, true).await;
        let host = play.stage.host.clone();
        play.fails("octo/shop", 1, CREDENTIAL).await;
        play.settle().await;
        play.pass(5_000).await;
        play.stage.config.policy.mode = Mode::Observe;
        play.nodes = vec![play.node(crate::open(play.stage.folder.path()).await)];
        host.fail(2, &[("build", "")]);
        host.end_well(2);
        play.stage.hook("two", 2, 1, Conclusion::Success).await;
        play.settle().await;
        assert_eq!((host.issues().1, host.issues().0[0].open), (1, true));
        // It is looked at again in case the mode changes once more.
        play.stage.config.policy.mode = Mode::Suggest;
        play.nodes = vec![play.node(crate::open(play.stage.folder.path()).await)];
        play.pass(61 * MINUTE).await;
        assert!(!host.issues().0[0].open);
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_told_at_the_host_that_was_named_and_at_no_other() {
    here(async {
        for (named, at_github, at_gitlab) in
            [(Some(Sender::GitHub), 1, 0), (Some(Sender::GitLab), 0, 1), (None, 0, 0)]
        {
            let mut play = told(Mode::Auto, true).await;
            let gitlab = Arc::new(Host::default());
            play.stage.gitlab = Some(gitlab.clone());
            play.stage.config.escalation.host = named;
            play.nodes = vec![play.node(crate::open(play.stage.folder.path()).await)];
            play.stage.remotes.set(NPM, true);
            for run in 1..=4 {
                play.fails(&format!("octo/r{run}"), run, NETWORK).await;
            }
            play.settle().await;
            play.pass(2 * MINUTE).await;
            let issues = (play.stage.host.issues().0.len(), gitlab.issues().0.len());
            assert_eq!(issues, (at_github, at_gitlab), "{named:?}");
            play.stage.remotes.set(NPM, false);
            play.pass(MINUTE).await;
            assert!(play.stage.host.issues().0.iter().chain(&gitlab.issues().0).all(|one| !one.open));
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_stands_in_the_issue_until_it_is_answered_and_the_job_green() {
    here(async {
        let play = told(Mode::Approve, true).await;
        let (host, ledger) = (play.stage.host.clone(), play.stage.ledger.clone());
        play.fails("octo/shop", 1, NETWORK).await;
        play.settle().await;
        let (issues, writes) = host.issues();
        assert_eq!((issues.len(), writes, issues[0].open), (1, 1, true));
        let waiting = play.stage.incidents().await.remove(0);
        let body = &issues[0].body;
        assert!(body.contains("the mode is approve: ") && body.contains(&waiting.id), "{body}");
        ledger.approve(&waiting.id, "ann", play.now()).await.unwrap();
        play.pass(6 * MINUTE).await;
        assert_eq!(host.reruns(1), 1);
        host.end(1, Conclusion::Success);
        play.pass(6 * MINUTE).await;
        assert!(!host.issues().0[0].open);
    })
    .await;
}

#[tokio::test]
async fn an_outage_is_not_written_of_in_a_repository_that_is_only_observed() {
    here(async {
        for (observed, issues) in [(false, 1), (true, 0)] {
            let mut play = told(Mode::Auto, true).await;
            if observed {
                play.stage.config.rules = vec![Rule {
                    host: None,
                    repository: Some("octo/ops".to_owned()),
                    class: None,
                    playbook: None,
                    mode: Mode::Observe,
                }];
            }
            play.nodes = vec![play.node(play.stage.ledger.clone())];
            play.stage.remotes.set(NPM, true);
            for run in 1..=3 {
                play.fails(&format!("octo/r{run}"), run, NETWORK).await;
            }
            play.settle().await;
            play.pass(MINUTE).await;
            assert_eq!(host_issues(&play), issues, "{observed}");
        }
    })
    .await;
}

fn host_issues(play: &Play) -> usize {
    play.stage.host.issues().0.len()
}
