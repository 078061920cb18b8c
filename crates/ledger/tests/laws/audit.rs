//! Nothing that is on record can be changed unseen.

use std::fs;

use proptest::{prelude::*, strategy::ValueTree};
use regreen_ledger::{AuditVerdict, ChainPlace, Ledger, LedgerError};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

use crate::world::{At, Engine, World};

both_engines! {
    a_cell_that_was_changed_is_seen,
    a_row_that_is_gone_or_new_is_seen,
    entries_that_changed_places_are_seen,
    a_ledger_written_anew_does_not_have_the_head,
    every_head_that_was_ever_printed_still_counts,
    the_tail_says_whether_it_hangs_together,
    the_chain_is_followed_on_and_to_where_it_breaks,
}

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
    ("patterns", "text"),
    ("patterns", "ended_at"),
];

const TABLES: &[&str] = &["audit", "incidents", "facts", "feedback", "breaker_events", "pauses", "patterns"];

/// Numbers; every other column is text.
const NUMBERS: &[&str] = &["seq", "at", "ended_at"];

/// Numbers the rows of a table, whatever else was done to it.
const ROW: fn(Engine) -> &'static str = |on| match on {
    Engine::Sqlite => "CAST(rowid AS TEXT)",
    Engine::Postgres => "CAST(ctid AS TEXT)",
};

/// A ledger that others are copied from.
struct Original {
    world: World,
    on: Engine,
    head: String,
}

/// A copy of one ledger, to spoil, without the keys, constraints and derived columns that would object.
struct Copy {
    _folder: TempDir,
    at: At,
    db: AnyConnection,
}

impl Original {
    async fn new(on: Engine) -> Original {
        let world = World::lived_in(on).await;
        let head = world.ledger.audit_head().await.unwrap();
        Original { world, on, head }
    }

    async fn copy(&self) -> Copy {
        let folder = tempfile::tempdir().unwrap();
        let at = match &self.world.at {
            At::File(path) => {
                self.world.ledger.close_file().await;
                let copy = folder.path().join("l.db");
                fs::copy(path, &copy).unwrap();
                At::File(copy)
            }
            At::Server(_) => At::new_schema().await,
        };
        let mut db = at.raw().await;
        let mut sql = match self.on {
            Engine::Sqlite => "PRAGMA foreign_keys = OFF;".to_owned(),
            Engine::Postgres => String::new(),
        };
        let from = self.world.at.to_text();
        let from = from.rsplit_once("search_path%3D").map_or("", |(_, schema)| schema);
        for table in TABLES {
            let columns = match *table {
                "incidents" => "id, record, owner",
                "facts" => "incident, seq, at, fact",
                "audit" => "seq, at, kind, body, prev, hash",
                _ => "*",
            };
            sql += &match self.on {
                Engine::Sqlite => format!(
                    "CREATE TABLE bare AS SELECT {columns} FROM {table};
                     DROP TABLE {table}; ALTER TABLE bare RENAME TO {table};"
                ),
                Engine::Postgres => format!("CREATE TABLE {table} AS SELECT {columns} FROM {from}.{table};"),
            };
        }
        if self.on == Engine::Postgres {
            sql += &format!(
                "CREATE TABLE schema_version AS SELECT * FROM {from}.schema_version;
                 COMMENT ON TABLE schema_version IS 'ledger of regreen'"
            );
        }
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        Copy { _folder: folder, at, db }
    }
}

impl Copy {
    async fn verdict(self, head: Option<&str>) -> AuditVerdict {
        self.db.close().await.unwrap();
        self.at.open().await.audit_verify(head).await.unwrap().verdict
    }
}

async fn rows(db: &mut AnyConnection, on: Engine, table: &str) -> Vec<String> {
    let row = ROW(on);
    let sql = AssertSqlSafe(format!("SELECT {row} FROM {table} ORDER BY {row}"));
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

async fn a_cell_that_was_changed_is_seen(on: Engine) {
    let original = Original::new(on).await;
    let mut runner = prop::test_runner::TestRunner::new(ProptestConfig::with_cases(60));
    let strategy = (prop::sample::select(CELLS), any::<prop::sample::Index>(), any::<prop::sample::Index>());
    // A copy on the server takes longer, and what is checked is the same code.
    for _ in 0..if on == Engine::Sqlite { 60 } else { 15 } {
        let ((table, column), row, place) = strategy.new_tree(&mut runner).unwrap().current();
        let mut copy = original.copy().await;
        let ids = rows(&mut copy.db, on, table).await;
        let (id, key) = (&ids[row.index(ids.len())], ROW(on));
        let select = format!("SELECT CAST({column} AS TEXT) FROM {table} WHERE {key} = $1");
        let old: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(select)).bind(id).fetch_one(&mut copy.db).await.unwrap();
        let new = change(old.as_deref().unwrap_or("0"), place);
        let value = if NUMBERS.contains(&column) { "CAST($1 AS BIGINT)" } else { "$1" };
        let update = format!("UPDATE {table} SET {column} = {value} WHERE {key} = $2");
        sqlx::query(AssertSqlSafe(update)).bind(&new).bind(id).execute(&mut copy.db).await.unwrap();
        let verdict = copy.verdict(None).await;
        assert_ne!(verdict, AuditVerdict::Sound, "{table}.{column} {old:?} -> {new}");
    }
}

