//! A ledger in a temporary folder, and incidents to put into it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use regreen_domain::{
    Confidence, Decision, Diagnosis, Evidence, FailureClass, Fingerprint, HealableClass, Outcome, Plan,
    PlannedStep, Risk, Role, Tool,
};
use regreen_ledger::{AsIs, Closing, Ledger, NewIncident, Place};
use regreen_saga::{Fact, Journal, StepEvent};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

pub(crate) const OWNER: &str = "p1";

/// A ledger and the folder it lies in.
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state").join("ledger.db");
        World { ledger: open(&path).await, path, _folder: folder }
    }

    /// With one incident that was healed, one left open, feedback, a breaker and a pause.
    pub(crate) async fn lived_in() -> World {
        let world = World::new().await;
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

    /// A second connection, past all of the ledger's care.
    pub(crate) async fn raw(&self) -> SqliteConnection {
        raw(&self.path).await
    }
}

pub(crate) async fn open(path: &Path) -> Ledger {
    Ledger::open_with(path, Arc::new(AsIs), Duration::from_secs(5)).await.unwrap()
}

pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
}

pub(crate) fn diagnosis() -> Diagnosis {
    Diagnosis {
        failed: true,
        class: FailureClass::from(HealableClass::NetworkTimeout),
        pattern: Some("npm-connection-reset".to_owned()),
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
