//! The caches of package managers and compilers, one file each: where they are, and which of their entries are
//! damaged. Nothing here writes; a look leaves no trace, access times included, where the system allows that.
//!
//! *Damaged* is an entry whose bytes contradict what the cache itself, a lockfile or their own format says they are,
//! and nothing else: what has no checksum is *unverified*, and what can't be read is *unreadable*, never damaged.

mod cargo;
mod npm;
mod pip;
pub mod place;
pub(crate) mod work;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use regreen_domain::RelPath;

use self::place::Place;
pub(crate) use self::{cargo::CargoRegistry, npm::NpmCache, pip::PipCache};
use crate::workspace::Workspace;

/// What a look through a cache found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CacheScan {
    /// Entries that were checked against a checksum or to the end of their own format.
    pub checked: u64,
    /// Entries that have nothing by which they could be checked.
    pub unverified: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Entries whose bytes contradict their own address, a checksum, or their own format; by path.
    pub damaged: Vec<DamagedEntry>,
    /// Entries that could not be read: "cannot read" is not "corrupt".
    pub unreadable: Vec<String>,
    /// Whether it was ended before the end.
    pub interrupted: bool,
}

/// One damaged cache entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedEntry {
    /// File or folder below the cache's root.
    pub path: RelPath,
    /// What is wrong with it.
    pub why: String,
}

impl CacheScan {
    /// From 0 to 100: the share of the checked entries that are sound, rounded down, so that 100 means all of them.
    /// `None` where nothing could be checked.
    pub fn health(&self) -> Option<u8> {
        // A folder that stands in an entry's place was not counted as an entry by every cache.
        let all = self.checked.max(self.damaged.len() as u64);
        let sound = all.saturating_sub(self.damaged.len() as u64);
        (all > 0).then(|| u8::try_from(sound.saturating_mul(100) / all).unwrap_or(0))
    }

    fn add(&mut self, other: CacheScan) {
        self.checked += other.checked;
        self.unverified += other.unverified;
        self.bytes += other.bytes;
        self.damaged.extend(other.damaged);
        self.unreadable.extend(other.unreadable);
        self.interrupted |= other.interrupted;
    }

    fn sorted(mut self) -> CacheScan {
        self.damaged.sort_by(|a, b| a.path.as_str().cmp(b.path.as_str()));
        self.damaged.dedup_by(|a, b| a.path == b.path);
        self.unreadable.sort();
        self
    }
}

/// How far a look is, for whoever shows it, and the way to end it.
#[derive(Debug, Default)]
pub struct Watch {
    entries: AtomicU64,
    bytes: AtomicU64,
    stop: AtomicBool,
}

impl Watch {
    /// Entries that were looked at so far, and their bytes.
    pub fn so_far(&self) -> (u64, u64) {
        (self.entries.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Ends the look after the entries that are being read now.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What a look may know beside the cache.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// A checkout whose lockfile may tell more checksums.
    pub workspace: Option<&'a Path>,
    /// How far it is.
    pub watch: &'a Watch,
}

/// A cache that a tool keeps.
pub trait Cache: Send + Sync {
    /// Its name, as people type it.
    fn id(&self) -> &'static str;

    /// The tool that fills it, as in the catalogue.
    fn tool(&self) -> &'static str {
        self.id()
    }

    /// What is in it, in a few words.
    fn holds(&self) -> &'static str;

    /// What says where it is, the first that does.
    fn places(&self) -> &'static [Place];

    /// Whether a folder looks like such a cache.
    fn is_at(&self, root: &Path) -> bool;

    /// Looks at every entry. Blocking, and at work on all processors.
    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan;
}

/// Every cache that is known, by the frequency of its tool.
pub fn all() -> &'static [&'static dyn Cache] {
    &[&NpmCache, &CargoRegistry, &PipCache]
}

/// The cache with this name.
pub fn by_id(id: &str) -> Option<&'static dyn Cache> {
    all().iter().copied().find(|c| c.id() == id)
}

/// Where this cache is on this machine, whether or not it is there yet, as the environment, the user's configuration
/// and the tool's own defaults say. A checkout's own configuration is not asked.
pub fn folder(cache: &dyn Cache, workspace: &Workspace) -> Option<PathBuf> {
    place::find(cache.places(), workspace)
}

/// Looks through a cache on behalf of a job, whose lockfile may tell more.
pub(crate) fn scan_for(cache: &dyn Cache, workspace: &Path, root: &Path) -> CacheScan {
    cache.scan(root, &Asked { workspace: Some(workspace), watch: &Watch::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_health_of_a_cache_is_100_only_where_all_is_sound() {
        let entry = || DamagedEntry { path: RelPath::parse("a").unwrap(), why: String::new() };
        let scan = |checked, damaged| CacheScan {
            checked,
            damaged: (0..damaged).map(|_| entry()).collect(),
            ..CacheScan::default()
        };
        assert_eq!(scan(0, 0).health(), None);
        assert_eq!(scan(5000, 0).health(), Some(100));
        assert_eq!(scan(5000, 1).health(), Some(99));
        assert_eq!(scan(4, 1).health(), Some(75));
        assert_eq!(scan(1, 1).health(), Some(0));
        assert_eq!(scan(0, 1).health(), Some(0));
    }

    #[test]
    fn names_are_unique_and_typed_easily() {
        let mut ids: Vec<_> = all().iter().map(|c| c.id()).collect();
        assert!(
            ids.iter()
                .all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
        );
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len());
    }
}
