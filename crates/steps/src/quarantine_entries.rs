//! `quarantine-entries`: moves exactly the damaged entries out of a tool's cache, on the same file system, and keeps
//! them until the run is closed. Nothing is moved while the registry that would fill the gap does not serve.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use regreen_domain::RelPath;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    Adapter, CacheScan,
    cache::{self, Asked, Cache, Refill, Watch},
    remote,
};
use serde::{Deserialize, Serialize};

use crate::{
    files::{self, create_private},
    world::World,
};

/// The step.
pub(crate) struct QuarantineEntries(pub(crate) Arc<World>);

/// Whose cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    /// That of the failed command.
    tool: Option<String>,
    /// The one whose lock this run holds, of which this is the name.
    cache: Option<String>,
    /// The registry that fills the gap, in place of the tool's own: a person's word.
    registry: Option<String>,
}

/// What was found damaged.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    /// The cache.
    root: PathBuf,
    /// Damaged entries below it, in the order in which they are moved.
    entries: Vec<String>,
}

/// How many entries were moved.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    moved: usize,
    /// From where, for the steps behind.
    #[serde(default)]
    root: PathBuf,
    /// What.
    #[serde(default)]
    entries: Vec<String>,
    /// What was done, in a clause.
    said: String,
}

pub use regreen_tools::cache::QUARANTINE;

/// Longest that one registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Step for QuarantineEntries {
    const KIND: &'static str = "quarantine-entries";
    const EXPLAIN: &'static str = "Moves exactly the damaged entries of the package cache aside, while the registry that fills the gap is seen to answer. They are kept until the healing is verified, and put back if it is not.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<Before, Refused> {
        let target = self.target(args).map_err(Refused)?;
        let root = match target {
            Target::Job(adapter) => adapter.cache_root(&self.0.job).await,
            Target::Cache(_) => self.0.locked_cache.clone(),
        };
        let root = root.ok_or_else(|| Refused("the cache is not known or not there".to_owned()))?;
        if self.0.locked_cache.as_ref() != Some(&root) {
            return Err(Refused("this run does not hold the cache's lock".to_owned()));
        }
        let scan = self.scan(target, &root).await.map_err(Refused)?;
        // An empty target is an error, never "everything".
        if scan.damaged.is_empty() {
            return Err(Refused("no damaged entry is there any more".to_owned()));
        }
        let remotes = match target {
            Target::Job(adapter) => adapter.remotes(&self.0.job).await,
            Target::Cache(cache) => cache::registries(cache, &self.0.job, args.registry.as_deref()).await,
        };
        if remotes.is_empty() && !target.refills_itself() {
            return Err(Refused("it is not known which registry would fill the gap".to_owned()));
        }
        for remote in remotes {
            if !remote::ask(&remote.probe_url, PATIENCE.min(self.0.time_left())).await.serves() {
                return Err(Refused(format!(
                    "{} does not serve, so nothing is taken out of the cache",
                    remote.host
                )));
            }
        }
        Ok(Before { root, entries: scan.damaged.into_iter().map(|d| d.path.to_string()).collect() })
    }

    fn foresee(&self, _: &Args, before: &Before) -> Option<String> {
        let (n, root) = (before.entries.len(), before.root.display());
        Some(format!("move {n} damaged {} of {root} aside", if n == 1 { "entry" } else { "entries" }))
    }

    async fn apply(&self, touch: &Touch, _: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        if before.entries.is_empty() {
            return Err(ApplyError::no_effect("there is nothing to take out"));
        }
        let room = room(touch, &before.root);
        create_private(&room).map_err(ApplyError::no_effect)?;
        for (i, entry) in before.entries.iter().enumerate() {
            let place = place(&before.root, entry).map_err(ApplyError::unknown)?;
            let kept = room.join(i.to_string());
            // Moved by an earlier try: what stands at its place now is somebody's new entry.
            if kept.symlink_metadata().is_ok() {
                continue;
            }
            match fs::rename(&place, &kept) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(|e| ApplyError::unknown(format!("{entry}: {e}")))?,
            }
        }
        let moved = before.entries.len();
        let first = before.entries.first().map(String::as_str).unwrap_or_default();
        let more = if moved > 1 { format!(" and {} more", moved - 1) } else { String::new() };
        let said = format!("took {first}{more} out of the cache");
        Ok(Receipt { moved, root: before.root.clone(), entries: before.entries.clone(), said })
    }

    async fn verify(&self, _: &Look, args: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        let target = self.target(args).map_err(Refused)?;
        let root = match target {
            Target::Job(adapter) => adapter.cache_root(&self.0.job).await,
            Target::Cache(_) => Some(receipt.root.clone()),
        };
        let Some(root) = root else {
            return Err(Refused("the cache is not there any more".to_owned()));
        };
        let scan = self.scan(target, &root).await.map_err(Refused)?;
        Ok(match scan.damaged.first() {
            None => Seen::There,
            Some(left) => Seen::NotThere(format!(
                "{} is still damaged after {} entries were taken out",
                left.path, receipt.moved
            )),
        })
    }

    async fn undo(
        &self,
        touch: &Touch,
        args: &Args,
        before: &Before,
        _: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        let target = self.target(args).map_err(UndoError)?;
        let say = |e: &dyn std::fmt::Display| UndoError(format!("the cache could not be put back: {e}"));
        let room = room(touch, &before.root);
        // A sound entry that the command, or another job, has put into the gap stays: giving the damaged one back would
        // break a cache that others use. It is the command's own work, not the step's.
        let now = self.scan(target, &before.root).await.map_err(|e| say(&e))?;
        for (i, entry) in before.entries.iter().enumerate() {
            let kept = room.join(i.to_string());
            if kept.symlink_metadata().is_err() {
                continue;
            }
            let place = place(&before.root, entry).map_err(|e| say(&e))?;
            let taken = place.symlink_metadata().is_ok();
            if taken && !now.damaged.iter().any(|d| d.path.as_str() == entry) {
                continue;
            }
            if taken {
                remove(&place).map_err(|e| say(&e))?;
            }
            if let Some(folder) = place.parent() {
                fs::create_dir_all(folder).map_err(|e| say(&e))?;
            }
            fs::rename(&kept, &place).map_err(|e| say(&e))?;
        }
        discard(&room).map_err(|e| say(&e))
    }
}

