//! How the ways out to people do is known: since when one fails, why, and what waits for it.

use std::sync::Arc;

use regreen_ledger::{Claim, Heard, Ledger, NewWork, SinkRecord};

use crate::{
    masking::{Hides, SECRET, holds, stored},
    world::{Engine, World},
};

both_engines! {
    a_sink_fails_until_it_takes_one,
    who_lost_the_notice_says_nothing_of_the_sink,
    a_sink_of_another_name_is_another,
    no_secret_of_a_reason_is_stored,
}

/// Notices that are taken by somebody.
async fn taken(ledger: &Ledger, keys: &[&str], now: i64) -> Vec<Claim> {
    let work = |key| NewWork { kind: "notice", key, payload: "{}", created_at: now, due_at: now };
    ledger.enqueue(&keys.iter().copied().map(work).collect::<Vec<_>>()).await.unwrap();
    ledger.claim_many(&["notice"], "teller", 100, now, 9).await.unwrap()
}

async fn only(ledger: &Ledger, name: &str) -> SinkRecord {
    let mut all = ledger.sinks(&[name]).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn a_sink_fails_until_it_takes_one(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert!(l.sinks(&[]).await.unwrap().is_empty());
    let unused = SinkRecord { name: "ops".to_owned(), ..SinkRecord::default() };
    assert_eq!(only(l, "ops").await, unused);
    let claims = taken(l, &["notice/ops/stuck/a", "notice/ops/stuck/b"], 10).await;
    l.heard_of_sink("ops", &claims, Heard::Delayed { why: "503", when: 20 }, 11).await.unwrap();
    let claims = l.claim_many(&["notice"], "teller", 100, 20, 9).await.unwrap();
    assert_eq!(claims.len(), 2, "they are on the list again");
    l.heard_of_sink("ops", &claims[..1], Heard::Delayed { why: "504", when: 30 }, 21).await.unwrap();
    let failing = SinkRecord {
        waiting: 2,
        failed_at: Some(21),
        failing_since: Some(11),
        why: Some("504".to_owned()),
        ..unused
    };
    assert_eq!(only(l, "ops").await, failing);
    let refused = Heard::GivenUp { outcome: "refused", why: "404" };
    l.heard_of_sink("ops", &claims[1..], refused, 22).await.unwrap();
    assert_eq!(l.outcome(&claims[1].key).await.unwrap().as_deref(), Some("refused"));
    let claims = l.claim_many(&["notice"], "teller", 100, 30, 9).await.unwrap();
    l.heard_of_sink("ops", &claims, Heard::Sent, 31).await.unwrap();
    let well = SinkRecord {
        sent: 1,
        given_up: 1,
        waiting: 0,
        sent_at: Some(31),
        failed_at: Some(22),
        failing_since: None,
        why: Some("404".to_owned()),
        ..failing
    };
    assert_eq!(only(l, "ops").await, well);
    assert!(!well.is_failing());
}

async fn who_lost_the_notice_says_nothing_of_the_sink(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let lost = taken(l, &["notice/ops/stuck/a"], 10).await;
    let held = l.claim_many(&["notice"], "other", 100, 200, 9).await.unwrap();
    l.heard_of_sink("ops", &lost, Heard::GivenUp { outcome: "refused", why: "404" }, 201).await.unwrap();
    l.heard_of_sink("ops", &lost, Heard::Delayed { why: "503", when: 900 }, 201).await.unwrap();
    l.heard_of_sink("ops", &held, Heard::Sent, 202).await.unwrap();
    let sink = only(l, "ops").await;
    assert_eq!((sink.sent, sink.given_up, sink.failed_at, sink.waiting), (1, 0, None, 0));
}

async fn a_sink_of_another_name_is_another(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let keys = ["notice/op/stuck/a", "notice/ops-2/stuck/a", "notice/ops/stuck/a", "notice/ops/stuck/b"];
    let claims = taken(l, &keys, 10).await;
    for claim in &claims {
        let name = claim.key.split('/').nth(1).unwrap();
        let heard = Heard::Delayed { why: "503", when: 20 };
        l.heard_of_sink(name, std::slice::from_ref(claim), heard, 11).await.unwrap();
    }
    let all = l.sinks(&["mail"]).await.unwrap();
    let waiting: Vec<(&str, u64)> = all.iter().map(|one| (one.name.as_str(), one.waiting)).collect();
    assert_eq!(waiting, [("mail", 0), ("op", 1), ("ops", 2), ("ops-2", 1)]);
    // Nothing waits for it any more, and nobody has it configured: it is gone.
    let claims = l.claim_many(&["notice"], "teller", 100, 20, 9).await.unwrap();
    l.heard_of_sink("op", &claims, Heard::GivenUp { outcome: "given-up", why: "late" }, 21).await.unwrap();
    assert!(l.sinks(&[]).await.unwrap().is_empty());
}

async fn no_secret_of_a_reason_is_stored(on: Engine) {
    let world = World::new(on).await;
    let l = &world.at.open_as(Arc::new(Hides)).await.unwrap();
    let claims = taken(l, &["notice/ops/stuck/a"], 10).await;
    let why = format!("401 {SECRET} {}", "x".repeat(5_000));
    l.heard_of_sink("ops", &claims, Heard::Delayed { why: &why, when: 20 }, 11).await.unwrap();
    let kept = only(l, "ops").await.why.unwrap();
    assert!(kept.starts_with("401 *** xxx") && kept.len() == 300, "{kept}");
    assert!(!holds(&stored(&world).await));
}
