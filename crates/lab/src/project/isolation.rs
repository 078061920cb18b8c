//! The environment of a project's commands: nothing of the caller's homes, caches, proxies or configuration.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::LabError;
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

/// The program of a package manager must be there, or the caller is told where to get it.
pub(super) fn must_find(manager: PackageManager, env: &[(&'static str, OsString)]) -> Result<(), LabError> {
    let path = env.iter().find(|(key, _)| *key == "PATH").map(|(_, value)| value.as_os_str());
    let kind = manager.kind();
    let program = kind.program();
    match path.and_then(|path| find_program(program, path)) {
        Some(_) => Ok(()),
        None => Err(LabError::Missing { program, how: kind.how_to_get() }),
    }
}

/// The programs of a tool that `scripts/test` has installed below `target/tools/<id>`, where this program runs from
/// a `target` folder; or below the folder that `REGREEN_LAB_TOOLS` names.
pub(super) fn installed_tool(id: &str) -> Option<PathBuf> {
    let named = std::env::var_os("REGREEN_LAB_TOOLS").map(PathBuf::from);
    let own = std::env::current_exe().ok();
    let beside = own.iter().flat_map(|own| own.ancestors().skip(1)).map(|folder| folder.join("tools"));
    named.into_iter().chain(beside).map(|tools| tools.join(id).join("bin")).find(|folder| folder.is_dir())
}

fn search_path(manager: PackageManager, base: &Path) -> OsString {
    let callers = std::env::var_os("PATH").unwrap_or_default();
    let folders = manager.kind().search_path(base).into_iter().chain(std::env::split_paths(&callers));
    // Only a folder with a colon in its name can't be joined; then the tools aren't found, and that is said.
    std::env::join_paths(folders).unwrap_or(callers)
}
