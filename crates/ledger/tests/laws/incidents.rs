//! The life of an incident and what can be asked about it.

use regreen_domain::{Decision, Diagnosis, FailureClass, Outcome, Refusal, Verification, VerificationFactor};
use regreen_ledger::{Closing, IncidentFilter, LedgerError, Patch, Place, PlaybookRecord, RecordsOf, State};
use regreen_saga::{Journal, StepEvent};
use serde_json::{Map, Value};
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::world::{Engine, OWNER, World, diagnosis, fact, facts, healed, incident, place, plan};

both_engines! {
    what_was_stored_comes_back,
    only_the_owner_writes_and_only_in_the_right_state,
    lists_come_in_pages_newest_first,
    attempts_are_counted_by_what_was_started,
    the_record_of_a_playbook_is_of_its_class_tool_and_repository_and_a_person_may_call_a_healing_wrong,
    a_pause_stands_until_it_is_ended,
    its_work_can_move_between_threads,
    a_record_of_the_first_version_is_read_and_goes_on_in_the_present_one,
    a_record_of_the_second_version_is_read_and_goes_on_in_the_present_one,
}

async fn what_was_stored_comes_back(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    healed(l, "first", 10).await;
    let d = diagnosis();
    l.open_incident(&incident("a", 100, &d)).await.unwrap();
    l.decided("a", OWNER, &Decision::Heal(plan()), None, Some(2), 101).await.unwrap();
    let factor =
        VerificationFactor { name: "command-green".to_owned(), held: Some(true), says: "ok".to_owned() };
    let closing = Closing {
        verification: Some(Verification { factors: vec![factor] }),
        patch: Some(Patch { path: Some("p.patch".to_owned()), summary: "1 line".to_owned() }),
        exit_code: Some(0),
        command_ms: Some(1000),
        overhead_ms: Some(10),
        ..Closing::new(Outcome::Healed)
    };
    l.close("a", OWNER, &closing, 150).await.unwrap();
    let stored = l.incident("a").await.unwrap().unwrap();
    assert_eq!(stored.diagnosis.to_domain(), Some(d));
    assert_eq!(stored.plan(), Some(plan()));
    assert_eq!((stored.state, stored.outcome()), (State::Closed, Some(Outcome::Healed)));
    assert_eq!((stored.exit_code, stored.final_exit_code), (Some(1), Some(0)));
    assert_eq!((stored.closed_at, stored.changed_at, stored.imported), (Some(150), 150, false));
    assert_eq!(stored.verification.unwrap()[0].held, Some(true));
    assert_eq!((stored.timings.detect, stored.timings.decide), (Some(5), Some(2)));
    assert!(l.incident("nobody").await.unwrap().is_none());
}

async fn only_the_owner_writes_and_only_in_the_right_state(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.open_incident(&incident("a", 100, &diagnosis())).await.unwrap();
    let none = Decision::Nothing { because: Refusal::ModeObserve };
    let stale = |e: &LedgerError| matches!(e, LedgerError::StaleOwner { .. });
    let state = |e: &LedgerError| matches!(e, LedgerError::WrongState { .. });
    let closing = Closing::new(Outcome::LeftAlone);
    assert!(state(&l.open_incident(&incident("a", 101, &diagnosis())).await.unwrap_err()));
    assert!(stale(&l.decided("a", "p2", &none, None, None, 101).await.unwrap_err()));
    l.take_over("a", "p2", 102).await.unwrap();
    assert!(stale(&l.close("a", OWNER, &closing, 103).await.unwrap_err()));
    assert!(stale(&l.await_approval("a", OWNER, 103).await.unwrap_err()));
    l.decided("a", "p2", &none, None, None, 104).await.unwrap();
    l.close("a", "p2", &closing, 105).await.unwrap();
    assert!(state(&l.close("a", "p2", &closing, 106).await.unwrap_err()));
    assert!(state(&l.decided("a", "p2", &none, None, None, 106).await.unwrap_err()));
    l.reopen("a", "p3", "ann", "take it back", 107).await.unwrap();
    l.close("a", "p3", &Closing::new(Outcome::RolledBack), 108).await.unwrap();
    assert!(matches!(l.take_over("b", "p", 1).await, Err(LedgerError::UnknownIncident { .. })));
    for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        let refused = l.open_incident(&incident(bad, 1, &diagnosis())).await;
        assert!(matches!(refused, Err(LedgerError::BadId { .. })), "{bad}");
    }
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

