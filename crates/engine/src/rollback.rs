//! What must hold before a closed incident is taken back on a person's word.
//!
//! The copies that an undo needs are deleted when an incident is closed as healed (nothing raw outlives the run). What
//! is left is the patch and the journal's digests. From these the copies are made again, and they are believed only
//! where every digest agrees: the file now is what Regreen left, and the copy is what Regreen found. Then the same undo
//! runs as in any other rollback.

use std::fs;

use regreen_domain::{Outcome, RelPath};
use regreen_ledger::{Incident, Ledger, State as LedgerState};
use regreen_saga::{StepState, applied, fold};
use regreen_steps::{Written, keep_state_copy, sha256, written};
use regreen_tools::Job;

use crate::{
    error::EngineError,
    patch,
    state::{State, StateError},
};

/// Makes an incident ready to be taken back, or says why it can't be.
///
/// # Errors
/// [`EngineError::Refused`] with what to do instead; nothing in the workspace was touched.
pub(crate) async fn prepare(
    ledger: &Ledger,
    state: &State,
    job: &Job,
    incident: &Incident,
) -> Result<(), EngineError> {
    let id = &incident.id;
    let refused = |why: String| Err(EngineError::Refused(why));
    if incident.imported {
        return refused(format!("incident {id} was imported; it can be read, not acted upon"));
    }
    match (incident.state, incident.outcome()) {
        (LedgerState::Open, _) | (_, Some(Outcome::Stuck)) => Ok(()),
        (_, Some(Outcome::Healed)) => bring_copies_back(ledger, state, job, incident).await,
        (_, Some(Outcome::RolledBack)) => {
            refused(format!("incident {id} is rolled back already; what Regreen wrote is as before"))
        }
        (_, outcome) => {
            let how = outcome.map_or(incident.state.id(), Outcome::id);
            refused(format!("incident {id} is {how}: nothing was done that could be taken back"))
        }
    }
}

/// A file that the run changed.
struct Changed {
    /// The name of its copy.
    copy: String,
    path: RelPath,
    old: String,
    new: String,
}

async fn bring_copies_back(
    ledger: &Ledger,
    state: &State,
    job: &Job,
    incident: &Incident,
) -> Result<(), EngineError> {
    let id = &incident.id;
    let facts = ledger.facts(id).await?;
    let changed = changed_files(facts.iter().map(|entry| &entry.fact))?;
    if changed.is_empty() {
        return Err(EngineError::Refused(format!(
            "incident {id} was healed without writing to a tracked file: there is nothing to put back"
        )));
    }
    let patch = fs::read_to_string(state.patch(id)).map_err(|e| {
        EngineError::Refused(format!(
            "the patch of incident {id} can't be read ({e}); take the file from git: git checkout HEAD -- {}",
            changed.iter().map(|c| c.path.as_str()).collect::<Vec<_>>().join(" ")
        ))
    })?;
    let mut copies = Vec::new();
    for file in &changed {
        let path = file.path.as_str();
        let now = fs::read(job.workspace.root.join(path)).unwrap_or_default();
        if sha256(&now) != file.new {
            return Err(EngineError::Refused(format!(
                "{path} is not as Regreen left it: somebody has written to it since; compare it with the patch {} \
                 and change it by hand, or take it from git",
                state.patch(id).display()
            )));
        }
        let old = std::str::from_utf8(&now).ok().and_then(|now| patch::reverse(&patch, path, now));
        let old = old.filter(|old| sha256(old.as_bytes()) == file.old);
        copies.push(old.ok_or_else(|| {
            EngineError::Refused(format!(
                "the patch of incident {id} does not lead back to what {path} was; take the file from git"
            ))
        })?);
    }
    mark(state, id)?;
    for (file, copy) in changed.iter().zip(copies) {
        keep_state_copy(state.folder(), id, &file.copy, copy.as_bytes()).map_err(EngineError::CleanUp)?;
    }
    Ok(())
}

/// Marks the incident as open, as a run does: whoever comes after a crash clears the copies away, or goes on.
fn mark(state: &State, incident: &str) -> Result<(), EngineError> {
    let marker = state.open_marker();
    if fs::read_to_string(&marker).is_ok_and(|named| named.trim() != incident) {
        let why = "another recovery stands unfinished here; bring it to its end first with `regreen resume`";
        return Err(EngineError::Refused(why.to_owned()));
    }
    fs::write(&marker, incident).map_err(|source| StateError::Folder { path: marker, source }.into())
}

/// The files of the workspace that are as the run left them, by the journal's own word.
fn changed_files<'a>(
    facts: impl Iterator<Item = &'a regreen_saga::Fact> + Clone,
) -> Result<Vec<Changed>, EngineError> {
    let states = fold(facts.clone()).map_err(|e| EngineError::Refused(e.to_string()))?;
    let mut changed = Vec::new();
    for (step, _) in applied(facts) {
        let Some(StepState::Verified { before, receipt }) = states.get(step) else { continue };
        for Written { path, from, to, copy } in written(step, before, receipt) {
            // The journal is read back: its paths are checked like any other.
            let path = RelPath::parse(&path)
                .ok_or_else(|| EngineError::Refused(format!("`{path}` is no path below the workspace")))?;
            let (Some(old), Some(new)) = (from, to) else {
                let why = format!("{path} was made or taken away by the run; take it from git, or remove it");
                return Err(EngineError::Refused(why));
            };
            if changed.iter().any(|other: &Changed| other.path == path) {
                let why = format!(
                    "{path} was written by several steps; take it from git: git checkout HEAD -- {path}"
                );
                return Err(EngineError::Refused(why));
            }
            changed.push(Changed { copy, path, old, new });
        }
    }
    Ok(changed)
}
