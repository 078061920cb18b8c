//! What is in the program: a CycloneDX 1.5 document from Cargo.lock and `cargo metadata`, crates that are only built with
//! or tested with left out.
//!
//! Source: the CycloneDX 1.5 JSON schema; package URLs as in purl-spec's type `cargo`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{ABOUT, Built, HOME, VERSION, output, text};
use crate::{cargo, top};

/// The document.
///
/// # Errors
/// Where cargo does not answer.
pub fn sbom(built: &Built) -> Result<Vec<u8>, String> {
    let libc = if built.elf.glibc.is_some() { "gnu" } else { "musl" };
    let target = format!("{}-unknown-linux-{libc}", built.elf.arch.kernel());
    let arguments = ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", &target];
    let answer = output(cargo().args(arguments).current_dir(top()))?;
    let metadata: Value = serde_json::from_slice(&answer).map_err(|e| format!("cargo metadata: {e}"))?;
    let linked = linked(&metadata);
    let checksums = checksums(&String::from_utf8_lossy(&text("Cargo.lock")?));
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut components: Vec<Value> = packages
        .filter(|package| linked.contains(word(&package["id"])))
        .filter(|package| word(&package["name"]) != "regreen-cli")
        .map(|package| component(package, &checksums))
        .collect();
    components.sort_by_key(|component| word(&component["bom-ref"]).to_owned());
    let document = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": format!("pkg:github/regreen/regreen@{VERSION}"), "name": "regreen",
                "version": VERSION, "description": ABOUT, "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "externalReferences": [{"type": "vcs", "url": HOME}],
            },
            "properties": [{"name": "regreen:target", "value": target}],
        },
        "components": components,
    });
    Ok(format!("{document:#}\n").into_bytes())
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Everything that the program is linked from, by cargo's ids.
fn linked(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| (word(&node["id"]), node))
        .collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut open: Vec<&str> =
        packages.filter(|p| word(&p["name"]) == "regreen-cli").map(|p| word(&p["id"])).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !found.insert(id.to_owned()) {
            continue;
        }
        let needs = nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
        let linked = needs.filter(|need| {
            need["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null())
        });
        open.extend(linked.map(|need| word(&need["pkg"])));
    }
    found
}

/// By name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |entry: &str, name: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let entries = lock.split("[[package]]").filter_map(|entry| {
        Some(((field(entry, "name")?, field(entry, "version")?), field(entry, "checksum")?))
    });
    entries.collect()
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (word(&package["name"]), word(&package["version"]));
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component =
        json!({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl});
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
    }
    if let Some(checksum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    component
}
