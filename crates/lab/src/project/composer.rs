//! A Composer project: Packagist switched off for the lab's repository, `composer.lock` with its content hash.
//!
//! Unlike others, this lockfile names where each archive is: the lab's own address.

use std::ffi::OsString;
use std::path::Path;

use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value, json};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha1_hex;
use crate::packages::{Edition, PackageManager, Release, artefact, composer_metadata, composer_name};
use crate::registry::composer_dist;

use super::kind::{ADDRESS, Kind, remove_from};
use super::{Project, isolation};

/// Composer's projects.
pub(super) struct Composer;

const CODE: &str = "<?php

require __DIR__ . '/vendor/autoload.php';

function greet(): string
{
    return REGREEN_LAB_ALPHA;
}
";
const TEST: &str = "<?php

require __DIR__ . '/app.php';

exit(greet() === 'regreen-lab-alpha 1.1.0' ? 0 : 1);
";

impl Kind for Composer {
    fn program(&self) -> &'static str {
        "composer"
    }

    fn manifest_name(&self) -> &'static str {
        "composer.json"
    }

    fn lockfile_name(&self) -> &'static str {
        "composer.lock"
    }

    fn install_argv(&self) -> &'static [&'static str] {
        &["composer", "install", "--no-interaction", "--no-progress"]
    }

    fn test_argv(&self) -> &'static [&'static str] {
        &["composer", "test"]
    }

    fn registry_folder(&self) -> &'static str {
        "composer"
    }

    fn downloads(&self) -> &'static str {
        "/composer/dist/*"
    }

    fn environment(&self, base: &Path, _: &Lab) -> Vec<(&'static str, OsString)> {
        vec![
            ("COMPOSER_HOME", composer_home(base).into()),
            ("COMPOSER_CACHE_DIR", isolation::cache(base).into()),
            ("COMPOSER_ALLOW_SUPERUSER", "1".into()),
            // Else it asks git for the project's own version.
            ("COMPOSER_ROOT_VERSION", "1.0.0".into()),
        ]
    }

    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError> {
        let root = project.root();
        // The lab speaks no TLS, which Composer has to be told.
        let config = json!({
            "config": { "secure-http": false },
            "repositories": [
                { "type": "composer", "url": lab.registry_url(PackageManager::Composer) },
                { "packagist.org": false },
            ],
        });
        files::write(&composer_home(&project.base).join("config.json"), config.to_string())?;
        files::write(&root.join("app.php"), CODE)?;
        files::write(&root.join("test.php"), TEST)
    }

    fn manifest(&self, needed: &[&str]) -> String {
        let manifest = json!({
            "name": "regreen-lab/app",
            "require": ranges(needed),
            "scripts": { "test": "@php test.php" },
        });
        pretty(&manifest)
    }

    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String {
        let host = format!("http://{ADDRESS}");
        let packages: Vec<Value> = pinned.iter().map(|release| package(*release, &host)).collect();
        pretty(&json!({
            "_readme": [
                "This file locks the dependencies of your project to a known state",
                "Read more about it at https://getcomposer.org/doc/01-basic-usage.md#installing-dependencies",
                "This file is @generated automatically",
            ],
            "content-hash": content_hash(needed),
            "packages": packages,
            "packages-dev": [],
            "aliases": [],
            "minimum-stability": "stable",
            "stability-flags": [],
            "prefer-stable": false,
            "prefer-lowest": false,
            "platform": [],
            "platform-dev": [],
            "plugin-api-version": "2.3.0",
        }))
    }

    fn remove_installed(&self, project: &Project) -> Result<(), LabError> {
        remove_from(project, "vendor")
    }

    fn checksum(&self, artefact: &[u8]) -> String {
        sha1_hex(artefact)
    }

    fn before_checksum(&self) -> &'static str {
        "\"shasum\": \""
    }

    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError> {
        let mut lockfile: Value = serde_json::from_str(text)
            .map_err(|_| LabError::NothingToDamage("the lockfile is no JSON".to_owned()))?;
        if let Some(packages) = lockfile.get_mut("packages").and_then(Value::as_array_mut) {
            packages.retain(|package| package["name"] != composer_name(gone));
        }
        Ok(pretty(&lockfile))
    }

    fn most_retries(&self) -> Vec<(&'static str, &'static str)> {
        // It retries three times, and has no setting for it.
        vec![]
    }
}

fn composer_home(base: &Path) -> std::path::PathBuf {
    isolation::home(base).join("composer")
}

fn ranges(needed: &[&str]) -> Map<String, Value> {
    needed
        .iter()
        .filter_map(|name| Release::latest(name))
        .map(|release| (composer_name(release.name), json!(format!("^{}.0", release.major()))))
        .collect()
}

/// A package in the order in which Composer writes it. Source: composer 2.5.5, `ArrayDumper`.
fn package(release: Release, host: &str) -> Value {
    let archive = artefact(PackageManager::Composer, release, Edition::Honest);
    let mut package = Map::new();
    for (key, value) in composer_metadata(release) {
        let behind_version = key == "version";
        package.insert(key, value);
        if behind_version {
            package.insert("dist".to_owned(), composer_dist(release, &archive, host));
        }
    }
    Value::Object(package)
}

/// MD5 of what matters in the manifest, its keys sorted. Source: composer 2.5.5, `Locker::getContentHash`.
fn content_hash(needed: &[&str]) -> String {
    let relevant = json!({ "name": "regreen-lab/app", "require": ranges(needed) });
    // PHP writes a slash with a backslash before it.
    let text = relevant.to_string().replace('/', "\\/");
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Composer prints JSON: four spaces an indentation, and a line break at the end.
fn pretty(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut writer =
        serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    let written = value.serialize(&mut writer);
    debug_assert!(written.is_ok(), "JSON in memory can be written");
    format!("{}\n", String::from_utf8_lossy(&bytes))
}
