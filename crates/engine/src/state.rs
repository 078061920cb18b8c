//! Regreen's own folder for a workspace: 0700, never inside the checkout.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use regreen_domain::{FailureClass, HealableClass};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Longest that a process which was just started may take until it is another program.
const STARTING: Duration = Duration::from_millis(500);

/// The state folder of one workspace.
#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
    folder: PathBuf,
}

/// Why the state folder can't be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// It can't be made, or belongs to somebody else.
    #[error("failed to use the state folder {path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another Regreen is at work here, and did not end in time.
    #[error("another regreen is healing here; it did not end within {0:?}")]
    Busy(Duration),
}

/// Where state is kept, and whether that place is only good for this machine's uptime.
/// Source: XDG Base Directory Specification, `XDG_STATE_HOME`.
pub fn state_root(env: &BTreeMap<OsString, OsString>) -> (PathBuf, bool) {
    let absolute = |name: &str| env.get(OsStr::new(name)).map(PathBuf::from).filter(|p| p.is_absolute());
    if let Some(state) = absolute("XDG_STATE_HOME") {
        return (state.join("regreen"), false);
    }
    if let Some(home) = absolute("HOME") {
        return (home.join(".local/state/regreen"), false);
    }
    let temporary = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    (temporary.join(format!("regreen-{}", rustix::process::getuid().as_raw())), true)
}

impl State {
    /// The folder of the workspace at `workspace`, below `root`. Nothing is made yet.
    pub fn of(root: &Path, workspace: &Path) -> State {
        let digest = Sha256::digest(workspace.as_os_str().as_bytes());
        let name: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
        State { root: root.to_owned(), folder: root.join(name) }
    }

    /// Makes the folder, and refuses one that others could have prepared.
    ///
    /// # Errors
    /// [`StateError::Folder`].
    pub fn make(&self) -> Result<(), StateError> {
        for path in [&self.root, &self.folder] {
            let fail = |source| StateError::Folder { path: path.clone(), source };
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fail)?;
            let metadata = fs::symlink_metadata(path).map_err(fail)?;
            if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
                return Err(fail(io::Error::other("it belongs to another user")));
            }
            if metadata.mode() & 0o022 != 0 {
                return Err(fail(io::Error::other("others may write to it")));
            }
        }
        Ok(())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The ledger's file.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger.db")
    }

    /// There while a recovery is under way: the next `run` looks here, and opens the ledger only then.
    pub fn open_marker(&self) -> PathBuf {
        self.folder.join("open")
    }

    /// The kill switch: while this file is there, no step has an effect in this workspace.
    pub fn paused_marker(&self) -> PathBuf {
        self.folder.join("paused")
    }

    /// Marks that this incident's recovery is open: whole or not at all, as whoever is killed next may have written it.
    pub(crate) fn mark_open(&self, incident: &str) -> Result<(), StateError> {
        let (marker, new) = (self.open_marker(), self.folder.join("open.new"));
        let written = fs::write(&new, incident).and_then(|()| fs::rename(&new, &marker));
        written.map_err(|source| StateError::Folder { path: marker, source })
    }

    /// Whether a living process heals here now, by a shared lock that is let go at once: a lock dies with its
    /// process, so what a killed one left behind does not count. A process that it was just starting has a copy of
    /// the lock until it becomes another program, so a lock that is held is looked at for a moment.
    ///
    /// # Errors
    /// Where the lock can't be looked at.
    pub fn is_healing(&self) -> io::Result<bool> {
        let file = match File::open(self.workspace_lock()) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other?,
        };
        let until = Instant::now() + STARTING;
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(false),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(STARTING / 50),
                Err(TryLockError::WouldBlock) => return Ok(true),
                Err(TryLockError::Error(e)) => return Err(e),
            }
        }
    }

    /// Where an incident's patch goes.
    pub fn patch(&self, incident: &str) -> PathBuf {
        self.folder.join("patches").join(format!("{incident}.patch"))
    }

    /// What passing commands of this workspace print, as hashes: one file a command.
    pub fn passed(&self) -> PathBuf {
        self.folder.join("passed")
    }

    /// The lock of this workspace.
    pub fn workspace_lock(&self) -> PathBuf {
        self.folder.join("lock")
    }

    /// The lock of a cache that workspaces share.
    pub fn cache_lock(&self, cache: &Path) -> PathBuf {
        let digest = Sha256::digest(cache.as_os_str().as_bytes());
        let name: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
        self.root.join(format!("cache-{name}.lock"))
    }
}

/// A lock that the system lets go when the process dies.
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Notes in the lock's own file that damage of this class was repaired here, and when, in milliseconds since 1970.
    pub(crate) fn note(&self, class: HealableClass, at: i64) -> Result<(), StateError> {
        let line = format!("{at} {}\n", class.id());
        let write = || {
            self.file.set_len(0)?;
            self.file.write_all_at(line.as_bytes(), 0)
        };
        write().map_err(|source| StateError::Folder { path: self.path.clone(), source })
    }
}

/// The last repair that was noted at the place of this lock. A line that was not written to its end says nothing.
pub(crate) fn repaired(lock: &Path) -> Option<(i64, HealableClass)> {
    let text = fs::read_to_string(lock).ok()?;
    let (at, class) = text.strip_suffix('\n')?.split_once(' ')?;
    Some((at.parse().ok()?, FailureClass::parse(class)?.healable()?))
}

/// Takes the lock at `path`; `None` where another process holds it.
pub(crate) fn try_lock(path: &Path) -> io::Result<Option<Lock>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { file, path: path.to_owned() })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Takes the lock at `path`, waiting at most until `deadline`. Says whether it had to wait.
pub(crate) async fn lock(
    path: &Path,
    deadline: Instant,
    waiting: impl Fn(),
) -> Result<(Lock, bool), StateError> {
    let fail = |source| StateError::Folder { path: path.to_owned(), source };
    let started = Instant::now();
    let mut waited = false;
    loop {
        if let Some(lock) = try_lock(path).map_err(fail)? {
            return Ok((lock, waited));
        }
        if !waited {
            waiting();
            waited = true;
        }
        if Instant::now() >= deadline {
            return Err(StateError::Busy(started.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;

    #[test]
    fn who_holds_the_lock_for_a_moment_only_is_not_healing() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::of(folder.path(), Path::new("/w"));
        state.make().unwrap();
        let held = try_lock(&state.workspace_lock()).unwrap().unwrap();
        assert!(state.is_healing().unwrap());
        // As of a process that was just being started when its parent was killed.
        let short = std::thread::spawn(move || {
            std::thread::sleep(STARTING / 10);
            drop(held);
        });
        assert!(!state.is_healing().unwrap());
        short.join().unwrap();
    }

    #[test]
    fn the_marker_names_its_incident_whatever_stood_there() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::of(folder.path(), Path::new("/w"));
        state.make().unwrap();
        for incident in ["a-longer-name", "short"] {
            state.mark_open(incident).unwrap();
            assert_eq!(fs::read_to_string(state.open_marker()).unwrap(), incident);
        }
    }
}
