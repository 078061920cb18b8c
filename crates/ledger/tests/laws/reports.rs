//! What jobs tell of themselves: taken once, counted, and nobody acts by it.

use regreen_domain::{Decision, Outcome};
use regreen_ledger::{
    BreakerPolicy, BreakerState, Closing, Incident, Ledger, LedgerError, Place, RecordsOf, Timings,
};

use crate::{
    breakers,
    world::{Engine, OWNER, World, diagnosis, facts, healed, incident, place, plan},
};

both_engines! {
    a_report_is_taken_once_and_makes_nobody_act,
    failures_that_are_told_open_the_breaker_and_earn_nothing,
    what_is_no_end_of_an_incident_is_refused,
    what_can_not_be_counted_is_refused,
}

const POLICY: BreakerPolicy = BreakerPolicy { threshold: 3, cooldown_ms: 100, probe_ms: 50 };

/// As it goes over the wire.
async fn told(ledger: &Ledger, id: &str) -> Incident {
    let record = ledger.incident(id).await.unwrap().unwrap().to_report().unwrap();
    Incident::from_report(&record).unwrap()
}

async fn rolled_back(ledger: &Ledger, id: &str, at: i64) -> Incident {
    ledger.open_incident(&incident(id, at, &diagnosis())).await.unwrap();
    ledger.decided(id, OWNER, &Decision::Heal(plan()), None, Some(1), at + 1).await.unwrap();
    facts(ledger, id, at + 2, 2).await;
    ledger.close(id, OWNER, &Closing::new(Outcome::RolledBack), at + 9).await.unwrap();
    told(ledger, id).await
}

async fn a_report_is_taken_once_and_makes_nobody_act(on: Engine) {
    let (job, fleet) = (World::new(on).await, World::new(on).await);
    healed(&job.ledger, "a", 100).await;
    let report = told(&job.ledger, "a").await;
    let first = fleet.ledger.take_report(&report, 500).await.unwrap();
    let second = fleet.ledger.take_report(&report, 600).await.unwrap();
    assert_eq!((first.fresh, second.fresh, &first.id), (true, false, &second.id));
    assert!(first.id.starts_with("a."), "{}", first.id);
    let kept = fleet.ledger.incident(&first.id).await.unwrap().unwrap();
    assert!(kept.imported && kept.outcome() == Some(Outcome::Healed));
    assert_eq!(kept.place, place());
    let error = fleet.ledger.take_over(&first.id, OWNER, 700).await.unwrap_err();
    assert!(matches!(error, LedgerError::Imported { .. }));
    // Another machine's incident of the same id is another one.
    let other = Incident { run_marker: Some("m2".to_owned()), ..report };
    assert_ne!(fleet.ledger.take_report(&other, 500).await.unwrap().id, first.id);
    assert!(fleet.ledger.audit_verify(None).await.unwrap().is_sound());
}

