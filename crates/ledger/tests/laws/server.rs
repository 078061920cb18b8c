//! A ledger on a PostgreSQL server: who is let in, and every way in which it can't be used.

use std::{sync::Arc, time::Duration};

use regreen_ledger::{AsIs, Ledger, LedgerError};
use sqlx::{AssertSqlSafe, Connection};

use crate::world::{At, Engine, World, connect, server};

/// The server's own address with another part.
fn other(replace: &str, by: &str) -> String {
    server().unwrap().replacen(replace, by, 1)
}

async fn refused(address: &str) -> LedgerError {
    match Ledger::connect(address, Arc::new(AsIs)).await {
        Err(refused) => refused,
        Ok(_) => panic!("{address} was opened"),
    }
}

#[tokio::test]
async fn every_commit_waits_for_the_disk_and_a_stopped_node_holds_nobody_up() {
    if server().is_none() {
        return;
    }
    let At::Server(address) = At::new_schema().await else { panic!() };
    // Whatever the server's or the role's default is.
    let Ok(ledger) =
        Ledger::connect(&format!("{address}%20-csynchronous_commit%3Doff"), Arc::new(AsIs)).await
    else {
        panic!()
    };
    ledger.pause("w", "ann", "x", 1).await.unwrap();
    let settings = ledger.settings().await.unwrap();
    assert_eq!(settings["synchronous_commit"], "on");
    assert_eq!(settings["idle_in_transaction_session_timeout"], "30s");
}

#[tokio::test]
async fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    if server().is_none() {
        return;
    }
    let at = At::new_schema().await;
    let mut db = at.raw().await;
    sqlx::query("CREATE TABLE t (x int)").execute(&mut db).await.unwrap();
    for opened in [at.open_as(Arc::new(AsIs)).await, at.open_read_only().await] {
        let refused = opened.err().unwrap();
        assert!(matches!(refused, LedgerError::Corrupt { .. }), "{refused:?}");
        assert!(refused.help().unwrap().contains("CREATE DATABASE"), "{refused:?}");
    }
    // Somebody else's table of the same name is no mark.
    sqlx::query("CREATE TABLE schema_version (version int)").execute(&mut db).await.unwrap();
    assert!(matches!(at.open_as(Arc::new(AsIs)).await, Err(LedgerError::Corrupt { .. })));
    let absent = At::new_schema().await.open_read_only().await.err().unwrap();
    assert!(matches!(absent, LedgerError::Absent { .. }), "{absent:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    if server().is_none() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let mut db = world.at.raw().await;
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)").execute(&mut db).await.unwrap();
    let refused = world.at.open_as(Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Newer { found: 99, .. }), "{refused:?}");
}

#[tokio::test]
async fn who_may_not_or_can_not_come_in_is_told_why_and_the_password_is_not_shown() {
    if server().is_none() {
        return;
    }
    let at = At::new_schema().await;
    let locked =
        "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'right'; EXCEPTION WHEN OTHERS THEN NULL; END $$";
    sqlx::raw_sql(locked).execute(&mut at.raw().await).await.unwrap();
    let right = other("user=regreen", "user=locked&password=right");
    connect(&right).await.close().await.unwrap();
    for (address, fits) in [
        (other("/postgres", "/no_such_database"), "Refused"),
        (other("user=regreen", "user=nobody_there"), "Refused"),
        (other("user=regreen", "user=locked&password=hunter2"), "Refused"),
        (other("user=regreen", "user=locked"), "Refused"),
        ("postgres://ann:hunter2@localhost:1/regreen".to_owned(), "Unreachable"),
        ("postgres:///regreen?host=/no/such/folder&user=ann&password=hunter2".to_owned(), "Unreachable"),
        ("postgres://ann:hunter2@h:x/regreen".to_owned(), "BadAddress"),
    ] {
        let refused = refused(&address).await;
        let shown = format!("{refused} {refused:?} {:?}", std::error::Error::source(&refused));
        assert!(format!("{refused:?}").starts_with(fits), "{address}: {refused:?}");
        assert!(!shown.contains("hunter2") && refused.help().is_some(), "{shown}");
    }
    // A role that may only read: opens what is there, and writes nothing.
    let world = World::lived_in(Engine::Postgres).await;
    let At::Server(address) = &world.at else { panic!() };
    let schema = address.rsplit_once("%3D").unwrap().1;
    let role = format!("reads_{schema}");
    let mut db = at.raw().await;
    let sql = format!(
        "CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    let ledger = At::Server(address.replacen("user=regreen", &format!("user={role}"), 1));
    let ledger = ledger.open_as(Arc::new(AsIs)).await.unwrap();
    assert!(ledger.incident("a").await.unwrap().is_some());
    assert!(matches!(ledger.pause("v", "ann", "x", 1).await, Err(LedgerError::NoPermission { .. })));
    let reader = world.at.open_read_only().await.unwrap();
    assert!(reader.incident("a").await.unwrap().is_some());
    let refused = reader.pause("v", "ann", "x", 1).await.unwrap_err();
    assert!(matches!(refused, LedgerError::ReadOnly { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_lock_is_waited_for_and_then_named() {
    if server().is_none() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let At::Server(address) = &world.at else { panic!() };
    let busy = Duration::from_millis(100);
    let ledger = Ledger::connect_with(address, Arc::new(AsIs), busy).await.unwrap();
    let mut other = connect(address).await;
    let mut held = other.begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(1380405838, hashtext(current_schema()::text))")
        .execute(&mut *held)
        .await
        .unwrap();
    let refused = ledger.pause("/w", "ann", "x", 1).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Locked { place: Some(_) }), "{refused:?}");
    // Readers need not wait, and neither does opening.
    assert!(ledger.paused("/w").await.unwrap().is_none());
    assert!(Ledger::connect_with(address, Arc::new(AsIs), busy).await.is_ok());
    held.rollback().await.unwrap();
    ledger.pause("/w", "ann", "x", 1).await.unwrap();
}

#[tokio::test]
async fn several_nodes_can_make_it_at_once() {
    if server().is_none() {
        return;
    }
    let at = At::new_schema().await;
    let opened: Vec<_> = (0..6)
        .map(|i| {
            let at = at.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    at.open().await.pause(&format!("w{i}"), "ann", "x", i).await.unwrap();
                });
            })
        })
        .collect();
    opened.into_iter().for_each(|thread| thread.join().unwrap());
    let report = at.open().await.audit_verify(None).await.unwrap();
    assert!(report.is_sound() && report.entries == 6, "{report:?}");
}

#[tokio::test]
async fn a_nul_is_stored_as_what_can_not_be_shown() {
    for on in [Some(Engine::Sqlite), server().map(|_| Engine::Postgres)].into_iter().flatten() {
        let world = World::new(on).await;
        world.ledger.pause("a\0b", "ann", "x", 1).await.unwrap();
        assert_eq!(world.ledger.paused("a\0b").await.unwrap().unwrap().scope, "a\u{fffd}b");
    }
}
