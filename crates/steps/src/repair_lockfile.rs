//! `repair-lockfile`: the smallest semantic change that makes a damaged lockfile whole again.
//!
//! What is done, and what may be done, is thought out in [`regreen_lockfile::choose`] and [`regreen_lockfile::acceptable`];
//! here it is journalled and written. The tool's own resolver runs with scripts off.

use std::{fmt::Write as _, sync::Arc};

use regreen_domain::RelPath;
use regreen_lockfile::{Repair, diff};
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    Adapter,
    locks::{self, LockLook, NoLook},
};
use serde::{Deserialize, Serialize};

use crate::{
    files::{SavedFile, read, sha256, state_copy},
    rerun_command::rewritten_by_command,
    world::World,
};

/// The step.
pub(crate) struct RepairLockfile(pub(crate) Arc<World>);

/// Whose lockfile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// The lockfile before, and what is to become of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    /// Path below the workspace.
    path: String,
    /// The file.
    saved: SavedFile,
    /// SHA-256 of the text that is to be written.
    new: String,
    /// How it was come by.
    repair: Repair,
}

/// What was done.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Path below the workspace.
    path: String,
    /// How.
    repair: Repair,
    /// SHA-256 of the file as it is now.
    sha256: String,
    /// The semantic change, for people.
    summary: String,
    /// What was done, in a clause.
    said: String,
}

impl Step for RepairLockfile {
    const KIND: &'static str = "repair-lockfile";
    const EXPLAIN: &'static str = "Makes a damaged lockfile whole by the smallest change: the last good version of the trusted history, a merge of both sides, single checksums that the history held, or the last good version completed by the tool's own resolver.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<Before, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let look = self.look(adapter).await?;
        let (repair, new) = choose(&look, adapter.resolver_for(&self.0.job).is_some())?;
        let path = self.0.job.workspace.root.join(look.place.path.as_str());
        let (saved, _) = SavedFile::look(&path).map_err(|e| Refused(format!("{}: {e}", look.place.path)))?;
        if saved.sha256.as_deref() != Some(&sha256(&look.bytes)) {
            return Err(Refused(format!("{} is being written to", look.place.path)));
        }
        Ok(Before { path: look.place.path.to_string(), saved, new: sha256(&new), repair })
    }

    fn foresee(&self, _: &Args, before: &Before) -> Option<String> {
        Some(before.repair.would(&before.path))
    }

    async fn apply(&self, touch: &Touch, args: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let path = self.0.job.workspace.root.join(&before.path);
        let copy = state_copy(&self.0.state, &touch.incident, &touch.step);
        let look = self.look(adapter).await.map_err(ApplyError::no_effect)?;
        // An earlier try of the same run has written it; what it wrote is not looked at for a repair again.
        if sha256(&look.bytes) != before.new {
            let (repair, new) =
                choose(&look, adapter.resolver_for(&self.0.job).is_some()).map_err(ApplyError::no_effect)?;
            if repair != before.repair || sha256(&new) != before.new {
                return Err(ApplyError::no_effect(format!("{} changed since it was looked at", before.path)));
            }
            before.saved.replace(touch, &path, &copy, &new).map_err(ApplyError::unknown)?;
        }
        if let Repair::Resolve { .. } = before.repair {
            self.resolve(adapter).await?;
        }
        let now = self.look(adapter).await.map_err(ApplyError::unknown)?;
        let summary = summary(&look, &now);
        Ok(Receipt {
            path: before.path.clone(),
            repair: before.repair.clone(),
            sha256: sha256(&now.bytes),
            summary,
            said: before.repair.said(&before.path),
        })
    }

    async fn verify(&self, _: &Look, args: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let look = self.look(adapter).await?;
        if sha256(&look.bytes) != receipt.sha256 {
            return Ok(Seen::NotThere(format!("{} was written to by something else", receipt.path)));
        }
        let allowed = match &receipt.repair {
            Repair::Resolve { .. } => {
                adapter.remotes(&self.0.job).await.into_iter().map(|r| r.host.to_ascii_lowercase()).collect()
            }
            _ => Vec::new(),
        };
        Ok(match look.acceptable(&look.bytes, &allowed) {
            Ok(_) => Seen::There,
            Err(why) => Seen::NotThere(why),
        })
    }

    async fn undo(
        &self,
        touch: &Touch,
        _: &Args,
        before: &Before,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        // The journal is read back: its paths are checked like any other.
        let below = RelPath::parse(&before.path)
            .ok_or_else(|| UndoError("no path below the workspace".to_owned()))?;
        let path = self.0.job.workspace.root.join(below.as_str());
        let now = read(&path).map_err(|e| UndoError(format!("{}: {e}", before.path)))?.map(|b| sha256(&b));
        let by_command =
            receipt.is_some_and(|r| rewritten_by_command(touch, &before.path, &r.sha256, now.as_deref()));
        let ours = now == before.saved.sha256
            || now.as_ref() == Some(&before.new)
            || receipt.is_some_and(|r| now.as_ref() == Some(&r.sha256))
            || (receipt.is_none() && matches!(before.repair, Repair::Resolve { .. }))
            || by_command;
        // What somebody wrote since is not Regreen's to overwrite.
        if !ours {
            return Err(UndoError(format!("{} was changed by something else since", before.path)));
        }
        if by_command {
            let path = &before.path;
            (self.0.progress)(&format!("the command's own second run rewrote {path}; it is put back too"));
        }
        let copy = state_copy(&self.0.state, &touch.incident, &touch.step);
        before.saved.restore(touch, &path, &copy).map_err(|e| UndoError(format!("{}: {e}", before.path)))
    }
}