async fn lists_come_in_pages_newest_first(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    for (i, id) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        // Two share a moment.
        healed(l, id, 100 + 10 * (i as i64 / 2)).await;
    }
    l.open_incident(&incident("open", 50, &diagnosis())).await.unwrap();
    let (mut seen, mut filter) = (Vec::new(), IncidentFilter { limit: 2, ..IncidentFilter::default() });
    loop {
        let page = l.incidents(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some(last.cursor());
        seen.extend(page.into_iter().map(|i| i.id));
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a", "open"]);
    let count = async |filter: IncidentFilter| l.incidents(&filter).await.unwrap().len();
    let f = IncidentFilter::default;
    assert_eq!(count(IncidentFilter { outcome: Some(Outcome::Healed), ..f() }).await, 5);
    assert_eq!(count(IncidentFilter { outcome: Some(Outcome::Stuck), ..f() }).await, 0);
    assert_eq!(count(IncidentFilter { class: Some(diagnosis().class), ..f() }).await, 6);
    assert_eq!(count(IncidentFilter { class: Some(FailureClass::Unknown), ..f() }).await, 0);
    assert_eq!(count(IncidentFilter { state: Some(State::Open), ..f() }).await, 1);
}

async fn attempts_are_counted_by_what_was_started(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(l.attempts(&place()).await.unwrap(), 0);
    healed(l, "a", 100).await;
    l.open_incident(&incident("looked-only", 200, &diagnosis())).await.unwrap();
    facts(l, "looked-only", 201, 1).await;
    assert_eq!(l.attempts(&place()).await.unwrap(), 1);
    assert_eq!(l.attempts(&Place { commit: Some("other".to_owned()), ..place() }).await.unwrap(), 0);
    assert_eq!(l.attempts(&Place { job: None, ..place() }).await.unwrap(), 0);
    // On another runner the workspace has another name; the commit and job are the same.
    assert_eq!(l.attempts(&Place { workspace: "/v".to_owned(), ..place() }).await.unwrap(), 1);

    let loose = Place { workspace: "/w".to_owned(), ..Place::default() };
    let d = diagnosis();
    let mut new = incident("loose", 300, &d);
    new.place = loose.clone();
    l.open_incident(&new).await.unwrap();
    facts(l, "loose", 301, 2).await;
    assert_eq!(l.attempts(&loose).await.unwrap(), 1);
    assert_eq!(l.attempts(&Place { workspace: "/v".to_owned(), ..Place::default() }).await.unwrap(), 0);
}

/// Incidents of another repository, later than any: copies of one, past the ledger's own calls, which would take long.
async fn many_of_others(on: Engine, world: &World, count: u32) {
    let numbers = match on {
        Engine::Sqlite => {
            format!(
                "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) SELECT n FROM n"
            )
        }
        Engine::Postgres => format!("SELECT n FROM generate_series(1, {count}) AS n"),
    };
    let sql = format!(
        "INSERT INTO incidents (id, record, owner)
         SELECT 'other-' || n, replace(replace(record, 'org/repo', 'org/other-one'), '\"opened_at\":100', '\"opened_at\":90000'), owner
         FROM incidents, ({numbers}) AS numbers WHERE id = 'a'"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut world.at.raw().await).await.unwrap();
    let later = IncidentFilter { limit: 10, ..IncidentFilter::default() };
    let latest = world.ledger.incidents(&later).await.unwrap();
    assert!(latest.iter().all(|one| one.opened_at == 90_000), "{latest:?}");
}

async fn the_record_of_a_playbook_is_of_its_class_tool_and_repository_and_a_person_may_call_a_healing_wrong(
    on: Engine,
) {
    let world = World::new(on).await;
    let l = &world.ledger;
    healed(l, "a", 100).await;
    healed(l, "b", 200).await;
    // Decided, and never begun: no outcome.
    l.open_incident(&incident("c", 300, &diagnosis())).await.unwrap();
    l.decided("c", OWNER, &Decision::Heal(plan()), None, Some(1), 301).await.unwrap();
    // Of the same class, by another pattern; rolled back.
    let other = Diagnosis { pattern: Some("other".to_owned()), ..diagnosis() };
    l.open_incident(&incident("d", 400, &other)).await.unwrap();
    l.decided("d", OWNER, &Decision::Heal(plan()), None, Some(1), 401).await.unwrap();
    facts(l, "d", 402, 2).await;
    l.close("d", OWNER, &Closing::new(Outcome::RolledBack), 450).await.unwrap();
    let of = RecordsOf {
        class: "network-timeout",
        pattern: Some("npm-connection-reset"),
        tool: Some("npm"),
        repository: Some("org/repo"),
        except: "z",
    };
    let records = l.records(&of, 100).await.unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((record.healed, record.failed), (2, 1));
    assert_eq!((record.pattern_healed, record.pattern_failed), (2, 0));
    assert_eq!((record.last_outcome.as_str(), record.last_try), ("rolled-back", Some(402)));
    let healed_of = |records: Vec<PlaybookRecord>| records.first().map(|r| (r.healed, r.failed));
    assert_eq!(healed_of(l.records(&of, 1).await.unwrap()), Some((0, 1)), "the latest");
    assert_eq!(healed_of(l.records(&RecordsOf { except: "d", ..of }, 100).await.unwrap()), Some((2, 0)));
    for elsewhere in [
        RecordsOf { class: "rate-limited", ..of },
        RecordsOf { tool: Some("pip"), ..of },
        RecordsOf { tool: None, ..of },
        RecordsOf { repository: Some("org/other"), ..of },
        RecordsOf { repository: None, ..of },
    ] {
        assert_eq!(l.records(&elsewhere, 100).await.unwrap(), [], "{elsewhere:?}");
    }
    // As many of other repositories as ever: each repository's record is its own.
    many_of_others(on, &world, 2_100).await;
    assert_eq!(healed_of(l.records(&of, 100).await.unwrap()), Some((2, 1)));
    let code = FailureClass::parse("test-failure").unwrap();
    l.feedback("a", code, "ann", None, 500).await.unwrap();
    assert_eq!(healed_of(l.records(&of, 100).await.unwrap()), Some((1, 2)), "called wrong by a person");

    // The facts of one incident are at the same millisecond here, but for the last one's rollback.
    assert_eq!(cost(&l.spent(Some("org/repo"), "z", 0, 150).await.unwrap()), (0, 2));
    assert_eq!(cost(&l.spent(Some("org/repo"), "d", 0, 150).await.unwrap()), (0, 1));
    assert_eq!(cost(&l.spent(Some("org/other"), "z", 0, 0).await.unwrap()), (0, 0));
    facts(l, "c", 1000, 1).await;
    let mut journal = l.journal("c", OWNER, || 61_000);
    journal.append(&fact("rerun", StepEvent::Started)).await.unwrap();
    assert_eq!(cost(&l.spent(Some("org/repo"), "z", 0, 999).await.unwrap()), (60_000, 1));
    assert_eq!(cost(&l.spent(Some("org/repo"), "z", 61_001, 61_001).await.unwrap()), (0, 0));

    // Called off by SIGTERM: a try, and no word on what heals.
    let before = l.records(&of, 100).await.unwrap().remove(0);
    l.open_incident(&incident("e", 70_000, &diagnosis())).await.unwrap();
    l.decided("e", OWNER, &Decision::Heal(plan()), None, Some(1), 70_001).await.unwrap();
    facts(l, "e", 70_002, 2).await;
    let closing = Closing { exit_code: Some(143), ..Closing::new(Outcome::RolledBack) };
    l.close("e", OWNER, &closing, 70_050).await.unwrap();
    let after = l.records(&of, 100).await.unwrap().remove(0);
    assert_eq!(after, PlaybookRecord { last_try: Some(70_002), ..before });
}

async fn a_pause_stands_until_it_is_ended(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    assert_eq!(l.paused("/w").await.unwrap(), None);
    assert!(!l.unpause("/w", "ann", 1).await.unwrap());
    l.pause("/w", "ann", "release", 2).await.unwrap();
    l.pause("/w", "bob", "again", 3).await.unwrap();
    let pause = l.paused("/w").await.unwrap().unwrap();
    assert_eq!((pause.actor.as_str(), pause.reason.as_str(), pause.at), ("ann", "release", 2));
    assert_eq!(l.paused("/v").await.unwrap(), None);
    assert!(l.unpause("/w", "bob", 4).await.unwrap());
    assert_eq!(l.paused("/w").await.unwrap(), None);
    // The same switch in the same millisecond is another pause.
    l.pause("/w", "ann", "release", 2).await.unwrap();
    assert!(l.paused("/w").await.unwrap().is_some());
    assert!(l.audit_verify(None).await.unwrap().is_sound());
}

/// Whoever drives the ledger may do so from a task that moves between threads.
async fn its_work_can_move_between_threads(on: Engine) {
    fn moves<T: Send>(work: T) -> T {
        work
    }
    let world = World::new(on).await;
    let l = &world.ledger;
    moves(l.open_incident(&incident("a", 1, &diagnosis()))).await.unwrap();
    moves(l.audit_verify(None)).await.unwrap();
    moves(l.metrics(1, None)).await.unwrap();
    let mut file = Vec::new();
    moves(l.export(&mut file)).await.unwrap();
    moves(l.import(&mut file.as_slice(), 1)).await.unwrap();
    moves(l.journal("a", OWNER, || 1));
}

async fn a_record_of_the_first_version_is_read_and_goes_on_in_the_present_one(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    l.open_incident(&incident("old", 100, &diagnosis())).await.unwrap();
    let mut db = world.at.raw().await;
    let rewrite = async |db: &mut AnyConnection, change: fn(&mut Map<String, Value>)| {
        let record: String =
            sqlx::query_scalar("SELECT record FROM incidents").fetch_one(&mut *db).await.unwrap();
        let mut record: Map<String, Value> = serde_json::from_str(&record).unwrap();
        change(&mut record);
        let text = Value::Object(record).to_string();
        sqlx::query("UPDATE incidents SET record = $1").bind(text).execute(db).await.unwrap();
    };
    let older = |record: &mut Map<String, Value>| {
        record.retain(|key, _| key != "inputs" && key != "handed_over_to");
        record["version"] = 1.into();
    };
    rewrite(&mut db, older).await;
    let stored = l.incident("old").await.unwrap().unwrap();
    assert_eq!((stored.version, &stored.inputs, &stored.handed_over_to), (1, &None, &None));
    l.close("old", OWNER, &Closing::new(Outcome::LeftAlone), 110).await.unwrap();
    assert_eq!(l.incident("old").await.unwrap().unwrap().version, 3);
    // A record of a later version is refused, not guessed at.
    rewrite(&mut db, |record| record["version"] = 4.into()).await;
    assert!(matches!(l.incident("old").await, Err(LedgerError::Newer { found: 4, supported: 3 })));
}

/// As `regreen run --mode approve -- npm ci` stored it before a step could ask in the middle of a plan.
const SECOND: &str = include_str!("../data/incident-v2.json");

async fn a_record_of_the_second_version_is_read_and_goes_on_in_the_present_one(on: Engine) {
    let world = World::new(on).await;
    let l = &world.ledger;
    let record: Value = serde_json::from_str(SECOND).unwrap();
    let id = record["id"].as_str().unwrap();
    let d = diagnosis();
    l.open_incident(&incident(id, 100, &d)).await.unwrap();
    l.await_approval(id, OWNER, 101).await.unwrap();
    let mut db = world.at.raw().await;
    sqlx::query("UPDATE incidents SET record = $1").bind(SECOND.trim()).execute(&mut db).await.unwrap();
    let stored = l.incident(id).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.state, &stored.question), (2, State::AwaitingApproval, &None));
    assert_eq!(stored.diagnosis.class, "lockfile-corruption");
    let plan = stored.plan().unwrap();
    assert_eq!(plan.playbook, "repair-lockfile");
    assert_eq!((plan.paths.as_slice(), plan.steps.len()), (&["package-lock.json".to_owned()][..], 4));
    let inputs = stored.inputs.clone().unwrap();
    // What later versions added is not there, and nothing else is lost.
    assert_eq!((inputs.playbooks[0].paths.clone(), inputs.setting.unclean.len()), (None, 0));
    assert_eq!((inputs.ranking.len(), inputs.history.seed), (2, Some(2158134025693084664)));
    l.approve(id, "ann", stored.changed_at + 1).await.unwrap();
    let after = l.incident(id).await.unwrap().unwrap();
    assert_eq!((after.version, after.state, after.inputs), (3, State::Approved, Some(inputs)));
}

fn cost(cost: &regreen_ledger::Cost) -> (u64, u32) {
    assert!(cost.day >= cost.hour);
    (cost.ms, cost.hour)
}
