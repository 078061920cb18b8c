//! One installed package: what belongs to its version, and why it is there.

use serde_json::{Map, Value};

use super::super::tree;
use super::Object;
use crate::MergeConflict;
use crate::merge::{Three, pick};

/// Why a package is installed; everything else in its entry belongs to its version.
const FLAGS: [&str; 5] = ["dev", "optional", "devOptional", "peer", "extraneous"];

/// The lists of what a package asks for, and whether the install goes on without it; `requires` is version 1's.
const KINDS: [(&str, bool); 5] = [
    ("dependencies", false),
    ("requires", false),
    ("optionalDependencies", true),
    ("peerDependencies", true),
    (OWN, false),
];

/// Installed for the project itself only.
const OWN: &str = "devDependencies";

/// One thing that a package asks for.
pub(super) struct Need<'p> {
    pub(super) name: &'p str,
    pub(super) range: &'p str,
    pub(super) optional: bool,
}

/// Everything but the flags.
pub(super) fn identity(package: &Object) -> Object {
    package
        .iter()
        .filter(|(key, _)| !FLAGS.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn flags(package: &Object) -> Object {
    package
        .iter()
        .filter(|(key, _)| FLAGS.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// The value of an installed package that at least one of `ours` and `theirs` has.
pub(super) fn installed(place: &str, three: Three<&Object>, conflicts: &mut Vec<MergeConflict>) -> Object {
    let (Some(ours), Some(theirs)) = (three.ours, three.theirs) else {
        return three.ours.or(three.theirs).cloned().unwrap_or_default();
    };
    let mut clash = |what: &dyn Fn(&Object) -> String| {
        conflicts.push(MergeConflict {
            place: place.to_owned(),
            base: three.base.map(what),
            ours: Some(what(ours)),
            theirs: Some(what(theirs)),
            why: None,
        });
    };
    let body = match pick(three.map(|p| Some(identity(p)))) {
        Ok(body) => body.unwrap_or_default(),
        Err(_) => {
            clash(&titled);
            identity(ours)
        }
    };
    let flags = match pick(three.map(|p| Some(flags(p)))) {
        Ok(flags) => flags.unwrap_or_default(),
        // A side that needs it without condition has no flags, and outweighs every condition.
        Err(_) if flags(ours).is_empty() || flags(theirs).is_empty() => Object::new(),
        Err(_) => {
            clash(&|p| format!("the flags {}", flags(p).keys().cloned().collect::<Vec<_>>().join(", ")));
            flags(ours)
        }
    };
    for side in [ours, theirs] {
        if identity(side) == body && self::flags(side) == flags {
            return side.clone();
        }
    }
    // npm writes the flags after what names the artefact.
    let head = ["name", "version", "resolved", "integrity", "link", "inBundle", "bundled"];
    let at = body.keys().rposition(|k| head.contains(&k.as_str())).map_or(0, |n| n + 1);
    let mut package: Object = body.iter().take(at).map(|(k, v)| (k.clone(), v.clone())).collect();
    package.extend(flags);
    package.extend(body.into_iter().skip(at));
    package
}

/// The version, for sentences.
pub(super) fn version(package: &Object) -> &str {
    package.get("version").and_then(Value::as_str).unwrap_or("without a version")
}

/// The version with as much of the checksum as tells two apart.
pub(super) fn titled(package: &Object) -> String {
    let integrity = package.get("integrity").and_then(Value::as_str).unwrap_or("no checksum");
    format!("{} ({})", version(package), integrity.chars().take(20).collect::<String>())
}

/// What the package at `place` asks for; a development dependency only if it is the project's own.
pub(super) fn needs<'p>(place: &str, package: &'p Object) -> Vec<Need<'p>> {
    let mut needs = Vec::new();
    for (kind, optional) in kinds(place) {
        let ranges = package.get(kind).and_then(Value::as_object).into_iter().flat_map(Map::iter);
        needs.extend(ranges.map(|(name, range)| Need {
            name,
            range: range.as_str().unwrap_or_default(),
            optional,
        }));
    }
    needs
}

/// Whether the package at `place` asks for `name`; with a `range`, whether by this one.
pub(super) fn asks_for(place: &str, package: &Object, name: &str, range: Option<&str>) -> bool {
    let asked = |(kind, _)| package.get(kind).and_then(Value::as_object).and_then(|m| m.get(name));
    kinds(place).filter_map(asked).any(|r| range.is_none_or(|range| r.as_str().unwrap_or_default() == range))
}

fn kinds(place: &str) -> impl Iterator<Item = (&'static str, bool)> {
    let own = !tree::is_installed(place);
    KINDS.into_iter().filter(move |(kind, _)| own || *kind != OWN)
}
