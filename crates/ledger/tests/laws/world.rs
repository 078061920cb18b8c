//! A ledger of a test's own on either engine, and incidents to put into it.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_domain::{
    Confidence, Decision, Diagnosis, Evidence, FailureClass, Fingerprint, HealableClass, Outcome, Plan,
    PlannedStep, Risk, Role, Tool,
};
use regreen_ledger::{AsIs, Closing, Ledger, LedgerError, NewIncident, Place, Scrub};
use regreen_saga::{Fact, Journal, StepEvent};
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;

pub(crate) const OWNER: &str = "p1";
const BUSY: Duration = Duration::from_secs(5);

/// What a ledger lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// The server that `scripts/test` has started. Without it (`scripts/postgres` starts one) only SQLite is tried.
pub(crate) fn server() -> Option<String> {
    env::var("REGREEN_TEST_POSTGRES").ok()
}

/// Where a ledger is.
#[derive(Debug, Clone)]
pub(crate) enum At {
    File(PathBuf),
    Server(String),
}

impl At {
    /// An empty schema of its own.
    pub(crate) async fn new_schema() -> At {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (server, count) = (server().unwrap(), COUNT.fetch_add(1, Ordering::Relaxed));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let name = format!("t{now}_{}_{count}", std::process::id());
        let mut db = connect(&server).await;
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        let joint = if server.contains('?') { '&' } else { '?' };
        At::Server(format!("{server}{joint}options=-csearch_path%3D{name}"))
    }

    pub(crate) async fn open(&self) -> Ledger {
        self.open_as(Arc::new(AsIs)).await.unwrap()
    }

    pub(crate) async fn open_as(&self, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        match self {
            At::File(path) => Ledger::open_with(path, scrub, BUSY).await,
            At::Server(address) => Ledger::connect(address, scrub).await,
        }
    }

    pub(crate) async fn open_read_only(&self) -> Result<Ledger, LedgerError> {
        match self {
            At::File(path) => Ledger::open_read_only(path, Arc::new(AsIs)).await,
            At::Server(address) => Ledger::connect_read_only(address, Arc::new(AsIs)).await,
        }
    }

    /// A second connection, past all of the ledger's care.
    pub(crate) async fn raw(&self) -> AnyConnection {
        match self {
            At::File(path) => raw(path).await,
            At::Server(address) => connect(address).await,
        }
    }

    /// As another process is told it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            At::File(path) => path.to_str().unwrap().to_owned(),
            At::Server(address) => address.clone(),
        }
    }

    pub(crate) fn from_text(text: &str) -> At {
        if text.starts_with("postgres:") { At::Server(text.to_owned()) } else { At::File(text.into()) }
    }
}

/// A ledger and what it lies in.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) at: At,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(on: Engine) -> World {
        let folder = tempfile::tempdir().unwrap();
        let at = match on {
            Engine::Sqlite => At::File(folder.path().join("state").join("ledger.db")),
            Engine::Postgres => At::new_schema().await,
        };
        World { ledger: at.open().await, at, _folder: folder }
    }

    /// With one incident that was healed, one left open, feedback, a breaker and a pause.
    pub(crate) async fn lived_in(on: Engine) -> World {
        let world = World::lived_in_at_first(on).await;
        world.ledger.accept_pattern("ours", "id = 'ours'", "ann", 330).await.unwrap();
        world
    }

    /// With what the first schema had tables for.
    pub(crate) async fn lived_in_at_first(on: Engine) -> World {
        let world = World::new(on).await;
        let l = &world.ledger;
        healed(l, "a", 100).await;
        l.open_incident(&incident("b", 200, &diagnosis())).await.unwrap();
        facts(l, "b", 210, 2).await;
        l.feedback("a", diagnosis().class, "ann", Some("right"), 300).await.unwrap();
        let key = super::breakers::key();
        l.breaker_outcome(&key, "a", regreen_ledger::BreakerOutcome::Failure, 310).await.unwrap();
        l.pause("/w", "ann", "release", 320).await.unwrap();
        world
    }

    /// The file of a ledger on SQLite.
    pub(crate) fn path(&self) -> &Path {
        match &self.at {
            At::File(path) => path,
            At::Server(_) => panic!("it is on a server"),
        }
    }
}

