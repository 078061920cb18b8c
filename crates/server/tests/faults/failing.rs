//! A call to the ledger that fails delays work by as long as calls fail, and not by a lease: leases here last as in production.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{Ledger, LedgerError, NewWork};
use regreen_server::{Happening, Log, Pace, Worker};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use crate::place::{self, Engine, Place};

const NODE: &str = "n0";
/// As in production; far longer than any of these laws may take.
const LEASE_MS: i64 = 60_000;
const SOON: Duration = Duration::from_secs(10);

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Counts what failed.
#[derive(Default)]
struct Failures(AtomicU32);

impl Log for Failures {
    fn tell(&self, happening: &Happening) {
        if let Happening::WorkUnavailable { .. } = happening {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Failures {
    async fn wait(&self) {
        let begun = Instant::now();
        while self.0.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < SOON, "nothing failed");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

fn work(ledger: Ledger, log: Arc<Failures>) -> JoinHandle<()> {
    let pace = Pace { idle: Duration::from_millis(15), ..Pace::default() };
    let worker = Worker::new(ledger, BTreeMap::new(), NODE.to_owned(), pace, log, Arc::new(Notify::new()));
    tokio::spawn(worker.run(std::future::pending()))
}

/// What can't be read is done at once, and asks no host.
const UNREADABLE: NewWork<'_> =
    NewWork { kind: "run-ended", key: "k", payload: "{}", created_at: 1, due_at: 1 };

async fn list(ledger: &Ledger) {
    ledger.enqueue(&[UNREADABLE]).await.unwrap();
}

async fn done(ledger: &Ledger) {
    let begun = Instant::now();
    while ledger.outcome("k").await.unwrap().is_none() {
        assert!(begun.elapsed() < SOON, "it waits for the end of the lease");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Lets every change of work fail that this is true of, until it is dropped.
async fn fail(on: Engine, place: &Place, when: &str) -> AnyConnection {
    let (address, sql) = match on {
        Engine::Sqlite => (
            format!("sqlite://{}", place.address),
            format!(
                "CREATE TRIGGER failing BEFORE UPDATE ON work WHEN {when}
                 BEGIN SELECT RAISE(ABORT, 'as told'); END"
            ),
        ),
        Engine::Postgres => (
            place.address.clone(),
            format!(
                "CREATE FUNCTION failing() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '57P01'; END $$;
                 CREATE TRIGGER failing BEFORE UPDATE ON work FOR EACH ROW WHEN ({when})
                 EXECUTE FUNCTION failing()"
            ),
        ),
    };
    let mut db = AnyConnection::connect(&address).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    db
}

async fn mend(on: Engine, db: &mut AnyConnection) {
    let sql = match on {
        Engine::Sqlite => "DROP TRIGGER failing",
        Engine::Postgres => "DROP TRIGGER failing ON work",
    };
    sqlx::raw_sql(sql).execute(db).await.unwrap();
}

async fn what_ended_is_said_until_the_ledger_takes_it(on: Engine) {
    let place = Place::new(on).await;
    let ledger = place.open().await;
    list(&ledger).await;
    let mut db = fail(on, &place, "NEW.done_at IS NOT NULL").await;
    let log = Arc::new(Failures::default());
    let node = work(place.open().await, log.clone());
    log.wait().await;
    assert_eq!(ledger.outcome("k").await.unwrap(), None);
    mend(on, &mut db).await;
    done(&ledger).await;
    assert_eq!(log.0.load(Ordering::SeqCst), 1, "it is told once");
    node.abort();
}

async fn a_claim_whose_answer_was_lost_is_given_back(on: Engine) {
    let place = Place::new(on).await;
    let ledger = place.open().await;
    list(&ledger).await;
    // In the node's name, and it knows nothing of it; the next call fails, as after a line that broke.
    let mut unheard = ledger.claim(&[], NODE, LEASE_MS, now()).await.unwrap().unwrap();
    ledger.enqueue(&[NewWork { key: "other", ..UNREADABLE }]).await.unwrap();
    let mut db = fail(on, &place, "NEW.key = 'other' AND NEW.owner IS NOT NULL").await;
    let log = Arc::new(Failures::default());
    let node = work(place.open().await, log.clone());
    log.wait().await;
    mend(on, &mut db).await;
    done(&ledger).await;
    // Should the answer come after all, it is worth nothing.
    let refused = ledger.renew(&mut unheard, LEASE_MS, now()).await;
    assert!(matches!(refused, Err(LedgerError::StaleClaim { .. })), "{refused:?}");
    assert!(matches!(ledger.finish(&unheard, "x", now()).await, Err(LedgerError::StaleClaim { .. })));
    assert_eq!(ledger.outcome("k").await.unwrap().as_deref(), Some("unreadable"));
    node.abort();
}

/// What was acknowledged before the disk was full is done once there is room again; what was not is refused by name.
#[tokio::test]
async fn a_full_disk_takes_nothing_in_and_loses_nothing() {
    let test = "failing::a_full_disk_takes_nothing_in_and_loses_nothing";
    if !place::has_small_disk() {
        place::on_a_small_disk(test);
        return;
    }
    let place = Place::new(Engine::Sqlite).await;
    let ledger = place.open().await;
    let full = place.full();
    let mut taken = Vec::new();
    let refused = loop {
        let key = format!("k{}", taken.len());
        match ledger.enqueue(&[NewWork { key: &key, ..UNREADABLE }]).await {
            Ok(_) => taken.push(key),
            Err(refused) => break refused,
        }
        assert!(taken.len() < 100_000, "the disk is not full");
    };
    assert!(matches!(refused, LedgerError::DiskFull { .. }), "{refused:?}");
    let log = Arc::new(Failures::default());
    let node = work(place.open().await, log.clone());
    // What still fits into the pages that are there is done; the rest can't be said, and is told.
    let begun = Instant::now();
    while log.0.load(Ordering::SeqCst) == 0 && ledger.waiting(&[], now()).await.unwrap().ready > 0 {
        assert!(begun.elapsed() < SOON, "neither done nor told");
        sleep(Duration::from_millis(5)).await;
    }
    drop(full);
    ledger.enqueue(&[NewWork { key: "later", ..UNREADABLE }]).await.unwrap();
    taken.push("later".to_owned());
    let begun = Instant::now();
    for key in &taken {
        while ledger.outcome(key).await.unwrap().is_none() {
            assert!(begun.elapsed() < SOON, "{key} of {} is lost", taken.len());
            sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(ledger.audit_verify(None).await.unwrap().is_sound());
    node.abort();
}

/// It polls once in an hour here: what wakes it is the bell of another node, also after a line that was cut.
#[tokio::test]
async fn an_idle_node_is_woken_by_what_another_one_takes_in() {
    if crate::place::server().is_none() {
        return;
    }
    let place = Place::new(Engine::Postgres).await;
    let ledger = place.open().await;
    let pace = Pace { idle: Duration::from_secs(3_600), ..Pace::default() };
    let (log, bell) = (Arc::new(Failures::default()), Arc::new(Notify::new()));
    let worker = Worker::new(place.open().await, BTreeMap::new(), NODE.to_owned(), pace, log, bell);
    let node = tokio::spawn(worker.run(std::future::pending()));
    list(&ledger).await;
    done(&ledger).await;
    place.cut(Duration::ZERO).await;
    while ledger.enqueue(&[NewWork { key: "cut", ..UNREADABLE }]).await.is_err() {
        sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    while !matches!(ledger.outcome("cut").await, Ok(Some(_))) {
        assert!(begun.elapsed() < SOON, "nobody woke it");
        sleep(Duration::from_millis(5)).await;
    }
    node.abort();
}

both_engines! {
    what_ended_is_said_until_the_ledger_takes_it,
    a_claim_whose_answer_was_lost_is_given_back,
}
