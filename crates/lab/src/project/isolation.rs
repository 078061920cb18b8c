//! The environment of a project's commands: nothing of the caller's homes, caches, proxies or configuration.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::lab::Lab;
use crate::packages::PackageManager;

pub(super) fn cache(base: &Path) -> PathBuf {
    base.join("cache")
}

pub(super) fn home(base: &Path) -> PathBuf {
    base.join("home")
}

pub(super) fn environment(manager: PackageManager, base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)> {
    let mut env: Vec<(&'static str, OsString)> = vec![
        ("PATH", search_path(manager, base)),
        ("HOME", home(base).into()),
        ("LC_ALL", "C.UTF-8".into()),
        ("GIT_CONFIG_GLOBAL", "/dev/null".into()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
    ];
    env.extend(manager.kind().environment(base, lab));
    env
}

/// Where a bare program name leads with this PATH.
pub(super) fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn search_path(manager: PackageManager, base: &Path) -> OsString {
    let callers = std::env::var_os("PATH").unwrap_or_default();
    let folders = manager.kind().search_path(base).into_iter().chain(std::env::split_paths(&callers));
    // Only a folder with a colon in its name can't be joined; then the tools aren't found, and that is said.
    std::env::join_paths(folders).unwrap_or(callers)
}
