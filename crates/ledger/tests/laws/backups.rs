//! The whole ledger as one file: it goes into either engine, and what is restored goes on.

use std::io::{BufReader, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use regreen_domain::Outcome;
use regreen_ledger::{Closing, Ledger, LedgerError, NewDelivery, NewWork, Received};
use regreen_saga::{Journal, StepEvent};

use crate::world::{Engine, OWNER, World, fact, server};

both_engines! {
    what_is_restored_goes_on_on_either_engine,
    a_backup_that_was_cut_or_changed_is_refused_whole,
    a_check_finds_what_is_wrong,
}

fn delivery(id: &str) -> NewDelivery<'_> {
    let work = NewWork { kind: "k", key: id, payload: "{}", created_at: 10, due_at: 10 };
    NewDelivery {
        forge: "github",
        id,
        event: "e",
        kind: "k",
        received_at: 10,
        body: Some("b"),
        work: Some(work),
    }
}

async fn filled(on: Engine) -> World {
    let world = World::lived_in(on).await;
    let ids: Vec<String> = (0..600).map(|i| format!("d{i}")).collect();
    world.ledger.receive(&ids.iter().map(|id| delivery(id)).collect::<Vec<_>>()).await.unwrap();
    world
}

async fn backed_up(ledger: &Ledger) -> Vec<u8> {
    let mut file = Vec::new();
    let done = ledger.backup(&mut file).await.unwrap();
    assert_eq!((done.records, done.deliveries, done.work), (12, 600, 600));
    assert_eq!(done.head, ledger.audit_head().await.unwrap());
    file
}

async fn what_is_restored_goes_on_on_either_engine(on: Engine) {
    let from = filled(on).await;
    let done = from.ledger.claim(&[], "n", 100, 10).await.unwrap().unwrap();
    from.ledger.finish(&done, "healed", 11).await.unwrap();
    let taken = from.ledger.claim(&[], "n", 100, 10).await.unwrap().unwrap();
    let file = backed_up(&from.ledger).await;
    for engine in [Some(Engine::Sqlite), server().map(|_| Engine::Postgres)].into_iter().flatten() {
        let to = World::new(engine).await;
        let l = &to.ledger;
        l.restore(&mut file.as_slice()).await.unwrap();
        let head = from.ledger.audit_head().await.unwrap();
        assert!(l.audit_verify(Some(&head)).await.unwrap().is_sound());
        assert_eq!(l.audit_head().await.unwrap(), head);
        // Unlike what is imported it is this ledger's own: an open incident can be ended.
        l.journal("b", OWNER, || 9).append(&fact("s", StepEvent::Verified)).await.unwrap();
        l.close("b", OWNER, &Closing::new(Outcome::Healed), 9).await.unwrap();
        assert_eq!(l.receive(&[delivery("d7")]).await.unwrap(), [Received::Duplicate]);
        assert_eq!(l.outcome(&done.key).await.unwrap().as_deref(), Some("healed"));
        // A claim of before is none; the item can be taken when its lease ends, and numbers go on.
        assert!(matches!(l.finish(&taken, "late", 12).await, Err(LedgerError::StaleClaim { .. })));
        assert!(l.under(&taken).pause("v", "n", "x", 12).await.is_err());
        let again = l.claim(&[], "n", 100, 110).await.unwrap().unwrap();
        assert!(again.id != done.id);
        assert_eq!(
            l.enqueue(&[NewWork { kind: "k", key: "new", payload: "", created_at: 1, due_at: 1 }])
                .await
                .unwrap(),
            [true]
        );
        // Once there is something, nothing is restored over it.
        let refused = l.restore(&mut file.as_slice()).await.unwrap_err();
        assert!(matches!(refused, LedgerError::NotEmpty { .. }), "{refused:?}");
    }
    // The file is the same from either engine, and the ledger it came from was left alone.
    let mut again = Vec::new();
    from.ledger.backup(&mut again).await.unwrap();
    assert_eq!(again, file);
}

pub fn unpacked(file: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

pub fn packed(text: &str) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap()
}

async fn a_backup_that_was_cut_or_changed_is_refused_whole(on: Engine) {
    let file = backed_up(&filled(on).await.ledger).await;
    let text = unpacked(&file);
    let to = World::new(on).await;
    let end = text.rfind("{\"end\"").unwrap();
    for (name, file) in [
        ("empty", Vec::new()),
        ("no gzip", text.clone().into_bytes()),
        ("cut in the middle", file[..file.len() / 2].to_vec()),
        ("without its last byte", file[..file.len() - 1].to_vec()),
        ("without its end", packed(&text[..end])),
        ("of a later version", packed(&text.replacen("\"version\":2", "\"version\":9", 1))),
        ("changed", packed(&text.replacen("\"reason\":\"release\"", "\"reason\":\"rejoice\"", 1))),
        ("more after its end", packed(&format!("{text}{{}}\n"))),
        ("an export", packed("{\"regreen-state\":{\"version\":1}}\n")),
    ] {
        let refused = to.ledger.restore(&mut BufReader::new(file.as_slice())).await.unwrap_err();
        assert!(matches!(refused, LedgerError::BadBackup { .. }), "{name}: {refused:?}");
        assert_eq!(to.ledger.audit_head().await.unwrap(), "0".repeat(64), "{name}");
        assert_eq!(to.ledger.waiting(&[], 100).await.unwrap().ready, 0, "{name}");
    }
    to.ledger.restore(&mut file.as_slice()).await.unwrap();
}

async fn a_check_finds_what_is_wrong(on: Engine) {
    let world = World::lived_in(on).await;
    let report = world.ledger.check(None).await.unwrap();
    assert!(report.audit.is_sound() && report.records == 12 && report.schema >= 4, "{report:?}");
    match on {
        Engine::Sqlite => assert!(report.is_sound() && report.engine == "sqlite", "{report:?}"),
        // The tests' server does not wait for the disk, and that is said.
        Engine::Postgres => {
            assert!(report.problems.iter().all(|p| p.contains("`fsync` is off")), "{report:?}")
        }
    }
    let mut db = world.at.raw().await;
    sqlx::query("UPDATE facts SET fact = '{\"step\":\"s\"}' WHERE seq = 1 AND incident = 'a'")
        .execute(&mut db)
        .await
        .unwrap();
    let report = world.ledger.check(None).await.unwrap();
    assert!(!report.audit.is_sound());
    assert!(report.problems.iter().any(|p| p.starts_with("fact/a/1: ")), "{report:?}");
}
