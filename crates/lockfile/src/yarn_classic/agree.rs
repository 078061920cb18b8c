//! `package.json` against the lockfile, by what `yarn install --frozen-lockfile` would refuse.

use std::collections::BTreeSet;

use crate::package_json::asks;
use crate::{Agreement, Lockfile, Manifest};

/// Every range that a manifest asks for has an entry of exactly that pattern.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let asks = match asks(manifest, &["resolutions", "workspaces"]) {
        Ok(asks) => asks,
        Err(why) => return Agreement::NotChecked(why),
    };
    let patterns: BTreeSet<&str> = lockfile.entries.iter().flat_map(|e| e.place.split(", ")).collect();
    let mut drift = Vec::new();
    for ask in asks {
        let local = ["file:", "link:", "workspace:"].iter().any(|p| ask.range.starts_with(p));
        if !local && !patterns.contains(format!("{}@{}", ask.name, ask.range).as_str()) {
            drift.push(format!("{}, the lockfile has no entry for that", ask.said()));
        }
    }
    Agreement::of(drift)
}
