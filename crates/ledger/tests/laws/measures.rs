//! Metrics: what was counted, and nothing where nothing was.

use regreen_domain::{CodeClass, Decision, FailureClass, Outcome, Refusal};
use regreen_ledger::{Closing, Metrics, NewIncident, Repair, Sighting, Spread, Trends};

use crate::world::{Engine, OWNER, World, diagnosis, healed, incident, plan};

both_engines! {
    an_empty_ledger_says_nothing,
    figures_come_from_what_happened,
    repairs_are_timed_from_the_end_of_what_failed_and_what_they_ran_is_counted,
    trends_count_what_was_opened_by_day_and_by_what_it_has_in_common,
    what_became_of_the_control_group_is_said_once,
}

async fn an_empty_ledger_says_nothing(on: Engine) {
    let world = World::new(on).await;
    assert_eq!(world.ledger.metrics(1000, None).await.unwrap(), Metrics::default());
    healed(&world.ledger, "a", 10).await;
    assert_eq!(world.ledger.metrics(1000, Some(5)).await.unwrap(), Metrics::default());
}

async fn figures_come_from_what_happened(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let code = FailureClass::Code(CodeClass::TestFailure);
    healed(l, "healed", 10).await;
    healed(l, "healed-wrongly", 20).await;
    l.feedback("healed-wrongly", diagnosis().class, "bob", None, 90).await.unwrap();
    // The newest word counts.
    l.feedback("healed-wrongly", code, "ann", None, 91).await.unwrap();
    for (id, at, outcome) in [("back", 30, Outcome::RolledBack), ("stuck", 40, Outcome::Stuck)] {
        l.open_incident(&incident(id, at, &diagnosis())).await.unwrap();
        let closing = Closing {
            overhead_ms: Some(1),
            command_ms: Some(100),
            act_ms: Some(50),
            ..Closing::new(outcome)
        };
        l.close(id, OWNER, &closing, at + 1).await.unwrap();
    }
    let d = diagnosis();
    l.open_incident(&incident("suggested", 50, &d)).await.unwrap();
    let suggest = Decision::Suggest { plan: plan(), because: Refusal::ModeSuggest };
    l.decided("suggested", OWNER, &suggest, None, Some(3), 51).await.unwrap();
    l.close("suggested", OWNER, &Closing::new(Outcome::Suggested), 52).await.unwrap();
    l.feedback("suggested", d.class, "ann", None, 92).await.unwrap();

    let review = l.review(0, 100).await.unwrap();
    assert_eq!((review.looked_at, review.complete, review.control), (5, true, None));
    let steps: Vec<_> = review.calibration.iter().map(|s| (s.right.hits, s.right.n, s.by_people)).collect();
    assert_eq!(steps, [(2, 3, 2)], "two by people, one by its cure");
    let sure = diagnosis().confidence.value();
    assert!((review.calibration[0].sure - sure).abs() < 1e-9 && review.calibration[0].from <= sure);
    assert_eq!(l.review(60, 100).await.unwrap().looked_at, 0);

    let m = l.metrics(100, Some(100)).await.unwrap();
    assert_eq!((m.incidents, m.by_class["network-timeout"], m.by_outcome["healed"]), (5, 5, 2));
    let counts = |rate: Option<regreen_ledger::Rate>| rate.map(|r| (r.hits, r.n));
    assert_eq!(counts(m.accuracy), Some((2, 3)));
    assert_eq!(counts(m.false_positives), Some((1, 3)));
    assert_eq!(counts(m.success), Some((2, 4)));
    assert_eq!(counts(m.rollback), Some((1, 2)));
    assert_eq!((m.mean_detect_ms, m.mean_recovery_ms), (Some(5.0), Some(30.0)));
    // What did not heal is no part of a repair, nor what a person called wrong.
    let repair = &m.repair;
    assert_eq!(repair.act, Some(Spread { n: 1, p50: 20, p95: 20 }));
    assert_eq!(
        [repair.whole, repair.detect, repair.decide, repair.verify].map(|part| part.unwrap().n),
        [1; 4]
    );
    assert_eq!(m.detect.unwrap().n, 5, "a diagnosis is timed whatever comes of it");
    assert_eq!(m.overhead.map(|o| (o.n, o.share)), Some((2, 0.01)));
}

