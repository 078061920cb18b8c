//! The merge of two `Cargo.lock`s.
//!
//! Cargo locks one version for each package, source and compatible range; that is the slot in which two
//! versions compete. Dependencies are merged as slots and written anew, since how short a dependency may be
//! written depends on what else is locked.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::document::{self, Document, Package};
use super::graph::Index;
use super::place;
use super::write::{Sheet, write};
use crate::merge::{Fate, Three, fate, ordered_union, pick, reach, registry_order, settle};
use crate::position::Lines;
use crate::{Damage, MergeConflict, Side, Unmergeable};

/// What at most one version can be locked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    name: String,
    /// Without the git revision, which is a version of sorts.
    source: Option<String>,
    /// `1` for 1.x, `0.3` for 0.3.x, `0.0.7`; empty where a source holds one version only.
    range: String,
}

/// What stands in a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Locked {
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    replace: Option<String>,
    needs: BTreeSet<Slot>,
}

type Slots = BTreeMap<Slot, Locked>;

/// Merges the texts, each of which has been read before.
pub(crate) fn merge(texts: Three<&str>) -> Result<(String, Vec<MergeConflict>), Unmergeable> {
    let base = texts.base.map(|t| load(Side::Base, t)).transpose()?;
    let (ours_text, theirs_text) = (texts.ours.unwrap_or_default(), texts.theirs.unwrap_or_default());
    let (ours, theirs) = (load(Side::Ours, ours_text)?, load(Side::Theirs, theirs_text)?);
    let sides =
        Three { base: base.as_ref().map(|b| &b.slots), ours: Some(&ours.slots), theirs: Some(&theirs.slots) };

    let mut conflicts = Vec::new();
    let version = pick(Three {
        base: base.as_ref().map(|b| b.version),
        ours: Some(ours.version),
        theirs: Some(theirs.version),
    });
    let version = version.unwrap_or_else(|_| {
        conflicts.push(conflict("the lockfile's version", sides.map(|_| None), None));
        Some(ours.version)
    });
    let merged = merge_slots(&sides, &mut conflicts);
    let unused = merge_unused(base.as_ref(), &ours, &theirs);
    let order = ordered_union(&ours.order, &theirs.order, by_name_and_version);
    let mut seen = BTreeSet::new();
    let order =
        order.iter().map(|(slot, _)| slot).filter(|slot| seen.insert(*slot) && merged.contains_key(*slot));
    let packages: Vec<&Slot> = order.collect();
    let positions: BTreeMap<&Slot, usize> = packages.iter().enumerate().map(|(n, slot)| (*slot, n)).collect();
    let sheet = Sheet {
        version: version.unwrap_or(ours.version),
        packages: packages.iter().map(|slot| package(slot, &merged[*slot])).collect(),
        needs: (packages.iter())
            .map(|slot| merged[*slot].needs.iter().filter_map(|n| positions.get(n).copied()).collect())
            .collect(),
        unused,
    };
    Ok((write(&sheet, ours_text), conflicts))
}

struct Loaded {
    version: u64,
    slots: Slots,
    /// The slots with their versions in the order of the text.
    order: Vec<(Slot, String)>,
    unused: BTreeMap<String, Package>,
}

