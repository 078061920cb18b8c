//! `installs-the-same`: where a plan wrote a lockfile, the install once more from the result. It must leave the lockfile
//! byte for byte as it is, and install the same files below the workspace. Never repeated by a later process.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use regreen_domain::CommandKind;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{Adapter, recognise};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    added::overlay,
    files::{self, sha256},
    world::World,
    written::{is_lockfile, paths_in},
};

/// The step.
pub(crate) struct InstallsTheSame(pub(crate) Arc<World>);

/// Whose lockfile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// What the second install left.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Whether it was run: only an install can be compared with another, and only where a lockfile was written.
    ran: bool,
    /// What differs; nothing where it is the same.
    differs: Option<String>,
}

/// What is said where it does not end in time.
const TOO_LATE: &str =
    "the second install did not end within the time for recovery; RECOVERY_TIMEOUT can give it more";
/// Files of an install that are compared at most: of a larger one only the lockfile is.
const MOST: usize = 500_000;
/// Largest file whose bytes are compared; of a larger one the size is.
const LARGEST: u64 = 1024 * 1024;
/// What is built stands here, in whatever amount, and no install writes it.
const BUILT: &str = "target";

impl Step for InstallsTheSame {
    const KIND: &'static str = "installs-the-same";
    const EXPLAIN: &'static str = "Runs an install once more from a lockfile that the plan wrote: it must leave the lockfile byte for byte as it is, and install the same files below the workspace. Ends every plan that may write a lockfile; where none was written there is nothing to compare.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Never;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        self.0.adapter(&args.tool).map(drop).map_err(Refused)
    }

    fn foresee(&self, _: &Args, (): &()) -> Option<String> {
        Some("install once more from the lockfile that was written".to_owned())
    }

    async fn apply(&self, touch: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let job = &self.0.job;
        let argv: Vec<_> = job.argv.iter().map(Into::into).collect();
        let own = adapter.lockfile(job).map(|place| place.path.to_string());
        let mut lockfiles = paths_in(touch.receipts.values());
        lockfiles.retain(|path| is_lockfile(path) || own.as_ref() == Some(path));
        if lockfiles.is_empty() || recognise(&argv).kind != CommandKind::Install {
            return Ok(Receipt { ran: false, differs: None });
        }
        lockfiles.extend(own);
        lockfiles.sort();
        lockfiles.dedup();
        let first = self.picture(adapter, &lockfiles).await.map_err(ApplyError::no_effect)?;
        let limit = self.0.time_left();
        if limit.is_zero() {
            return Err(ApplyError::no_effect(TOO_LATE));
        }
        let what = "installing once more from the lockfile that was written";
        (self.0.progress)(&format!("{what}, to see that it gives the same"));
        let added = overlay(touch);
        let mut words: Vec<&str> = job.argv.iter().map(String::as_str).collect();
        // As the repeated command got them: behind the program, and behind cargo's `+toolchain`.
        let at = 1 + usize::from(words.get(1).is_some_and(|word| word.starts_with('+')));
        words.splice(at..at, added.args.iter().map(String::as_str));
        let env: Vec<(&str, &str)> = added.env.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let said = self.0.saying(what, limit, job.workspace.quietly(&words, &env, Some(limit))).await;
        let differs = match said {
            None => Some(TOO_LATE.to_owned()),
            Some(said) if said.code != Some(0) => {
                let complaint = String::from_utf8_lossy(&said.stderr);
                let first_line = complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                Some(format!("the second install failed: {first_line}"))
            }
            Some(_) => {
                let second = self.picture(adapter, &lockfiles).await.map_err(ApplyError::unknown)?;
                first.differs(&second)
            }
        };
        Ok(Receipt { ran: true, differs })
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        Ok(receipt.differs.clone().map_or(Seen::There, Seen::NotThere))
    }

    // What an install writes is the command's.
    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

/// What an install leaves: the digests of the lockfiles, and the size of every file that was installed below the workspace,
/// with the digest of the smaller ones.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    lockfiles: BTreeMap<String, Option<String>>,
    /// `None` where there are too many.
    installed: Option<BTreeMap<PathBuf, Installed>>,
}

/// One installed file.
#[derive(Debug, PartialEq, Eq)]
struct Installed {
    size: u64,
    digest: Option<[u8; 32]>,
}

impl Picture {
    fn take(root: &Path, folders: &[&str], paths: &[String]) -> Result<Picture, String> {
        let mut lockfiles = BTreeMap::new();
        for path in paths {
            let bytes = files::read(&root.join(path)).map_err(|e| format!("{path}: {e}"))?;
            lockfiles.insert(path.clone(), bytes.as_deref().map(sha256));
        }
        let mut installed = BTreeMap::new();
        for folder in folders.iter().filter(|folder| **folder != BUILT) {
            let walk = walkdir::WalkDir::new(root.join(folder)).into_iter();
            for entry in walk.flatten().filter(|entry| entry.file_type().is_file()) {
                // What an interpreter compiles beside its sources, and what tools note of the time, is not installed.
                let path = entry.path();
                let noted = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
                let compiled = path.extension().is_some_and(|extension| extension == "pyc");
                if noted || compiled {
                    continue;
                }
                if installed.len() == MOST {
                    return Ok(Picture { lockfiles, installed: None });
                }
                let size = entry.metadata().map_or(0, |metadata| metadata.len());
                let digest = (size <= LARGEST).then(|| digest(path).ok()).flatten();
                installed.insert(path.to_owned(), Installed { size, digest });
            }
        }
        Ok(Picture { lockfiles, installed: Some(installed) })
    }

    /// The first thing that is not the same.
    fn differs(&self, second: &Picture) -> Option<String> {
        let rewritten =
            self.lockfiles.iter().find(|(path, digest)| second.lockfiles.get(*path) != Some(digest));
        if let Some((path, _)) = rewritten {
            return Some(format!("a second install rewrote {path}"));
        }
        let (Some(first), Some(second)) = (&self.installed, &second.installed) else { return None };
        let paths = first.keys().chain(second.keys());
        let mut other = paths.filter(|path| first.get(*path) != second.get(*path));
        other.next().map(|path| format!("a second install gave another {}", path.display()))
    }
}

fn digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().into())
}

impl InstallsTheSame {
    async fn picture(&self, adapter: &'static dyn Adapter, lockfiles: &[String]) -> Result<Picture, String> {
        let (root, lockfiles) = (self.0.job.workspace.root.clone(), lockfiles.to_vec());
        let take = move || Picture::take(&root, adapter.install_folders(), &lockfiles);
        tokio::task::spawn_blocking(take).await.map_err(|e| e.to_string())?
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn another_lockfile_and_another_file_are_told_and_what_tools_note_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("node_modules/a")).unwrap();
        fs::write(root.join("lock"), "1").unwrap();
        fs::write(root.join("node_modules/a/index.js"), "1").unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        let take = || Picture::take(root, &["node_modules", "target"], &["lock".to_owned()]).unwrap();
        let first = take();
        fs::write(root.join("node_modules/.modules.yaml"), "noted: today").unwrap();
        fs::write(root.join("node_modules/a/x.pyc"), "compiled").unwrap();
        fs::write(root.join("target/built"), "today").unwrap();
        assert_eq!(first.differs(&take()), None);
        fs::write(root.join("node_modules/a/index.js"), "2").unwrap();
        let told = first.differs(&take()).unwrap();
        assert!(told.ends_with("node_modules/a/index.js"), "{told}");
        fs::write(root.join("lock"), "2").unwrap();
        assert_eq!(first.differs(&take()).unwrap(), "a second install rewrote lock");
    }
}
