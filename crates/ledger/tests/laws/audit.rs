//! Nothing that is on record can be changed unseen.

use std::fs;

use proptest::prelude::*;
use regreen_ledger::{AuditVerdict, Ledger, LedgerError};
use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection};
use tempfile::TempDir;

use crate::world::{World, open, raw};

/// Table, key to find a row by, and a column that holds something.
const CELLS: &[(&str, &str)] = &[
    ("audit", "at"),
    ("audit", "kind"),
    ("audit", "body"),
    ("audit", "prev"),
    ("audit", "hash"),
    ("incidents", "id"),
    ("incidents", "record"),
    ("facts", "seq"),
    ("facts", "at"),
    ("facts", "fact"),
    ("feedback", "class"),
    ("feedback", "actor"),
    ("feedback", "note"),
    ("feedback", "at"),
    ("breaker_events", "service"),
    ("breaker_events", "event"),
    ("breaker_events", "at"),
    ("pauses", "scope"),
    ("pauses", "reason"),
    ("pauses", "ended_at"),
];

const TABLES: &[&str] = &["audit", "incidents", "facts", "feedback", "breaker_events", "pauses"];

/// A copy of one ledger, to spoil.
struct Copy {
    _folder: TempDir,
    path: std::path::PathBuf,
    head: String,
}

impl Copy {
    async fn verdict(&self, head: Option<&str>) -> AuditVerdict {
        open(&self.path).await.audit_verify(head).await.unwrap().verdict
    }

