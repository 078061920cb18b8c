//! One incident about which everything is known: the log around its evidence, the patch, and from what it was decided. Whatever of it comes from
//! outside is hostile.

use std::{fmt::Write as _, sync::Arc};

use regreen_catalog::{Catalog, PatternSource, WithOwn};
use regreen_domain::{
    Alternative, Confidence, Decision, Diagnosis, Evidence, FailureClass, Fingerprint, Outcome, Plan,
    PlannedStep, Risk, Role, Tool,
};
use regreen_ledger::{Closing, Ledger, LogStore, NewIncident, Patch, Place};
use regreen_saga::{Effect, Fact, Journal as _, StepEvent};
use serde_json::json;

use super::seed::{self, HOSTILE, OWNER};

/// Where the lines of evidence stand in its log: the cause, and what followed from it.
pub const EVIDENCE: [(u64, &str); 3] = [
    (412, "npm error code EINTEGRITY"),
    (415, "npm error sha512-AAAA integrity checksum failed when using sha512"),
    (431, "Error: Process completed with exit code 1."),
];

/// The raw log of so many lines, with the evidence in its place.
pub fn log(lines: u64) -> String {
    let mut text = String::new();
    for number in 1..=lines {
        let evidence = EVIDENCE.iter().find(|(at, _)| *at == number).map(|(_, text)| *text);
        let line = match (evidence, number) {
            (Some(text), _) => format!("\u{1b}[31m{text}\u{1b}[0m"),
            (None, 413) => HOSTILE[0].to_owned(),
            (None, 414) => HOSTILE[1].to_owned(),
            (None, number) => format!("line number {number} of the job"),
        };
        writeln!(text, "2026-11-29T23:36:59.{:07}Z {line}", number).unwrap();
    }
    text
}

/// A patch of so many added lines.
pub fn diff(added: usize) -> String {
    let mut text =
        format!("--- a/package-lock.json\n+++ b/package-lock.json\n@@ -1,2 +1,{} @@\n {{\n", added + 1);
    text.push_str("-  \"integrity\": \"sha512-AAAA\"\n");
    for n in 0..added {
        let line = if n == 1 { HOSTILE[0].to_owned() } else { format!("  \"line\": {n}") };
        writeln!(text, "+{line}").unwrap();
    }
    text
}

fn diagnosis() -> Diagnosis {
    let evidence = EVIDENCE.iter().enumerate().map(|(i, (line, text))| Evidence {
        line: *line,
        column: 31,
        text: (*text).to_owned(),
        role: if i == 0 { Role::Root } else { Role::Symptom },
    });
    let other = FailureClass::parse("cache-corruption").unwrap();
    Diagnosis {
        failed: true,
        class: FailureClass::parse("lockfile-corruption").unwrap(),
        pattern: Some("npm-integrity".to_owned()),
        pattern_source: Some(PatternSource::BuiltIn),
        tool: Tool::new("npm"),
        step: Some("Install dependencies".to_owned()),
        confidence: Confidence::from_stored(0.97).unwrap(),
        confirmed: true,
        evidence: evidence.collect(),
        alternatives: vec![Alternative { class: other, confidence: Confidence::from_stored(0.02).unwrap() }],
        reason: "the lockfile names a checksum that no registry has".to_owned(),
        fingerprint: Fingerprint::from_digest([9; 8]),
        truncated: false,
    }
}

/// Healed, with its log and the patch.
pub async fn everything(ledger: &Ledger, id: &str, now: i64) {
    let diagnosis = diagnosis();
    let place = Place {
        workspace: "octo-org/web-shop".to_owned(),
        repository: Some("octo-org/web-shop".to_owned()),
        commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        job: Some("build (20.x)".to_owned()),
    };
    let new = NewIncident {
        id,
        owner: OWNER,
        opened_at: now - 90_000,
        command_ended_at: Some(now - 95_000),
        place,
        command: vec!["npm".to_owned(), "ci".to_owned()],
        exit_code: Some(1),
        diagnosis: &diagnosis,
        run_marker: None,
        attempt: 1,
        detect_ms: Some(41),
    };
    ledger.open_incident(&new).await.unwrap();
    let inputs = json!({
        "now": now, "regreen": "0.1.0",
        "findings": [
            { "probe": "lockfile-checksum", "tool": "npm", "class": "lockfile-corruption", "standing": "confirms",
              "subject": HOSTILE[0], "says": "the registry’s own checksum is another one" },
            { "probe": "cache-entries", "tool": "npm", "class": "cache-corruption", "standing": "refutes",
              "subject": "~/.npm", "says": "every entry has its own checksum" },
        ],
        "command": { "tool": "npm", "kind": "install", "fetches": true },
        "policy": {
            "mode": "auto", "threshold": 0.85, "max_attempts": 3, "max_risk": "medium", "per_hour": 60,
            "deny": ["tool:pip"],
        },
        "setting": {
            "in_ci": true, "untrusted_fork": false, "deploys": false, "yes": false, "rerun_always": false,
            "files_clean": true, "paths": ["package-lock.json"],
        },
        "history": {
            "attempts": 0, "breaker_open": false, "time_used_up": false, "paused": false, "tried": [], "spent_hour": 2,
        },
        "playbooks": [], "approved_as": null,
        "ranking": [
            { "playbook": "repair-lockfile", "score": 0.91, "healed": 11, "failed": 1 },
            { "playbook": "clean-install", "score": 0.52, "healed": 0, "failed": 0 },
        ],
    });
    let plan = Plan {
        class: diagnosis.class.healable().unwrap(),
        playbook: "repair-lockfile".to_owned(),
        risk: Risk::Medium,
        steps: vec![PlannedStep {
            id: "repair".to_owned(),
            kind: "repair-lockfile".to_owned(),
            args: Default::default(),
            lists: Default::default(),
            flow: Default::default(),
        }],
        paths: Vec::new(),
    };
    let inputs = serde_json::from_value(inputs).unwrap();
    ledger.decided(id, OWNER, &Decision::Heal(plan), Some(&inputs), Some(3), now - 89_000).await.unwrap();
    let summary = "package-lock.json: one checksum repaired".to_owned();
    let closing = Closing { patch: Some(Patch { path: None, summary }), ..Closing::new(Outcome::Healed) };
    ledger.close(id, OWNER, &closing, now - 60_000).await.unwrap();
    assert!(ledger.keep_patch(id, &diff(200), now).await.unwrap());
    ledger.keep_log(id, &format!("build {}", HOSTILE[0]), &log(1_000), now).await.unwrap();
}

