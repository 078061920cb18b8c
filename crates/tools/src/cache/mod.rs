//! The caches of package managers and compilers, one file each: where they are, and which of their entries are
//! damaged. Nothing here writes; a look leaves no trace, access times included, where the system allows that.
//!
//! *Damaged* is an entry whose bytes contradict what the cache itself, a lockfile or their own format says they are,
//! and nothing else: what has no checksum is *unverified*, and what can't be read is *unreadable*, never damaged.

mod archives;
mod bundler;
mod cargo;
mod docker;
mod files;
mod git;
mod go;
mod gradle;
mod maven;
mod npm;
mod pip;
pub mod place;
mod pnpm;
mod stats;
mod uv;
pub(crate) mod work;
mod yarn;
mod yarn_berry;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use regreen_domain::{RelPath, Tool};
use regreen_saga::BoxFuture;

pub use self::npm::npm_entry;
use self::place::Place;
pub use self::stats::{PartSize, Stats, Used, size, stats};
pub use self::work::Digested as Digest;
pub(crate) use self::{
    archives::{BUN, CCACHE, COMPOSER, NUGET, PIPENV, POETRY, SCCACHE},
    bundler::{BUNDLER, RUBYGEMS},
    cargo::CargoRegistry,
    docker::DockerBuild,
    git::CargoGit,
    go::{GoBuild, GoModules},
    gradle::GradleModules,
    maven::MavenRepository,
    npm::NpmCache,
    pip::PipCache,
    pnpm::PnpmStore,
    uv::UvCache,
    yarn::YarnClassic,
    yarn_berry::YarnBerry,
};
use crate::{
    adapter::{Job, Remote, adapter, host_of, without_user},
    workspace::Workspace,
};

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

    /// One more.
    pub(crate) fn count(&self, bytes: u64) {
        self.entries.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
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

/// What a damaged entry holds, by the cache's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A package with its version, or an address: for people.
    pub name: String,
    /// Where it was fetched from, or is to be fetched from.
    pub url: Option<String>,
    /// Algorithm and lower-case hex digest that the whole bytes have.
    pub digest: Option<(&'static str, String)>,
}

/// Who fills the gap where an entry was taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refill {
    /// The registries that the tool is configured to use.
    Registry,
    /// The tool itself, from what is on this machine.
    Tool,
    /// It is not known.
    Unknown,
}

/// The folder below a cache's root that holds what was taken out of it, one folder a run.
pub const QUARANTINE: &str = ".regreen-quarantine";

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

    /// Where it is, whether or not it is there yet, by the environment and the user's configuration.
    fn find(&self, workspace: &Workspace) -> Option<PathBuf> {
        place::find(self.places(), workspace)
    }

    /// Whether there is one at the place that was found.
    fn is_there(&self, root: &Path) -> bool {
        root.is_dir()
    }

    /// Whether it is looked at only where somebody names it: a daemon is asked for it.
    fn by_name_only(&self) -> bool {
        false
    }

    /// What is counted, one and several.
    fn counted(&self) -> (&'static str, &'static str) {
        ("file", "files")
    }

    /// Why it is never repaired here, and what a person can do: where nothing tells what of it is damaged.
    fn by_hand(&self) -> Option<&'static str> {
        None
    }

    /// Its figures. Blocking.
    fn stats(&self, root: &Path, watch: &Watch) -> Stats {
        stats(root, watch)
    }

    /// Whether a folder looks like such a cache.
    fn is_at(&self, root: &Path) -> bool;

    /// Looks at every entry. Blocking, and at work on all processors.
    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan;

    /// Who fills the gap where an entry was taken out.
    fn refill(&self) -> Refill {
        Refill::Registry
    }

    /// Where what `origin` stands for can be fetched from, on these registries only, without credentials.
    fn addresses<'a>(&'a self, origin: &'a Origin, remotes: &'a [Remote]) -> BoxFuture<'a, Vec<String>> {
        let own = origin.url.iter().filter_map(|url| without_user(url));
        let own = own.filter(|url| remotes.iter().any(|remote| url.starts_with(&remote.base_url)));
        let own: Vec<String> = own.filter(|url| !url.contains("..")).collect();
        Box::pin(async move { own })
    }

    /// What these entries hold, one answer for each, as far as the cache says. Blocking.
    fn origins(&self, root: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let _nothing_is_known = root;
        vec![None; entries.len()]
    }
}

/// Every cache that is known, by the frequency of its tool.
pub fn all() -> &'static [&'static dyn Cache] {
    &[
        &NpmCache,
        &PnpmStore,
        &YarnClassic,
        &YarnBerry,
        &BUN,
        &CargoRegistry,
        &CargoGit,
        &PipCache,
        &UvCache,
        &POETRY,
        &PIPENV,
        &GoModules,
        &GoBuild,
        &MavenRepository,
        &GradleModules,
        &BUNDLER,
        &RUBYGEMS,
        &COMPOSER,
        &NUGET,
        &CCACHE,
        &SCCACHE,
        &DockerBuild,
    ]
}

/// The caches with this name, or of the tool with this name.
pub fn named(name: &str) -> Vec<&'static dyn Cache> {
    all().iter().copied().filter(|c| c.id() == name || c.tool() == name).collect()
}

/// The cache with this name.
pub fn by_id(id: &str) -> Option<&'static dyn Cache> {
    all().iter().copied().find(|c| c.id() == id)
}

/// Where this cache is on this machine, whether or not it is there yet, as the environment, the user's configuration
/// and the tool's own defaults say. A checkout's own configuration is not asked.
pub fn folder(cache: &dyn Cache, workspace: &Workspace) -> Option<PathBuf> {
    cache.find(workspace)
}

/// The registries that fill the gaps in this cache: the one that a person named, else those that the tool is configured
/// to use, as far as that is known.
pub async fn registries(cache: &dyn Cache, job: &Job, named: Option<&str>) -> Vec<Remote> {
    if let Some(url) = named {
        let remote = without_user(url).and_then(|url| {
            let base_url = format!("{}/", url.trim_end_matches('/'));
            Some(Remote { host: host_of(&base_url)?, probe_url: base_url.clone(), base_url })
        });
        return remote.into_iter().collect();
    }
    let adapter = Tool::new(cache.tool()).as_ref().and_then(adapter);
    match (cache.refill(), adapter) {
        (Refill::Registry, Some(adapter)) => adapter.remotes(job).await,
        _ => Vec::new(),
    }
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
