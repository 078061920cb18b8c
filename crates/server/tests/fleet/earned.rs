//! What a playbook earns by its record, what a rule says against it, and what becomes of a plan that was promoted.

use std::{sync::atomic::Ordering, time::Duration};

use regreen_decide::Promotion;
use regreen_domain::Mode;
use regreen_engine::Rule;
use regreen_forge::Conclusion;
use regreen_ledger::State;

use crate::{
    RUN, Stage,
    host::NETWORK,
    open,
    outage::{MINUTE, NPM, Play, here},
    outcome,
};

/// One healing is enough: the lower end of one of one is 0.207.
const SOON: Option<Promotion> = Some(Promotion { to: Mode::Auto, at: 0.2 });

fn rule(mode: Mode) -> Rule {
    Rule { host: None, repository: Some("octo/*".to_owned()), class: None, playbook: None, mode }
}

/// A playbook that has healed here once, under `auto`; and from now on people are asked, until it earns more.
async fn healed_once() -> Play {
    let mut play = Play::new(Mode::Auto, 1).await;
    play.fails("octo/shop", 1, NETWORK).await;
    play.settle().await;
    play.stage.host.end(1, Conclusion::Success);
    play.pass(6 * MINUTE).await;
    assert_eq!(outcome(&play.stage.closed().await), ("healed", ""));
    (play.stage.config.policy.mode, play.stage.config.policy.promotion) = (Mode::Approve, SOON);
    play.nodes = vec![play.node(play.stage.ledger.clone())];
    play
}

#[tokio::test]
async fn a_rule_is_the_last_word_whatever_a_playbook_has_earned() {
    here(async {
        for (rules, reruns) in [
            (vec![], 1),
            (vec![rule(Mode::Approve)], 0),
            (vec![rule(Mode::Suggest)], 0),
            (vec![rule(Mode::Observe)], 0),
        ] {
            let mut play = healed_once().await;
            play.stage.config.rules.clone_from(&rules);
            play.nodes = vec![play.node(play.stage.ledger.clone())];
            play.fails("octo/shop", RUN, NETWORK).await;
            play.settle().await;
            assert_eq!(play.stage.host.reruns(RUN), reruns, "{rules:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_promoted_goes_on_after_it_has_waited_for_its_service() {
    here(async {
        let play = healed_once().await;
        play.stage.remotes.set(NPM, true);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        play.pass(2 * MINUTE).await;
        assert_eq!(play.stage.host.reruns(RUN), 0);
        play.stage.remotes.set(NPM, false);
        play.pass(5 * MINUTE).await;
        assert_eq!(play.stage.host.reruns(RUN), 1);
    })
    .await;
}

#[tokio::test]
async fn what_was_promoted_is_gone_on_with_after_its_node_has_died() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.host.fail(1, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", 1, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(1) == 1).await;
    stage.host.end(1, Conclusion::Success);
    assert_eq!(outcome(&stage.closed().await), ("healed", ""));
    node.abort();
    (stage.config.policy.mode, stage.config.policy.promotion) = (Mode::Approve, SOON);
    let checks = stage.host.checks.load(Ordering::SeqCst);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.hold(true);
    let lease = Duration::from_millis(300);
    let first = stage.start(open(stage.folder.path()).await, lease);
    stage.hook("two", RUN, 1, Conclusion::Failure).await;
    stage.until("it never came to its request", |host| host.checks.load(Ordering::SeqCst) > checks).await;
    first.abort();
    let _killed = first.await;
    stage.host.hold(false);
    let second = stage.start(stage.ledger.clone(), lease);
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    second.abort();
    assert!(stage.incidents().await.iter().any(|one| one.state == State::Open));
}
