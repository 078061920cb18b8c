//! Room on the file systems that a job writes to, and what lies there that fills itself again.

mod leftovers;
mod places;
mod used;

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::adapter::{Adapter, Job};

pub use leftovers::{Leftover, leftovers, measure};

/// One file system that the job writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// What of the job lies on it, for people.
    pub what: String,
    /// A path on it.
    pub path: PathBuf,
    /// The device.
    pub device: u64,
    /// Bytes that are free for this user.
    pub free: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Inodes that are free, where the file system counts them.
    pub inodes: Option<(u64, u64)>,
}

/// How much room a job shall have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    /// Bytes.
    pub bytes: u64,
    /// Or this share of the file system, in percent, where that is less.
    pub percent: u64,
}

impl Default for Goal {
    /// 1 GiB or 5 %.
    fn default() -> Self {
        Goal { bytes: 1 << 30, percent: 5 }
    }
}

impl Goal {
    fn on(self, size: u64) -> u64 {
        self.bytes.min(size / 100 * self.percent)
    }
}

impl Volume {
    fn of(what: &str, path: &Path) -> Option<Volume> {
        // What is not there yet will be made below what is.
        let path = path.ancestors().find(|path| path.exists())?;
        let device = path.metadata().ok()?.dev();
        let stat = rustix::fs::statvfs(path).ok()?;
        let inodes = (stat.f_files > 0).then_some((stat.f_favail, stat.f_files));
        let (free, size) = (stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize);
        Some(Volume { what: what.to_owned(), path: path.to_owned(), device, free, size, inodes })
    }

    /// Whether there is less than the goal, or hardly an inode.
    pub fn is_starved(&self, goal: Goal) -> bool {
        self.free < goal.on(self.size) || self.inodes.is_some_and(|(free, all)| free < all / 100)
    }

    /// The same file system as it is now.
    #[must_use]
    pub fn now(&self) -> Volume {
        Volume::of(&self.what, &self.path).unwrap_or_else(|| self.clone())
    }

    /// How full it is, in a clause.
    pub fn says(&self) -> String {
        let (free, size) = (human(self.free), human(self.size));
        let inodes = match self.inodes {
            Some((free, all)) if free < all / 100 => format!(", and {free} of {all} inodes"),
            _ => String::new(),
        };
        format!("{free} of {size} are free where {} is{inodes}", self.what)
    }
}

/// The file systems that the job writes to: one entry each, the workspace's first.
pub async fn volumes(job: &Job, adapter: Option<&'static dyn Adapter>) -> Vec<Volume> {
    let mut paths = vec![("the workspace", job.workspace.root.clone()), ("TMPDIR", temp(job))];
    paths.extend(job.workspace.home().map(|home| ("HOME", home.to_owned())));
    if let Some(adapter) = adapter {
        paths.extend(adapter.own_places(job).await.into_iter().map(|place| ("the package cache", place)));
    }
    let mut volumes: Vec<Volume> = Vec::new();
    for volume in paths.iter().filter_map(|(what, path)| Volume::of(what, path)) {
        match volumes.iter_mut().find(|known| known.device == volume.device) {
            Some(known) if known.what.contains(&volume.what) => {}
            Some(known) => known.what.push_str(&format!(" (with {})", volume.what)),
            None => volumes.push(volume),
        }
    }
    volumes
}

/// The folder for temporary files, as the job's tools see it.
fn temp(job: &Job) -> PathBuf {
    job.workspace.root.join(job.workspace.var("TMPDIR").unwrap_or("/tmp"))
}

/// A number of bytes for people.
pub fn human(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = (bytes, 0, 0);
    while scaled.0 >= 1024 && scaled.2 + 1 < units.len() {
        scaled = (scaled.0 / 1024, scaled.0 % 1024 * 10 / 1024, scaled.2 + 1);
    }
    let (whole, tenth, unit) = scaled;
    if unit == 0 { format!("{whole} {}", units[0]) } else { format!("{whole}.{tenth} {}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_system_is_told_from_a_small_one() {
        let volume = |free, size, inodes| Volume {
            what: "the workspace".to_owned(),
            path: PathBuf::from("/"),
            device: 1,
            free,
            size,
            inodes,
        };
        let gib = 1 << 30;
        assert!(volume(gib / 2, 100 * gib, None).is_starved(Goal::default()));
        assert!(!volume(2 * gib, 100 * gib, None).is_starved(Goal::default()), "2 % of much is enough");
        assert!(!volume(gib / 4, 2 * gib, None).is_starved(Goal::default()));
        assert!(volume(50 * gib, 100 * gib, Some((3, 1_000_000))).is_starved(Goal::default()));
        assert_eq!(human(0), "0 bytes");
        assert_eq!(human(1536), "1.5 KiB");
        assert_eq!(human(7 * gib), "7.0 GiB");
    }
}
