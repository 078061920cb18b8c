//! `package.json` against the lockfile, by what `yarn install --frozen-lockfile` would refuse.

use std::collections::{BTreeMap, BTreeSet};

use crate::merge::reach;
use crate::package_json::asks;
use crate::{Agreement, Entry, Lockfile, Manifest};

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

/// The entries that no manifest needs, directly or not.
pub(crate) fn unneeded(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Vec<String> {
    let Ok(asks) = asks(manifest, &["resolutions", "workspaces"]) else { return Vec::new() };
    let answers: BTreeMap<&str, &Entry> =
        lockfile.entries.iter().flat_map(|e| e.place.split(", ").map(move |pattern| (pattern, e))).collect();
    let places: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let asked = asks.iter().filter_map(|ask| answers.get(format!("{}@{}", ask.name, ask.range).as_str()));
    let needs = |place: &&str| {
        let found = places.get(place).into_iter().flat_map(|e| &e.dependencies);
        found.filter_map(|d| places.get_key_value(d.place.as_deref()?).map(|(place, _)| *place)).collect()
    };
    let needed = reach(asked.map(|e| e.place.as_str()), needs);
    places.into_keys().filter(|place| !needed.contains(place)).map(str::to_owned).collect()
}
