//! An npm project: `package.json`, a version 3 lockfile, and a test for node's own runner.

use serde_json::{Map, Value, json};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::digest::sha512_sri;
use crate::packages::{Edition, PackageManager, Release, artefact};

use super::Project;

const CODE: &str = "exports.greet = () => require('regreen-lab-alpha');\n";
const TEST: &str = "const test = require('node:test');
const assert = require('node:assert');
const { greet } = require('../index.js');

test('greets', () => assert.strictEqual(greet(), 'regreen-lab-alpha 1.1.0'));
";

pub(super) fn lay_out(project: &Project, lab: &Lab) -> Result<(), LabError> {
    let root = project.root();
    files::write(&root.join(".npmrc"), format!("registry={}\n", lab.registry_url(PackageManager::Npm)))?;
    files::write(&root.join("index.js"), CODE)?;
    files::write(&root.join("test/greet.test.js"), TEST)
}

pub(super) fn manifest(needed: &[&str]) -> String {
    let manifest = json!({
        "name": "lab-app",
        "version": "1.0.0",
        "private": true,
        "scripts": { "test": "node --test" },
        "dependencies": ranges(needed),
    });
    format!("{manifest:#}\n")
}

pub(super) fn lockfile(needed: &[&str], pinned: &[Release]) -> String {
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

fn ranges(needed: &[&str]) -> Map<String, Value> {
    needed
        .iter()
        .filter_map(|name| Release::latest(name))
        .map(|release| (release.name.to_owned(), json!(format!("^{}.0.0", release.major()))))
        .collect()
}
