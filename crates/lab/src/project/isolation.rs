//! The environment of a project's commands: nothing of the caller's homes, caches, proxies or configuration.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::lab::Lab;
use crate::packages::PackageManager;

pub(super) fn cache(base: &Path) -> PathBuf {
    base.join("cache")
}

pub(super) fn environment(manager: PackageManager, base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)> {
    let home = base.join("home");
    let nothing = || OsString::from("/dev/null");
    let mut env: Vec<(&'static str, OsString)> = vec![
        ("PATH", search_path(manager, base)),
        ("HOME", home.clone().into()),
        ("LC_ALL", "C.UTF-8".into()),
        ("GIT_CONFIG_GLOBAL", nothing()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
    ];
    match manager {
        PackageManager::Npm => env.extend([
            ("npm_config_cache", cache(base).into()),
            ("npm_config_userconfig", home.join("user.npmrc").into()),
            ("npm_config_globalconfig", home.join("global.npmrc").into()),
            ("npm_config_update_notifier", "false".into()),
            ("npm_config_audit", "false".into()),
            ("npm_config_fund", "false".into()),
            ("npm_config_fetch_retries", "0".into()),
            ("npm_config_fetch_timeout", "2000".into()),
        ]),
        PackageManager::Cargo => {
            env.extend([
                ("CARGO_HOME", cache(base).into()),
                ("CARGO_NET_RETRY", "0".into()),
                ("CARGO_HTTP_TIMEOUT", "2".into()),
            ]);
            env.extend(rustup());
        }
        PackageManager::Pip => env.extend([
            ("PIP_CACHE_DIR", cache(base).into()),
            ("PIP_CONFIG_FILE", nothing()),
            ("PIP_INDEX_URL", lab.registry_url(manager).into()),
            // Without it pip would neither accept nor cache an index without TLS.
            ("PIP_TRUSTED_HOST", lab.address().to_string().into()),
            // With none at all, pip hides why an index can't be reached.
            ("PIP_RETRIES", "1".into()),
            ("PIP_DEFAULT_TIMEOUT", "2".into()),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".into()),
            ("PIP_ROOT_USER_ACTION", "ignore".into()),
            ("PIP_NO_INPUT", "1".into()),
        ]),
    }
    env
}

/// Where a bare program name leads with this PATH.
pub(super) fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The virtual environment of a pip project.
pub(super) fn venv(base: &Path) -> PathBuf {
    base.join("app").join(".venv")
}

fn search_path(manager: PackageManager, base: &Path) -> OsString {
    let callers = std::env::var_os("PATH").unwrap_or_default();
    if manager != PackageManager::Pip {
        return callers;
    }
    let folders = std::iter::once(venv(base).join("bin")).chain(std::env::split_paths(&callers));
    // Only a folder with a colon in its name can't be joined; then the tools aren't found, and that is said.
    std::env::join_paths(folders).unwrap_or(callers)
}

/// rustup finds its toolchains through the caller's home, which the project doesn't have.
fn rustup() -> Vec<(&'static str, OsString)> {
    let home = std::env::var_os("RUSTUP_HOME").or_else(|| {
        let default = PathBuf::from(std::env::var_os("HOME")?).join(".rustup");
        default.is_dir().then(|| default.into_os_string())
    });
    let toolchain = std::env::var_os("RUSTUP_TOOLCHAIN");
    [("RUSTUP_HOME", home), ("RUSTUP_TOOLCHAIN", toolchain)]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}
