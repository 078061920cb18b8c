//! What must hold once a killed run was brought to its end, whatever it was doing.

use std::{path::Path, sync::Arc};

use regreen_engine::State;
use regreen_ledger::{AsIs, Ledger, LedgerError};

use super::{stage::Stage, tree};

/// No half-written file, no copy, no quarantine, no marker.
pub fn nothing_left(stage: &Stage) -> Result<(), String> {
    for folder in [stage.project.root(), stage.project.cache(), stage.tmp()] {
        nothing_of_regreen(&folder)?;
    }
    state_is_closed(&stage.state())
}

/// No half-written file and no quarantine below a folder.
pub fn nothing_of_regreen(folder: &Path) -> Result<(), String> {
    let left = tree::named(folder, |name| name.starts_with(".regreen-"));
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}

/// No raw copy of a file, and no marker of an open recovery.
pub fn state_is_closed(state: &State) -> Result<(), String> {
    let copies = tree::named(&state.folder().join("before"), |_| true);
    if !copies.is_empty() {
        return Err(format!("copies were left: {copies:?}"));
    }
    if state.open_marker().exists() {
        return Err("the recovery is still marked as open".to_owned());
    }
    Ok(())
}

/// The audit chain holds, and every row of the ledger is as it was recorded.
pub fn audit_verifies(state: &State) -> Result<(), String> {
    let path = state.ledger();
    if !path.exists() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ledger = match Ledger::open_read_only(&path, Arc::new(AsIs)).await {
            // Killed before its tables were made: an empty file that the next run fills.
            Err(LedgerError::Absent { .. }) => return Ok(()),
            other => other.map_err(|e| format!("the ledger: {e}"))?,
        };
        let report = ledger.audit_verify(None).await.map_err(|e| format!("the audit log: {e}"))?;
        if report.is_sound() { Ok(()) } else { Err(format!("the audit log: {:?}", report.verdict)) }
    })
}
