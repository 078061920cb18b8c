//! `go.mod` against `go.sum`: every module that is required has a hash.

use std::collections::BTreeSet;

use crate::{Agreement, Lockfile, Manifest};

/// A module without any hash is one that `go build -mod=readonly` refuses to load. That a hash is no longer needed says
/// nothing: Go keeps those.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let mut required = Vec::new();
    let mut replaced = BTreeSet::new();
    let mut block = None;
    for line in manifest.root.lines() {
        let line = line.split("//").next().unwrap_or_default().trim();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (directive, rest) = match (block, words.as_slice()) {
            (Some(_), [")"]) => {
                block = None;
                continue;
            }
            (None, [directive, "("]) => {
                block = Some(*directive);
                continue;
            }
            (Some(directive), rest) => (directive, rest),
            (None, [directive, rest @ ..]) => (*directive, rest),
            (None, []) => continue,
        };
        match (directive, rest) {
            ("require", [module, version]) => required.push((unquoted(module), unquoted(version))),
            ("replace", [module, ..]) => _ = replaced.insert(unquoted(module)),
            _ => {}
        }
    }
    let hashed: BTreeSet<(&str, &str)> = (lockfile.entries.iter())
        .filter_map(|e| Some((e.name.as_str(), e.version.as_deref()?)))
        .map(|(module, version)| (module, version.strip_suffix("/go.mod").unwrap_or(version)))
        .collect();
    let missing = required.into_iter().filter(|(m, v)| !replaced.contains(m) && !hashed.contains(&(*m, *v)));
    Agreement::of(
        missing.map(|(m, v)| format!("go.mod requires {m} {v}, go.sum has no hash of it")).collect(),
    )
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}
