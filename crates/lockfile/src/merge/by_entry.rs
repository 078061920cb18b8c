//! The merge of the formats whose text is a list of entries that their tool sorts: laid out as trees, merged, put
//! together, and read again.

use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;
use super::trees::merge_trees;
use super::{Side, Three};
use crate::{Damage, Dependency, Entry, Format, Lockfile, MergeConflict, Unmergeable, parse};

/// How a format is laid out.
pub(crate) struct Layout {
    /// The text as a tree, or what it holds that can't be taken apart.
    pub(crate) outline: fn(&str, &Lockfile, &Several) -> Result<Node, String>,
    /// Whether the lockfile tells what the projects themselves need.
    pub(crate) rooted: bool,
    /// What is wrong with a tree although its parts fit together.
    pub(crate) contradictions: fn(&Node) -> Vec<MergeConflict>,
}

/// The names of which any side locks several versions: their entries can't be told apart by name.
#[derive(Debug, Default)]
pub(crate) struct Several(BTreeSet<String>);

impl Several {
    fn of(sides: &Three<&Lockfile>) -> Several {
        let mut names = BTreeSet::new();
        for side in [sides.base, sides.ours, sides.theirs].into_iter().flatten() {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            names.extend(side.entries.iter().filter(|e| !seen.insert(&e.name)).map(|e| e.name.clone()));
        }
        Several(names)
    }

    /// What tells the entry from all others, on every side.
    pub(crate) fn id(&self, entry: &Entry) -> String {
        if self.0.contains(&entry.name) { entry.place.clone() } else { entry.name.clone() }
    }

    /// The ids of what the entry depends on, with the entries by place.
    pub(crate) fn needs_among(&self, entry: &Entry, places: &BTreeMap<&str, &Entry>) -> Vec<String> {
        let found = entry.dependencies.iter().filter_map(|d| places.get(d.place.as_deref()?));
        found.map(|e| self.id(e)).collect()
    }
}

/// Merges the texts, which have been read before.
pub(crate) fn merge(
    format: Format,
    layout: &Layout,
    texts: Three<&str>,
) -> Result<(String, Vec<MergeConflict>), Unmergeable> {
    let (ours, theirs) = (texts.ours.unwrap_or_default(), texts.theirs.unwrap_or_default());
    // Line for line what one side has, if the other did nothing.
    if ours == theirs || texts.base == Some(theirs) {
        return Ok((ours.to_owned(), Vec::new()));
    }
    if texts.base == Some(ours) {
        return Ok((theirs.to_owned(), Vec::new()));
    }
    let read = |side: Side, text: &str| {
        parse(format, text.as_bytes()).map_err(|damage| Unmergeable::Damaged { side, damage })
    };
    let base = texts.base.map(|t| read(Side::Base, t)).transpose()?;
    let locks = (read(Side::Ours, ours)?, read(Side::Theirs, theirs)?);
    agree(&locks)?;
    if locks.0.content_hash != locks.1.content_hash {
        return Ok((ours.to_owned(), vec![other_manifest(format, base.as_ref(), &locks)]));
    }
    let sides = Three { base: base.as_ref(), ours: Some(&locks.0), theirs: Some(&locks.1) };
    let several = Several::of(&sides);
    let tree = |side: Side, text: &str, lock: &Lockfile| {
        let unknown = |what: String| Unmergeable::Unknown { side, what };
        let tree = (layout.outline)(text, lock, &several).map_err(unknown)?;
        match tree.text().as_deref() == Some(text) {
            true => Ok(tree),
            false => Err(unknown("entries that are not laid out as its tool does".to_owned())),
        }
    };
    let base_tree = match (texts.base, &base) {
        (Some(text), Some(lock)) => Some(tree(Side::Base, text, lock)?),
        _ => None,
    };
    let trees = (tree(Side::Ours, ours, &locks.0)?, tree(Side::Theirs, theirs, &locks.1)?);
    let three = Three { base: base_tree.as_ref(), ours: Some(&trees.0), theirs: Some(&trees.1) };
    let (merged, mut conflicts) = merge_trees(&three, layout.rooted);
    let Some(merged) = merged.filter(|_| conflicts.is_empty()) else {
        return Ok((ours.to_owned(), conflicts));
    };
    conflicts.extend((layout.contradictions)(&merged));
    let text = merged.text().unwrap_or_default();
    conflicts.extend(unfit(format, &text, [&locks.0, &locks.1]));
    match conflicts.is_empty() {
        true => Ok((text, conflicts)),
        false => Ok((ours.to_owned(), conflicts)),
    }
}

