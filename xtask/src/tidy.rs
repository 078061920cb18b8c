//! House rules that a compiler does not check: import directions, module docs, file sizes, file names; and `pages` and `messages`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{cargo, messages, pages, top};

/// What each crate may import, as in ARCHITECTURE.md. A crate that is not here may not exist.
const MAY_IMPORT: [(&str, &[&str]); 26] = [
    ("domain", &[]),
    ("mask", &["domain"]),
    ("logs", &["domain", "mask"]),
    ("catalog", &["domain"]),
    ("builtin", &["catalog"]),
    ("lockfile", &["domain"]),
    ("detect", &["domain", "mask", "logs", "catalog"]),
    ("bench", &["domain"]),
    ("show", &["domain", "catalog", "detect", "bench"]),
    ("learn", &[]),
    ("propose", &["domain", "catalog"]),
    ("decide", &["domain", "catalog"]),
    ("saga", &["domain"]),
    ("process", &[]),
    ("ledger", &["domain", "mask", "saga"]),
    ("forge", &["domain", "mask", "logs"]),
    ("notify", &[]),
    ("tools", &["domain", "lockfile", "saga", "process"]),
    ("steps", &["domain", "lockfile", "saga", "tools", "process", "forge"]),
    (
        "engine",
        &[
            "domain", "mask", "logs", "catalog", "lockfile", "detect", "show", "decide", "saga", "process",
            "ledger", "tools", "steps", "forge", "notify",
        ],
    ),
    (
        "server",
        &["domain", "catalog", "show", "propose", "saga", "steps", "forge", "ledger", "engine", "notify"],
    ),
    ("lab", &["process"]),
    ("testkit", &["domain", "saga"]),
    (
        "cli",
        &[
            "domain", "mask", "logs", "catalog", "builtin", "lockfile", "detect", "bench", "show", "propose",
            "decide", "saga", "process", "ledger", "tools", "steps", "engine", "forge", "server", "lab",
            "notify",
        ],
    ),
    (
        "xtask",
        &[
            "domain", "catalog", "builtin", "lockfile", "detect", "logs", "mask", "steps", "bench", "learn",
            "lab",
        ],
    ),
    (
        "fuzz",
        &["domain", "mask", "logs", "catalog", "builtin", "lockfile", "detect", "show", "ledger", "forge"],
    ),
];

/// Longest file, in lines.
const LONGEST: usize = 500;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "common", "helpers", "manager", "imp"];
/// Crates that think: their `clippy.toml` is the strict one.
const THINKING: [&str; 12] = [
    "domain", "mask", "logs", "catalog", "builtin", "lockfile", "detect", "bench", "show", "learn",
    "propose", "decide",
];

/// Checks the house rules.
pub fn tidy() -> Result<String, String> {
    let mut complaints = imports()?;
    complaints.extend(pages::complaints()?);
    let mut files = 0;
    let titles = messages::titles();
    for folder in ["crates", "xtask"] {
        walk(&top().join(folder), &mut |path| {
            files += 1;
            complaints.extend(file(path, &titles));
        });
    }
    for name in THINKING {
        let fence = top().join("crates").join(name).join("clippy.toml");
        if !fs::read_to_string(&fence).is_ok_and(|text| text.contains("disallowed-methods")) {
            complaints
                .push(format!("crates/{name}: the fence of the thinking crates is missing (clippy.toml)"));
        }
    }
    if complaints.is_empty() {
        Ok(format!("tidy: {files} files in order"))
    } else {
        Err(format!("tidy: {} complaint(s)\n{}", complaints.len(), complaints.join("\n")))
    }
}

fn imports() -> Result<Vec<String>, String> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
        .current_dir(top())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(name, may)| (*name, may.iter().copied().collect())).collect();
    let mut complaints = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = short(package["name"].as_str().unwrap_or_default());
        let Some(may) = allowed.get(name) else {
            complaints.push(format!("crate `{name}` is not in tidy's list of imports"));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // Tests may use what they like.
            if dependency["kind"] == "dev" {
                continue;
            }
            let on = dependency["name"].as_str().unwrap_or_default();
            if on.starts_with("regreen-") && !may.contains(short(on)) {
                complaints.push(format!("crate `{name}` may not import `{}`", short(on)));
            }
        }
    }
    Ok(complaints)
}

fn short(name: &str) -> &str {
    name.strip_prefix("regreen-").unwrap_or(name)
}

fn file(path: &Path, titles: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let shown = path.strip_prefix(top()).unwrap_or(path).display().to_string();
    let Ok(text) = fs::read_to_string(path) else { return vec![format!("{shown}: can't be read")] };
    if !text.starts_with("//!") {
        complaints.push(format!("{shown}: no module doc on its first line"));
    }
    if messages::is_of_the_program(path) {
        complaints.extend(messages::complaints(&shown, &text, titles));
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        complaints.push(format!("{shown}: {lines} lines; past {LONGEST} it tells a second story"));
    }
    if path.file_stem().and_then(|s| s.to_str()).is_some_and(|s| EMPTY_NAMES.contains(&s)) {
        complaints.push(format!("{shown}: the name says nothing"));
    }
    complaints
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.ends_with("target") {
            walk(&path, visit);
        } else if path.extension().is_some_and(|e| e == "rs") {
            visit(&path);
        }
    }
}