/// Whose cache: the failed job's, or the one that a person named.
#[derive(Clone, Copy)]
enum Target {
    Job(&'static dyn Adapter),
    Cache(&'static dyn Cache),
}

impl Target {
    /// Whether the tool makes anew what is missing from what is on this machine.
    fn refills_itself(self) -> bool {
        matches!(self, Target::Cache(cache) if cache.refill() == Refill::Tool)
    }
}

impl QuarantineEntries {
    fn target(&self, args: &Args) -> Result<Target, String> {
        match (&args.cache, &args.tool) {
            (Some(id), _) => {
                cache::by_id(id).map(Target::Cache).ok_or_else(|| format!("`{id}` is no known cache"))
            }
            (None, Some(tool)) => self.0.adapter(tool).map(Target::Job),
            (None, None) => Err("neither a tool nor a cache is named".to_owned()),
        }
    }

    async fn scan(&self, target: Target, root: &Path) -> Result<CacheScan, String> {
        let (job, root) = (self.0.job.clone(), root.to_owned());
        let look = move || match target {
            Target::Job(adapter) => adapter.scan_cache(&job, &root),
            Target::Cache(cache) => {
                // No probe has looked whether this folder's lockfile can be believed.
                cache.scan(&root, &Asked { workspace: None, watch: &Watch::default() })
            }
        };
        tokio::task::spawn_blocking(look).await.map_err(|e| e.to_string())
    }
}

/// The cache and the entries that were taken out of it, by the step's receipt.
pub(crate) fn taken_out(receipt: &serde_json::Value) -> Option<(PathBuf, Vec<String>)> {
    let receipt: Receipt = serde_json::from_value(receipt.clone()).ok()?;
    (!receipt.entries.is_empty()).then_some((receipt.root, receipt.entries))
}

pub(crate) fn room(touch: &Touch, root: &Path) -> PathBuf {
    root.join(QUARANTINE).join(&touch.incident)
}

pub(crate) fn place(root: &Path, entry: &str) -> io::Result<PathBuf> {
    // The journal is read back: its paths are checked like any other.
    let below = RelPath::parse(entry)
        .ok_or_else(|| io::Error::other(format!("`{entry}` is no path below a cache")))?;
    Ok(root.join(below.as_str()))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

/// Deletes what a run took out of a cache, and the quarantine itself where it is empty then.
pub(crate) fn discard(room: &Path) -> io::Result<()> {
    match fs::remove_dir_all(room) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    if let Some(quarantine) = room.parent() {
        // Fails where another run's room is still in it, which is right.
        let _another_run_is_there = fs::remove_dir(quarantine);
    }
    Ok(())
}

/// Ends a run's hold on the world for good: the copies of files and the quarantined entries are deleted. `roots` are
/// the caches that the run took entries out of.
pub fn forget(state: &Path, incident: &str, roots: &[PathBuf]) -> io::Result<()> {
    for root in roots {
        discard(&root.join(QUARANTINE).join(incident))?;
    }
    let copies = files::state_copy(state, incident, "x");
    match copies.parent().map(fs::remove_dir_all) {
        Some(Err(e)) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// The caches named by the `Before` of a quarantine step.
pub fn quarantined_root(before: &serde_json::Value) -> Option<PathBuf> {
    serde_json::from_value::<Before>(before.clone()).ok().map(|b| b.root)
}
