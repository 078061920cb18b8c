//! `package.json` against the lockfile, by what `npm ci` would refuse.

use std::collections::{BTreeMap, BTreeSet};

use super::range::{Fit, fit};
use super::tree;
use crate::json::{self, Json};
use crate::{Agreement, Entry, Lockfile, Manifest};

/// Compares the root's and the given members' dependencies with the places they resolve to.
pub(crate) fn agrees(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    let entries: BTreeMap<&str, &Entry> = lockfile.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let root = match read(manifest.root) {
        Ok(root) => root,
        Err(why) => return Agreement::NotChecked(format!("package.json: {why}")),
    };
    // Overrides replace ranges anywhere in the tree; what npm makes of them is not repeated here.
    if root.get("overrides").is_some_and(|o| !o.members().is_empty()) {
        return Agreement::NotChecked("package.json has `overrides`".to_owned());
    }
    let mut drift = Vec::new();
    compare("", &root, &entries, &mut drift);
    for (folder, text) in manifest.members {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        let member = match read(text) {
            Ok(member) => member,
            Err(why) => return Agreement::NotChecked(format!("{folder}/package.json: {why}")),
        };
        if entries.contains_key(folder) || lockfile.version == Some(1) {
            compare(folder, &member, &entries, &mut drift);
        } else {
            drift.push(format!("the lockfile doesn't know the workspace {folder}"));
        }
    }
    Agreement::of(drift)
}

fn read(text: &str) -> Result<Json<'_>, String> {
    let json = json::read(text.trim_start_matches('\u{feff}')).map_err(|e| e.why.to_owned())?;
    if json.is_object() { Ok(json) } else { Err("it is no object".to_owned()) }
}

fn compare(folder: &str, manifest: &Json<'_>, entries: &BTreeMap<&str, &Entry>, drift: &mut Vec<String>) {
    let file = if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
    let names = |key: &str| -> BTreeSet<&str> {
        manifest.get(key).map(Json::members).unwrap_or_default().iter().map(|m| m.key.as_ref()).collect()
    };
    // Where a name stands in both, npm reads the optional one.
    let optional = names("optionalDependencies");
    let optional_peers: BTreeSet<&str> =
        (manifest.get("peerDependenciesMeta").map(Json::members).unwrap_or_default())
            .iter()
            .filter(|m| m.value.is_true("optional"))
            .map(|m| m.key.as_ref())
            .collect();
    for kind in ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] {
        for member in manifest.get(kind).map(Json::members).unwrap_or_default() {
            let name = member.key.as_ref();
            let range = member.value.as_str().unwrap_or_default();
            if kind == "dependencies" && optional.contains(name)
                || kind == "peerDependencies" && optional_peers.contains(name)
            {
                continue;
            }
            if let Some(reason) = reason(folder, name, range, entries) {
                drift.push(format!("{file} asks for {name}@{range} ({kind}), {reason}"));
            }
        }
    }
}

/// Why what is locked for `name` is not what is asked for.
fn reason(folder: &str, name: &str, range: &str, entries: &BTreeMap<&str, &Entry>) -> Option<String> {
    let Some(place) = tree::resolve(folder, name, |p| entries.contains_key(p)) else {
        return Some("the lockfile has none".to_owned());
    };
    let entry = entries.get(place.as_str())?;
    // A link stands for the folder it points to, which has the version.
    let target = entry.source.as_deref().filter(|_| entry.local).and_then(|s| entries.get(s)).copied();
    let version = target.unwrap_or(entry).version.as_deref();
    match fit(range, version) {
        Fit::Yes => None,
        Fit::No => Some(format!("the lockfile has {}", version.unwrap_or_default())),
        Fit::NoRange => {
            // A URL, path or tag: the project's own entry repeats the text that was locked.
            let listed = &entries.get(folder)?.dependencies;
            // The reader sorts them by name.
            let locked =
                listed.get(listed.partition_point(|d| d.name.as_str() < name)).filter(|d| d.name == name)?;
            let before = locked.requirement.as_deref()?;
            (before != range).then(|| format!("the lockfile was made for {before}"))
        }
    }
}