async fn repairs_are_timed_from_the_end_of_what_failed_and_what_they_ran_is_counted(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(
        (l.metrics(100, None).await.unwrap().repair, l.metrics(100, None).await.unwrap().saved),
        (Repair::default(), None)
    );
    healed(l, "a", 10).await;
    healed(l, "b", 20).await;
    // One that ran beside the fleet, and in vain.
    let diagnosis = diagnosis();
    let beside = NewIncident { exit_code: None, run_marker: None, ..incident("back", 30, &diagnosis) };
    l.open_incident(&beside).await.unwrap();
    let ran = Closing {
        act_ms: Some(50),
        verify_ms: Some(50),
        command_ms: Some(4_000),
        ..Closing::new(Outcome::RolledBack)
    };
    l.close("back", OWNER, &ran, 99).await.unwrap();
    let (m, review) = (l.metrics(100, None).await.unwrap(), l.review(0, 100).await.unwrap());
    assert_eq!(
        m.repair.whole,
        Some(Spread { n: 2, p50: 45, p95: 45 }),
        "from the command's end to the incident's"
    );
    let parts = [review.repair.detect, review.repair.decide, review.repair.act, review.repair.verify];
    assert_eq!(
        parts.map(|part| part.map(|p| (p.n, p.p50))),
        [Some((2, 5)), Some((2, 1)), Some((2, 20)), Some((2, 10))]
    );
    assert_eq!((review.repair, review.repair.between.map(|p| p.p50)), (m.repair, Some(9)));
    let saved = m.saved.unwrap();
    assert_eq!((saved.tried, saved.healed, saved.compared, saved.ran_ms), (3, 2, false, 4_060));
    assert_eq!(saved.failures.map(|n| (n.value, n.low, n.high)), Some((2.0, 2.0, 2.0)));
    assert_eq!(review.saved, m.saved);
}

async fn trends_count_what_was_opened_by_day_and_by_what_it_has_in_common(on: Engine) {
    const DAY: i64 = 86_400_000;
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(l.trends(0).await.unwrap(), Trends::default());
    healed(l, "before", DAY - 1).await;
    healed(l, "a", DAY).await;
    healed(l, "b", DAY + 5).await;
    l.open_incident(&incident("open", 3 * DAY, &diagnosis())).await.unwrap();
    l.open_incident(&incident("back", 3 * DAY, &diagnosis())).await.unwrap();
    l.decided("back", OWNER, &Decision::Heal(plan()), None, None, 3 * DAY).await.unwrap();
    l.close("back", OWNER, &Closing::new(Outcome::RolledBack), 3 * DAY).await.unwrap();
    let seen = |service: &str| Sighting {
        service: service.to_owned(),
        class: "network-timeout".to_owned(),
        repository: "org/repo".to_owned(),
        at: DAY,
    };
    l.sighted("a", &[seen("registry.npmjs.org")]).await.unwrap();
    let t = l.trends(DAY).await.unwrap();
    let days: Vec<_> = t
        .days
        .iter()
        .map(|d| (d.day, d.classes["network-timeout"], d.success.map(|r| (r.hits, r.n))))
        .collect();
    assert_eq!(days, [(1, 2, Some((2, 2))), (3, 2, Some((0, 1)))]);
    assert_eq!(t.days[0].recovery, Some(Spread { n: 2, p50: 30, p95: 30 }));
    assert_eq!((t.days[1].recovery, t.recovery.unwrap().n), (None, 2));
    assert_eq!(t.success.map(|r| (r.hits, r.n)), Some((2, 3)));
    let groups = |groups: &[regreen_ledger::Group]| {
        groups.iter().map(|g| (g.name.clone(), g.incidents, g.healed, g.failed)).collect::<Vec<_>>()
    };
    assert_eq!(groups(&t.repositories), [("org/repo".to_owned(), 4, 2, 1)]);
    assert_eq!(groups(&t.patterns), [("npm-connection-reset".to_owned(), 4, 2, 1)]);
    assert_eq!(groups(&t.playbooks), [("rerun-after-network-loss".to_owned(), 3, 2, 1)]);
    assert_eq!(t.services, [("registry.npmjs.org".to_owned(), 1)]);
}

async fn what_became_of_the_control_group_is_said_once(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.open_incident(&incident("a", 10, &diagnosis())).await.unwrap();
    let left_alone = Decision::Nothing { because: Refusal::ControlGroup };
    l.decided("a", OWNER, &left_alone, None, None, 11).await.unwrap();
    assert!(l.follow_up("a", 2, true, 12).await.is_err(), "it is not over");
    l.close("a", OWNER, &Closing::new(Outcome::LeftAlone), 13).await.unwrap();
    assert!(l.follow_up("a", 2, true, 14).await.unwrap());
    assert!(!l.follow_up("a", 3, false, 15).await.unwrap());
    let followed = l.incident("a").await.unwrap().unwrap().followed.unwrap();
    assert_eq!((followed.attempt, followed.green, followed.at), (2, true, 14));
    // Of one whose inputs don't say that it was drawn from, nothing is compared.
    assert_eq!(l.metrics(100, None).await.unwrap().control, None);
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}
