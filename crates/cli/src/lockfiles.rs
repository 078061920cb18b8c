//! The lockfiles that `lockfile check` is given: files, and those below folders; and the manifests beside them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use ignore::WalkBuilder;
use regreen_domain::RelPath;
use regreen_lockfile::{Agreement, Format, Lockfile, Manifest, agrees_with_manifest, unneeded};

/// Largest lockfile or manifest, in bytes.
const LARGEST: u64 = 64 << 20;

/// Folders that hold what was installed or built: their lockfiles are other people's.
const INSTALLED: [&str; 9] = [
    ".git",
    "node_modules",
    "bower_components",
    "vendor",
    "target",
    ".venv",
    "venv",
    "site-packages",
    ".tox",
];

/// What is said where there is none: by which names they are known.
pub fn names_known() -> String {
    let mut names: Vec<&str> = Format::ALL.into_iter().flat_map(Format::file_names).copied().collect();
    names.dedup();
    format!("lockfiles are known by their names: {}", names.join(", "))
}

/// The lockfiles that what was typed stands for, by name. A file is taken if its name tells its format.
///
/// # Errors
/// Where there is nothing of that name, or no lockfile.
pub fn find(typed: &Path) -> io::Result<Vec<(PathBuf, Format)>> {
    if !fs::metadata(typed)?.is_dir() {
        let format = format(typed).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "the name is not that of a known lockfile")
        })?;
        return Ok(vec![(typed.to_owned(), format)]);
    }
    let mut found: BTreeMap<PathBuf, Format> = BTreeMap::new();
    // Only what git itself would ignore: another tool's list must not hide a lockfile.
    let walk = WalkBuilder::new(typed)
        .standard_filters(false)
        .git_ignore(true)
        .git_exclude(true)
        .parents(true)
        .require_git(false)
        .filter_entry(|entry| entry.depth() == 0 || !INSTALLED.iter().any(|name| entry.file_name() == *name))
        .build();
    for entry in walk {
        let entry = entry.map_err(|e| io::Error::other(e.to_string()))?;
        let file = entry.file_type().is_some_and(|kind| kind.is_file());
        if let Some(format) = format(entry.path()).filter(|_| file) {
            let path = entry.path();
            found.insert(path.strip_prefix(".").unwrap_or(path).to_owned(), format);
        }
    }
    match found.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "there is no lockfile in it")),
        false => Ok(found.into_iter().collect()),
    }
}

/// The format that a file's name tells.
pub fn format(path: &Path) -> Option<Format> {
    path.file_name().and_then(|name| name.to_str()).and_then(Format::of_file_name)
}

/// Whether a search below a folder would leave this path out because of a folder's name.
pub fn is_installed(path: &str) -> bool {
    path.split('/').any(|part| INSTALLED.contains(&part))
}

/// The bytes of a regular file.
///
/// # Errors
/// Where it is none, is too large or can't be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LARGEST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {} MiB", LARGEST >> 20))),
        false => Ok(bytes),
    }
}

/// Whether the lockfile at `path` agrees with the manifests beside it.
pub fn agreement(path: &Path, lockfile: &Lockfile) -> Agreement {
    with_manifest(path, lockfile, agrees_with_manifest).unwrap_or_else(Agreement::NotChecked)
}

/// The places of its entries that no manifest needs, as far as that can be told.
pub fn unneeded_at(path: &Path, lockfile: &Lockfile) -> Vec<String> {
    with_manifest(path, lockfile, unneeded).unwrap_or_default()
}

fn with_manifest<T>(
    path: &Path,
    lockfile: &Lockfile,
    ask: impl FnOnce(&Lockfile, &Manifest<'_>) -> T,
) -> Result<T, String> {
    let Some(name) = lockfile.format.manifest() else { return Ok(ask(lockfile, &Manifest::default())) };
    let folder = path.parent().unwrap_or(Path::new(""));
    let text = |path: &Path| -> io::Result<String> {
        String::from_utf8(read(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
    };
    let root = match text(&folder.join(name)) {
        Ok(root) => root,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(format!("there is no {name} beside it"));
        }
        Err(e) => return Err(format!("{name}: {e}")),
    };
    let named = lockfile.member_folders().into_iter().map(|folder| format!("{folder}/{name}"));
    let mut members: Vec<RelPath> = named.filter_map(|path| RelPath::parse(&path)).collect();
    if lockfile.format == Format::CargoLock {
        members.extend(regreen_tools::cargo_members(folder));
    }
    let members: Vec<(String, String)> = (members.iter())
        .filter_map(|path| {
            let (member, _) = path.as_str().rsplit_once('/')?;
            Some((member.to_owned(), text(&folder.join(path.as_str())).ok()?))
        })
        .collect();
    let members: Vec<(&str, &str)> = members.iter().map(|(f, t)| (f.as_str(), t.as_str())).collect();
    Ok(ask(lockfile, &Manifest { root: &root, members: &members }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hook_for_pre_commit_knows_every_lockfile() {
        let hooks = include_str!("../../../.pre-commit-hooks.yaml");
        let files = hooks.lines().find_map(|line| line.trim().strip_prefix("files: ")).unwrap();
        let files = regex::Regex::new(files).unwrap();
        for name in Format::ALL.iter().flat_map(|f| f.file_names()).chain(&["requirements-dev.txt"]) {
            assert!(files.is_match(name) && files.is_match(&format!("a/b/{name}")), "{name}");
            assert!(!files.is_match(&format!("{name}.bak")), "{name}");
        }
    }

    #[test]
    fn what_is_ignored_or_installed_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for path in [
            "Cargo.lock",
            ".hidden/requirements.txt",
            "web/package-lock.json",
            "web/node_modules/a/package-lock.json",
            "built/package-lock.json",
            "target/x/Cargo.lock",
            "package.json",
        ] {
            put(path, "{}");
        }
        put(".gitignore", "/built\n");
        // Only git's own list counts.
        put(".ignore", "web\n");
        let found = find(folder.path()).unwrap();
        let names: Vec<&str> =
            found.iter().map(|(p, _)| p.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, [".hidden/requirements.txt", "Cargo.lock", "web/package-lock.json"]);
        assert_eq!(find(&folder.path().join("built/package-lock.json")).unwrap().len(), 1);
        assert!(find(&folder.path().join("package.json")).is_err());
        assert!(find(&folder.path().join("web/node_modules/a")).is_ok());
        assert!(find(&folder.path().join("none")).is_err());
    }
}
