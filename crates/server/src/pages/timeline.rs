//! What happened in an incident, in order: the audit log's words about it, with what its journal knows of each step.

use std::collections::BTreeMap;

use regreen_ledger::{AuditEntry, JournalEntry};
use regreen_saga::StepEvent;
use serde_json::Value;

use super::words::{When, between, capital, plain, shown};

/// Longest document that is shown, in bytes.
const LONGEST: usize = 8 << 10;

/// Something that happened.
pub(super) struct Moment {
    pub(super) at: When,
    /// How long after the one before.
    pub(super) later: String,
    /// The step of the plan, where it is one's.
    pub(super) step: String,
    pub(super) what: String,
    /// Who, or why.
    pub(super) detail: String,
    /// `good`, `bad`, `undo` or `still`.
    pub(super) kind: &'static str,
    /// What it is called, and what is on record of it.
    pub(super) record: Option<(&'static str, String)>,
}

/// All of it, oldest first.
pub(super) fn timeline(id: &str, entries: &[AuditEntry], facts: &[JournalEntry], now: i64) -> Vec<Moment> {
    let facts: BTreeMap<String, &JournalEntry> =
        facts.iter().map(|fact| (format!("fact/{id}/{}", fact.seq), fact)).collect();
    let mut last: Option<i64> = None;
    let mut moments = Vec::new();
    for entry in entries {
        let Some((row, _)) = entry.row() else { continue };
        let (at, mut moment) = match facts.get(&row) {
            Some(fact) => (fact.at, of_step(fact, now)),
            None => (entry.at, of_incident(entry, now)),
        };
        moment.later = last.map(|last| between(last, at)).unwrap_or_default();
        last = Some(at);
        moments.push(moment);
    }
    moments
}

fn of_step(entry: &JournalEntry, now: i64) -> Moment {
    let (what, kind, detail, record) = match &entry.fact.event {
        StepEvent::Prepared { before } => {
            ("Looked, and kept what is there", "still", "", record("Before", before))
        }
        StepEvent::Started => ("Begun", "still", "", None),
        StepEvent::Applied { receipt } => {
            let said = receipt.get("said").and_then(Value::as_str).unwrap_or("");
            ("Done", "still", said, record("After", receipt))
        }
        StepEvent::Verified => ("Its effect is there", "good", "", None),
        StepEvent::NotVerified { why } => ("Its effect is not there", "bad", why.as_str(), None),
        StepEvent::Failed { why, .. } => ("Failed", "bad", why.as_str(), None),
        StepEvent::Skipped { why } => ("Left out", "still", why.as_str(), None),
        StepEvent::TryAgain => ("Tried once more", "still", "", None),
        StepEvent::UndoStarted => ("Taking it back", "undo", "", None),
        StepEvent::Undone { says } => ("Taken back", "undo", says.as_deref().unwrap_or(""), None),
        StepEvent::UndoFailed { why } => ("Could not be taken back", "bad", why.as_str(), None),
    };
    Moment {
        at: When::new(entry.at, now),
        later: String::new(),
        step: shown(&entry.fact.step),
        what: what.to_owned(),
        detail: shown(detail),
        kind,
        record,
    }
}

fn of_incident(entry: &AuditEntry, now: i64) -> Moment {
    let body: Value = serde_json::from_str(&entry.body).unwrap_or_default();
    let word = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (what, kind) = match entry.kind.as_str() {
        "incident-opened" => ("The failure was diagnosed".to_owned(), "still"),
        "incident-decided" => ("It was decided what to do".to_owned(), "still"),
        "approval-awaited" => ("A person was asked".to_owned(), "still"),
        "incident-approved" | "question-approved" => ("Approved".to_owned(), "good"),
        "incident-denied" | "question-denied" => ("Denied".to_owned(), "bad"),
        "incident-closed" => {
            let kind = match word("outcome") {
                "healed" => "good",
                "rolled-back" | "stuck" => "bad",
                _ => "still",
            };
            ("Closed".to_owned(), kind)
        }
        "incident-taken-over" => ("Another node went on with it".to_owned(), "still"),
        "incident-reopened" => ("Opened again".to_owned(), "undo"),
        "incident-reported" => ("A job told of it".to_owned(), "still"),
        kind => (capital(kind), "still"),
    };
    let keys = ["action", "because", "outcome", "class", "actor", "reason", "by", "note", "text"];
    let said: Vec<String> = keys
        .into_iter()
        .map(word)
        .filter(|word| !word.is_empty() && *word != "none")
        .map(plain_or_shown)
        .collect();
    Moment {
        at: When::new(entry.at, now),
        later: String::new(),
        step: String::new(),
        what,
        detail: said.join(" · "),
        kind,
        record: None,
    }
}

/// An id of ours reads as words; anything else stays as it was said.
fn plain_or_shown(word: &str) -> String {
    let is_id = word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if is_id { plain(word) } else { shown(word) }
}

/// A document on several lines, each harmless.
fn record(name: &'static str, value: &Value) -> Option<(&'static str, String)> {
    let is_empty = match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    if is_empty {
        return None;
    }
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    let mut length = 0;
    for line in text.lines() {
        length += line.len();
        if length > LONGEST {
            lines.push("…".to_owned());
            break;
        }
        lines.push(shown(line));
    }
    Some((name, lines.join("\n")))
}
