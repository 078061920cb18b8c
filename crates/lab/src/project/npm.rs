//! An npm project: a version 3 lockfile.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha512_sri;
use crate::packages::{Edition, PackageManager, Release, artefact};
use crate::script::PathGlob;

use super::javascript::{self, ranges};
use super::kind::{Kind, remove_from};
use super::{Project, isolation};

/// npm's projects.
pub(super) struct Npm;

impl Kind for Npm {
    fn program(&self) -> &'static str {
        "npm"
    }

    fn manifest_name(&self) -> &'static str {
        "package.json"
    }

    fn lockfile_name(&self) -> &'static str {
        "package-lock.json"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["npm", "ci"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["npm", "test"]
    }

    fn registry_folder(&self) -> &'static str {
        "npm"
    }

    fn downloads(&self) -> &'static str {
        PathGlob::NPM_TARBALLS
    }

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        let home = isolation::home(base);
        vec![
            ("npm_config_cache", isolation::cache(base).into()),
            ("npm_config_userconfig", home.join("user.npmrc").into()),
            ("npm_config_globalconfig", home.join("global.npmrc").into()),
            ("npm_config_update_notifier", "false".into()),
            ("npm_config_audit", "false".into()),
            ("npm_config_fund", "false".into()),
            ("npm_config_fetch_retries", "0".into()),
            ("npm_config_fetch_timeout", "3000".into()),
        ]
    }

    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError> {
        let registry = lab.registry_url(PackageManager::Npm);
        files::write(&project.root().join(".npmrc"), format!("registry={registry}\n"))?;
        javascript::lay_out(project)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        javascript::manifest(needed)
    }

    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let mut packages = Map::new();
        packages.insert(
            String::new(),
            json!({ "name": "lab-app", "version": "1.0.0", "dependencies": ranges(needed) }),
        );
        for release in pinned {
            packages.insert(format!("node_modules/{}", release.name), entry(*release));
        }
        let lockfile = json!({
            "name": "lab-app",
            "version": "1.0.0",
            "lockfileVersion": 3,
            "requires": true,
            "packages": packages,
        });
        format!("{lockfile:#}\n")
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "node_modules")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha512_sri(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "\"integrity\""
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let mut lockfile: Value = serde_json::from_str(text)
            .map_err(|_| LabError::NothingToDamage("the lockfile is no JSON".to_owned()))?;
        let packages = lockfile.get_mut("packages").and_then(|packages| packages.as_object_mut());
        packages.and_then(|packages| packages.shift_remove(&format!("node_modules/{gone}")));
        Ok(format!("{lockfile:#}\n"))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        // npm doubles its pause (10 s at first) up to a minute; more than ten retries it takes, but nobody waits for.
        vec![("npm_config_fetch_retries", "10")]
    }
}

/// `resolved` names the public registry, as lockfiles in the field do: npm puts the configured registry in its
/// place, so the lockfile doesn't depend on the lab's port and a mirror serves it too.
fn entry(release: Release) -> Value {
    let Release { name, version, needs } = release;
    let tarball = artefact(PackageManager::Npm, release, Edition::Honest);
    let mut entry = json!({
        "version": version,
        "resolved": format!("https://registry.npmjs.org/{name}/-/{name}-{version}.tgz"),
        "integrity": sha512_sri(&tarball),
        "license": "MIT",
    });
    if !needs.is_empty() {
        entry["dependencies"] = needs.iter().map(|needed| ((*needed).to_owned(), json!("^1.0.0"))).collect();
    }
    entry
}
