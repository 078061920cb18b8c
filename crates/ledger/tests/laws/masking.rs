//! No secret reaches the disk, whoever forgot to mask it.

use std::{fs, sync::Arc};

use regreen_domain::{
    Decision, Diagnosis, Evidence, Outcome, PlannedStep, Role, Verification, VerificationFactor,
};
use regreen_ledger::{Acceptance, BreakerKey, BreakerOutcome, Closing, LedgerError, Patch, Place, Scrub};
use regreen_saga::{Effect, Journal, StepEvent};
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::world::{At, Engine, OWNER, World, diagnosis, fact, incident, plan};

both_engines! {
    every_text_is_scrubbed_on_its_way_in,
    what_an_undo_works_from_is_refused_rather_than_changed,
    an_import_is_scrubbed_too,
}

pub(crate) const SECRET: &str = "hunter2";

pub(crate) struct Hides;

impl Scrub for Hides {
    fn scrub(&self, text: &str) -> String {
        text.replace(SECRET, "***")
    }
}

fn leaky() -> Diagnosis {
    let text = || format!("leaks {SECRET} here");
    Diagnosis {
        pattern: Some(text()),
        pattern_source: None,
        step: Some(text()),
        reason: text(),
        evidence: vec![Evidence { line: 1, column: 1, text: text(), role: Role::Root }],
        ..diagnosis()
    }
}

/// Everything that lies in the ledger's folder, or in its tables.
pub(crate) async fn stored(world: &World) -> Vec<u8> {
    if let At::File(path) = &world.at {
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        return files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    }
    let mut db = world.at.raw().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    assert!(tables.len() > 5, "{tables:?}");
    let mut all = String::new();
    for table in tables {
        let sql = AssertSqlSafe(format!("SELECT {table}::text FROM {table}"));
        let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut db).await.unwrap();
        all.extend(rows);
    }
    all.into_bytes()
}

pub(crate) fn holds(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes())
}

async fn every_text_is_scrubbed_on_its_way_in(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let text = || format!("leaks {SECRET} here");
    let d = leaky();
    let mut new = incident("a", 1, &d);
    new.place =
        Place { workspace: text(), repository: Some(text()), commit: Some(text()), job: Some(text()) };
    new.command = vec!["npm".to_owned(), text()];
    new.run_marker = Some(text());
    l.open_incident(&new).await.unwrap();
    let mut journal = l.journal("a", OWNER, || 2);
    journal.append(&fact("s", StepEvent::Prepared { before: json!(1) })).await.unwrap();
    journal.append(&fact("s", StepEvent::Started)).await.unwrap();
    let failed = StepEvent::Failed { effect: Effect::Unknown, why: text() };
    journal.append(&fact("s", failed)).await.unwrap();
    journal.append(&fact("s", StepEvent::UndoStarted)).await.unwrap();
    journal.append(&fact("s", StepEvent::UndoFailed { why: text() })).await.unwrap();
    assert_eq!(l.ask("a", OWNER, "agree", &text(), 2).await.unwrap(), None);
    l.deny("a", &text(), Some(&text()), 2).await.unwrap();
    let answer = l.ask("a", OWNER, "agree", &text(), 2).await.unwrap().unwrap();
    assert!(!answer.granted && !answer.reason.unwrap().contains(SECRET));
    // The place is found by what it was given as.
    assert_eq!(l.attempts(&new.place).await.unwrap(), 1);
    let factor = VerificationFactor { name: text(), held: None, says: text() };
    let closing = Closing {
        verification: Some(Verification { factors: vec![factor] }),
        patch: Some(Patch { path: Some(text()), summary: text() }),
        ..Closing::new(Outcome::Stuck)
    };
    l.close("a", OWNER, &closing, 3).await.unwrap();
    l.reopen("a", "p2", &text(), &text(), 4).await.unwrap();
    l.await_approval("a", "p2", 4).await.unwrap();
    l.deny("a", &text(), Some(&text()), 5).await.unwrap();
    l.feedback("a", d.class, &text(), Some(&text()), 6).await.unwrap();
    l.pause(&text(), &text(), &text(), 7).await.unwrap();
    assert!(l.paused(&text()).await.unwrap().is_some());
    l.unpause(&text(), &text(), 8).await.unwrap();
    // A file that is changed proves nothing: it is refused.
    for (name, file) in [("ours".to_owned(), text()), (text(), "a file".to_owned())] {
        let refused = l.accept_pattern(&name, &file, "ann", 8).await.unwrap();
        assert_eq!(refused, Acceptance::Secret);
    }
    assert_eq!(l.accept_pattern("ours", "a file", &text(), 8).await.unwrap(), Acceptance::Accepted);
    assert!(l.take_pattern_back("ours", &text(), 8).await.unwrap());
    let key = BreakerKey { class: "c".to_owned(), service: text(), repository: text() };
    l.breaker_outcome(&key, "a", BreakerOutcome::Failure, 9).await.unwrap();
    assert!(l.breaker_reset(&key, &text(), 10).await.unwrap());
    assert!(l.audit_verify(None).await.unwrap().is_sound());
    assert!(!holds(&stored(&world).await));
}