async fn failures_that_are_told_open_the_breaker_and_earn_nothing(on: Engine) {
    let (job, fleet) = (World::new(on).await, World::new(on).await);
    let (l, key) = (&fleet.ledger, breakers::key());
    let key = regreen_ledger::BreakerKey { service: "npm".to_owned(), ..key };
    for (n, id) in ["a", "b", "c"].iter().enumerate() {
        let report = rolled_back(&job.ledger, id, 100).await;
        assert_eq!(l.breaker(&key, POLICY, 500).await.unwrap(), BreakerState::Closed, "{n} told");
        l.take_report(&report, 500).await.unwrap();
        l.take_report(&report, 500).await.unwrap();
    }
    assert_eq!(l.breaker(&key, POLICY, 501).await.unwrap(), BreakerState::Open { until: 600 });
    // Told with other letters, it is the same repository's; told as healed, it closes nothing.
    healed(&job.ledger, "e", 150).await;
    let there = Place { repository: Some("Org/Repo".to_owned()), ..place() };
    l.take_report(&Incident { place: there, ..told(&job.ledger, "e").await }, 502).await.unwrap();
    assert_eq!(l.breaker(&key, POLICY, 503).await.unwrap(), BreakerState::Open { until: 600 });
    assert_eq!((l.reported_attempts(&place()).await.unwrap(), l.attempts(&place()).await.unwrap()), (3, 0));
    let elsewhere = Place { commit: Some("other".to_owned()), ..place() };
    assert_eq!(l.reported_attempts(&elsewhere).await.unwrap(), 0);
    healed(&job.ledger, "d", 200).await;
    l.take_report(&told(&job.ledger, "d").await, 700).await.unwrap();
    let of = RecordsOf {
        class: diagnosis().class.id(),
        pattern: None,
        tool: Some("npm"),
        repository: Some("org/repo"),
        except: "x",
    };
    assert!(l.records(&of, 100).await.unwrap().is_empty(), "nobody earns trust by telling");
    assert!(!job.ledger.records(&of, 100).await.unwrap().is_empty());
}

async fn what_is_no_end_of_an_incident_is_refused(on: Engine) {
    let (job, fleet) = (World::lived_in(on).await, World::new(on).await);
    let open = told(&job.ledger, "b").await;
    let over = told(&job.ledger, "a").await;
    for bad in [
        open,
        Incident { place: Place { repository: None, ..place() }, ..over.clone() },
        Incident { changed_at: 2_000_000_000, ..over.clone() },
    ] {
        let error = fleet.ledger.take_report(&bad, 500).await.unwrap_err();
        assert!(matches!(error, LedgerError::BadReport { .. }), "{error}");
    }
    let error = fleet.ledger.take_report(&Incident { id: "../x".to_owned(), ..over }, 500).await.unwrap_err();
    assert!(matches!(error, LedgerError::BadId { .. }), "{error}");
    let newer = r#"{"version":99}"#;
    assert!(matches!(Incident::from_report(newer).unwrap_err(), LedgerError::Newer { .. }));
}

async fn what_can_not_be_counted_is_refused(on: Engine) {
    let (job, fleet) = (World::lived_in(on).await, World::new(on).await);
    let over = told(&job.ledger, "a").await;
    let (mut class, mut pattern) = (over.clone(), over.clone());
    class.diagnosis.class = "<b>bold</b>".to_owned();
    pattern.diagnosis.pattern = Some("p".repeat(201));
    let took = |act| Timings { act: Some(act), ..Timings::default() };
    let named = |job: String| Place { job: Some(job), ..place() };
    for (bad, why) in [
        (class, "class"),
        (pattern, "pattern"),
        (Incident { outcome: Some("victory".to_owned()), ..over.clone() }, "outcome"),
        (Incident { outcome: None, ..over.clone() }, "outcome"),
        (Incident { place: named("j".repeat(5_000)), ..over.clone() }, "job"),
        (Incident { timings: took(u64::MAX), ..over.clone() }, "counted"),
        (Incident { timings: took(400 * 86_400_000), ..over.clone() }, "year"),
        (Incident { opened_at: i64::MIN, ..over.clone() }, "ten years"),
        (Incident { closed_at: Some(i64::MAX), ..over.clone() }, "future"),
    ] {
        let refused = fleet.ledger.take_report(&bad, 500).await.unwrap_err();
        assert!(matches!(&refused, LedgerError::BadReport { .. }), "{refused}");
        assert!(refused.to_string().contains(why), "{why}: {refused}");
    }
    // At the edge of what counts it is taken, and the figures stand.
    let edge = Incident { timings: took(366 * 86_400_000), place: named("ü".repeat(200)), ..over };
    assert!(fleet.ledger.take_report(&edge, 500).await.unwrap().fresh);
    assert_eq!(fleet.ledger.trends(0).await.unwrap().recovery.map(|r| r.p95), Some(366 * 86_400_000));
}
