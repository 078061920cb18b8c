//! Opening: whose file it is, and every way in which it can't be used.

use std::{fs, io::Write, sync::Arc, time::Duration, time::Instant};

use regreen_ledger::{AsIs, Ledger, LedgerError};
use sqlx::Connection;
use tempfile::tempdir;

use crate::world::{Engine, World, open, raw};

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(Engine::Sqlite).await;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = world.path().parent().unwrap();
    assert_eq!(mode(folder), 0o700);
    world.ledger.pause("/w", "ann", "x", 1).await.unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn what_is_no_ledger_is_refused_and_left_as_it_is() {
    let other = tempdir().unwrap();
    let foreign = other.path().join("foreign.db");
    fs::File::create(&foreign).unwrap();
    let mut db = raw(&foreign).await;
    sqlx::query("CREATE TABLE t (x)").execute(&mut db).await.unwrap();
    db.close().await.unwrap();
    let world = World::lived_in(Engine::Sqlite).await;
    world.ledger.close_file().await;
    let whole = fs::read(world.path()).unwrap();
    let mut no_schema = whole.clone();
    no_schema[100..2000].fill(0xff);

    for (name, bytes) in [
        ("garbage", b"this is a shopping list, not a database. ".repeat(300)),
        ("short garbage", b"x".to_vec()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("truncated in its header", whole[..60].to_vec()),
        ("damaged schema", no_schema),
        ("another program's", fs::read(&foreign).unwrap()),
    ] {
        let folder = tempdir().unwrap();
        let path = folder.path().join("l.db");
        fs::write(&path, &bytes).unwrap();
        for read_only in [false, true] {
            let refused = match read_only {
                false => Ledger::open(&path, Arc::new(AsIs)).await,
                true => Ledger::open_read_only(&path, Arc::new(AsIs)).await,
            };
            let Err(refused) = refused else { panic!("{name} was opened") };
            assert!(matches!(refused, LedgerError::Corrupt { .. }), "{name}: {refused:?}");
            assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
            assert!(refused.help().is_some());
            assert!(fs::read(&path).unwrap() == bytes, "{name} was touched");
        }
    }
}

#[tokio::test]
async fn an_empty_file_is_a_fresh_ledger() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("l.db");
    fs::write(&path, b"").unwrap();
    let absent = Ledger::open_read_only(&path, Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(absent, LedgerError::Absent { .. }), "{absent:?}");
    assert!(open(&path).await.audit_verify(None).await.unwrap().is_sound());
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)")
        .execute(&mut world.at.raw().await)
        .await
        .unwrap();
    let refused = Ledger::open(world.path(), Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Newer { found: 99, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_lock_is_waited_for_and_then_named() {
    let busy = Duration::from_millis(100);
    let world = World::new(Engine::Sqlite).await;
    let ledger = Ledger::open_with(world.path(), Arc::new(AsIs), busy).await.unwrap();
    let mut other = world.at.raw().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let began = Instant::now();
    let refused = ledger.pause("/w", "ann", "x", 1).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Locked { place: Some(_) }), "{refused:?}");
    assert!((busy..busy * 20).contains(&began.elapsed()), "{:?}", began.elapsed());
    // Readers need not wait, and neither does opening.
    assert!(ledger.paused("/w").await.unwrap().is_none());
    assert!(Ledger::open_with(world.path(), Arc::new(AsIs), busy).await.is_ok());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    ledger.pause("/w", "ann", "x", 1).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_locked_whole_can_not_be_opened() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("l.db");
    fs::File::create(&path).unwrap();
    let mut other = raw(&path).await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let refused = Ledger::open_with(&path, Arc::new(AsIs), Duration::from_millis(50)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Locked { .. }), "{refused:?}");
}

#[tokio::test]
async fn reading_only_reads() {
    let world = World::lived_in(Engine::Sqlite).await;
    let reader = Ledger::open_read_only(world.path(), Arc::new(AsIs)).await.unwrap();
    assert!(reader.incident("a").await.unwrap().is_some());
    let refused = reader.pause("/v", "ann", "x", 1).await.unwrap_err();
    assert!(matches!(refused, LedgerError::ReadOnly { .. }), "{refused:?}");
    let nowhere = world.path().with_file_name("none.db");
    let refused = Ledger::open_read_only(&nowhere, Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Absent { .. }), "{refused:?}");
    assert!(!nowhere.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_or_file_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().unwrap();
    let shut = folder.path().join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::File::create(shut.join("probe")).is_ok() {
        // Root may write anywhere, so there is nothing to see here.
        return;
    }
    let refused = Ledger::open(&shut.join("l.db"), Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::NoPermission { .. }), "{refused:?}");
    let file = folder.path().join("l.db");
    open(&file).await.close_file().await;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    let refused = Ledger::open(&file, Arc::new(AsIs)).await.err().unwrap();
    assert!(
        matches!(refused, LedgerError::ReadOnly { .. } | LedgerError::NoPermission { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_path_that_can_not_be_is_an_error_of_the_file_system() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::File::create(&file).unwrap().write_all(b"x").unwrap();
    let refused = Ledger::open(&file.join("l.db"), Arc::new(AsIs)).await.err().unwrap();
    assert!(matches!(refused, LedgerError::Io { .. }), "{refused:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn several_processes_can_make_it_at_once() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("new").join("l.db");
    let opened: Vec<_> = (0..6)
        .map(|i| {
            let path = path.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    open(&path).await.pause(&format!("w{i}"), "ann", "x", i).await.unwrap();
                });
            })
        })
        .collect();
    opened.into_iter().for_each(|thread| thread.join().unwrap());
    let report = open(&path).await.audit_verify(None).await.unwrap();
    assert!(report.is_sound() && report.entries == 6, "{report:?}");
}
