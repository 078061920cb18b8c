//! `rerun-command`: the wrapped command once more, live. Never repeated by a later process.
//!
//! What the command itself did to the files that the plan had repaired is on record: an undo may take back what this
//! run wrote, and nothing that somebody wrote since.

use std::{collections::BTreeMap, sync::Arc};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::{
    added::overlay,
    files::{self, sha256},
    world::World,
};

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
    /// Which of the plan's own paths it wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    wrote: Vec<Rewritten>,
}

/// A path of the plan before and after the command's second run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rewritten {
    /// Below the workspace.
    path: String,
    /// SHA-256 of the file before, `None` where there was none.
    from: Option<String>,
    /// SHA-256 of the file after.
    to: Option<String>,
}

/// Whether the command's own second run, and nothing before or after it, made of `from` what is at `path` now.
pub(crate) fn rewritten_by_command(look: &Look, path: &str, from: &str, now: Option<&str>) -> bool {
    let receipts = look.receipts.values().filter_map(|r| serde_json::from_value::<Receipt>(r.clone()).ok());
    receipts.flat_map(|receipt| receipt.wrote).any(|rewritten| {
        rewritten.path == path && rewritten.from.as_deref() == Some(from) && rewritten.to.as_deref() == now
    })
}

impl Step for RerunCommand {
    const KIND: &'static str = "rerun-command";
    const EXPLAIN: &'static str = "Runs the wrapped command once more; it must end with 0. Ends every plan, and is never done by a later process.";
    // What the command itself writes is the command's; it is reported apart.
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Never;
    // The command has limits of its own, and its whole group of processes ends with them.
    const STOPS: bool = false;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<(), Refused> {
        Ok(())
    }

    fn foresee(&self, _: &Args, (): &()) -> Option<String> {
        Some("run the command once more".to_owned())
    }

    async fn apply(&self, touch: &Touch, _: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let before = self.digests();
        let end = self.0.rerun.rerun(overlay(touch)).await.map_err(ApplyError::no_effect)?;
        let after = self.digests();
        let wrote = before.into_iter().filter_map(|(path, from)| {
            // A path that can't be read now is not known to be the command's.
            let to = after.get(&path)?.clone();
            (from != to).then_some(Rewritten { path, from, to })
        });
        let receipt = Receipt {
            code: end.code,
            ms: u64::try_from(end.duration.as_millis()).unwrap_or(u64::MAX),
            wrote: wrote.collect(),
        };
        self.0.keep_rerun(end);
        Ok(receipt)
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        Ok(match receipt.code {
            // Who pressed Ctrl-C wants an end, whatever the command made of it.
            0 if self.0.was_interrupted() => {
                Seen::NotThere("the repeated command was interrupted".to_owned())
            }
            0 => Seen::There,
            code => Seen::NotThere(format!("the command failed again with exit code {code}")),
        })
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

impl RerunCommand {
    /// The digests of the plan's own paths, `None` for those that are not there; without those that can't be read.
    fn digests(&self) -> BTreeMap<String, Option<String>> {
        let digest = |path: &String| {
            let bytes = files::read(&self.0.job.workspace.root.join(path)).ok()?;
            Some((path.clone(), bytes.map(|bytes| sha256(&bytes))))
        };
        self.0.paths.iter().filter_map(digest).collect()
    }
}
