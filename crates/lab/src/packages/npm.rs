//! An npm tarball: `package/package.json` and `package/index.js`.

use serde_json::{Map, Value, json};

use super::archive::tar_gz;
use super::{Edition, Release, greeting};

pub(super) fn tarball(release: Release, edition: Edition) -> Vec<u8> {
    let needs: Map<String, Value> =
        release.needs.iter().map(|name| ((*name).to_owned(), json!("^1.0.0"))).collect();
    let manifest = json!({
        "name": release.name,
        "version": release.version,
        "description": "a package of the Regreen lab",
        "license": "MIT",
        "main": "index.js",
        "dependencies": needs,
    });
    let code = format!("module.exports = {};\n", Value::from(greeting(release, edition)));
    tar_gz(&[
        ("package/package.json".to_owned(), format!("{manifest:#}\n")),
        ("package/index.js".to_owned(), code),
    ])
}
