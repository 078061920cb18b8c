//! What comes in: durable with its work, once for each id and for each effect.

use std::sync::Arc;

use regreen_ledger::{NewDelivery, NewWork, Received};

use crate::{
    masking::{Hides, SECRET, holds, stored},
    world::{Engine, World},
};

both_engines! {
    it_is_new_once,
    of_many_at_once_each_has_its_answer,
    two_nodes_that_store_the_same_ones_do_not_wait_for_each_other,
    no_secret_and_no_nonsense_is_stored,
}

const FRESH: Received = Received::Fresh { work: true };

fn work(key: &str) -> NewWork<'_> {
    NewWork { kind: "run-ended", key, payload: "{}", created_at: 10, due_at: 10 }
}

fn delivery<'a>(id: &'a str, key: Option<&'a str>) -> NewDelivery<'a> {
    NewDelivery {
        forge: "github",
        id,
        event: "workflow_run",
        kind: "run-ended",
        received_at: 10,
        body: None,
        work: key.map(work),
    }
}

async fn it_is_new_once(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(l.receive(&[]).await.unwrap(), []);
    assert_eq!(l.receive(&[delivery("a", Some("k"))]).await.unwrap(), [FRESH]);
    // Another process, after a restart; and the other forge's ids are others.
    let again = world.at.open().await;
    assert_eq!(again.receive(&[delivery("a", Some("k"))]).await.unwrap(), [Received::Duplicate]);
    let gitlab = NewDelivery { forge: "gitlab", ..delivery("a", None) };
    assert_eq!(again.receive(&[gitlab]).await.unwrap(), [Received::Fresh { work: false }]);
    // The same effect by another delivery, before and after it was done.
    let same_effect = delivery("b", Some("k"));
    assert_eq!(l.receive(&[same_effect]).await.unwrap(), [Received::Fresh { work: false }]);
    let claim = l.claim(&[], "n", 100, 10).await.unwrap().unwrap();
    l.finish(&claim, "healed", 11).await.unwrap();
    assert_eq!(l.receive(&[delivery("c", Some("k"))]).await.unwrap(), [Received::Fresh { work: false }]);
    assert_eq!(l.claim(&[], "n", 100, 12).await.unwrap(), None);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn of_many_at_once_each_has_its_answer(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let ids: Vec<String> = (0..300).map(|i| format!("d{i}")).collect();
    let keys: Vec<String> = (0..300).map(|i| format!("k{}", i / 2)).collect();
    let all: Vec<_> = ids.iter().zip(&keys).map(|(id, key)| delivery(id, Some(key))).collect();
    assert_eq!(l.receive(&all[..100]).await.unwrap().len(), 100);
    let answers = l.receive(&all).await.unwrap();
    assert!(answers[..100].iter().all(|answer| *answer == Received::Duplicate));
    assert!(answers[100..].iter().all(|answer| matches!(answer, Received::Fresh { .. })));
    // Two of each key: one brought it.
    assert_eq!(answers.iter().filter(|answer| **answer == FRESH).count(), 100);
    assert_eq!(l.waiting(&[], 10).await.unwrap().ready, 150);
    let twice = [delivery("x", None), delivery("x", None)];
    let answers = l.receive(&twice).await.unwrap();
    assert_eq!(answers, [Received::Fresh { work: false }, Received::Duplicate]);
}

async fn two_nodes_that_store_the_same_ones_do_not_wait_for_each_other(on: Engine) {
    let world = World::new(on).await;
    let (one, two) = (world.at.open().await, world.at.open().await);
    for round in 0..20 {
        let ids: Vec<String> = (0..40).map(|i| format!("{round}-{i}")).collect();
        let ahead: Vec<_> = ids.iter().map(|id| delivery(id, Some(id))).collect();
        let back: Vec<_> = ahead.iter().rev().copied().collect();
        let (a, b) = tokio::join!(one.receive(&ahead), two.receive(&back));
        let fresh = |answers: &[Received]| answers.iter().filter(|answer| **answer == FRESH).count();
        assert_eq!(fresh(&a.unwrap()) + fresh(&b.unwrap()), 40);
    }
}

async fn no_secret_and_no_nonsense_is_stored(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let text = format!("leaks {SECRET} here");
    let json = format!("{{\"a\":[\"{SECRET}\\u0000\"]}}");
    let leaky = NewDelivery {
        body: Some(&json),
        event: &text,
        work: Some(NewWork { payload: &json, ..work(&text) }),
        ..delivery(&text, None)
    };
    assert_eq!(l.receive(&[leaky]).await.unwrap(), [FRESH]);
    assert!(!holds(&stored(&world).await));
    // Too long, or no line: known again all the same, and told apart.
    let long = "x".repeat(10_000);
    for id in [long.as_str(), "a\nb", "a\rb\n", "a\0b", "", "\u{1b}[31m"] {
        let odd = delivery(id, Some(id));
        assert_eq!(l.receive(&[odd]).await.unwrap(), [FRESH], "{id:?}");
        assert_eq!(l.receive(&[odd]).await.unwrap(), [Received::Duplicate], "{id:?}");
    }
}