/// What people said, in words that would do something: who denied it and why, and what they say that it was.
pub async fn hostile_words(ledger: &Ledger, now: i64) {
    let [a, b, ..] = HOSTILE;
    seed::waits(ledger, "hostile-denied", now).await;
    ledger.deny("hostile-denied", b, Some(a), now).await.unwrap();
    let class = FailureClass::parse("test-failure").unwrap();
    ledger.feedback("hostile-denied", class, a, Some(b), now).await.unwrap();
}

/// An incident whose journal says in every place a text that would do something: what was there before, what was done, why it did not
/// hold, and how it was taken back.
pub async fn hostile_journal(ledger: &Ledger, id: &str, now: i64) {
    let [a, b, c, d] = HOSTILE.map(str::to_owned);
    seed::begins(ledger, id, now - 60_000).await;
    let mut journal = ledger.journal(id, OWNER, move || now);
    let receipt = json!({ "said": b, a.as_str(): { "files": [c, d] } });
    for (step, event) in [
        ("rerun", StepEvent::Applied { receipt }),
        ("rerun", StepEvent::NotVerified { why: a.clone() }),
        ("rerun", StepEvent::UndoStarted),
        ("rerun", StepEvent::Undone { says: Some(b.clone()) }),
        ("<b>quarantine", StepEvent::Prepared { before: json!({ b.as_str(): a }) }),
        ("<b>quarantine", StepEvent::Started),
        ("<b>quarantine", StepEvent::Failed { effect: Effect::Unknown, why: c.clone() }),
        ("<b>quarantine", StepEvent::UndoStarted),
        ("<b>quarantine", StepEvent::UndoFailed { why: d.clone() }),
        ("tool", StepEvent::Skipped { why: a.clone() }),
    ] {
        journal.append(&Fact { step: step.to_owned(), event }).await.unwrap();
    }
}

/// The catalogue with an operator's own pattern and playbook, whose every text would do something.
pub fn hostile_catalog() -> Catalog {
    let [a, b, c, _] = HOSTILE;
    let pattern = format!(
        r#"id = "own-hostile"
class = "network-timeout"
title = {a:?}
since = "0.1.0"
status = "draft"
tools = ["npm"]
strength = "cause"
explain = {b:?}
fix = {c:?}
[match]
line = '^own hostile <img src=x onerror="window.pwned=1">$'
[[example]]
name = {a:?}
origin = "invented"
log = 'own hostile <img src=x onerror="window.pwned=1">'
expect = {{ line = 1 }}
"#
    );
    let files = [("own-hostile.toml", pattern.as_str())];
    let (catalog, wrong) = regreen_builtin::catalog().unwrap().with_custom(PatternSource::Operator, files);
    assert!(wrong.is_empty(), "{wrong:?}");
    let playbook = format!(
        r#"id = "own-hostile-rerun"
title = {a:?}
since = "0.1.0"
status = "draft"
explain = {b:?}
heals = ["network-timeout"]
tools = []
needs = []
paths = []
[guard]
risk = "low"
attempts = 1
cooldown = "0s"
prior = {{ healed = 1, tried = 2 }}
[[step]]
id = "rerun"
use = "rerun-jobs"
attempts = 1
[[example]]
name = {a:?}
given = {{ class = "network-timeout", tool = "npm", confidence = 0.95, confirmed = false, attempts = 0 }}
expect = {{ decision = "heal" }}
"#
    );
    let files = [("own-hostile-rerun.toml".to_owned(), playbook)];
    let WithOwn { catalog, refused } = catalog.with_own_playbooks(&files, &|_, _| Ok(()));
    assert!(refused.is_empty(), "{refused:?}");
    catalog
}

/// A log of an incident that lies where the dashboard can't look.
pub async fn log_elsewhere(ledger: &Ledger, id: &str, now: i64) {
    let folder = tempfile::tempdir().unwrap();
    let store = LogStore::at(&format!("file://{}", folder.path().display()), &Default::default()).unwrap();
    ledger.clone().with_log_store(Arc::new(store)).keep_log(id, "elsewhere", "away\n", now).await.unwrap();
}
