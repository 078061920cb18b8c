//! How large a cache is, of what it is made, and whether it is of use: from the file system alone, no content is read.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::Watch;

/// The figures of one cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// By the folders and files at its top, the largest first.
    pub parts: Vec<PartSize>,
    /// When the oldest and the newest file were written, in milliseconds since 1970; `None` where there is no file.
    pub written: Option<(i64, i64)>,
    /// How often files were of use; `None` where the file system does not note that.
    pub used: Option<Used>,
    /// Folders and files that could not be looked at.
    pub unreadable: u64,
    /// Whether it was ended before the end.
    pub interrupted: bool,
}

/// What lies at the top of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartSize {
    /// Its name.
    pub name: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What access times say. With the usual `relatime` a file's first use after it was written is noted, and later ones
/// once a day. Source: mount(8), `relatime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Files that were read after they had been written.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When one was read last, in milliseconds since 1970; `None` where none was.
    pub last: Option<i64>,
}

/// A file that is read as it is written has about one time for both.
pub(crate) const SAME: i64 = 2_000;

/// Walks a cache.
pub fn stats(root: &Path, watch: &Watch) -> Stats {
    let mut stats = Stats::default();
    let mut parts = BTreeMap::<String, PartSize>::new();
    let mut used = Used::default();
    for entry in walkdir::WalkDir::new(root).min_depth(1) {
        if watch.is_stopped() {
            stats.interrupted = true;
            break;
        }
        let Ok(entry) = entry else {
            stats.unreadable += 1;
            continue;
        };
        if entry.file_type().is_dir() {
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(entry.path()) else {
            stats.unreadable += 1;
            continue;
        };
        let name = entry.path().strip_prefix(root).ok().and_then(|p| p.iter().next());
        let name = name.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let part = parts.entry(name.clone()).or_insert_with(|| PartSize { name, ..PartSize::default() });
        let bytes = metadata.len();
        part.files += 1;
        part.bytes += bytes;
        stats.files += 1;
        stats.bytes += bytes;
        watch.count(bytes);
        // When it came to be here: archives give files the times that their authors had.
        let written = millis(metadata.ctime(), metadata.ctime_nsec());
        let read = millis(metadata.atime(), metadata.atime_nsec());
        let (first, last) = stats.written.unwrap_or((written, written));
        stats.written = Some((first.min(written), last.max(written)));
        if read > written + SAME {
            used.files += 1;
            used.bytes += bytes;
            used.last = Some(used.last.unwrap_or(read).max(read));
        }
    }
    stats.parts = parts.into_values().collect();
    stats.parts.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    stats.used = notes_use(root).then_some(used);
    stats
}

/// Whether the file system notes when files are read.
fn notes_use(root: &Path) -> bool {
    statvfs(root).is_ok_and(|system| !system.f_flag.contains(StatVfsMountFlags::NOATIME))
}

fn millis(seconds: i64, nanos: i64) -> i64 {
    seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000)
}

/// The bytes of a file or of everything in a folder.
pub fn size(path: &Path) -> u64 {
    let walk = walkdir::WalkDir::new(path).into_iter().flatten();
    walk.filter_map(|e| e.metadata().ok()).filter(|m| !m.is_dir()).map(|m| m.len()).sum()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::{super::work, *};

    #[test]
    fn files_are_counted_by_what_lies_at_the_top() {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in [("a/x", 10), ("a/b/y", 20), ("c/z", 100), ("top", 1)] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, vec![0; bytes]).unwrap();
        }
        let later = SystemTime::now() + Duration::from_secs(60);
        let file = work::open(&folder.path().join("c/z")).unwrap();
        file.set_times(fs::FileTimes::new().set_accessed(later)).unwrap();
        let stats = stats(folder.path(), &Watch::default());
        assert_eq!((stats.files, stats.bytes, stats.unreadable), (4, 131, 0));
        let parts: Vec<_> = stats.parts.iter().map(|p| (p.name.as_str(), p.files, p.bytes)).collect();
        assert_eq!(parts, [("c", 1, 100), ("a", 2, 30), ("top", 1, 1)]);
        if let Some(used) = stats.used {
            assert_eq!((used.files, used.bytes, used.last.is_some()), (1, 100, true));
        }
        assert_eq!(size(&folder.path().join("a")), 30);
    }
}
