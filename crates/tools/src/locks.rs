//! One look at a job's lockfile with everything that bears on it: its text, its manifests, and the versions of it
//! that may be believed.

use std::{collections::BTreeMap, fs, io::Read};

use regreen_domain::RelPath;
use regreen_lockfile::{
    Agreement, Checksum, Damage, EntryKey, Lockfile, Manifest, agrees_with_manifest, checksum_of, parse,
};

use crate::{
    adapter::{Adapter, Job, Lockplace},
    git::{self, Trusted},
};

/// A lockfile as it is, and as the trusted history knows it.
#[derive(Debug, Clone)]
pub struct LockLook {
    /// Where it is.
    pub place: Lockplace,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they hold.
    pub parsed: Result<Lockfile, Damage>,
    /// Whose history may be believed.
    pub trusted: Trusted,
    /// Versions of it in that history, newest first: commit and bytes.
    pub versions: Vec<(String, Vec<u8>)>,
    manifests: Vec<(RelPath, String)>,
}

/// Why there is no look: the lockfile is not there, or can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLook {
    /// The job uses no lockfile that Regreen knows.
    NoLockfile,
    /// It can't be read; that says nothing about its content.
    Unreadable(String),
}

/// A checksum that the trusted history contradicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddChecksum {
    /// Whose checksum.
    pub key: EntryKey,
    /// 1-based line of the entry.
    pub line: u64,
    /// What the lockfile says.
    pub found: Checksum,
    /// What the history held for exactly this name, version and source.
    pub known: Checksum,
    /// In which commit, newest first.
    pub commit: String,
}

/// Largest lockfile that is looked at, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Looks at the lockfile that `job` uses.
///
/// # Errors
/// [`NoLook`] where there is none or it can't be read.
pub async fn look(job: &Job, adapter: &dyn Adapter) -> Result<LockLook, NoLook> {
    let place = adapter.lockfile(job).ok_or(NoLook::NoLockfile)?;
    let path = job.workspace.root.join(place.path.as_str());
    let unreadable = |why: String| NoLook::Unreadable(format!("{}: {why}", place.path));
    let metadata = fs::symlink_metadata(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => NoLook::NoLockfile,
        _ => unreadable(e.to_string()),
    })?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(unreadable("not a regular file of at most 64 MiB".to_owned()));
    }
    let bytes = fs::read(&path).map_err(|e| unreadable(e.to_string()))?;
    let parsed = parse(place.format, &bytes);
    let manifests = place.manifests.iter().filter_map(|m| Some((m.clone(), read_text(job, m)?))).collect();
    let trusted = git::trusted(&job.workspace).await;
    let versions = git::versions(&job.workspace, &place.path).await;
    Ok(LockLook { place, bytes, parsed, trusted, versions, manifests })
}

fn read_text(job: &Job, path: &RelPath) -> Option<String> {
    let mut text = String::new();
    fs::File::open(job.workspace.root.join(path.as_str()))
        .ok()?
        .take(LARGEST)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

impl LockLook {
    /// The versions of the trusted history that could be read, newest first.
    pub fn readable_versions(&self) -> impl Iterator<Item = (&str, &[u8], Lockfile)> {
        self.versions
            .iter()
            .filter_map(|(commit, bytes)| Some((commit.as_str(), bytes.as_slice(), self.sound(bytes)?)))
    }

    /// The lockfile in `bytes`, where nothing in it is damaged.
    pub fn sound(&self, bytes: &[u8]) -> Option<Lockfile> {
        parse(self.place.format, bytes).ok().filter(|lock| !lock.damage.iter().any(Damage::is_corruption))
    }

    /// Whether a lockfile agrees with the manifests as they are now.
    pub fn agreement(&self, lock: &Lockfile) -> Agreement {
        let root = self.place.manifests.first();
        let Some((_, root)) = self.manifests.iter().find(|(path, _)| Some(path) == root) else {
            return match self.place.manifests.first() {
                Some(path) => Agreement::NotChecked(format!("{path} can't be read")),
                None => agrees_with_manifest(lock, &Manifest::default()),
            };
        };
        let members: Vec<(&str, &str)> = self
            .manifests
            .iter()
            .filter_map(|(path, text)| Some((path.as_str().rsplit_once('/')?.0, text.as_str())))
            .collect();
        agrees_with_manifest(lock, &Manifest { root, members: &members })
    }

    /// The first damage of the lockfile.
    pub fn damage(&self) -> Option<&Damage> {
        match &self.parsed {
            Err(damage) => Some(damage).filter(|d| d.is_corruption()),
            Ok(lock) => lock.damage.iter().find(|d| d.is_corruption()),
        }
    }

    /// Checksums of `lock` that differ from what the trusted history held for the same name, version and source
    /// with the same algorithm. The newest version that differs is named.
    pub fn odd_checksums(&self, lock: &Lockfile) -> Vec<OddChecksum> {
        let versions: Vec<(&str, Lockfile)> = self.readable_versions().map(|(c, _, l)| (c, l)).collect();
        let mut odd: BTreeMap<EntryKey, OddChecksum> = BTreeMap::new();
        for entry in lock.entries.iter().filter(|e| !e.local && e.checksums.len() == 1) {
            let key = entry.key();
            let [found] = entry.checksums.as_slice() else { continue };
            for (commit, version) in &versions {
                let known = checksum_of(version, &key.name, key.version.as_deref(), key.source.as_deref());
                let [known] = known.as_slice() else { continue };
                if known.algorithm() == found.algorithm() && *known != found {
                    odd.entry(key.clone()).or_insert_with(|| OddChecksum {
                        key: key.clone(),
                        line: entry.line,
                        found: found.clone(),
                        known: (*known).clone(),
                        commit: (*commit).to_owned(),
                    });
                    break;
                }
            }
        }
        odd.into_values().collect()
    }
}