/// Whether both sides are of one kind.
fn agree((ours, theirs): &(Lockfile, Lockfile)) -> Result<(), Unmergeable> {
    match (ours.version, theirs.version) {
        (Some(a), Some(b)) if a != b => return Err(Unmergeable::Versions { ours: a, theirs: b }),
        _ => {}
    }
    // Every side has said something of its own then.
    match (&ours.checksum_scheme, &theirs.checksum_scheme) {
        (Some(a), Some(b)) if a != b => Err(Unmergeable::Unknown {
            side: Side::Theirs,
            what: "checksums of another cache key".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn other_manifest(format: Format, base: Option<&Lockfile>, locks: &(Lockfile, Lockfile)) -> MergeConflict {
    let shortly = |lock: &Lockfile| Some(lock.content_hash.as_deref()?.chars().take(12).collect());
    MergeConflict {
        place: "the hash of the manifest".to_owned(),
        base: base.and_then(shortly),
        ours: shortly(&locks.0),
        theirs: shortly(&locks.1),
        why: Some(format!(
            "each side was locked for another manifest, and only {} can lock for both",
            format.tool()
        )),
    }
}

/// What the merged text has that neither side had: damage, entries, or dependencies that get another version.
fn unfit(format: Format, text: &str, sides: [&Lockfile; 2]) -> Vec<MergeConflict> {
    let plain = |place: String, why: String| MergeConflict {
        place,
        base: None,
        ours: None,
        theirs: None,
        why: Some(why),
    };
    let merged = match parse(format, text.as_bytes()) {
        Ok(merged) => merged,
        Err(damage) => {
            return vec![plain("the file".to_owned(), format!("put together it can't be read ({damage})"))];
        }
    };
    let mut found = Vec::new();
    let known = |damage: &Damage| match damage {
        Damage::MissingEntry { entry, needs, .. } => sides.iter().flat_map(|s| &s.damage).any(
            |d| matches!(d, Damage::MissingEntry { entry: e, needs: n, .. } if e == entry && n == needs),
        ),
        Damage::DuplicateEntry { .. } => false,
        _ => true,
    };
    for damage in merged.damage.iter().filter(|d| !known(d)) {
        found.push(plain("the file".to_owned(), without_line(damage)));
    }
    let sides = sides.map(Locked::new);
    let merged = Locked::new(&merged);
    for (place, entry) in &merged.by_place {
        let own = |s: &Locked<'_>| {
            s.by_place
                .get(place)
                .is_some_and(|e| e.version == entry.version && e.checksums == entry.checksums)
        };
        if !sides.iter().any(own) {
            found.push(plain((*place).to_owned(), "neither side has it like this".to_owned()));
        } else if let Some(name) = gets_another(place, entry, &merged, &sides) {
            let gets = |s: &Locked<'_>| {
                let e = s.by_place.get(place)?;
                e.dependencies.iter().find(|d| d.name == name).and_then(|d| s.found(d.place.as_deref()))
            };
            let [ours, theirs] = &sides;
            found.push(MergeConflict {
                place: entry.title(),
                base: None,
                ours: gets(ours),
                theirs: gets(theirs),
                why: Some(format!("the merge would give it another {name} than it had")),
            });
        }
    }
    found
}

fn without_line(damage: &Damage) -> String {
    let said = damage.to_string();
    said.split_once(": ").map_or(said.clone(), |(_, what)| what.to_owned())
}

struct Locked<'l> {
    by_place: BTreeMap<&'l str, &'l Entry>,
}

impl<'l> Locked<'l> {
    fn new(lockfile: &'l Lockfile) -> Self {
        let places =
            lockfile.entries.iter().flat_map(|e| places(lockfile.format, &e.place).map(move |p| (p, e)));
        Locked { by_place: places.collect() }
    }

    /// Name, version and source of what is locked at a place.
    fn found(&self, place: Option<&str>) -> Option<String> {
        let place = place?;
        let entry = self.by_place.get(place).or_else(|| self.by_place.get(place.split(", ").next()?));
        entry.map(|e| e.key().to_string())
    }
}

/// Yarn's entries stand for several ranges, each of which is a place of its own.
fn places(format: Format, place: &str) -> impl Iterator<Item = &str> {
    let yarn = matches!(format, Format::YarnClassic | Format::YarnBerry);
    place.split(if yarn { ", " } else { "\0" })
}

/// A dependency of the entry that gets what it did not get on the side which the entry is from. Of a project, which may be
/// of both sides, each dependency is asked for by itself.
fn gets_another(place: &str, entry: &Entry, merged: &Locked<'_>, sides: &[Locked<'_>; 2]) -> Option<String> {
    let as_there = |side: &Locked<'_>, d: &Dependency| {
        let there = side.by_place.get(place).map(|e| e.dependencies.as_slice()).unwrap_or_default();
        let mut asked = there.iter().filter(|t| t.name == d.name && t.requirement == d.requirement);
        asked.any(|t| side.found(t.place.as_deref()) == merged.found(d.place.as_deref()))
    };
    let other = |sides: &[&Locked<'_>]| {
        let found = entry.dependencies.iter().find(|d| !sides.iter().any(|side| as_there(side, d)));
        found.map(|d| d.name.clone())
    };
    let [ours, theirs] = sides;
    if entry.local {
        return other(&[ours, theirs]);
    }
    let (left, right) = (other(&[ours])?, other(&[theirs])?);
    Some(if ours.by_place.contains_key(place) { left } else { right })
}