    /// A connection to the same data without the keys, constraints and derived columns that would object.
    async fn spoil(&self) -> SqliteConnection {
        let mut db = raw(&self.path).await;
        for table in TABLES {
            let columns = match *table {
                "incidents" => "id, record, owner",
                "facts" => "incident, seq, at, fact",
                _ => "*",
            };
            let sql = format!(
                "PRAGMA foreign_keys = OFF; CREATE TABLE bare AS SELECT {columns} FROM {table};
                 DROP TABLE {table}; ALTER TABLE bare RENAME TO {table}"
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        }
        db
    }
}

fn lived_in() -> (Vec<u8>, String) {
    block_on(async {
        let world = World::lived_in().await;
        let head = world.ledger.audit_head().await.unwrap();
        world.ledger.close_file().await;
        (fs::read(&world.path).unwrap(), head)
    })
}

fn copy((bytes, head): &(Vec<u8>, String)) -> Copy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("l.db");
    fs::write(&path, bytes).unwrap();
    Copy { _folder: folder, path, head: head.clone() }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn rowids(db: &mut SqliteConnection, table: &str) -> Vec<i64> {
    let sql = AssertSqlSafe(format!("SELECT rowid FROM {table} ORDER BY rowid"));
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

/// Another text or number, one step away.
fn change(value: &str, at: prop::sample::Index) -> String {
    if let Ok(number) = value.parse::<i64>() {
        return (number + 1).to_string();
    }
    let mut chars: Vec<char> = value.chars().collect();
    if chars.is_empty() {
        return "x".to_owned();
    }
    let i = at.index(chars.len());
    chars[i] = if chars[i] == 'x' { 'y' } else { 'x' };
    chars.into_iter().collect()
}

#[test]
fn a_cell_that_was_changed_is_seen() {
    let original = lived_in();
    let mut runner = prop::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let strategy = (prop::sample::select(CELLS), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    runner
        .run(&strategy, |((table, column), row, place)| {
            let copy = copy(&original);
            block_on(async {
                let mut db = copy.spoil().await;
                let ids = rowids(&mut db, table).await;
                let id = ids[row.index(ids.len())];
                let select = format!("SELECT CAST({column} AS TEXT) FROM {table} WHERE rowid = ?");
                let old = sqlx::query(AssertSqlSafe(select)).bind(id).fetch_one(&mut db).await.unwrap();
                let old: Option<String> = old.get(0);
                let new = change(old.as_deref().unwrap_or("0"), place);
                let update = format!("UPDATE {table} SET {column} = ? WHERE rowid = ?");
                sqlx::query(AssertSqlSafe(update)).bind(&new).bind(id).execute(&mut db).await.unwrap();
                db.close().await.unwrap();
                let verdict = copy.verdict(None).await;
                prop_assert_ne!(verdict, AuditVerdict::Sound, "{}.{} {:?} -> {}", table, column, old, new);
                Ok(())
            })
        })
        .unwrap();
}

#[test]
fn a_row_that_is_gone_or_new_is_seen() {
    let original = lived_in();
    for table in TABLES {
        block_on(async {
            let mut db = copy(&original).spoil().await;
            let ids = rowids(&mut db, table).await;
            assert!(!ids.is_empty(), "{table}");
            for id in ids {
                let copy = copy(&original);
                let mut db = copy.spoil().await;
                let sql = AssertSqlSafe(format!("DELETE FROM {table} WHERE rowid = ?"));
                sqlx::query(sql).bind(id).execute(&mut db).await.unwrap();
                db.close().await.unwrap();
                let verdict = copy.verdict(Some(&copy.head)).await;
                assert_ne!(verdict, AuditVerdict::Sound, "{table} {id}");
            }
        });
    }
    for insert in [
        "INSERT INTO incidents (id, record) VALUES ('z', '{}')",
        "INSERT INTO feedback VALUES ('z', 'a', 'unknown', 'eve', NULL, 1)",
        "INSERT INTO audit VALUES (0, 1, 'k', '{}', '', 'h')",
        "INSERT INTO audit VALUES (-5, 1, 'k', '{}', '', 'h')",
        "INSERT INTO audit SELECT seq + 1, at, kind, body, hash, 'h' FROM audit ORDER BY seq DESC LIMIT 1",
    ] {
        let copy = copy(&original);
        block_on(async {
            let mut db = copy.spoil().await;
            sqlx::query(insert).execute(&mut db).await.unwrap();
            db.close().await.unwrap();
            assert_ne!(copy.verdict(None).await, AuditVerdict::Sound, "{insert}");
        });
    }
}

#[test]
fn a_value_of_another_type_is_no_crash() {
    let copy = copy(&lived_in());
    block_on(async {
        let mut db = copy.spoil().await;
        sqlx::query("UPDATE audit SET body = x'ff00' WHERE seq = 2").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        let refused = open(&copy.path).await.audit_verify(None).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Corrupt { .. }), "{refused:?}");
    });
}

#[test]
fn entries_that_changed_places_are_seen() {
    let original = lived_in();
    let copy = copy(&original);
    block_on(async {
        let mut db = copy.spoil().await;
        sqlx::raw_sql(
            "UPDATE audit SET seq = -1 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
             UPDATE audit SET seq = 3 WHERE seq = -1",
        )
        .execute(&mut db)
        .await
        .unwrap();
        db.close().await.unwrap();
        let verdict = copy.verdict(None).await;
        assert!(matches!(verdict, AuditVerdict::BrokenAt { seq: 2, .. }), "{verdict:?}");
    });
}

#[tokio::test]
async fn a_ledger_written_anew_does_not_have_the_head() {
    let (one, other) = (World::lived_in().await, World::lived_in().await);
    other.ledger.unpause("/w", "eve", 400).await.unwrap();
    let head = other.ledger.audit_head().await.unwrap();
    // Each is sound by itself; only the head that was written down elsewhere tells them apart.
    assert!(one.ledger.audit_verify(None).await.unwrap().is_sound());
    assert_eq!(one.ledger.audit_verify(Some(&head)).await.unwrap().verdict, AuditVerdict::HeadNotFound);
    for nonsense in ["", "abc", &head[..20]] {
        let report = other.ledger.audit_verify(Some(nonsense)).await.unwrap();
        assert_eq!(report.verdict, AuditVerdict::HeadNotFound, "{nonsense}");
    }
    assert!(other.ledger.audit_verify(Some(&head.to_uppercase())).await.unwrap().is_sound());
}

#[tokio::test]
async fn every_head_that_was_ever_printed_still_counts() {
    let world = World::new().await;
    let l: &Ledger = &world.ledger;
    let mut heads = vec![l.audit_head().await.unwrap()];
    assert_eq!(heads[0], "0".repeat(64));
    for i in 0..5 {
        l.pause(&format!("w{i}"), "ann", "x", i).await.unwrap();
        heads.push(l.audit_head().await.unwrap());
    }
    for head in &heads {
        let report = l.audit_verify(Some(head)).await.unwrap();
        assert!(report.is_sound() && report.entries == 5, "{report:?}");
    }
    let page = l.audit(2, 2).await.unwrap();
    assert_eq!(page.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!((&page[0].prev, &page[1].hash), (&heads[2], &heads[4]));
}
