//! `free-space`: takes away what fills itself again, from a closed list of places on the file system that is full, until
//! there is room. What is gone can't be put back; that it is made again by its own tool is why it is on the list.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
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
    /// The bytes that each took up, in the same order. An older version kept none.
    #[serde(default)]
    sizes: Vec<u64>,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Removed {
    what: String,
    path: PathBuf,
    bytes: u64,
    /// Why some of it is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_part: Option<String>,
}

/// Most paths that are named of what a process that died had taken away.
const MOST_NAMED: usize = 50;
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
        let sizes = found.iter().map(|leftover| leftover.bytes).collect();
        let candidates = found.into_iter().map(|leftover| leftover.path).collect();
        Ok(Before { free: free(&full), candidates, sizes })
    }

    async fn apply(&self, _: &Touch, args: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let goal = goal(args).map_err(ApplyError::NoEffect)?;
        let (full, found) = self.look(args).await.map_err(ApplyError::NoEffect)?;
        // Only what was named before anything was touched.
        let named: Vec<Leftover> =
            found.into_iter().filter(|leftover| before.candidates.contains(&leftover.path)).collect();
        let work = Work { done: Arc::default(), progress: self.0.progress.clone() };
        let (began, done, progress) = (self.0.cause.began, work.done.clone(), self.0.progress.clone());
        let cleared = tokio::task::spawn_blocking(move || {
            clear(&full, goal, named, began, &done, &*progress, &remove);
            full.iter().map(Volume::now).collect::<Vec<_>>()
        });
        let now = cleared.await.map_err(ApplyError::unknown)?;
        let removed = work.done.removed().clone();
        // Said at once, whatever becomes of the run.
        drop(work);
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

    // It gave no answer: what went is seen by looking, and put on record.
    async fn undo(
        &self,
        touch: &Touch,
        _: &Args,
        before: &Before,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        if let (None, Some(went)) = (receipt, went(before)) {
            // The process that cleared says so itself, where it lives. One that found the run knows no cause.
            if self.0.cause.resource.is_none() {
                (self.0.progress)(&went);
            }
            touch.note(went);
        }
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

/// How far the clearing is.
#[derive(Default)]
struct Done {
    /// Nothing more may go.
    stopped: AtomicBool,
    /// What went. Held while something goes.
    removed: Mutex<Vec<Removed>>,
}

impl Done {
    fn removed(&self) -> MutexGuard<'_, Vec<Removed>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clearing as its future has it. Dropped, whether at the end or in the middle, it lets nothing more go (it waits for
/// what is going right now), and says what went.
struct Work {
    done: Arc<Done>,
    progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.done.stopped.store(true, SeqCst);
        let removed = self.done.removed();
        if !removed.is_empty() {
            let bytes = human(removed.iter().map(|removed| removed.bytes).sum());
            let mut what: Vec<&str> = removed.iter().map(|removed| removed.what.as_str()).collect();
            what.dedup();
            let what = what.join(", ");
            (self.progress)(&format!("took away {bytes} ({what}), which can't be put back"));
        }
    }
}

/// Takes one after the other away until there is room, or it is stopped. What stands in the way of one says nothing of
/// the next.
fn clear(
    full: &[Volume],
    goal: Goal,
    candidates: Vec<Leftover>,
    began: SystemTime,
    done: &Done,
    progress: &(dyn Fn(&str) + Send + Sync),
    remove: &dyn Fn(&Path) -> io::Result<()>,
) {
    for Leftover { what, path, .. } in candidates {
        if !full.iter().map(Volume::now).any(|volume| volume.is_starved(goal)) {
            break;
        }
        // Looked at once more, right before it goes.
        let Ok(bytes) = measure(&path, began) else { continue };
        // Held while it goes: who stops this knows then that nothing goes any more.
        let mut removed = done.removed();
        if done.stopped.load(SeqCst) {
            break;
        }
        let (bytes, in_part) = match remove(&path) {
            Ok(()) => (bytes, None),
            Err(e) => {
                progress(&format!("{} could not be taken away: {e}", path.display()));
                // Not a file of it was touched.
                if measure(&path, began).is_ok_and(|left| left == bytes) {
                    continue;
                }
                (bytes.saturating_sub(taken_up(&path)), Some(e.to_string()))
            }
        };
        removed.push(Removed { what: what.to_owned(), path, bytes, in_part });
    }
}

/// What is gone of what was named, in words.
fn went(before: &Before) -> Option<String> {
    let named = before.candidates.iter().zip(&before.sizes);
    let gone: Vec<(&PathBuf, u64)> = named
        .map(|(path, bytes)| (path, bytes.saturating_sub(taken_up(path))))
        .filter(|(_, gone)| *gone > 0)
        .collect();
    let shown: Vec<String> = gone
        .iter()
        .take(MOST_NAMED)
        .map(|(path, bytes)| format!("{} ({})", path.display(), human(*bytes)))
        .collect();
    let more = match gone.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let all = human(gone.iter().map(|(_, bytes)| bytes).sum());
    (!gone.is_empty())
        .then(|| format!("had taken away {all}, which can't be put back: {}{more}", shown.join(", ")))
}

/// The bytes of what is left of it.
fn taken_up(path: &Path) -> u64 {
    let left = walkdir::WalkDir::new(path).into_iter().flatten();
    left.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.blocks() * 512).sum()
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
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    /// Three leftovers of two files each, on a file system that never has room enough.
    struct Disk {
        folder: tempfile::TempDir,
        volume: Volume,
        said: Arc<Mutex<Vec<String>>>,
    }

    const NEVER: Goal = Goal { bytes: u64::MAX, percent: 1000 };

    impl Disk {
        fn new() -> Disk {
            let folder = tempfile::tempdir().unwrap();
            for name in ["a", "b", "c"] {
                fs::create_dir(folder.path().join(name)).unwrap();
                for file in ["one", "two"] {
                    fs::write(folder.path().join(name).join(file), vec![1; 100_000]).unwrap();
                }
            }
            let (what, path) = ("the workspace".to_owned(), folder.path().to_owned());
            let device = path.metadata().unwrap().dev();
            let volume = Volume { what, path, device, free: 0, size: 1 << 40, inodes: None };
            Disk { folder, volume, said: Arc::default() }
        }

        fn is_there(&self, path: &str) -> bool {
            self.folder.path().join(path).exists()
        }

        fn progress(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
            let said = self.said.clone();
            Arc::new(move |text| said.lock().unwrap().push(text.to_owned()))
        }

        fn work(&self) -> Work {
            Work { done: Arc::default(), progress: self.progress() }
        }

        fn clear(&self, done: &Done, remove: &dyn Fn(&Path) -> io::Result<()>) {
            let leftover = |name| Leftover { what: "things", path: self.folder.path().join(name), bytes: 1 };
            let began = SystemTime::now() + Duration::from_secs(60);
            let all = ["a", "b", "c"].map(leftover).to_vec();
            let full = std::slice::from_ref(&self.volume);
            clear(full, NEVER, all, began, done, &*self.progress(), remove);
        }

        fn said(&self) -> String {
            self.said.lock().unwrap().join("\n")
        }
    }

    #[test]
    fn what_went_is_said_whatever_becomes_of_the_run() {
        let disk = Disk::new();
        let work = disk.work();
        disk.clear(&work.done, &remove);
        assert!(!disk.is_there("a") && !disk.is_there("c"));
        drop(work);
        assert!(disk.said().starts_with("took away ") && disk.said().contains("(things)"), "{}", disk.said());
        drop(disk.work());
        assert_eq!(disk.said().matches("took away").count(), 1, "nothing is said of nothing");
    }

    #[test]
    fn what_is_gone_in_part_is_named_too() {
        let disk = Disk::new();
        let work = disk.work();
        let breaks = |path: &Path| match path.ends_with("a") {
            true => fs::remove_file(path.join("one")).and_then(|()| Err(io::Error::other("broken"))),
            false => Err(io::Error::other("untouched")),
        };
        disk.clear(&work.done, &breaks);
        let removed = work.done.removed().clone();
        let [Removed { path, bytes, in_part, .. }] = removed.as_slice() else { panic!("{removed:?}") };
        assert!(path.ends_with("a") && in_part.as_deref() == Some("broken"), "{removed:?}");
        assert!((100_000..200_000).contains(bytes), "{bytes}");
        drop(work);
        assert!(disk.said().contains("took away "), "{}", disk.said());
    }

    #[test]
    fn a_dropped_clearing_takes_nothing_more() {
        let disk = Disk::new();
        let work = disk.work();
        let done = work.done.clone();
        let work = Mutex::new(Some(work));
        std::thread::scope(|scope| {
            disk.clear(&done, &|path: &Path| {
                // Another thread drops it while the first is going.
                let work = work.lock().unwrap().take();
                scope.spawn(move || drop(work));
                while !done.stopped.load(SeqCst) {
                    std::thread::yield_now();
                }
                remove(path)
            });
        });
        assert!(!disk.is_there("a") && disk.is_there("b/one") && disk.is_there("c/one"));
        assert_eq!(disk.said().matches("took away").count(), 1, "{}", disk.said());
    }

    #[test]
    fn what_a_process_that_died_had_taken_away_is_seen_by_looking() {
        let disk = Disk::new();
        let candidates: Vec<PathBuf> = ["a", "b", "c"].map(|name| disk.folder.path().join(name)).to_vec();
        let sizes = candidates.iter().map(|path| taken_up(path)).collect();
        let before = Before { free: 0, candidates, sizes };
        assert_eq!(went(&before), None);
        fs::remove_dir_all(disk.folder.path().join("a")).unwrap();
        fs::remove_file(disk.folder.path().join("b/one")).unwrap();
        let said = went(&before).unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| disk.folder.path().join(name).display().to_string());
        assert!(said.starts_with("had taken away ") && said.contains(&a) && said.contains(&b), "{said}");
        assert!(!said.contains(&c), "{said}");
        // What an older version kept names no sizes.
        let old: Before =
            serde_json::from_value(serde_json::json!({ "free": 0, "candidates": [a] })).unwrap();
        assert_eq!(went(&old), None);
    }

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
