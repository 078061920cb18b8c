//! A row of any table as data: what the audit log takes the digest of, and what an export carries.

use serde::{Deserialize, Serialize};

use crate::digest::sha256_of;

/// One stored row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "table", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Row {
    /// An incident; `record` is the text of an `Incident`.
    Incident { id: String, record: String },
    /// An entry of an incident's recovery journal; `fact` is the text of a `Fact`.
    Fact { incident: String, seq: i64, at: i64, fact: String },
    /// What a person said the class was.
    Feedback { id: String, incident: String, class: String, actor: String, note: Option<String>, at: i64 },
    /// What happened to a circuit breaker.
    BreakerEvent {
        id: String,
        class: String,
        service: String,
        repository: String,
        incident: String,
        at: i64,
        event: String,
    },
    /// A kill switch that was thrown, and when it was lifted.
    Pause {
        id: String,
        scope: String,
        at: i64,
        actor: String,
        reason: String,
        ended_at: Option<i64>,
        ended_by: Option<String>,
    },
    /// A pattern that was accepted, with its file, and when it was taken back.
    Pattern {
        id: String,
        name: String,
        text: String,
        at: i64,
        actor: String,
        ended_at: Option<i64>,
        ended_by: Option<String>,
    },
}

impl Row {
    /// The row's name in the audit log: its table and key.
    pub(crate) fn name(&self) -> String {
        match self {
            Row::Incident { id, .. } => format!("incident/{id}"),
            Row::Fact { incident, seq, .. } => format!("fact/{incident}/{seq}"),
            Row::Feedback { id, .. } => format!("feedback/{id}"),
            Row::BreakerEvent { id, .. } => format!("breaker-event/{id}"),
            Row::Pause { id, .. } => format!("pause/{id}"),
            Row::Pattern { id, .. } => format!("pattern/{id}"),
        }
    }

    /// SHA-256 of everything in it.
    pub(crate) fn digest(&self) -> String {
        match self {
            Row::Incident { id, record } => sha256_of(&["incident", id, record]),
            Row::Fact { incident, seq, at, fact } => {
                sha256_of(&["fact", incident, &seq.to_string(), &at.to_string(), fact])
            }
            // Struct fields are written in a fixed order, and strings and whole numbers can't fail to be written.
            other => sha256_of(&[&serde_json::to_string(other).unwrap_or_default()]),
        }
    }
}

/// An id made of the content it stands for: the same thing has the same id in every ledger.
pub(crate) fn content_id(parts: &[&str]) -> String {
    // JSON keeps parts apart that hold newlines.
    let quoted: Vec<String> = parts.iter().map(|part| serde_json::Value::from(*part).to_string()).collect();
    sha256_of(&quoted.iter().map(String::as_str).collect::<Vec<_>>())[..32].to_owned()
}