pub(crate) async fn open(path: &Path) -> Ledger {
    At::File(path.to_owned()).open().await
}

pub(crate) async fn raw(path: &Path) -> AnyConnection {
    connect(&format!("sqlite://{}", path.display())).await
}

pub(crate) async fn connect(address: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(address).await.unwrap()
}

pub(crate) fn diagnosis() -> Diagnosis {
    Diagnosis {
        failed: true,
        class: FailureClass::from(HealableClass::NetworkTimeout),
        pattern: Some("npm-connection-reset".to_owned()),
        pattern_source: None,
        tool: Tool::new("npm"),
        step: Some("npm ci".to_owned()),
        confidence: Confidence::from_stored(0.9).unwrap(),
        confirmed: true,
        evidence: vec![Evidence { line: 3, column: 1, text: "ECONNRESET".to_owned(), role: Role::Root }],
        alternatives: Vec::new(),
        reason: "the connection was reset".to_owned(),
        fingerprint: Fingerprint::from_digest([7; 8]),
        truncated: false,
    }
}

pub(crate) fn place() -> Place {
    Place {
        workspace: "/w".to_owned(),
        repository: Some("org/repo".to_owned()),
        commit: Some("c0ffee".to_owned()),
        job: Some("build".to_owned()),
    }
}

pub(crate) fn incident<'a>(id: &'a str, at: i64, diagnosis: &'a Diagnosis) -> NewIncident<'a> {
    NewIncident {
        id,
        owner: OWNER,
        opened_at: at,
        command_ended_at: Some(at - 5),
        place: place(),
        command: vec!["npm".to_owned(), "ci".to_owned()],
        exit_code: Some(1),
        diagnosis,
        run_marker: Some("m1".to_owned()),
        attempt: 1,
        detect_ms: Some(5),
    }
}

pub(crate) fn plan() -> Plan {
    let args = [("attempts".to_owned(), "3".to_owned())].into_iter().collect();
    Plan {
        class: HealableClass::NetworkTimeout,
        playbook: "rerun-after-network-loss".to_owned(),
        risk: Risk::Low,
        steps: vec![PlannedStep {
            id: "rerun".to_owned(),
            kind: "rerun-command".to_owned(),
            args,
            lists: Default::default(),
            flow: Default::default(),
        }],
        paths: vec!["node_modules".to_owned()],
    }
}

pub(crate) fn fact(step: &str, event: StepEvent) -> Fact {
    Fact { step: step.to_owned(), event }
}

/// The first `count` facts of a step that goes well.
pub(crate) async fn facts(ledger: &Ledger, id: &str, at: i64, count: usize) {
    let mut journal = ledger.journal(id, OWNER, move || at);
    let well = [
        StepEvent::Prepared { before: json!({ "file": "a" }) },
        StepEvent::Started,
        StepEvent::Applied { receipt: json!(null) },
        StepEvent::Verified,
    ];
    for event in well.into_iter().take(count) {
        journal.append(&fact("rerun", event)).await.unwrap();
    }
}

pub(crate) async fn healed(ledger: &Ledger, id: &str, at: i64) {
    ledger.open_incident(&incident(id, at, &diagnosis())).await.unwrap();
    ledger.decided(id, OWNER, &Decision::Heal(plan()), None, Some(1), at + 1).await.unwrap();
    facts(ledger, id, at + 2, 4).await;
    let closing = Closing { act_ms: Some(20), verify_ms: Some(10), ..Closing::new(Outcome::Healed) };
    ledger.close(id, OWNER, &closing, at + 40).await.unwrap();
}
