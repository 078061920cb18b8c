//! The end of a recovery: what is kept for people, and what must be gone.

use std::{collections::BTreeSet, fs, io, os::unix::fs::OpenOptionsExt, path::PathBuf};

use regreen_ledger::{JournalEntry, Ledger, Patch};
use regreen_mask::Masker;
use regreen_saga::{StepEvent, applied};
use regreen_steps::{forget, quarantined_root, state_copy, written};
use regreen_tools::Job;
use serde_json::Value;

use crate::{error::EngineError, patch::unified_file, state::State};

/// A patch that undoes nothing and shows everything: what Regreen changed in tracked files, as a unified diff, and its text.
/// `None` where nothing was changed; without text where masking would change the patch: then it is refused.
pub(crate) fn patch(
    state: &State,
    job: &Job,
    incident: &str,
    facts: &[JournalEntry],
    masker: &Masker,
) -> io::Result<Option<(Patch, String)>> {
    let mut text = String::new();
    let mut summary = Vec::new();
    let mut shown = BTreeSet::new();
    for (step, receipt) in applied(facts.iter().map(|entry| &entry.fact)) {
        for file in written(step, before(facts, step), receipt) {
            let path = file.path.as_str();
            let said = match receipt.get("summary").and_then(Value::as_str) {
                Some(said) => said.to_owned(),
                None => format!("written by the step `{step}`"),
            };
            // Of several steps that wrote a file, the first one's copy is what it was.
            if !shown.insert(path.to_owned()) {
                summary.push(format!("{path}: {said}"));
                continue;
            }
            let old = match &file.from {
                Some(_) => fs::read(state_copy(state.folder(), incident, &file.copy)).map(Some),
                None => Ok(None),
            };
            let new = match fs::read(job.workspace.root.join(path)) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
                other => other.map(Some),
            };
            let (Ok(old), Ok(new)) = (old, new) else { continue };
            let as_text = |bytes: &Option<Vec<u8>>| bytes.clone().map(String::from_utf8).transpose();
            let (Ok(old), Ok(new)) = (as_text(&old), as_text(&new)) else {
                summary.push(format!("{path}: {said} (not text: not in the patch)"));
                continue;
            };
            text.push_str(&unified_file(path, old.as_deref(), new.as_deref()));
            summary.push(format!("{path}: {said}"));
        }
    }
    if summary.is_empty() {
        return Ok(None);
    }
    let summary = summary.join("; ");
    if masker.would_change(text.as_bytes()) {
        let summary = format!("{summary} (the patch would hold a secret: not kept)");
        return Ok(Some((Patch { path: None, summary }, String::new())));
    }
    let path = state.patch(incident);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(Some((Patch { path: Some(path.display().to_string()), summary }, text)))
}

/// What is on record of the world before a step.
fn before<'f>(facts: &'f [JournalEntry], step: &str) -> &'f Value {
    let found = facts.iter().rev().find_map(|entry| match &entry.fact.event {
        StepEvent::Prepared { before } if entry.fact.step == step => Some(before),
        _ => None,
    });
    found.unwrap_or(&Value::Null)
}

/// Deletes what the run kept for its undo. Only once the run is closed: nothing raw outlives it.
pub(crate) async fn clear(ledger: &Ledger, state: &State, incident: &str) -> Result<(), EngineError> {
    let roots = quarantined_roots(ledger, incident).await?;
    forget(state.folder(), incident, &roots).map_err(EngineError::CleanUp)?;
    // Another run's marker stays: what it names has not been brought to its end.
    if !fs::read_to_string(state.open_marker()).is_ok_and(|named| named.trim() == incident) {
        return Ok(());
    }
    match fs::remove_file(state.open_marker()) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(EngineError::CleanUp(e)),
        _ => Ok(()),
    }
}

/// The caches that a run took entries out of, or was about to.
pub(crate) async fn quarantined_roots(ledger: &Ledger, incident: &str) -> Result<Vec<PathBuf>, EngineError> {
    let mut roots = Vec::new();
    for entry in ledger.facts(incident).await? {
        if let StepEvent::Prepared { before } = &entry.fact.event {
            roots.extend(quarantined_root(before));
        }
    }
    Ok(roots)
}
