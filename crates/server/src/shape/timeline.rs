//! What happened to an incident, in the order of the audit log.

use std::collections::BTreeMap;

use regreen_ledger::{AuditEntry, JournalEntry};
use regreen_saga::StepEvent;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

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
    /// What was there before, as far as an undo needs it.
    pub before: Option<Value>,
    /// What was done.
    pub receipt: Option<Value>,
}

/// Something that happened
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Moment)]
pub struct MomentV1 {
    /// When
    #[schema(format = DateTime)]
    pub at: String,
    /// The step of the plan, where it is one's
    pub step: Option<String>,
    /// What
    pub what: String,
    /// Who or why
    pub detail: String,
    /// What was there before the step, as far as taking it back needs it; a document of the step kind's own
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the step did; a document of the step kind's own
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Value>,
}

impl MomentV1 {
    /// What was said of it.
    pub(super) fn said(m: &Moment) -> MomentV1 {
        MomentV1 {
            at: super::moment(m.at),
            step: m.step.clone(),
            what: m.what.clone(),
            detail: m.detail.clone(),
            before: None,
            receipt: None,
        }
    }

    /// With what is on record of it.
    pub(super) fn of(m: &Moment) -> MomentV1 {
        MomentV1 { before: m.before.clone(), receipt: m.receipt.clone(), ..MomentV1::said(m) }
    }
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
        let (before, receipt) = match &fact.fact.event {
            StepEvent::Prepared { before } => (Some(before), None),
            StepEvent::Applied { receipt } => (None, Some(receipt)),
            _ => (None, None),
        };
        let something = |value: Option<&Value>| value.filter(|value| !value.is_null()).cloned();
        return Some(Moment {
            before: something(before),
            receipt: something(receipt),
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
    Some(Moment {
        at: entry.at,
        step: None,
        what: entry.kind.clone(),
        detail: detail.join(", "),
        before: None,
        receipt: None,
    })
}
