//! What every project for Node has: `package.json`, code, and a test for node's own runner.

use serde_json::{Map, Value, json};

use crate::error::LabError;
use crate::files;
use crate::packages::Release;

use super::Project;

const CODE: &str = "exports.greet = () => require('regreen-lab-alpha');\n";
const TEST: &str = "const test = require('node:test');
const assert = require('node:assert');
const { greet } = require('../index.js');

test('greets', () => assert.strictEqual(greet(), 'regreen-lab-alpha 1.1.0'));
";

/// Code and test.
pub(super) fn lay_out(project: &Project) -> Result<(), LabError> {
    let root = project.root();
    files::write(&root.join("index.js"), CODE)?;
    files::write(&root.join("test/greet.test.js"), TEST)
}

/// `package.json`.
pub(super) fn manifest(needed: &[&str]) -> String {
    let manifest = json!({
        "name": "lab-app",
        "version": "1.0.0",
        "private": true,
        "scripts": { "test": "node --test", "build": "node build.js" },
        "dependencies": ranges(needed),
    });
    format!("{manifest:#}\n")
}

/// Names with the ranges that the manifest asks for.
pub(super) fn ranges(needed: &[&str]) -> Map<String, Value> {
    needed
        .iter()
        .filter_map(|name| Release::latest(name))
        .map(|release| (release.name.to_owned(), json!(format!("^{}.0.0", release.major()))))
        .collect()
}
