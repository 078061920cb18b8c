//! What happened to an incident, in the order of the audit log.

use std::collections::BTreeMap;

use regreen_ledger::{AuditEntry, JournalEntry};
use regreen_saga::StepEvent;
use serde_json::Value;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: i64,
    /// The step of the plan, where it is one's.
    pub step: Option<String>,
    /// What.
    pub what: String,
    /// Who or why.
    pub detail: String,
}

/// Of the incident `id`, its entries in the audit log and its journal's facts.
pub fn timeline(id: &str, entries: &[AuditEntry], facts: &[JournalEntry]) -> Vec<Moment> {
    let facts: BTreeMap<String, &JournalEntry> =
        facts.iter().map(|fact| (format!("fact/{id}/{}", fact.seq), fact)).collect();
    entries.iter().filter_map(|entry| moment(entry, &facts)).collect()
}

fn moment(entry: &AuditEntry, facts: &BTreeMap<String, &JournalEntry>) -> Option<Moment> {
    let (row, _) = entry.row()?;
    if let Some(fact) = facts.get(&row) {
        let detail = match &fact.fact.event {
            StepEvent::Applied { receipt } => receipt.get("said").and_then(Value::as_str).unwrap_or(""),
            StepEvent::Undone { says: Some(says) } => says,
            StepEvent::Skipped { why }
            | StepEvent::NotVerified { why }
            | StepEvent::Failed { why, .. }
            | StepEvent::UndoFailed { why } => why,
            _ => "",
        };
        return Some(Moment {
            at: fact.at,
            step: Some(fact.fact.step.clone()),
            what: fact.fact.event.name().to_owned(),
            detail: detail.to_owned(),
        });
    }
    let body: Value = serde_json::from_str(&entry.body).ok()?;
    // Tokens of processes say nothing to a person.
    let words = body.as_object()?.iter().filter(|(key, value)| {
        !["row", "sha256", "owner"].contains(&key.as_str()) && value.as_str().is_some_and(|v| !v.is_empty())
    });
    let detail: Vec<String> =
        words.map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or_default())).collect();
    Some(Moment { at: entry.at, step: None, what: entry.kind.clone(), detail: detail.join(", ") })
}
