//! The workspace at one moment, cheap enough to take after every failure: sizes, times and inodes, not bytes.

use std::{collections::BTreeMap, os::unix::fs::MetadataExt, path::Path};

/// Files and folders of a workspace, without `.git` and what the tools install.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    entries: BTreeMap<String, Stamp>,
    /// Whether there were more than could be looked at.
    whole: bool,
}

/// Two equal stamps of one path mean that nothing wrote to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    mode: u32,
    changed: (i64, i64),
}

/// What happened to a path between two snapshots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is new.
    Added(String),
    /// It was written to, or its mode changed.
    Changed(String),
    /// It is gone.
    Removed(String),
}

/// Most paths that a snapshot takes up.
const MOST: usize = 200_000;

impl Snapshot {
    /// Looks at everything below `root` but `.git` and folders named in `but`.
    pub fn take(root: &Path, but: &[&str]) -> Snapshot {
        let mut snapshot = Snapshot { entries: BTreeMap::new(), whole: true };
        let walk = walkdir::WalkDir::new(root).min_depth(1).into_iter().filter_entry(|e| {
            let name = e.file_name().to_str().unwrap_or_default();
            name != ".git" && !(e.file_type().is_dir() && but.contains(&name))
        });
        for entry in walk.flatten() {
            if snapshot.entries.len() == MOST {
                snapshot.whole = false;
                break;
            }
            // A folder changes with its files; only they count.
            if entry.file_type().is_dir() {
                continue;
            }
            let (Ok(metadata), Ok(below)) = (entry.metadata(), entry.path().strip_prefix(root)) else {
                continue;
            };
            let stamp = Stamp {
                inode: metadata.ino(),
                size: metadata.len(),
                mode: metadata.mode(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            };
            snapshot.entries.insert(below.to_string_lossy().into_owned(), stamp);
        }
        snapshot
    }

    /// Whether every path was looked at.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// What changed from `self` to `later`, sorted.
    pub fn changes(&self, later: &Snapshot) -> Vec<Change> {
        let gone = self.entries.keys().filter(|p| !later.entries.contains_key(*p));
        let mut changes: Vec<Change> = gone.cloned().map(Change::Removed).collect();
        for (path, stamp) in &later.entries {
            match self.entries.get(path) {
                None => changes.push(Change::Added(path.clone())),
                Some(before) if before != stamp => changes.push(Change::Changed(path.clone())),
                Some(_) => {}
            }
        }
        changes.sort();
        changes
    }
}

impl Change {
    /// The path, below the workspace.
    pub fn path(&self) -> &str {
        match self {
            Change::Added(path) | Change::Changed(path) | Change::Removed(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn sees_what_was_written_added_and_removed_and_nothing_of_install_folders() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("node_modules/a")).unwrap();
        fs::create_dir_all(root.join("src")).unwrap();
        for name in ["src/kept", "src/gone", "src/written"] {
            fs::write(root.join(name), "1").unwrap();
        }
        let before = Snapshot::take(root, &["node_modules"]);
        assert_eq!(before.changes(&Snapshot::take(root, &["node_modules"])), []);
        fs::remove_file(root.join("src/gone")).unwrap();
        fs::write(root.join("src/written"), "22").unwrap();
        fs::write(root.join("new"), "").unwrap();
        fs::write(root.join("node_modules/a/x"), "").unwrap();
        let after = Snapshot::take(root, &["node_modules"]);
        assert_eq!(
            before.changes(&after),
            [
                Change::Added("new".into()),
                Change::Changed("src/written".into()),
                Change::Removed("src/gone".into())
            ]
        );
    }
}