fn load(side: Side, text: &str) -> Result<Loaded, Unmergeable> {
    let lines = Lines::new(text);
    let damaged = |damage| Unmergeable::Damaged { side, damage };
    let Document { version, packages, unused, unknown } = document::read(text, &lines).map_err(damaged)?;
    let refuse = |what: String| Unmergeable::Unknown { side, what };
    if let Some(what) = unknown.into_iter().next() {
        return Err(refuse(what));
    }
    if let Some(package) = packages.iter().chain(&unused).find(|p| needs_escape(p)) {
        return Err(refuse(format!("an escape in {}", package.name.escape_debug())));
    }
    let mut sourceless: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages.iter().filter(|p| p.source.is_none()) {
        *sourceless.entry(&package.name).or_default() += 1;
    }
    let slot_of = |p: &Package| slot(p, sourceless.get(p.name.as_str()).is_some_and(|n| *n > 1));
    let index = Index::new(&packages);
    let mut loaded = Loaded { version, slots: Slots::new(), order: Vec::new(), unused: BTreeMap::new() };
    for package in &packages {
        let mut needs = BTreeSet::new();
        for written in &package.dependencies {
            let found = index.find(written).ok_or_else(|| {
                let (line, entry) = (lines.line(package.at), format!("{} {}", package.name, package.version));
                damaged(Damage::MissingEntry { line, entry, needs: written.clone() })
            })?;
            needs.insert(slot_of(&packages[found]));
        }
        let slot = slot_of(package);
        let locked = Locked {
            version: package.version.clone(),
            source: package.source.clone(),
            checksum: package.checksum.as_ref().map(|c| c.text.clone()),
            replace: package.replace.clone(),
            needs,
        };
        loaded.order.push((slot.clone(), package.version.clone()));
        if loaded.slots.insert(slot, locked).is_some() {
            return Err(refuse(format!("two compatible versions of {}", package.name)));
        }
    }
    loaded.unused = unused.into_iter().map(|p| (place(&p), p)).collect();
    Ok(loaded)
}

/// Whether something in it can't be written in plain quotes. Cargo never writes such a thing.
fn needs_escape(package: &Package) -> bool {
    let strings =
        [Some(&package.name), Some(&package.version), package.source.as_ref(), package.replace.as_ref()];
    let checksum = package.checksum.as_ref().map(|c| &c.text);
    let mut strings = strings.into_iter().flatten().chain(checksum).chain(&package.dependencies);
    strings.any(|s| s.chars().any(|c| c == '"' || c == '\\' || c.is_control()))
}

fn slot(package: &Package, several: bool) -> Slot {
    let name = package.name.clone();
    match &package.source {
        Some(source) if source.starts_with("git+") => {
            let repository = source.split('#').next().unwrap_or(source);
            Slot { name, source: Some(repository.to_owned()), range: String::new() }
        }
        Some(source) => {
            Slot { name, source: Some(source.clone()), range: compatible_range(&package.version) }
        }
        None => {
            Slot { name, source: None, range: if several { package.version.clone() } else { String::new() } }
        }
    }
}

/// Cargo's rule: versions are compatible whose leftmost number that isn't zero is the same.
fn compatible_range(version: &str) -> String {
    match semver::Version::parse(version) {
        Ok(v) if v.major > 0 => v.major.to_string(),
        Ok(v) if v.minor > 0 => format!("0.{}", v.minor),
        Ok(v) => format!("0.0.{}", v.patch),
        Err(_) => version.to_owned(),
    }
}

fn merge_slots(sides: &Three<&Slots>, conflicts: &mut Vec<MergeConflict>) -> Slots {
    let all: BTreeSet<&Slot> =
        [sides.ours, sides.theirs].into_iter().flatten().flat_map(BTreeMap::keys).collect();
    let (mut values, mut fates) = (Slots::new(), BTreeMap::new());
    for slot in all {
        let three = sides.map(|s| s.get(slot));
        fates.insert(slot.clone(), fate(&three));
        let chosen = pick(three.map(|l| Some(artefact(l)))).unwrap_or_else(|_| {
            // A side that has removed it is heard below.
            if three.ours.is_some() && three.theirs.is_some() {
                conflicts.push(conflict(&slot.name, three.map(|l| Some(titled(l))), None));
            }
            three.ours.or(three.theirs).map(artefact)
        });
        let chosen = chosen.or_else(|| three.ours.or(three.theirs).map(artefact)).unwrap_or_default();
        let (version, source, checksum, replace) = chosen;
        values.insert(slot.clone(), Locked { version, source, checksum, replace, needs: merge_needs(three) });
    }
    let present = settle(&fates, |slot, _| values[slot].needs.iter().cloned().collect());
    for (slot, fate) in &fates {
        // Nothing tells whether a member of the workspace that one side removed is needed.
        if *fate == Fate::Contested && slot.source.is_none() && !present.contains(slot) {
            conflicts.push(conflict(&slot.name, sides.map(|s| s.get(slot).map(titled)), None));
        }
    }
    let needed = |slots: &Slots, present: &BTreeSet<Slot>| {
        let roots = present.iter().filter(|slot| slot.source.is_none()).cloned();
        reach(roots, |slot| slots.get(slot).map(|l| l.needs.iter().cloned().collect()).unwrap_or_default())
    };
    let reached = needed(&values, &present);
    let before: Vec<(&Slots, BTreeSet<Slot>)> = [sides.ours, sides.theirs]
        .into_iter()
        .flatten()
        .map(|s| (s, needed(s, &s.keys().cloned().collect())))
        .collect();
    // What nothing needs any more goes, unless nothing needed it before either.
    let stays = |slot: &Slot| {
        present.contains(slot)
            && (reached.contains(slot)
                || before.iter().any(|(s, r)| s.contains_key(slot) && !r.contains(slot)))
    };
    values.into_iter().filter(|(slot, _)| stays(slot)).collect()
}

