//! Circuit breakers in the ledger; their fold has its own laws beside it.

use regreen_ledger::{BreakerKey, BreakerOutcome, BreakerPolicy, BreakerState, Entry};

use crate::world::{Engine, World};

both_engines! {
    opens_lets_one_in_and_closes_on_its_success,
    a_person_can_close_it,
    a_list_of_all_agrees_with_each,
    what_happened_to_one_is_followed_page_by_page_newest_first,
    of_many_processes_one_gets_the_probe,
}

const POLICY: BreakerPolicy = BreakerPolicy { threshold: 3, cooldown_ms: 100, probe_ms: 50 };

pub(crate) fn key() -> BreakerKey {
    BreakerKey {
        class: "network-timeout".to_owned(),
        service: "registry.example".to_owned(),
        repository: "org/repo".to_owned(),
    }
}

async fn opens_lets_one_in_and_closes_on_its_success(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let other = BreakerKey { service: "other".to_owned(), ..key() };
    for at in 1..=3 {
        assert_eq!(l.breaker_enter(&key(), POLICY, "a", at).await.unwrap(), Entry::Allowed);
        l.breaker_outcome(&key(), "a", BreakerOutcome::Failure, at).await.unwrap();
    }
    assert_eq!(l.breaker(&key(), POLICY, 4).await.unwrap(), BreakerState::Open { until: 103 });
    assert_eq!(l.breaker_enter(&key(), POLICY, "b", 4).await.unwrap(), Entry::Refused { until: Some(103) });
    assert_eq!(l.breaker_enter(&other, POLICY, "b", 4).await.unwrap(), Entry::Allowed);
    assert_eq!(l.breaker_enter(&key(), POLICY, "b", 103).await.unwrap(), Entry::Probe);
    assert_eq!(l.breaker_enter(&key(), POLICY, "b", 104).await.unwrap(), Entry::Probe);
    assert_eq!(l.breaker_enter(&key(), POLICY, "c", 104).await.unwrap(), Entry::Refused { until: None });
    l.breaker_outcome(&key(), "b", BreakerOutcome::Abandoned, 105).await.unwrap();
    assert_eq!(l.breaker_enter(&key(), POLICY, "c", 105).await.unwrap(), Entry::Probe);
    // A clock that was set back changes nothing of the order.
    l.breaker_outcome(&key(), "c", BreakerOutcome::Success, 1).await.unwrap();
    assert_eq!(l.breaker(&key(), POLICY, 106).await.unwrap(), BreakerState::Closed);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn what_happened_to_one_is_followed_page_by_page_newest_first(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let other = BreakerKey { service: "other".to_owned(), ..key() };
    l.breaker_outcome(&other, "z", BreakerOutcome::Failure, 1).await.unwrap();
    assert_eq!(l.breaker_history(&key(), None, 9).await.unwrap(), []);
    for (incident, outcome, at) in [
        ("a", BreakerOutcome::Failure, 2),
        ("b", BreakerOutcome::Failure, 2),
        ("c", BreakerOutcome::Success, 3),
        ("d", BreakerOutcome::Failure, 4),
    ] {
        l.breaker_outcome(&key(), incident, outcome, at).await.unwrap();
    }
    l.breaker_reset(&key(), "ann", 5).await.unwrap();
    let told = |event: regreen_ledger::BreakerEvent| {
        let by = event.actor.map(|actor| format!("by {actor}")).unwrap_or(event.incident);
        format!("{} {} {by}", event.place.at, event.event)
    };
    l.breaker_outcome(&key(), "e", BreakerOutcome::Failure, 6).await.unwrap();
    l.breaker_reset(&key(), "bob", 7).await.unwrap();
    let want = [
        "7 reset by bob",
        "6 failure e",
        "5 reset by ann",
        "4 failure d",
        "3 success c",
        "2 failure b",
        "2 failure a",
    ];
    for most in [1, 2, 9] {
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = l.breaker_history(&key(), before, most).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.place);
            seen.extend(page.into_iter().map(told));
        }
        assert_eq!(seen, want, "{most} at a time");
    }
}

async fn a_person_can_close_it(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert!(!l.breaker_reset(&key(), "ann", 1).await.unwrap());
    for _ in 0..3 {
        l.breaker_outcome(&key(), "a", BreakerOutcome::Failure, 2).await.unwrap();
    }
    let listed = l.breakers(POLICY, 3).await.unwrap();
    assert_eq!((listed.len(), &listed[0].key, listed[0].failures, listed[0].last_at), (1, &key(), 3, 2));
    assert_eq!(listed[0].state, BreakerState::Open { until: 102 });
    assert!(l.breaker_reset(&key(), "ann", 3).await.unwrap());
    // Said again it changes nothing, and is not on record; a failure since is something to forget.
    let head = l.audit_head().await.unwrap();
    assert!(!l.breaker_reset(&key(), "ann", 3).await.unwrap());
    assert_eq!(l.audit_head().await.unwrap(), head);
    l.breaker_outcome(&key(), "b", BreakerOutcome::Failure, 3).await.unwrap();
    assert!(l.breaker_reset(&key(), "ann", 3).await.unwrap());
    assert_eq!(l.breakers(POLICY, 3).await.unwrap()[0].state, BreakerState::Closed);
}

/// A list of all says of each what asking for it says.
async fn a_list_of_all_agrees_with_each(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let keys: Vec<BreakerKey> = [("npm", "b"), ("npm", "a"), ("", "a"), ("pip", "c")]
        .map(|(service, repository)| BreakerKey {
            service: service.to_owned(),
            repository: repository.to_owned(),
            ..key()
        })
        .to_vec();
    for n in 0..9_i64 {
        for (i, key) in keys.iter().enumerate().take(3) {
            let outcome = match (n + i as i64) % 4 {
                0 => BreakerOutcome::Success,
                _ => BreakerOutcome::Failure,
            };
            l.breaker_outcome(key, &format!("{i}-{n}"), outcome, 10 - n % 2).await.unwrap();
        }
    }
    for now in [10, 50, 500] {
        let all = l.breakers(POLICY, now).await.unwrap();
        assert_eq!(all.len(), 3, "nothing happened to the fourth");
        for one in &all {
            assert_eq!(one.state, l.breaker(&one.key, POLICY, now).await.unwrap(), "{:?}", one.key);
        }
    }
}

async fn of_many_processes_one_gets_the_probe(on: Engine) {
    let world = World::new(on).await;
    for _ in 0..3 {
        world.ledger.breaker_outcome(&key(), "a", BreakerOutcome::Failure, 2).await.unwrap();
    }
    let asked: Vec<_> = (0..6)
        .map(|i| {
            let at = world.at.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    at.open().await.breaker_enter(&key(), POLICY, &format!("i{i}"), 120).await.unwrap()
                })
            })
        })
        .collect();
    let probes = asked.into_iter().map(|t| t.join().unwrap()).filter(|entry| *entry == Entry::Probe);
    assert_eq!(probes.count(), 1);
}
