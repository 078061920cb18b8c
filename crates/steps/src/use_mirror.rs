//! `use-mirror`: the first healthy mirror that the operator configured, for the repeated command only. Inert.
//! Refused unless every entry of the lockfile carries a checksum: the mirror can then serve nothing else.

use std::{sync::Arc, time::Duration};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::remote;
use serde::{Deserialize, Serialize};

use crate::{added::Added, files, world::World};

/// The step.
pub(crate) struct UseMirror(pub(crate) Arc<World>);

/// For which tool.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// What the repeated command gets.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Redirect {
    /// Address of the mirror.
    mirror: String,
    /// What makes the command use it.
    overlay: Added,
    /// What was done, in a clause.
    said: String,
}

/// Longest that one mirror may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Step for UseMirror {
    const KIND: &'static str = "use-mirror";
    const EXPLAIN: &'static str = "Lets the repeated command fetch from the first configured mirror that answers. Only for frozen installs whose lockfile carries checksums; no credential is sent to it.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = String;
    type Receipt = Redirect;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<String, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let mut mirrors = self.0.mirrors.clone();
        mirrors.retain(|m| m.tool.as_str() == args.tool);
        if mirrors.is_empty() {
            return Err(Refused(format!("the operator configured no mirror for {}", args.tool)));
        }
        if !adapter.is_frozen(&self.0.job.argv) {
            let why = "only an install that takes nothing but what the lockfile pins (npm ci, cargo --locked, \
                       pip install -r with hashes, …) may use a mirror";
            return Err(Refused(why.to_owned()));
        }
        let place =
            adapter.lockfile(&self.0.job).ok_or_else(|| Refused("there is no lockfile".to_owned()))?;
        let bytes = files::read(&self.0.job.workspace.root.join(place.path.as_str()))
            .map_err(|e| Refused(format!("{}: {e}", place.path)))?
            .ok_or_else(|| Refused(format!("{} is not there", place.path)))?;
        let lock = regreen_lockfile::parse(place.format, &bytes).map_err(|e| Refused(e.to_string()))?;
        if let Some(bare) = lock.entries.iter().find(|e| !e.local && e.checksums.is_empty()) {
            return Err(Refused(format!("{} carries no checksum for {}", place.path, bare.name)));
        }
        if lock.entries.iter().all(|e| e.local) {
            return Err(Refused(format!("{} pins nothing", place.path)));
        }
        for mirror in mirrors {
            let answer = remote::ask(&mirror.url, PATIENCE.min(self.0.time_left())).await;
            if answer.serves() {
                return Ok(mirror.url);
            }
        }
        Err(Refused("no configured mirror answers".to_owned()))
    }

    fn foresee(&self, _: &Args, mirror: &String) -> Option<String> {
        Some(format!("use the mirror {mirror}"))
    }

    async fn apply(&self, _: &Touch, args: &Args, mirror: &String) -> Result<Redirect, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let overlay = adapter.use_mirror(mirror);
        (self.0.progress)(&format!("the registry is down; trying the mirror {mirror}"));
        Ok(Redirect {
            mirror: mirror.clone(),
            overlay: overlay.into(),
            said: format!("used the mirror {mirror}"),
        })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Redirect) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, _: &String, _: Option<&Redirect>) -> Result<(), UndoError> {
        Ok(())
    }
}