/// What a version brings with it and can't be taken from another.
type Artefact = (String, Option<String>, Option<String>, Option<String>);

fn artefact(locked: &Locked) -> Artefact {
    (locked.version.clone(), locked.source.clone(), locked.checksum.clone(), locked.replace.clone())
}

/// Each dependency by itself: there it is a plain yes or no, about which two sides can't differ in two ways.
fn merge_needs(three: Three<&Locked>) -> BTreeSet<Slot> {
    // A side that removed the whole entry has no say in what it needs.
    let (Some(ours), Some(theirs)) = (three.ours, three.theirs) else {
        return three.ours.or(three.theirs).map(|l| l.needs.clone()).unwrap_or_default();
    };
    let had = |slot: &Slot| three.base.is_some_and(|b| b.needs.contains(slot));
    (ours.needs.union(&theirs.needs))
        .filter(|slot| (ours.needs.contains(slot) && theirs.needs.contains(slot)) || !had(slot))
        .cloned()
        .collect()
}

fn merge_unused(base: Option<&Loaded>, ours: &Loaded, theirs: &Loaded) -> Vec<Package> {
    let mut places: BTreeMap<&String, &Package> = ours.unused.iter().collect();
    places.extend(&theirs.unused);
    let stays = |p: &&String| {
        let had = base.is_some_and(|b| b.unused.contains_key(*p));
        ours.unused.contains_key(*p) && theirs.unused.contains_key(*p) || !had
    };
    places.into_iter().filter(|(p, _)| stays(p)).map(|(_, package)| package.clone()).collect()
}

fn titled(locked: &Locked) -> String {
    let checksum = locked.checksum.as_deref().unwrap_or("no checksum");
    let revision =
        locked.source.as_deref().and_then(|s| s.split_once('#')).map(|(_, r)| r).unwrap_or(checksum);
    format!("{} ({})", locked.version, revision.chars().take(12).collect::<String>())
}

fn conflict(place: &str, says: Three<String>, why: Option<String>) -> MergeConflict {
    MergeConflict { place: place.to_owned(), base: says.base, ours: says.ours, theirs: says.theirs, why }
}

fn by_name_and_version(a: &(Slot, String), b: &(Slot, String)) -> Ordering {
    let version = |v: &str| semver::Version::parse(v).ok();
    registry_order(&a.0.name, &b.0.name).then_with(|| version(&a.1).cmp(&version(&b.1)))
}

fn package(slot: &Slot, locked: &Locked) -> Package {
    let checksum = locked.checksum.clone().map(|text| document::Text { text, span: 0..0 });
    Package {
        name: slot.name.clone(),
        version: locked.version.clone(),
        source: locked.source.clone(),
        checksum,
        dependencies: Vec::new(),
        replace: locked.replace.clone(),
        unknown: None,
        at: 0,
    }
}
