//! Folders as values: what is in them, whether a text is anywhere in them, and copies of them.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Every path below a folder with its kind, permissions and bytes.
pub type Tree = BTreeMap<String, (char, u32, Vec<u8>)>;

/// Reads a folder; names in `but` are left out wherever they stand. A folder that is not there is empty.
pub fn read(root: &Path, but: &[&str]) -> Tree {
    let mut tree = Tree::new();
    walk(root, &mut |path| {
        if path.components().any(|c| but.iter().any(|name| c.as_os_str() == *name)) {
            return false;
        }
        let metadata = fs::symlink_metadata(path).unwrap();
        let (kind, bytes) = match metadata.file_type() {
            kind if kind.is_dir() => ('d', Vec::new()),
            kind if kind.is_symlink() => {
                ('l', fs::read_link(path).unwrap().into_os_string().into_encoded_bytes())
            }
            kind if kind.is_file() => ('f', fs::read(path).unwrap()),
            _ => ('s', Vec::new()),
        };
        let name = path.strip_prefix(root).unwrap().display().to_string();
        tree.insert(name, (kind, metadata.permissions().mode() & 0o7777, bytes));
        true
    });
    tree
}

/// The paths that differ between two trees.
pub fn differences(before: &Tree, after: &Tree) -> Vec<String> {
    let names = before.keys().chain(after.keys());
    let mut differ: Vec<String> = names.filter(|n| before.get(*n) != after.get(*n)).cloned().collect();
    differ.sort();
    differ.dedup();
    differ
}

/// Every path below a folder whose last name fulfils a condition.
pub fn named(root: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(root, &mut |path| {
        if path.file_name().and_then(|n| n.to_str()).is_some_and(&wanted) {
            found.push(path.to_owned());
        }
        true
    });
    found
}

/// Every file below a folder that holds one of these texts, with the text.
pub fn holding(root: &Path, texts: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    walk(root, &mut |path| {
        if fs::symlink_metadata(path).unwrap().is_file() {
            let bytes = fs::read(path).unwrap();
            found.extend(
                texts.iter().filter(|t| holds(&bytes, t)).map(|t| (path.to_owned(), (*t).to_owned())),
            );
        }
        true
    });
    found
}

/// Whether the bytes hold the text.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Copies a folder with permissions and times.
pub fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success(), "{} could not be copied", from.display());
}

/// Removes whatever stands at a path.
pub fn remove(path: &Path) {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return,
    };
    removed.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// Calls `visit` for everything below `root`; it says whether to go into a folder.
fn walk(root: &Path, visit: &mut dyn FnMut(&Path) -> bool) {
    let Ok(entries) = fs::read_dir(root) else { return };
    for path in entries.flatten().map(|e| e.path()) {
        if visit(&path) && fs::symlink_metadata(&path).is_ok_and(|m| m.is_dir()) {
            walk(&path, visit);
        }
    }
}
