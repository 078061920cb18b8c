//! `rerun-command`: the wrapped command once more, live. Never repeated by a later process.

use std::sync::Arc;

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::{use_mirror::overlay, world::World};

/// The step.
pub(crate) struct RerunCommand(pub(crate) Arc<World>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

/// How it ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Exit code as a shell would show it.
    code: i32,
    /// How long it ran, in milliseconds.
    ms: u64,
}

impl Step for RerunCommand {
    const KIND: &'static str = "rerun-command";
    const EXPLAIN: &'static str = "Runs the wrapped command once more; it must end with 0. Ends every plan, and is never done by a later process.";
    // What the command itself writes is the command's; it is reported apart.
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Never;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<(), Refused> {
        Ok(())
    }

    async fn apply(&self, touch: &Touch, _: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let end = self.0.rerun.rerun(overlay(touch)).await.map_err(ApplyError::no_effect)?;
        let receipt =
            Receipt { code: end.code, ms: u64::try_from(end.duration.as_millis()).unwrap_or(u64::MAX) };
        self.0.keep_rerun(end);
        Ok(receipt)
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        Ok(match receipt.code {
            0 => Seen::There,
            code => Seen::NotThere(format!("the command failed again with exit code {code}")),
        })
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}
