//! `repaired-by-another`: another Regreen has healed the cache or workspace that the command stumbled over. Inert: there
//! is nothing left to repair, and the command only has to run again.

use std::sync::Arc;

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// The step.
pub(crate) struct RepairedByAnother(pub(crate) Arc<World>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

/// What was seen.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// What was done, in a clause.
    said: String,
}

impl Step for RepairedByAnother {
    const KIND: &'static str = "repaired-by-another";
    const EXPLAIN: &'static str = "Looks whether another regreen has healed the same cache or workspace since the command began. Changes nothing.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    const PARALLEL: bool = true;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<(), Refused> {
        match self.0.repaired_by_another {
            true => Ok(()),
            false => Err(Refused("no other regreen healed this since the command began".to_owned())),
        }
    }

    async fn apply(&self, _: &Touch, _: &Args, (): &()) -> Result<Receipt, ApplyError> {
        Ok(Receipt { said: "found it healed by another regreen".to_owned() })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}