async fn a_row_that_is_gone_or_new_is_seen(on: Engine) {
    let original = Original::new(on).await;
    for table in TABLES {
        let ids = rows(&mut original.copy().await.db, on, table).await;
        assert!(!ids.is_empty(), "{table}");
        for id in ids {
            let mut copy = original.copy().await;
            let sql = AssertSqlSafe(format!("DELETE FROM {table} WHERE {} = $1", ROW(on)));
            sqlx::query(sql).bind(&id).execute(&mut copy.db).await.unwrap();
            let verdict = copy.verdict(Some(&original.head)).await;
            assert_ne!(verdict, AuditVerdict::Sound, "{table} {id}");
        }
    }
    for insert in [
        "INSERT INTO incidents (id, record) VALUES ('z', '{}')",
        "INSERT INTO feedback VALUES ('z', 'a', 'unknown', 'eve', NULL, 1)",
        "INSERT INTO patterns VALUES ('z', 'ours', 'id = 1', 1, 'eve', NULL, NULL)",
        "INSERT INTO audit VALUES (0, 1, 'k', '{}', '', 'h')",
        "INSERT INTO audit VALUES (-5, 1, 'k', '{}', '', 'h')",
        "INSERT INTO audit SELECT seq + 1, at, kind, body, hash, 'h' FROM audit ORDER BY seq DESC LIMIT 1",
    ] {
        let mut copy = original.copy().await;
        sqlx::query(insert).execute(&mut copy.db).await.unwrap();
        assert_ne!(copy.verdict(None).await, AuditVerdict::Sound, "{insert}");
    }
}

#[tokio::test]
async fn a_value_of_another_type_is_no_crash() {
    let mut copy = Original::new(Engine::Sqlite).await.copy().await;
    sqlx::query("UPDATE audit SET body = x'ff00' WHERE seq = 2").execute(&mut copy.db).await.unwrap();
    copy.db.close().await.unwrap();
    let refused = copy.at.open().await.audit_verify(None).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Corrupt { .. }), "{refused:?}");
}

async fn entries_that_changed_places_are_seen(on: Engine) {
    let mut copy = Original::new(on).await.copy().await;
    sqlx::raw_sql(
        "UPDATE audit SET seq = -1 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3;
         UPDATE audit SET seq = 3 WHERE seq = -1",
    )
    .execute(&mut copy.db)
    .await
    .unwrap();
    let verdict = copy.verdict(None).await;
    assert!(matches!(verdict, AuditVerdict::BrokenAt { seq: 2, .. }), "{verdict:?}");
}

async fn a_ledger_written_anew_does_not_have_the_head(on: Engine) {
    let (one, other) = (World::lived_in(on).await, World::lived_in(on).await);
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

async fn every_head_that_was_ever_printed_still_counts(on: Engine) {
    let world = World::new(on).await;
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

async fn the_tail_says_whether_it_hangs_together(on: Engine) {
    let world = World::lived_in(on).await;
    let l = &world.ledger;
    let last = l.audit_seq().await.unwrap();
    let tail = l.audit_tail(i64::MAX, 3).await.unwrap();
    assert_eq!(tail.entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [last, last - 1, last - 2]);
    assert!(tail.holds && l.audit_tail(last - 2, 100).await.unwrap().entries[0].seq == last - 3);
    let mut db = world.at.raw().await;
    let sql = format!("UPDATE audit SET kind = 'x' WHERE seq = {}", last - 1);
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    assert!(!l.audit_tail(i64::MAX, 3).await.unwrap().holds);
}

async fn the_chain_is_followed_on_and_to_where_it_breaks(on: Engine) {
    let world = World::lived_in(on).await;
    let l = &world.ledger;
    let end = async |from: &ChainPlace, known: Option<&ChainPlace>| {
        let mut place = from.clone();
        loop {
            let step = l.follow_chain(&place, known).await.unwrap();
            if step.broken.is_some() || step.place == place {
                return (step.place, step.broken);
            }
            place = step.place;
        }
    };
    let (first, broken) = end(&ChainPlace::default(), None).await;
    assert_eq!(
        (first.seq, &first.head, broken),
        (l.audit_seq().await.unwrap(), &l.audit_head().await.unwrap(), None)
    );
    // More than a page of it, and from where it was.
    for i in 0..600 {
        l.pause(&format!("w{i}"), "ann", "x", i).await.unwrap();
    }
    let (on, broken) = end(&first, Some(&first)).await;
    assert_eq!((on.seq, &on.head, broken), (first.seq + 600, &l.audit_head().await.unwrap(), None));
    assert_eq!(end(&ChainPlace::default(), Some(&on)).await.0, on);
    // It holds, and is another one than it was.
    let other = ChainPlace { head: "0".repeat(64), ..first.clone() };
    let (before, broken) = end(&ChainPlace::default(), Some(&other)).await;
    assert_eq!((before.seq, broken.unwrap().0), (first.seq - 1, first.seq));
    let mut db = world.at.raw().await;
    for (sql, at) in [
        (format!("UPDATE audit SET kind = 'x' WHERE seq = {}", on.seq - 2), on.seq - 2),
        ("DELETE FROM audit WHERE seq = 3".to_owned(), 4),
        ("UPDATE audit SET seq = 0 WHERE seq = 1".to_owned(), 0),
    ] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
        let (_, broken) = end(&ChainPlace::default(), None).await;
        assert_eq!(broken.map(|(seq, _)| seq), Some(at));
    }
}
