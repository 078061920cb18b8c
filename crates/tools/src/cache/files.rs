//! Parts that several caches have in common: the files below a folder, and archives known by their names.

use std::{
    ffi::OsStr,
    io::BufReader,
    path::{Path, PathBuf},
};

use super::{
    QUARANTINE,
    work::{Part, Passing, open},
};
use crate::archive;

/// Every regular file below these folders of a cache, but what Regreen itself has put aside.
pub(crate) fn files(root: &Path, folders: &[&str]) -> Vec<PathBuf> {
    let below = |folder: &&str| if folder.is_empty() { root.to_owned() } else { root.join(folder) };
    let mut all = Vec::new();
    for folder in folders {
        let walk = walkdir::WalkDir::new(below(folder)).into_iter();
        let walk = walk.filter_entry(|e| e.file_name() != OsStr::new(QUARANTINE));
        all.extend(walk.flatten().filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path));
    }
    all
}

/// The folders directly in a folder.
pub(crate) fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir())).map(|e| e.path()).collect()
}

/// The file's name, where it is UTF-8.
pub(crate) fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// The file's length, 0 where it can't be told.
pub(crate) fn length(path: &Path) -> u64 {
    path.symlink_metadata().map_or(0, |m| m.len())
}

/// Reads an archive to its end where the name says that it is one; else it is not checked.
pub(crate) fn archive_by_name(path: &Path, part: &mut Part<'_>) {
    let name = name(path).to_ascii_lowercase();
    let is = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    let read = if is(&[".zip", ".whl", ".jar", ".war", ".ear", ".aar", ".nupkg", ".klib"]) {
        open(path).and_then(|file| archive::zip(Passing::new(BufReader::new(file), None)))
    } else if is(&[".tar.gz", ".tgz", ".crate"]) {
        open(path).and_then(|file| archive::gzip(Passing::new(file, None))).map(|(verdict, _)| verdict)
    } else {
        part.unverified(length(path));
        return;
    };
    part.judged(path, length(path), read);
}
