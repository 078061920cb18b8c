//! `raise-retries`: the tool's own retries and time-outs, raised for the repeated command only. Inert.

use std::sync::Arc;

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::{added::Added, world::World};

/// The step.
pub(crate) struct RaiseRetries(pub(crate) Arc<World>);

/// Whose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// What the repeated command gets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Settings by environment; none where the tool has none, or the user has set enough.
    overlay: Added,
    /// What was done, in a clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

impl Step for RaiseRetries {
    const KIND: &'static str = "raise-retries";
    const EXPLAIN: &'static str = "Lets the tool itself ask again for a download that fails, by its own settings for retries and time-outs, in the repeated command only. What is set higher already stays.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        self.0.adapter(&args.tool).map(drop).map_err(Refused)
    }

    async fn apply(&self, _: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let overlay = adapter.patient(&self.0.job, self.0.cause.trouble);
        let said = overlay.env.first().map(|(name, value)| {
            let more = if overlay.env.len() > 1 { ", …" } else { "" };
            format!("raised {}'s own retries ({name}={value}{more})", args.tool)
        });
        Ok(Receipt { overlay: overlay.into(), said })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}
