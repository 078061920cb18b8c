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

/// The lab's own tools, which `scripts/test` puts into the target folder, before the caller's PATH: `folder` of them
/// (`bin`, or the folder of a tool that shares its name with another) first.
pub(super) fn callers_path(folder: &str) -> OsString {
    let callers = std::env::var_os("PATH").unwrap_or_default();
    let tools = std::env::current_exe().ok().and_then(|program| {
        program.ancestors().skip(1).map(|above| above.join("tools")).find(|tools| tools.is_dir())
    });
    let own = tools.iter().flat_map(|tools| [tools.join(folder), tools.join("bin")]);
    std::env::join_paths(own.chain(std::env::split_paths(&callers))).unwrap_or(callers)
}

/// Where a bare program name leads with this PATH.
pub(super) fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn search_path(manager: PackageManager, base: &Path) -> OsString {
    let callers = callers_path(manager.kind().tools_folder());
    let folders = manager.kind().search_path(base).into_iter().chain(std::env::split_paths(&callers));
    // Only a folder with a colon in its name can't be joined; then the tools aren't found, and that is said.
    std::env::join_paths(folders).unwrap_or(callers)
}
