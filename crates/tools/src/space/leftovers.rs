//! Finding what may go: by the closed list of places, and of these only what is this user's own, older than the command,
//! on the starved file system, in nobody's use, and no link.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    Volume,
    places::{Base, PLACES, Place, is_named},
    used::Used,
};
use crate::adapter::Job;

/// A file or folder that may be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What it is, for people.
    pub what: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that it takes up.
    pub bytes: u64,
}

/// Most that are named.
const MOST: usize = 500;
/// Most files of one leftover.
const LARGEST: usize = 200_000;

/// What may go from these file systems: what lies there since before `began`, cheapest to miss first, larger ones first.
/// `serving` is the tool whose registry was seen to serve. Blocking.
pub fn leftovers(job: &Job, volumes: &[Volume], began: SystemTime, serving: Option<&str>) -> Vec<Leftover> {
    let used = Used::now();
    let mut found = Vec::new();
    for place in PLACES {
        if place.refilled_by.is_some_and(|tool| serving != Some(tool)) {
            continue;
        }
        let here = folders(place, &|name| job.workspace.var(name), &job.workspace.root);
        let theirs = |env: &BTreeMap<String, String>| {
            let theirs = folders(place, &|name| env.get(name).map(String::as_str), &job.workspace.root);
            theirs.iter().any(|folder| here.contains(folder))
        };
        if used.environments(place.users).any(theirs) {
            continue;
        }
        let mut here: Vec<Leftover> = here
            .iter()
            .flat_map(|folder| named(folder, place.names))
            .filter(|path| is_free(path, job, place, &used))
            .filter_map(|path| {
                let bytes = measure(&path, began).ok()?;
                let device = path.symlink_metadata().ok()?.dev();
                let here = volumes.iter().any(|volume| volume.device == device);
                (here && bytes > 0).then_some(Leftover { what: place.what, path, bytes })
            })
            .collect();
        here.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        found.extend(here);
    }
    found.truncate(MOST);
    found
}

/// The bytes that a leftover takes up, if it still is one: this user's own down to the last file, on one file system, no
/// link, and untouched since `began`.
///
/// # Errors
/// What it is instead.
pub fn measure(path: &Path, began: SystemTime) -> io::Result<u64> {
    let user = rustix::process::geteuid().as_raw();
    let top = path.symlink_metadata()?;
    if top.file_type().is_symlink() {
        return Err(io::Error::other("it is a symbolic link"));
    }
    let began = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    let began = (i64::try_from(began.as_secs()).unwrap_or(i64::MAX), i64::from(began.subsec_nanos()));
    let mut bytes = 0;
    for (i, entry) in walkdir::WalkDir::new(path).follow_links(false).into_iter().enumerate() {
        let entry = entry?;
        let metadata = entry.metadata().map_err(io::Error::other)?;
        if i == LARGEST {
            return Err(io::Error::other("it holds too many files to look at each"));
        }
        if metadata.uid() != user {
            return Err(io::Error::other("it is, or holds, another user's"));
        }
        if metadata.is_dir() && metadata.dev() != top.dev() {
            return Err(io::Error::other("another file system is mounted in it"));
        }
        // The time of the last change: unlike that of the last writing, no archive sets it.
        if (metadata.ctime(), metadata.ctime_nsec()) >= began {
            return Err(io::Error::other("it was changed since the command began"));
        }
        bytes += metadata.blocks() * 512;
    }
    Ok(bytes)
}

/// The folders of a place that are there; none of them a link to elsewhere.
fn folders<'e>(place: &Place, var: &dyn Fn(&str) -> Option<&'e str>, root: &Path) -> Vec<PathBuf> {
    let base = |base: Base| match base {
        Base::Temp => Some(root.join(var("TMPDIR").unwrap_or("/tmp"))),
        Base::Home => var("HOME").map(PathBuf::from),
        Base::Variable(name) => var(name).map(|path| root.join(path)),
        Base::Root => Some(PathBuf::from("/")),
    };
    let Some((start, below)) = place.folders.iter().find_map(|(at, below)| Some((base(*at)?, *below))) else {
        return Vec::new();
    };
    let Ok(start) = start.canonicalize() else { return Vec::new() };
    let mut found = vec![start];
    for part in below.split('/').filter(|part| !part.is_empty()) {
        found = match part.contains('#') {
            false => found.into_iter().map(|folder| folder.join(part)).collect(),
            true => found.iter().flat_map(|folder| named(folder, &[part])).collect(),
        };
        found.retain(|folder| folder.symlink_metadata().is_ok_and(|m| m.is_dir()));
    }
    found
}

