//! `nothing-else-changed`: before the command is repeated, nothing outside the plan's declared paths may have been
//! written. What the tool writes for itself (its cache, its logs) is not foreign, even inside the checkout. Inert; its
//! whole work is a look.

use std::{path::PathBuf, sync::Arc};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{Job, adapter, all, recognise};
use serde::Deserialize;

use crate::{snapshot::Snapshot, world::World};

/// The step.
pub(crate) struct NothingElseChanged(pub(crate) Arc<World>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

impl Step for NothingElseChanged {
    const KIND: &'static str = "nothing-else-changed";
    const EXPLAIN: &'static str =
        "Checks that no path of the workspace changed but those that the plan may write. Ends every plan.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = ();
    type Receipt = u64;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<(), Refused> {
        Ok(())
    }

    fn foresee(&self, _: &Args, (): &()) -> Option<String> {
        Some("compare the workspace with how the command left it".to_owned())
    }

    async fn apply(&self, _: &Touch, _: &Args, (): &()) -> Result<u64, ApplyError> {
        let world = self.0.clone();
        let compare = tokio::task::spawn_blocking(move || {
            let before = world.snapshot.as_ref()?;
            let but: Vec<&str> = all().iter().flat_map(|a| a.install_folders()).copied().collect();
            let now = Snapshot::take(&world.job.workspace.root, &but);
            let mut foreign = before.changes(&now);
            foreign.retain(|c| !world.paths.iter().any(|p| p == c.path()));
            Some(foreign)
        });
        let mut changed = compare.await.map_err(ApplyError::no_effect)?;
        if let Some(foreign) = changed.as_mut().filter(|foreign| !foreign.is_empty()) {
            // Asked only now: npm takes a while to tell where its cache is.
            let own = own_places(&self.0.job).await;
            foreign.retain(|c| {
                !own.iter().any(|place| self.0.job.workspace.root.join(c.path()).starts_with(place))
            });
        }
        match changed {
            None => Err(ApplyError::no_effect("there is no picture of the workspace from before the run")),
            Some(foreign) if foreign.is_empty() => Ok(0),
            Some(foreign) => {
                let names: Vec<&str> = foreign.iter().take(5).map(|c| c.path()).collect();
                Err(ApplyError::no_effect(format!(
                    "{} path(s) outside the playbook's own changed: {}",
                    foreign.len(),
                    names.join(", ")
                )))
            }
        }
    }

    async fn verify(&self, _: &Look, _: &Args, _: &u64) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&u64>) -> Result<(), UndoError> {
        Ok(())
    }
}

/// Where the job's tool writes for itself inside the workspace.
async fn own_places(job: &Job) -> Vec<PathBuf> {
    let argv: Vec<_> = job.argv.iter().map(Into::into).collect();
    let Some(adapter) = recognise(&argv).tool.as_ref().and_then(adapter) else { return Vec::new() };
    let places = adapter.own_places(job).await.into_iter();
    // A place that is gone by now is compared as it was named.
    let places = places.map(|place| place.canonicalize().unwrap_or(place));
    places.filter(|place| place.starts_with(&job.workspace.root) && *place != job.workspace.root).collect()
}
