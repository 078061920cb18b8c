//! Retention: what is old and over goes, the chain stays whole, and a row that goes without a word is still seen.

use regreen_domain::Outcome;
use regreen_ledger::{BreakerPolicy, Closing, ImportMode, NewDelivery, NewWork, Pruned, Received};

use crate::world::{Engine, OWNER, World, diagnosis, facts, healed, incident};

both_engines! {
    what_is_old_and_over_goes_and_the_chain_stays_whole,
}

async fn what_is_old_and_over_goes_and_the_chain_stays_whole(on: Engine) {
    let world = World::lived_in(on).await;
    let l = &world.ledger;
    for i in 0..120 {
        l.open_incident(&incident(&format!("old{i}"), 50, &diagnosis())).await.unwrap();
        l.close(&format!("old{i}"), OWNER, &Closing::new(Outcome::LeftAlone), 60).await.unwrap();
    }
    // Begun long ago, and not over until lately; and not over at all.
    l.open_incident(&incident("lately", 1, &diagnosis())).await.unwrap();
    l.close("lately", OWNER, &Closing::new(Outcome::LeftAlone), 2000).await.unwrap();
    l.open_incident(&incident("waits", 1, &diagnosis())).await.unwrap();
    facts(l, "waits", 2, 2).await;
    healed(l, "new", 1500).await;
    l.pause("/old", "ann", "x", 5).await.unwrap();
    l.unpause("/old", "ann", 6).await.unwrap();
    let work = |key| NewWork { kind: "k", key, payload: "{\"run\":7}", created_at: 1, due_at: 1 };
    let delivery = |id| NewDelivery {
        forge: "github",
        id,
        event: "e",
        kind: "k",
        received_at: 10,
        body: Some("b"),
        work: Some(work(id)),
    };
    l.receive(&[delivery("a"), delivery("b")]).await.unwrap();
    let claim = l.claim(&[], "n", 10, 10).await.unwrap().unwrap();
    l.finish(&claim, "healed", 11).await.unwrap();
    l.keep_log("old7", "build", "long ago", 60).await.unwrap();
    l.keep_log("lately", "build", "lately", 60).await.unwrap();
    let head = l.audit_head().await.unwrap();

    let gone = l.prune(1000, "ann", 3000).await.unwrap();
    // `a` of those that lived in was over at 140; `b` is open.
    assert_eq!(gone, Pruned { incidents: 121, breaker_events: 1, pauses: 1, bodies: 2, work: 1, logs: 1 });
    for (id, there) in
        [("a", false), ("old7", false), ("b", true), ("lately", true), ("waits", true), ("new", true)]
    {
        assert_eq!(l.incident(id).await.unwrap().is_some(), there, "{id}");
    }
    assert_eq!((l.facts("a").await.unwrap().len(), l.facts("waits").await.unwrap().len()), (0, 2));
    assert!(l.paused("/w").await.unwrap().is_some());
    let policy = BreakerPolicy { threshold: 3, cooldown_ms: 1, probe_ms: 1 };
    assert_eq!(l.breakers(policy, 3000).await.unwrap(), []);
    assert_eq!((l.logs_of("old7").await.unwrap().len(), l.logs_of("lately").await.unwrap().len()), (0, 1));
    // What came, came: for good.
    assert_eq!(l.receive(&[delivery("a")]).await.unwrap(), [Received::Duplicate]);
    // And what was done about it is not done again, whoever lists it: told under another id, or found by a sweep.
    let told_anew = NewDelivery { id: "other", body: None, ..delivery("a") };
    assert_eq!(l.receive(&[told_anew]).await.unwrap(), [Received::Fresh { work: false }]);
    assert_eq!(l.outcome("a").await.unwrap().as_deref(), Some("healed"));
    let report = l.audit_verify(Some(&head)).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert!(!l.audit_of("old7").await.unwrap().is_empty(), "that it was there is still on record");
    assert_eq!(l.prune(1000, "ann", 3001).await.unwrap(), Pruned::default());
    assert_eq!(l.audit_head().await.unwrap(), report.head, "nothing to do is nothing to say");

    // It travels: to an empty ledger with its chain, to one that still has the rows without taking anything from it.
    let mut file = Vec::new();
    l.export(&mut file).await.unwrap();
    let fresh = World::new(on).await;
    assert_eq!(fresh.ledger.import(&mut file.as_slice(), 4000).await.unwrap().mode, ImportMode::FastForward);
    assert!(fresh.ledger.audit_verify(Some(&head)).await.unwrap().is_sound());
    let elder = World::lived_in(on).await;
    assert_eq!(elder.ledger.import(&mut file.as_slice(), 4000).await.unwrap().mode, ImportMode::Merged);
    assert!(elder.ledger.incident("a").await.unwrap().is_some());
    assert!(elder.ledger.audit_verify(None).await.unwrap().is_sound());

    // A row that goes without a word is seen as before.
    sqlx::query("DELETE FROM facts WHERE incident = 'new' AND seq = 4")
        .execute(&mut world.at.raw().await)
        .await
        .unwrap();
    assert!(!l.audit_verify(None).await.unwrap().is_sound());
}
