//! A Composer package: a zip with one folder, as code hosts make them.

use serde_json::{Map, Value, json};

use super::pip::zip_of;
use super::{Edition, Release, greeting};

/// `regreen-lab-alpha` is `regreen-lab/alpha` here: Composer's names have two parts.
pub(crate) fn package_name(name: &str) -> String {
    name.replacen("regreen-lab-", "regreen-lab/", 1)
}

/// What it says of itself in `composer.json`, in the registry and in the lockfile, but for where it is.
pub(crate) fn metadata(release: Release) -> Map<String, Value> {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(package_name(release.name)));
    metadata.insert("version".to_owned(), json!(release.version));
    if !release.needs.is_empty() {
        let needs: Map<String, Value> =
            release.needs.iter().map(|needed| (package_name(needed), json!("^1.0"))).collect();
        metadata.insert("require".to_owned(), Value::Object(needs));
    }
    metadata.insert("type".to_owned(), json!("library"));
    metadata.insert("autoload".to_owned(), json!({ "files": [FILE] }));
    metadata.insert("license".to_owned(), json!(["MIT"]));
    metadata.insert("description".to_owned(), json!("a package of the Regreen lab"));
    metadata
}

const FILE: &str = "src/greeting.php";

pub(super) fn zip(release: Release, edition: Edition) -> Vec<u8> {
    let constant = release.name.replace('-', "_").to_uppercase();
    let code = format!("<?php\n\nconst {constant} = '{}';\n", greeting(release, edition));
    let folder = format!("{}-{}", release.name, release.version);
    let manifest = Value::Object(metadata(release));
    zip_of(&[
        (format!("{folder}/composer.json"), format!("{manifest:#}\n")),
        (format!("{folder}/{FILE}"), code),
    ])
}
