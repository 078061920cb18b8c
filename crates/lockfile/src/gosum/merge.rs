//! The merge: the lines of both sides. Go keeps what it no longer needs, so nothing is dropped that one side still has.

use std::collections::BTreeMap;

use crate::MergeConflict;
use crate::merge::{Three, ordered_union, pick};

/// Merges the texts, which have been read before.
pub(crate) fn merge(texts: Three<&str>) -> (String, Vec<MergeConflict>) {
    let (ours, theirs) = (texts.ours.unwrap_or_default(), texts.theirs.unwrap_or_default());
    if ours == theirs || texts.base == Some(theirs) {
        return (ours.to_owned(), Vec::new());
    }
    if texts.base == Some(ours) {
        return (theirs.to_owned(), Vec::new());
    }
    let hashes = |text: &str| -> BTreeMap<String, String> { lines(text).collect() };
    let order = |text: &str| -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        lines(text).map(|(key, _)| key).filter(|key| seen.insert(key.clone())).collect()
    };
    let sides = texts.map(|text| Some(hashes(text)));
    let (mut text, mut conflicts) = (String::new(), Vec::new());
    for key in ordered_union(&order(ours), &order(theirs), |a, b| sorting(a).cmp(&sorting(b))) {
        let three = Three {
            base: sides.base.as_ref().and_then(|s| s.get(&key)),
            ours: sides.ours.as_ref().and_then(|s| s.get(&key)),
            theirs: sides.theirs.as_ref().and_then(|s| s.get(&key)),
        };
        let hash = match (three.ours, three.theirs) {
            (Some(_), Some(_)) => pick(three).unwrap_or_else(|_| {
                let said = three.map(|hash| Some((*hash).clone()));
                let Three { base, ours, theirs } = said;
                conflicts.push(MergeConflict { place: key.clone(), base, ours, theirs, why: None });
                three.ours
            }),
            (only, other) => only.or(other),
        };
        if let Some(hash) = hash {
            text.push_str(&format!("{key} {hash}\n"));
        }
    }
    (text, conflicts)
}

/// Module with version, and hash, of each line.
fn lines(text: &str) -> impl Iterator<Item = (String, String)> {
    text.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        Some((format!("{} {}", words.next()?, words.next()?), words.next()?.to_owned()))
    })
}

/// As `module.Sort` of `golang.org/x/mod` has it: by module, by version, what is in a module behind the whole of it.
fn sorting(key: &str) -> (String, Option<semver::Version>, String) {
    let (module, version) = key.split_once(' ').unwrap_or((key, ""));
    let bare = version.split('/').next().unwrap_or(version).trim_start_matches('v');
    (module.to_owned(), semver::Version::parse(bare).ok(), version.to_owned())
}