impl RepairLockfile {
    async fn look(&self, adapter: &dyn Adapter) -> Result<LockLook, Refused> {
        locks::look(&self.0.job, adapter).await.map_err(|no| match no {
            NoLook::NoLockfile => Refused("there is no lockfile".to_owned()),
            NoLook::Unreadable(why) => Refused(why),
        })
    }

    async fn resolve(&self, adapter: &dyn Adapter) -> Result<(), ApplyError> {
        let resolver = adapter
            .resolver_for(&self.0.job)
            .ok_or_else(|| ApplyError::unknown("this tool has no resolver"))?;
        (self.0.progress)(&format!("completing the lockfile: {}", resolver.argv.join(" ")));
        let limit = self.0.time_left();
        let ran = self.0.job.workspace.quietly(&resolver.argv, &resolver.env, Some(limit)).await;
        let ran = ran.ok_or_else(|| ApplyError::unknown("the resolver could not be run in time"))?;
        match ran.code {
            Some(0) => Ok(()),
            code => Err(ApplyError::unknown(format!(
                "`{}` ended with {}",
                resolver.argv.join(" "),
                code.map_or("a signal".to_owned(), |c| format!("exit code {c}"))
            ))),
        }
    }
}

fn choose(look: &LockLook, can_resolve: bool) -> Result<(Repair, Vec<u8>), Refused> {
    look.choose(can_resolve).map_err(|no| Refused(no.to_string()))
}

fn summary(before: &LockLook, after: &LockLook) -> String {
    let Ok(now) = &after.parsed else { return String::new() };
    let mut text = String::new();
    let reference = before.parsed.as_ref().ok().cloned().map(|l| ("the file", l));
    let reference =
        reference.or_else(|| before.history.first().map(|v| ("the last good version", v.lockfile.clone())));
    match reference {
        Some((what, old)) => {
            let change = diff(&old, now);
            let said = if change.is_empty() { "no entry differs".to_owned() } else { change.to_string() };
            let _infallible = write!(text, "against {what}: {said}");
        }
        None => text.push_str("nothing to compare with"),
    }
    text
}
