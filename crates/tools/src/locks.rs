//! One look at a job's lockfile with everything that bears on it: its text, its manifests, and the versions of it
//! that may be believed.

use std::{fs, io::Read};

use regreen_domain::RelPath;
use regreen_lockfile::{
    Agreement, Conflict, Damage, Lockfile, Manifest, NoRepair, OddChecksums, Repair, Suspect, Version,
    agrees_with_manifest, odd_checksums, parse, unneeded,
};

use crate::{
    adapter::{Adapter, Job, Lockplace},
    git::{self, Trusted},
    workspace::Workspace,
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
    /// The sound versions of it in that history, newest first.
    pub history: Vec<Version>,
    /// The sides of an unresolved merge, as git has them.
    sides: Option<Conflict>,
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
    let history = versions.iter().filter_map(|(c, b)| Version::sound(place.format, c, b)).collect();
    let sides = match parsed {
        Err(Damage::ConflictMarkers { .. }) => sides(&job.workspace, &place.path).await,
        _ => None,
    };
    Ok(LockLook { place, bytes, parsed, trusted, history, sides, manifests })
}

/// The sides of an unresolved merge, as git has them.
pub async fn sides(workspace: &Workspace, path: &RelPath) -> Option<Conflict> {
    let git::Sides { base, ours, theirs } = git::sides(workspace, path).await?;
    Some(Conflict { ours, theirs, base, hunks: 0 })
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
    /// The repair to make and the text to write for it, as [`regreen_lockfile::choose`].
    ///
    /// # Errors
    /// Why there is none.
    pub fn choose(&self, can_resolve: bool) -> Result<(Repair, Vec<u8>), NoRepair> {
        regreen_lockfile::choose(&self.suspect(&|l| self.agreement(l), &|l| self.unneeded(l)), can_resolve)
    }

    /// Whether a repaired text may be used, as [`regreen_lockfile::acceptable`].
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn acceptable(&self, text: &[u8], allowed_hosts: &[String]) -> Result<Lockfile, String> {
        let agreement = |lock: &Lockfile| self.agreement(lock);
        let unneeded = |lock: &Lockfile| self.unneeded(lock);
        let suspect = self.suspect(&agreement, &unneeded);
        regreen_lockfile::acceptable(&suspect, self.parsed.as_ref().ok(), text, allowed_hosts)
    }

    fn suspect<'s>(
        &'s self,
        agreement: &'s dyn Fn(&Lockfile) -> Agreement,
        unneeded: &'s dyn Fn(&Lockfile) -> Vec<String>,
    ) -> Suspect<'s> {
        Suspect {
            name: self.place.path.as_str(),
            format: self.place.format,
            bytes: &self.bytes,
            history: &self.history,
            sides: self.sides.as_ref(),
            agreement,
            unneeded,
        }
    }

    /// Whether a lockfile agrees with the manifests as they are now.
    pub fn agreement(&self, lock: &Lockfile) -> Agreement {
        match (
            self.place.manifests.first(),
            self.with_manifest(|manifest| agrees_with_manifest(lock, manifest)),
        ) {
            (_, Some(agreement)) => agreement,
            (Some(path), None) => Agreement::NotChecked(format!("{path} can't be read")),
            (None, None) => agrees_with_manifest(lock, &Manifest::default()),
        }
    }

    /// The places of the entries that no manifest needs, as far as that can be told.
    fn unneeded(&self, lock: &Lockfile) -> Vec<String> {
        self.with_manifest(|manifest| unneeded(lock, manifest)).unwrap_or_default()
    }

    fn with_manifest<T>(&self, ask: impl FnOnce(&Manifest<'_>) -> T) -> Option<T> {
        let root = self.place.manifests.first();
        let (_, root) = self.manifests.iter().find(|(path, _)| Some(path) == root)?;
        let members: Vec<(&str, &str)> = self
            .manifests
            .iter()
            .filter_map(|(path, text)| Some((path.as_str().rsplit_once('/')?.0, text.as_str())))
            .collect();
        Some(ask(&Manifest { root, members: &members }))
    }

    /// The first damage of the lockfile.
    pub fn damage(&self) -> Option<&Damage> {
        match &self.parsed {
            Err(damage) => Some(damage).filter(|d| d.is_corruption()),
            Ok(lock) => lock.damage.iter().find(|d| d.is_corruption()),
        }
    }

    /// Checksums of `lock` that the trusted history contradicts.
    pub fn odd_checksums(&self, lock: &Lockfile) -> OddChecksums {
        odd_checksums(lock, &self.history)
    }
}
