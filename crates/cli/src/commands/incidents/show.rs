//! `regreen incidents show ID`: everything on record about one incident.

use std::collections::BTreeMap;

use regreen_ledger::{AuditEntry, JournalEntry};
use regreen_saga::StepEvent;
use serde_json::Value;

use super::log::named;
use crate::{
    args::Format,
    context::{Context, runtime},
    exit::Failed,
    output::{
        incident::{Moment, Whole, json, plain},
        print::print,
    },
    record,
};

/// Shows it.
pub fn show(context: &Context, id: &str, format: Format) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let (ledger, incident) = record::one(context, id).await?;
        let facts = ledger.facts(id).await?;
        let feedback = ledger.feedback_of(id).await?;
        let timeline = timeline(id, &ledger.audit_of(id).await?, &facts);
        let whole = Whole { incident: &incident, timeline: &timeline, feedback: &feedback };
        print(&match format {
            Format::Plain => plain(&whole) + &named(id, &ledger.logs_of(id).await?),
            Format::Json => json(&whole),
        })
    })
}

/// What happened, in the order of the audit log.
fn timeline(id: &str, entries: &[AuditEntry], facts: &[JournalEntry]) -> Vec<Moment> {
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
