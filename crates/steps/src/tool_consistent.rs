//! `tool-consistent`: the tool's own check that what is installed fits together (`npm ls`, `cargo metadata
//! --locked`, `pip check`). Looks only.

use std::sync::Arc;

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::{added::overlay, world::World};

/// The step.
pub(crate) struct ToolConsistent(pub(crate) Arc<World>);

/// Which tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// What the tool said.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The check, or nothing where this tool has none for this command.
    check: Option<String>,
    /// Whether it found everything in order.
    fine: bool,
    /// The first line it complained with.
    says: String,
}

impl Step for ToolConsistent {
    const KIND: &'static str = "tool-consistent";
    const EXPLAIN: &'static str = "Asks the package manager itself whether what is installed fits the lockfile (`npm ls`, `cargo metadata --locked`, `pip check`). Ends every plan.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        self.0.adapter(&args.tool).map(drop).map_err(Refused)
    }

    fn foresee(&self, args: &Args, (): &()) -> Option<String> {
        let check = self.0.adapter(&args.tool).ok()?.consistency_check(&self.0.job)?;
        Some(format!("run {}", check.join(" ")))
    }

    async fn apply(&self, touch: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let Some(argv) = adapter.consistency_check(&self.0.job) else {
            return Ok(Receipt {
                check: None,
                fine: true,
                says: "this command has no such check".to_owned(),
            });
        };
        // What came from a mirror is looked for where it came from.
        let overlay = overlay(touch);
        let mut words: Vec<&str> = argv.iter().map(String::as_str).collect();
        words.splice(1..1, overlay.args.iter().map(String::as_str));
        let env: Vec<(&str, &str)> = overlay.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let check = Some(argv.join(" "));
        let Some(captured) = self.0.job.workspace.quietly(&words, &env, None).await else {
            return Ok(Receipt { check, fine: false, says: "it could not be run".to_owned() });
        };
        let complaint =
            String::from_utf8_lossy(&captured.stderr).lines().next().unwrap_or_default().to_owned();
        Ok(Receipt { check, fine: captured.code == Some(0), says: complaint })
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        Ok(match (&receipt.check, receipt.fine) {
            (Some(check), false) => Seen::NotThere(format!("`{check}` objects: {}", receipt.says)),
            _ => Seen::There,
        })
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}
