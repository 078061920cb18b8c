//! What recovery may cost: attempts and minutes of a repository and of its organisation, and requests to the host.

use std::sync::atomic::Ordering;

use regreen_decide::Budget;
use regreen_domain::Mode;
use regreen_engine::CallBudget;
use regreen_forge::Conclusion;
use regreen_ledger::State;

use crate::{
    RUN,
    host::NETWORK,
    outage::{MINUTE, Play, here},
    outcome,
};

/// One node, with this budget.
async fn play(change: impl FnOnce(&mut Play)) -> Play {
    let mut play = Play::new(Mode::Auto, 0).await;
    change(&mut play);
    play.nodes.push(play.node(play.stage.ledger.clone()));
    play
}

#[tokio::test]
async fn attempts_are_counted_by_repository_and_by_organisation() {
    here(async {
        let play = play(|play| {
            let policy = &mut play.stage.config.policy;
            policy.budget.attempts_per_day = Some(2);
            policy.organisation.attempts_per_day = Some(3);
            // So many repositories would make an outage.
            play.stage.config.outage.services.clear();
        })
        .await;
        let runs = [
            (1, "octo/shop", ("none", "")),
            (2, "octo/shop", ("none", "")),
            (3, "octo/shop", ("suggested", "daily-attempts-used-up")),
            (4, "octo/bank", ("none", "")),
            (5, "octo/till", ("suggested", "organisation-budget-used-up")),
            (6, "octopus/shop", ("none", "")),
        ];
        for (run, repository, want) in runs {
            play.fails(repository, run, NETWORK).await;
            play.skip(1_000).await;
            let all = play.stage.incidents().await;
            let one = all.iter().find(|one| one.id.starts_with(&format!("{run:x}-"))).unwrap();
            assert_eq!(outcome(one), want, "{run}");
            assert_eq!(play.stage.host.reruns(run), usize::from(want.0 == "none"), "{run}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_minutes_are_those_of_the_jobs_that_ran_again() {
    here(async {
        let play = play(|play| {
            play.stage.config.policy.organisation =
                Budget { money_per_day: Some(0.6), cost_per_minute: 0.5, ..Budget::default() };
        })
        .await;
        let host = play.stage.host.clone();
        // In the stand-in every job of an attempt takes a minute: build and lint.
        host.fail(1, &[("build", NETWORK), ("lint", "")]);
        play.stage.hook("1", 1, 1, Conclusion::Failure).await;
        play.skip(1_000).await;
        host.end(1, Conclusion::Success);
        play.skip(10 * MINUTE).await;
        let healed = play.stage.incidents().await.remove(0);
        assert_eq!((outcome(&healed), healed.timings.command), (("healed", ""), Some(120_000)));
        play.fails("octo/bank", 2, NETWORK).await;
        play.skip(1_000).await;
        let all = play.stage.incidents().await;
        let second = all.iter().find(|one| one.id.starts_with("2-")).unwrap();
        assert_eq!(outcome(second), ("suggested", "organisation-budget-used-up"));
        assert!(play.stage.ledger.audit_verify(None).await.unwrap().is_sound());
    })
    .await;
}

#[tokio::test]
async fn where_the_requests_of_an_hour_are_used_up_the_work_waits_for_the_next_and_that_is_told_once() {
    for (limits, whose) in [
        (CallBudget { repository: Some(5), organisation: None }, "octo/shop"),
        (CallBudget { repository: None, organisation: Some(5) }, "octo"),
    ] {
        here(async {
            let mut play = play(|play| play.stage.config.calls = limits).await;
            // A second node, which sees what the first one sent.
            play.nodes.push(play.node(play.stage.ledger.clone()));
            play.past_the_hour(5 * MINUTE);
            let (host, ledger) = (play.stage.host.clone(), play.stage.ledger.clone());
            play.fails("octo/shop", RUN, NETWORK).await;
            play.settle().await;
            let calls = || host.calls.load(Ordering::SeqCst);
            let sent = calls();
            assert!(sent >= 5 && host.reruns(RUN) == 1, "what is begun is brought to its end");
            play.fails("octo/shop", 2, NETWORK).await;
            for _ in 0..10 {
                play.skip(5 * MINUTE).await;
            }
            assert_eq!((calls(), play.used_up()), (sent, vec![whose.to_owned()]));
            let all = play.stage.incidents().await;
            assert!(matches!(all.as_slice(), [one] if one.state == State::Open), "{all:#?}");
            assert!(ledger.breakers(play.stage.config.breaker, 1).await.unwrap().is_empty());
            host.end(RUN, Conclusion::Success);
            play.past_the_hour(30_000);
            play.settle().await;
            assert_eq!(play.given_up(), [""; 0]);
            assert!(calls() > sent);
        })
        .await;
    }
}
