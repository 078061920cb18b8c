//! A control group: some of what would be healed is left alone, without a word, and what became of it is seen by what comes anyway.

use regreen_domain::Mode;
use regreen_forge::Conclusion;
use regreen_ledger::Incident;

use crate::{
    host::{CODE, NETWORK},
    outage::{MINUTE, Play, here},
    outcome,
};

const RUNS: u64 = 12;

async fn play(fraction: f64, mode: Mode) -> Play {
    let mut play = Play::new(mode, 0).await;
    play.stage.config.policy.control = fraction;
    play.stage.config.escalation.issues = true;
    play.nodes.push(play.node(play.stage.ledger.clone()));
    play
}

async fn fail(play: &Play) {
    for run in 1..=RUNS {
        play.fails("octo/shop", run, NETWORK).await;
    }
    play.settle().await;
}

async fn of(play: &Play, run: u64) -> Incident {
    let all = play.stage.incidents().await;
    all.into_iter().find(|one| one.id.starts_with(&format!("{run:x}-1-"))).unwrap()
}

/// The runs that were left alone.
async fn left_alone(play: &Play) -> Vec<u64> {
    let mut runs = Vec::new();
    for run in 1..=RUNS {
        let incident = of(play, run).await;
        if outcome(&incident) == ("left-alone", "control-group") {
            runs.push(run);
        }
    }
    runs
}

#[tokio::test]
async fn some_are_left_alone_by_lot_and_followed_and_the_lift_is_shown() {
    here(async {
        let play = play(0.5, Mode::Auto).await;
        let (host, ledger) = (play.stage.host.clone(), play.stage.ledger.clone());
        fail(&play).await;
        let alone = left_alone(&play).await;
        // Drawn by their names alone.
        assert_eq!(alone, DRAWN);
        for run in 1..=RUNS {
            assert_eq!(host.reruns(run), usize::from(!alone.contains(&run)), "{run}");
            if !alone.contains(&run) {
                host.end(run, Conclusion::Success);
            }
        }
        // Somebody sends two of them off: one ends well, one does not.
        for (run, ended) in [(alone[0], Conclusion::Success), (alone[1], Conclusion::Failure)] {
            host.again_by_hand(run);
            host.end(run, ended);
            for _ in 0..2 {
                play.stage.hook(&format!("{run}-2"), run, 2, ended).await;
            }
        }
        play.skip(10 * MINUTE).await;
        let followed = async |run| of(&play, run).await.followed.map(|seen| (seen.attempt, seen.green));
        assert_eq!(followed(alone[0]).await, Some((2, true)));
        assert_eq!(followed(alone[1]).await, Some((2, false)));
        assert_eq!(followed(alone[2]).await, None);
        assert_eq!(host.issues().0.len(), 0, "nobody is told");
        let now = of(&play, 1).await.opened_at;
        let group = async |later: i64| {
            let counted = ledger.metrics(now + later, None).await.unwrap().control.unwrap();
            let seen = ledger.review(i64::MIN, now + later).await.unwrap().control;
            assert_eq!(seen, Some(counted), "the newest records say the same");
            counted
        };
        let soon = group(60 * MINUTE).await;
        // The second attempt of the one that failed again was drawn from, too.
        assert!(soon.n >= alone.len() as u64 && soon.treated >= RUNS - alone.len() as u64);
        assert_eq!((soon.recovered, soon.failed_again, soon.not_seen), (1, 1, 0));
        let late = group(25 * 60 * MINUTE).await;
        assert_eq!(late.recovered + late.failed_again + late.not_seen, late.n);
        let lift = late.lift.unwrap();
        assert!(lift.low > 0.0 && lift.low < lift.value && lift.value <= lift.high, "{lift:?}");
        // What would have become green all the same was saved nobody.
        let saved = ledger.metrics(now + 25 * 60 * MINUTE, None).await.unwrap().saved.unwrap();
        assert_eq!((saved.compared, saved.healed, saved.tried), (true, late.healed, late.treated));
        let spared = saved.failures.unwrap();
        let alone = late.recovered as f64 / late.n as f64;
        assert!(
            (spared.value - (late.healed as f64 - late.treated as f64 * alone)).abs() < 1e-9,
            "{saved:?}"
        );
        assert!(spared.value < saved.healed as f64 && spared.low < spared.value, "{saved:?}");
        assert!(ledger.audit_verify(None).await.unwrap().is_sound());
    })
    .await;
}

const DRAWN: [u64; 7] = [1, 3, 4, 8, 9, 10, 12];

#[tokio::test]
async fn nothing_else_is_drawn_from() {
    here(async {
        // Nobody drew.
        let none = play(0.0, Mode::Auto).await;
        fail(&none).await;
        assert!(left_alone(&none).await.is_empty());
        assert_eq!(none.stage.ledger.metrics(i64::MAX, None).await.unwrap().control, None);
        // What is not healed by itself stays what it is.
        for (mode, log, want) in [
            (Mode::Suggest, NETWORK, ("suggested", "mode-suggest")),
            (Mode::Approve, NETWORK, ("awaiting-approval", "mode-approve")),
            (Mode::Auto, CODE, ("left-alone", "code-failure")),
        ] {
            let play = play(0.5, mode).await;
            for run in 1..=RUNS {
                play.fails("octo/shop", run, log).await;
            }
            play.settle().await;
            for run in 1..=RUNS {
                assert_eq!(outcome(&of(&play, run).await), want, "{run}");
            }
            // What a person agreed to is done.
            if mode == Mode::Approve {
                for run in 1..=RUNS {
                    let id = of(&play, run).await.id;
                    play.stage.ledger.approve(&id, "ann", play.now()).await.unwrap();
                }
                play.skip(10 * MINUTE).await;
                assert!((1..=RUNS).all(|run| play.stage.host.reruns(run) == 1));
            }
        }
    })
    .await;
}
