//! What is on record before a test begins.

use regreen_domain::{
    Alternative, Confidence, Decision, Diagnosis, Evidence, FailureClass, Fingerprint, HealableClass,
    Outcome, PatternSource, Plan, PlannedStep, Refusal, Risk, Role, Tool,
};
use regreen_ledger::{
    BreakerKey, BreakerOutcome, Closing, Heard, Ledger, NewIncident, NewOutage, NewWork, Place,
};
use regreen_saga::{Fact, Journal as _, StepEvent};
use serde_json::json;

use crate::world::NOW;

pub(crate) const OWNER: &str = "p1";

fn diagnosis() -> Diagnosis {
    let line = |line, text: &str, role| Evidence { line, column: 1, text: text.to_owned(), role };
    Diagnosis {
        failed: true,
        class: FailureClass::from(HealableClass::NetworkTimeout),
        pattern: Some("npm-connection-lost".to_owned()),
        pattern_source: Some(PatternSource::BuiltIn),
        tool: Tool::new("npm"),
        step: Some("npm ci".to_owned()),
        confidence: Confidence::from_stored(0.987).unwrap(),
        confirmed: true,
        evidence: vec![
            line(3, "npm error code ECONNRESET", Role::Root),
            line(9, "<script>alert(1)</script>", Role::Symptom),
        ],
        alternatives: vec![Alternative {
            class: FailureClass::from(HealableClass::CacheCorruption),
            confidence: Confidence::from_stored(0.01).unwrap(),
        }],
        reason: "the connection was reset".to_owned(),
        fingerprint: Fingerprint::from_digest([7; 8]),
        truncated: false,
    }
}

fn plan() -> Plan {
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

pub(crate) async fn opened(ledger: &Ledger, id: &str, repository: &str, at: i64) {
    let diagnosis = diagnosis();
    let new = NewIncident {
        id,
        owner: OWNER,
        opened_at: at,
        command_ended_at: Some(at - 5),
        place: Place {
            workspace: "/w".to_owned(),
            repository: Some(repository.to_owned()),
            commit: Some("c0ffee".to_owned()),
            job: Some("build".to_owned()),
        },
        command: vec!["npm".to_owned(), "ci".to_owned()],
        exit_code: Some(1),
        diagnosis: &diagnosis,
        run_marker: None,
        attempt: 1,
        detect_ms: Some(5),
    };
    ledger.open_incident(&new).await.unwrap();
}

pub(crate) async fn healed(ledger: &Ledger, id: &str, repository: &str, at: i64) {
    opened(ledger, id, repository, at).await;
    ledger.decided(id, OWNER, &Decision::Heal(plan()), None, Some(1), at + 1).await.unwrap();
    let mut journal = ledger.journal(id, OWNER, move || at + 2);
    for event in [
        StepEvent::Prepared { before: json!({ "file": "a" }) },
        StepEvent::Started,
        StepEvent::Applied { receipt: json!({ "said": "it ran again" }) },
        StepEvent::Verified,
    ] {
        journal.append(&Fact { step: "rerun".to_owned(), event }).await.unwrap();
    }
    let closing = Closing { act_ms: Some(20), verify_ms: Some(10), ..Closing::new(Outcome::Healed) };
    ledger.close(id, OWNER, &closing, at + 40).await.unwrap();
}

pub(crate) async fn waiting(ledger: &Ledger, id: &str, repository: &str, at: i64) {
    opened(ledger, id, repository, at).await;
    let suggest = Decision::Suggest { plan: plan(), because: Refusal::ModeApprove };
    ledger.decided(id, OWNER, &suggest, None, Some(1), at + 1).await.unwrap();
    ledger.await_approval(id, OWNER, at + 2).await.unwrap();
}

/// One that was healed, one that waits, one under way; a breaker that is open, an outage, a pause and a word on what it was.
pub(crate) async fn lived_in(ledger: &Ledger) {
    healed(ledger, "i-healed", "octo/shop", NOW - 9_000).await;
    waiting(ledger, "i-waits", "octo/other", NOW - 8_000).await;
    opened(ledger, "i-open", "octo/shop", NOW - 7_000).await;
    let class = FailureClass::from(HealableClass::NetworkTimeout);
    ledger.feedback("i-healed", class, "ann", Some("right"), NOW - 6_000).await.unwrap();
    let key = BreakerKey {
        class: class.id().to_owned(),
        service: "npm".to_owned(),
        repository: "octo/shop".to_owned(),
    };
    for n in 0..3 {
        ledger.breaker_outcome(&key, "i-open", BreakerOutcome::Failure, NOW - 5_000 + n).await.unwrap();
    }
    let new =
        NewOutage { service: "registry.npmjs.org", class: class.id(), began_at: NOW - 4_000, known: true };
    let tend = |id: &str| (format!("outage/{id}"), "{}".to_owned());
    let outage = ledger.begin_outage(&new, tend, "outage", NOW - 3_000).await.unwrap();
    ledger.wait_for("i-open", &outage.id, NOW - 2_000).await.unwrap();
    ledger.pause("repository:octo/other", "ann", "release day", NOW - 1_000).await.unwrap();
    not_told(ledger).await;
}

/// A notice that its sink did not take.
async fn not_told(ledger: &Ledger) {
    let (key, at) = ("notice/ops/stuck/i-healed", NOW - 900);
    let new = NewWork { kind: "notice", key, payload: "{}", created_at: at, due_at: at };
    ledger.enqueue(&[new]).await.unwrap();
    let claims = ledger.claim_many(&["notice"], OWNER, 1_000, at, 1).await.unwrap();
    let heard = Heard::Delayed { why: "503 <b>busy</b>", when: NOW + 5_000 };
    ledger.heard_of_sink("ops", &claims, heard, NOW - 800).await.unwrap();
}
