//! The merge: for every configuration, which version of each module it has.

use std::collections::{BTreeMap, BTreeSet};

use crate::merge::{Three, pick};
use crate::{MergeConflict, Side, Unmergeable};

/// A configuration with a module (group and artifact), or alone where it has none.
type Slot = (String, Option<String>);

/// Merges the texts, which have been read before.
pub(crate) fn merge(texts: Three<&str>) -> Result<(String, Vec<MergeConflict>), Unmergeable> {
    let (ours, theirs) = (texts.ours.unwrap_or_default(), texts.theirs.unwrap_or_default());
    if ours == theirs || texts.base == Some(theirs) {
        return Ok((ours.to_owned(), Vec::new()));
    }
    if texts.base == Some(ours) {
        return Ok((theirs.to_owned(), Vec::new()));
    }
    let sides = Three {
        base: texts.base.map(|text| slots(Side::Base, text)).transpose()?,
        ours: Some(slots(Side::Ours, ours)?),
        theirs: Some(slots(Side::Theirs, theirs)?),
    };
    let all: BTreeSet<&Slot> =
        [&sides.ours, &sides.theirs].into_iter().flatten().flat_map(BTreeMap::keys).collect();
    let (mut merged, mut conflicts) = (BTreeMap::new(), Vec::new());
    for slot in all {
        let three = Three {
            base: sides.base.as_ref().and_then(|s| s.get(slot)),
            ours: sides.ours.as_ref().and_then(|s| s.get(slot)),
            theirs: sides.theirs.as_ref().and_then(|s| s.get(slot)),
        };
        let version = pick(three).unwrap_or_else(|_| {
            let (configuration, module) = slot;
            let place = format!("{} in {configuration}", module.as_deref().unwrap_or("nothing"));
            let Three { base, ours, theirs } = three.map(|version| Some((*version).clone()));
            conflicts.push(MergeConflict { place, base, ours, theirs, why: None });
            three.ours
        });
        if let Some(version) = version {
            merged.insert(slot.clone(), version.clone());
        }
    }
    Ok((head(ours) + &written(&merged), conflicts))
}

fn head(text: &str) -> String {
    text.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect()
}

/// What each configuration has; refused where the text would not be written like this.
fn slots(side: Side, text: &str) -> Result<BTreeMap<Slot, String>, Unmergeable> {
    let mut slots = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        let Some((module, configurations)) = line.split_once('=') else { continue };
        for configuration in configurations.split(',').filter(|c| !c.is_empty()) {
            let (slot, version) = match module.rsplit_once(':') {
                Some((module, version)) => ((configuration.to_owned(), Some(module.to_owned())), version),
                None => ((configuration.to_owned(), None), ""),
            };
            slots.insert(slot, version.to_owned());
        }
    }
    match head(text) + &written(&slots) == text {
        true => Ok(slots),
        false => {
            let what = "entries that are not laid out as its tool does".to_owned();
            Err(Unmergeable::Unknown { side, what })
        }
    }
}

/// As `LockFileReaderWriter` of Gradle has it: sorted lines, and last the configurations that have nothing.
fn written(slots: &BTreeMap<Slot, String>) -> String {
    let mut modules: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let filled: BTreeSet<&str> = slots.keys().filter(|(_, m)| m.is_some()).map(|(c, _)| c.as_str()).collect();
    let mut empty: BTreeSet<&str> = BTreeSet::new();
    for ((configuration, module), version) in slots {
        match module {
            Some(module) => {
                _ = modules.entry(format!("{module}:{version}")).or_default().insert(configuration)
            }
            None if !filled.contains(configuration.as_str()) => _ = empty.insert(configuration),
            None => {}
        }
    }
    let list = |configurations: &BTreeSet<&str>| configurations.iter().copied().collect::<Vec<_>>().join(",");
    let mut text: String = modules
        .iter()
        .map(|(module, configurations)| format!("{module}={}\n", list(configurations)))
        .collect();
    text.push_str(&format!("empty={}\n", list(&empty)));
    text
}
