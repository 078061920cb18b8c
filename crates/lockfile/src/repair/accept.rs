//! The rules for every repaired lockfile.

use std::collections::{BTreeMap, BTreeSet};

use super::{Suspect, sound};
use crate::{Agreement, Checksum, EntryKey, Lockfile, hosts};

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

/// An entry that the trusted history knows by name, version and source, but never with this checksum, or only with
/// stronger ones.
fn contradicted(suspect: &Suspect<'_>, lock: &Lockfile) -> Option<String> {
    let held = held(suspect);
    let foreign = lock.entries.iter().filter(|e| !e.local).find(|entry| {
        let Some(known) = held.get(&entry.key()) else { return false };
        let strongest = |of: &mut dyn Iterator<Item = &Checksum>| of.map(Checksum::algorithm).max();
        let weaker = strongest(&mut entry.checksums.iter()) < strongest(&mut known.iter().copied());
        weaker || !entry.checksums.iter().any(|c| known.contains(c))
    });
    foreign.map(|entry| entry.title())
}

/// Every checksum that the trusted history held, by name, version and source.
fn held<'s>(suspect: &Suspect<'s>) -> BTreeMap<EntryKey, BTreeSet<&'s Checksum>> {
    let mut held: BTreeMap<EntryKey, BTreeSet<&Checksum>> = BTreeMap::new();
    for entry in suspect.history.iter().flat_map(|v| &v.lockfile.entries).filter(|e| !e.checksums.is_empty())
    {
        held.entry(entry.key()).or_default().extend(&entry.checksums);
    }
    held
}
