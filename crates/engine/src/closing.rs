//! The end of a recovery: what is kept for people, and what must be gone.

use std::{fs, io, os::unix::fs::OpenOptionsExt, path::PathBuf};

use regreen_ledger::{JournalEntry, Ledger, Patch};
use regreen_mask::Masker;
use regreen_saga::{StepEvent, applied};
use regreen_steps::{forget, quarantined_root, state_copy};
use regreen_tools::Job;
use serde_json::Value;

use crate::{error::EngineError, patch::unified, state::State};

/// A patch that undoes nothing and shows everything: what Regreen changed in tracked files, as a unified diff.
/// `None` where nothing was changed, or where masking would change the patch: then it is refused.
pub(crate) fn patch(
    state: &State,
    job: &Job,
    incident: &str,
    facts: &[JournalEntry],
    masker: &Masker,
) -> io::Result<Option<Patch>> {
    let mut text = String::new();
    let mut summary = Vec::new();
    for (step, receipt) in applied(facts.iter().map(|entry| &entry.fact)) {
        let Some(path) = receipt.get("path").and_then(Value::as_str) else { continue };
        let copy = state_copy(state.folder(), incident, step);
        let (Ok(old), Ok(new)) = (fs::read(copy), fs::read(job.workspace.root.join(path))) else { continue };
        let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
        text.push_str(&unified(path, &old, &new));
        let said = receipt.get("summary").and_then(Value::as_str).unwrap_or_default();
        summary.push(format!("{path}: {said}"));
    }
    if summary.is_empty() {
        return Ok(None);
    }
    let summary = summary.join("; ");
    if masker.would_change(text.as_bytes()) {
        return Ok(Some(Patch {
            path: None,
            summary: format!("{summary} (the patch would hold a secret: not kept)"),
        }));
    }
    let path = state.patch(incident);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    Ok(Some(Patch { path: Some(path.display().to_string()), summary }))
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