async fn what_an_undo_works_from_is_refused_rather_than_changed(on: Engine) {
    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    l.open_incident(&incident("a", 1, &diagnosis())).await.unwrap();
    let mut leaky = plan();
    leaky.steps.push(PlannedStep {
        id: "x".to_owned(),
        kind: "k".to_owned(),
        args: [("url".to_owned(), format!("https://u:{SECRET}@h"))].into(),
        lists: Default::default(),
        flow: Default::default(),
    });
    let refused = l.decided("a", OWNER, &Decision::Heal(leaky), None, None, 2).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Unmasked { .. }), "{refused:?}");
    let mut journal = l.journal("a", OWNER, || 2);
    for event in [
        StepEvent::Prepared { before: json!({ "deep": [SECRET] }) },
        StepEvent::Prepared { before: json!({ SECRET: 1 }) },
        StepEvent::Applied { receipt: json!(SECRET) },
    ] {
        let refused = journal.append(&fact("s", event)).await.unwrap_err();
        let why: &LedgerError = refused.source.downcast_ref().unwrap();
        assert!(matches!(why, LedgerError::Unmasked { .. }) && !why.to_string().contains(SECRET), "{why}");
    }
    assert!(l.facts("a").await.unwrap().is_empty());
    assert!(!holds(&stored(&world).await));
}

async fn an_import_is_scrubbed_too(on: Engine) {
    let from = World::new(on).await;
    let d = leaky();
    from.ledger.open_incident(&incident("a", 1, &d)).await.unwrap();
    let mut journal = from.ledger.journal("a", OWNER, || 2);
    journal.append(&fact("s", StepEvent::Prepared { before: json!(SECRET) })).await.unwrap();
    from.ledger.ask("a", OWNER, "agree", &format!("{SECRET}?"), 2).await.unwrap();
    from.ledger.deny("a", SECRET, Some(SECRET), 2).await.unwrap();
    from.ledger.feedback("a", d.class, SECRET, Some(SECRET), 3).await.unwrap();
    from.ledger.pause(SECRET, SECRET, SECRET, 4).await.unwrap();
    from.ledger.accept_pattern(SECRET, SECRET, SECRET, 4).await.unwrap();
    let mut file = Vec::new();
    from.ledger.export(&mut file).await.unwrap();
    assert!(holds(&file));

    let world = World::new(on).await;
    let l = world.at.open_as(Arc::new(Hides)).await.unwrap();
    let report = l.import(&mut file.as_slice(), 10).await.unwrap();
    assert_eq!((report.incidents, report.facts, report.feedback, report.pauses), (1, 1, 1, 1));
    assert!(l.audit_verify(None).await.unwrap().is_sound());
    let question = l.incident("a").await.unwrap().unwrap().question.unwrap();
    assert!(question.text.ends_with('?') && !question.answer.unwrap().granted);
    assert!(!holds(&stored(&world).await));
}
