//! A pnpm project: a version 9 lockfile, on npm's registry.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha512_sri;
use crate::packages::{Edition, PackageManager, Release, artefact};
use crate::script::PathGlob;

use super::javascript;
use super::kind::{Kind, remove_from, without_block};
use super::{Project, closure, isolation};

/// pnpm's projects.
pub(super) struct Pnpm;

impl Kind for Pnpm {
    fn program(&self) -> &'static str {
        "pnpm"
    }

    fn how_to_get(&self) -> &'static str {
        "scripts/test installs it below target/tools; elsewhere: npm install --global pnpm@10.34.9"
    }

    fn manifest_name(&self) -> &'static str {
        "package.json"
    }

    fn lockfile_name(&self) -> &'static str {
        "pnpm-lock.yaml"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["pnpm", "install", "--frozen-lockfile"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["pnpm", "test"]
    }

    fn registry_folder(&self) -> &'static str {
        "npm"
    }

    fn downloads(&self) -> &'static str {
        PathGlob::NPM_TARBALLS
    }

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        let (home, cache) = (isolation::home(base), isolation::cache(base));
        vec![
            ("npm_config_store_dir", cache.join("store").into()),
            ("npm_config_cache_dir", cache.join("metadata").into()),
            ("npm_config_state_dir", home.join("state").into()),
            ("npm_config_userconfig", home.join("user.npmrc").into()),
            ("npm_config_globalconfig", home.join("global.npmrc").into()),
            ("npm_config_update_notifier", "false".into()),
            ("npm_config_fetch_retries", "0".into()),
            ("npm_config_fetch_timeout", "3000".into()),
        ]
    }

    fn search_path(&self, _: &Path) -> Vec<PathBuf> {
        isolation::installed_tool("pnpm").into_iter().collect()
    }

    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError> {
        let registry = lab.registry_url(PackageManager::Pnpm);
        files::write(&project.root().join(".npmrc"), format!("registry={registry}\n"))?;
        javascript::lay_out(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        javascript::manifest(needed)
    }

    /// No address stands in it, but for what is not from the default registry.
    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let mut text = "lockfileVersion: '9.0'\n\nsettings:\n  autoInstallPeers: true\n  \
                        excludeLinksFromLockfile: false\n\nimporters:\n\n  .:\n    dependencies:\n"
            .to_owned();
        let asked = closure(needed).into_iter().filter(|release| needed.contains(&release.name));
        for release in asked {
            let Release { name, version, .. } = release;
            let major = release.major();
            let _infallible =
                write!(text, "      {name}:\n        specifier: ^{major}.0.0\n        version: {version}\n");
        }
        text.push_str("\npackages:\n");
        for release in pinned {
            let Release { name, version, .. } = release;
            let integrity = sha512_sri(&artefact(PackageManager::Pnpm, *release, Edition::Honest));
            let _infallible =
                write!(text, "\n  {name}@{version}:\n    resolution: {{integrity: {integrity}}}\n");
        }
        text.push_str("\nsnapshots:\n");
        for release in pinned {
            let Release { name, version, needs } = release;
            if needs.is_empty() {
                let _infallible = write!(text, "\n  {name}@{version}: {{}}\n");
                continue;
            }
            let _infallible = write!(text, "\n  {name}@{version}:\n    dependencies:\n");
            for needed in needs.iter().filter_map(|name| Release::latest(name)) {
                let _infallible = writeln!(text, "      {}: {}", needed.name, needed.version);
            }
        }
        text
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "node_modules")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha512_sri(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "integrity: "
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        Ok(without_block(text, &format!("  {gone}@")))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        vec![("npm_config_fetch_retries", "10")]
    }
}