fn named(folder: &Path, forms: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let fits = |entry: &fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| forms.iter().any(|form| is_named(form, name)))
    };
    let mut paths: Vec<PathBuf> = entries.filter(fits).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Whether nobody needs it: it is in nobody's use, holds neither the workspace nor a home, and is not the workspace's own.
fn is_free(path: &Path, job: &Job, place: &Place, used: &Used) -> bool {
    let root = &job.workspace.root;
    let holds = |inner: &Path| inner.starts_with(path);
    let of_project = place.folders.iter().any(|(base, _)| *base == Base::Temp) && path.starts_with(root);
    !holds(root) && !job.workspace.home().is_some_and(holds) && !of_project && !used.is_open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::{os::unix::fs::symlink, time::Duration};

    use super::*;
    use crate::{space::volumes, workspace::Workspace};

    struct Machine {
        folder: tempfile::TempDir,
    }

    impl Machine {
        fn new() -> Machine {
            let folder = tempfile::tempdir().unwrap();
            for name in ["home", "app", "tmp"] {
                fs::create_dir(folder.path().join(name)).unwrap();
            }
            Machine { folder }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().canonicalize().unwrap().join(path)
        }

        fn file(&self, path: &str) -> PathBuf {
            let path = self.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, vec![1; 100_000]).unwrap();
            path
        }

        async fn found(&self, began: SystemTime, serving: Option<&str>) -> Vec<String> {
            let var = |name: &str, value: PathBuf| (name.into(), value.into());
            let env = BTreeMap::from([var("HOME", self.at("home")), var("TMPDIR", self.at("tmp"))]);
            let job = Job { workspace: Workspace::new(self.at("app"), env), argv: vec!["npm".to_owned()] };
            let volumes = volumes(&job, None).await;
            let all = leftovers(&job, &volumes, began, serving);
            let below = |leftover: &Leftover| {
                assert!(leftover.bytes >= 100_000, "{leftover:?}");
                leftover.path.strip_prefix(self.at("")).unwrap().display().to_string()
            };
            // What this machine's own apt left is none of this test's.
            all.iter().filter(|l| l.path.starts_with(self.at(""))).map(below).collect()
        }
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn only_what_fills_itself_again_may_go() {
        let machine = Machine::new();
        for path in [
            "tmp/pip-unpack-ab12cd34/x",
            "tmp/my-work/x",
            "home/.npm/_cacache/tmp/1a2b",
            "home/.npm/_cacache/content-v2/sha512/aa/bb/cc",
            "home/.cache/pip/http-v2/a/b",
            "home/.cache/pip/wheels/a/b",
            "app/node_modules/a/x",
            "app/target/x",
        ] {
            machine.file(path);
        }
        let may_go = ["tmp/pip-unpack-ab12cd34", "home/.npm/_cacache/tmp/1a2b"];
        assert_eq!(machine.found(later(), None).await, may_go);
        let with_pip = machine.found(later(), Some("pip")).await;
        assert!(with_pip.contains(&"home/.cache/pip/http-v2".to_owned()), "{with_pip:?}");
        assert!(!with_pip.iter().any(|path| path.contains("wheels")));
    }

    #[tokio::test]
    async fn what_is_new_open_linked_or_around_the_workspace_stays() {
        let machine = Machine::new();
        machine.file("tmp/pip-unpack-aaaaaaa1/x");
        let early = SystemTime::now() - Duration::from_secs(60);
        assert!(machine.found(early, None).await.is_empty(), "newer than the command");
        let open = fs::File::open(machine.at("tmp/pip-unpack-aaaaaaa1/x")).unwrap();
        assert!(machine.found(later(), None).await.is_empty(), "open");
        drop(open);
        machine.file("elsewhere/x");
        symlink(machine.at("elsewhere"), machine.at("tmp/pip-unpack-aaaaaaa2")).unwrap();
        assert_eq!(machine.found(later(), None).await, ["tmp/pip-unpack-aaaaaaa1"]);
        assert!(measure(&machine.at("tmp/pip-unpack-aaaaaaa2"), later()).is_err());
    }
}
