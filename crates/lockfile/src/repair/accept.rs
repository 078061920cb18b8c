//! The rules for every repaired lockfile.

use std::collections::{BTreeMap, BTreeSet};

use super::odd::contradicts;
use super::{Suspect, sound};
use crate::{Agreement, Checksum, Entry, EntryKey, Lockfile, hosts};

/// Whether a repaired lockfile may be used: whole; in agreement with its manifest; no checksum that the trusted history
/// contradicts, and none weaker than those it held; no host that neither the history nor `present` (the lockfile as it
/// is, where it can be read) nor the caller knows.
///
/// # Errors
/// Which rule it breaks, as a clause.
pub fn acceptable(
    suspect: &Suspect<'_>,
    present: Option<&Lockfile>,
    text: &[u8],
    allowed_hosts: &[String],
) -> Result<Lockfile, String> {
    let lock = sound(suspect.format, text)
        .ok_or_else(|| format!("the repaired {} would not be whole", suspect.name))?;
    if let Agreement::Drift(reasons) = (suspect.agreement)(&lock) {
        return Err(format!("it would not agree with its manifest: {}", reasons.join("; ")));
    }
    if let Some(name) = contradicted(suspect, &lock) {
        return Err(format!("it would hold a checksum for {name} that the trusted history never held"));
    }
    let mut known: BTreeSet<String> = suspect.history.iter().flat_map(|v| hosts(&v.lockfile)).collect();
    known.extend(present.map(hosts).unwrap_or_default());
    known.extend(allowed_hosts.iter().cloned());
    match hosts(&lock).difference(&known).next() {
        Some(host) => Err(format!("it would fetch from {host}, which nothing names so far")),
        None => Ok(lock),
    }
}

/// An entry that the trusted history knows by name, version and source, but never with this checksum for one of its files,
/// or only with stronger ones.
fn contradicted(suspect: &Suspect<'_>, lock: &Lockfile) -> Option<String> {
    let held = held(suspect);
    let foreign = lock.entries.iter().filter(|e| !e.local).find(|entry| {
        let Some(versions) = held.get(&entry.key()) else { return false };
        let known = || versions.values().flatten().flat_map(|e| &e.checksums);
        let strongest = |of: &mut dyn Iterator<Item = &Checksum>| of.map(Checksum::algorithm).max();
        let weaker = strongest(&mut entry.checksums.iter()) < strongest(&mut known());
        weaker
            || !entry.checksums.iter().any(|c| known().any(|k| k == c))
            || versions.values().all(|of_version| contradicts(of_version, entry))
    });
    foreign.map(|entry| entry.title())
}

/// By name, version and source, the entries with checksums of each version in which the trusted history held them.
fn held<'s>(suspect: &Suspect<'s>) -> BTreeMap<EntryKey, BTreeMap<usize, Vec<&'s Entry>>> {
    let mut held: BTreeMap<EntryKey, BTreeMap<usize, Vec<&Entry>>> = BTreeMap::new();
    for (n, version) in suspect.history.iter().enumerate() {
        for entry in version.lockfile.entries.iter().filter(|e| !e.checksums.is_empty()) {
            held.entry(entry.key()).or_default().entry(n).or_default().push(entry);
        }
    }
    held
}
