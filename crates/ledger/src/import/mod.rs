//! Another ledger's memory into this one. The file is hostile until it is proven to add up, and then still a stranger.
//!
//! What comes in can be read and counted. It can't make Regreen act: an imported incident is never resumed, approved
//! or taken over, a pause is never lifted, an accepted pattern only names, and an unfinished incident of this ledger is
//! never touched.

mod file;
mod merge;

use std::io::BufRead;

use crate::{Ledger, LedgerError, audit, audit::Change};

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// How the file stands to this ledger.
    pub mode: ImportMode,
    /// Incidents that are new, or newer than what was here.
    pub incidents: u64,
    /// Entries of their journals.
    pub facts: u64,
    /// Labels.
    pub feedback: u64,
    /// Events of circuit breakers.
    pub breaker_events: u64,
    /// Pauses.
    pub pauses: u64,
    /// Patterns that people accepted.
    pub patterns: u64,
    /// Rows of the file that differ from this ledger's own, which was kept.
    pub kept: u64,
}

/// How an imported file stands to this ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportMode {
    /// All of it was here already.
    Same,
    /// It goes on where this ledger ends: its audit chain was taken over, so that heads printed earlier still count.
    FastForward,
    /// Both went on by themselves: its rows were recorded in this ledger's own chain.
    Merged,
}

impl Imported {
    pub(crate) const fn nothing(mode: ImportMode) -> Imported {
        Imported {
            mode,
            incidents: 0,
            facts: 0,
            feedback: 0,
            breaker_events: 0,
            pauses: 0,
            patterns: 0,
            kept: 0,
        }
    }
}

impl Ledger {
    /// Takes in an exported file, all of it or nothing; the same file twice is the same as once.
    ///
    /// # Errors
    /// `BadImport` for a file that is cut, too large, of a later version, does not add up or comes from the future;
    /// or the ledger's own.
    pub async fn import(&self, input: &mut (dyn BufRead + Send), now: i64) -> Result<Imported, LedgerError> {
        let file = file::read(input, now)?;
        let mut work = self.write().await?;
        let report = merge::merge(&mut work, &file, self.scrubber(), now).await?;
        if report.mode != ImportMode::Same {
            let mode = if report.mode == ImportMode::FastForward { "fast-forward" } else { "merged" };
            let incidents = report.incidents.to_string();
            let details = [("head", file.head.as_str()), ("incidents", &incidents), ("mode", mode)];
            audit::append(&mut work, &Change { at: now, kind: "imported", details: &details }).await?;
        }
        self.commit(work).await?;
        Ok(report)
    }
}
