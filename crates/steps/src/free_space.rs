//! `free-space`: takes away what fills itself again, from a closed list of places on the file system that is full, until
//! there is room. What is gone can't be put back; that it is made again by its own tool is why it is on the list.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use regreen_domain::Resource;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    Adapter, remote,
    space::{Goal, Leftover, Volume, human, leftovers, measure, volumes},
};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// The step.
pub(crate) struct FreeSpace(pub(crate) Arc<World>);

/// How much room there shall be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
    /// Bytes, e.g. `1GiB`.
    least: String,
    /// Or so many percent of the file system, where that is less.
    percent: String,
}

/// What may go, in the order in which it goes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    /// Bytes that were free on the full file systems together.
    free: u64,
    candidates: Vec<PathBuf>,
}

/// What went.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Bytes that were free before and after, as the file system says.
    free_before: u64,
    free_after: u64,
    removed: Vec<Removed>,
    /// What was done, in a clause.
    said: String,
}

/// One file or folder that is gone.
#[derive(Serialize, Deserialize)]
struct Removed {
    what: String,
    path: PathBuf,
    bytes: u64,
}

/// Longest that the registry may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

impl Step for FreeSpace {
    const KIND: &'static str = "free-space";
    const EXPLAIN: &'static str = "Takes away what its own tool makes again, from a closed list of places on the file system that is full (temporary files that nobody has open, unfinished downloads, unpacked sources, build caches, installed packages' files), until there is room. Only what is older than the command and this user's own. It can't be put back; the receipt names each path with its bytes.";
    // Nothing is put back: its tool makes it again.
    const UNDO: Undo = Undo::Compensate;
    const RESUME: Resume = Resume::Never;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<Before, Refused> {
        let (full, found) = self.look(args).await.map_err(Refused)?;
        // An empty target is an error, never "everything".
        if found.is_empty() {
            let says: Vec<String> = full.iter().map(Volume::says).collect();
            return Err(Refused(format!(
                "{}; nothing lies there that is known to fill itself again",
                says.join("; ")
            )));
        }
        let candidates = found.into_iter().map(|leftover| leftover.path).collect();
        Ok(Before { free: free(&full), candidates })
    }

    async fn apply(&self, _: &Touch, args: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let goal = goal(args).map_err(ApplyError::NoEffect)?;
        let (full, found) = self.look(args).await.map_err(ApplyError::NoEffect)?;
        // Only what was named before anything was touched.
        let named: Vec<Leftover> =
            found.into_iter().filter(|leftover| before.candidates.contains(&leftover.path)).collect();
        let (began, progress) = (self.0.cause.began, self.0.progress.clone());
        let cleared = tokio::task::spawn_blocking(move || clear(&full, goal, named, began, &*progress));
        let (removed, now) = cleared.await.map_err(ApplyError::unknown)?;
        if removed.is_empty() {
            return Err(ApplyError::no_effect("nothing of what may go could be taken away"));
        }
        let free_after = free(&now);
        let gained = human(free_after.saturating_sub(before.free));
        let mut what: Vec<&str> = removed.iter().map(|removed| removed.what.as_str()).collect();
        what.dedup();
        let says: Vec<String> = now.iter().map(Volume::says).collect();
        let said = format!("made {gained} of room ({}); now {}", what.join(", "), says.join("; "));
        Ok(Receipt { free_before: before.free, free_after, removed, said })
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        Ok(match receipt.free_after > receipt.free_before {
            true => Seen::There,
            false => Seen::NotThere("there is no more room than before".to_owned()),
        })
    }

    async fn undo(&self, _: &Touch, _: &Args, _: &Before, _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

impl FreeSpace {
    /// The full file systems, and what may go from them.
    async fn look(&self, args: &Args) -> Result<(Vec<Volume>, Vec<Leftover>), String> {
        let goal = goal(args)?;
        if self.0.cause.resource != Some(Resource::Disk) {
            return Err("it is not a disk that is full".to_owned());
        }
        let adapter = self.0.adapter(&args.tool).ok();
        let mut full = volumes(&self.0.job, adapter).await;
        full.retain(|volume| volume.is_starved(goal));
        if full.is_empty() {
            return Err("there is room on every file system that the job writes to".to_owned());
        }
        let serving = match adapter {
            Some(adapter) if self.serves(adapter).await => Some(args.tool.clone()),
            _ => None,
        };
        let (job, began, on) = (self.0.job.clone(), self.0.cause.began, full.clone());
        let found = tokio::task::spawn_blocking(move || leftovers(&job, &on, began, serving.as_deref()));
        Ok((full, found.await.map_err(|e| e.to_string())?))
    }

    /// Nothing is purged while what would fill it again does not serve.
    async fn serves(&self, adapter: &dyn Adapter) -> bool {
        let remotes = adapter.remotes(&self.0.job).await;
        for remote in &remotes {
            if !remote::ask(&remote.probe_url, PATIENCE.min(self.0.time_left())).await.serves() {
                return false;
            }
        }
        !remotes.is_empty()
    }
}

/// Takes one after the other away until there is room. What stands in the way of one says nothing of the next.
fn clear(
    full: &[Volume],
    goal: Goal,
    candidates: Vec<Leftover>,
    began: SystemTime,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> (Vec<Removed>, Vec<Volume>) {
    let mut removed = Vec::new();
    let now = || full.iter().map(Volume::now).collect::<Vec<_>>();
    for leftover in candidates {
        if !now().iter().any(|volume| volume.is_starved(goal)) {
            break;
        }
        // Looked at once more, right before it goes.
        let Ok(bytes) = measure(&leftover.path, began) else { continue };
        match remove(&leftover.path) {
            Ok(()) => {
                let Leftover { what, path, .. } = leftover;
                removed.push(Removed { what: what.to_owned(), path, bytes });
            }
            Err(e) => progress(&format!("{} could not be taken away: {e}", leftover.path.display())),
        }
    }
    (removed, now())
}

/// Follows no link: `remove_dir_all` works by descriptors, and a link is taken away as a file.
fn remove(path: &Path) -> io::Result<()> {
    if path.symlink_metadata()?.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn free(volumes: &[Volume]) -> u64 {
    volumes.iter().map(|volume| volume.free).sum()
}

fn goal(args: &Args) -> Result<Goal, String> {
    let wrong = || format!("`{}` and `{}` are no goal, e.g. `1GiB` and `5`", args.least, args.percent);
    let digits = args.least.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &args.least[digits.len()..] {
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).ok_or_else(wrong)?;
    let percent = args.percent.parse().ok().filter(|percent| (1..=50).contains(percent)).ok_or_else(wrong)?;
    Ok(Goal { bytes, percent })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_bytes_and_percent() {
        let of = |least: &str, percent: &str| {
            goal(&Args { tool: "npm".to_owned(), least: least.to_owned(), percent: percent.to_owned() })
        };
        assert_eq!(of("1GiB", "5"), Ok(Goal::default()));
        assert_eq!(of("300MiB", "50"), Ok(Goal { bytes: 300 << 20, percent: 50 }));
        for (least, percent) in [("1", "5"), ("GiB", "5"), ("1GiB", "0"), ("1GiB", "100"), ("-1GiB", "5")] {
            assert!(of(least, percent).is_err(), "{least} {percent}");
        }
    }
}
