//! Checksums that the trusted history contradicts.

use std::collections::{BTreeMap, BTreeSet};

use super::Version;
use crate::{Algorithm, Checksum, Damage, Entry, EntryKey, Format, Lockfile, replace_checksum};

/// A checksum that the trusted history contradicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddChecksum {
    /// Whose checksum.
    pub key: EntryKey,
    /// 1-based line of the entry.
    pub line: u64,
    /// What the lockfile says.
    pub found: Checksum,
    /// What the history held for exactly this name, version and source.
    pub known: Checksum,
    /// In which commit, newest first.
    pub commit: String,
}

/// Checksums of `lockfile` that differ from what the history held for the same name, version and source with the same
/// algorithm: the newest version that holds another one in its place is named. Of several checksums of one release, only one
/// may have gone and one come; a file that was published later is nothing odd. Where the tool's way to compute them
/// changed, nothing can be told.
pub fn odd_checksums(lockfile: &Lockfile, history: &[Version]) -> Vec<OddChecksum> {
    let mut open: BTreeMap<EntryKey, Vec<&Entry>> = BTreeMap::new();
    for entry in lockfile.entries.iter().filter(|e| !e.local && !e.checksums.is_empty()) {
        open.entry(entry.key()).or_default().push(entry);
    }
    let mut odd: BTreeMap<EntryKey, OddChecksum> = BTreeMap::new();
    for version in history.iter().filter(|v| v.lockfile.checksum_scheme == lockfile.checksum_scheme) {
        for (key, known) in by_key(&version.lockfile) {
            let Some(entries) = open.get(&key).filter(|_| !odd.contains_key(&key)) else { continue };
            let found = entries.iter().find_map(|entry| Some((entry.line, replaced(entry, &known)?)));
            if let Some((line, (found, known))) = found {
                let commit = version.commit.clone();
                odd.insert(key.clone(), OddChecksum { key, line, found, known, commit });
            }
        }
    }
    odd.into_values().collect()
}

/// The text with every malformed checksum as the history held it for the same name, version and source, and how many those
/// are. `None` where something else is damaged, or where it can't be told which checksum stood there.
pub(super) fn well_formed(
    format: Format,
    bytes: &[u8],
    lockfile: &Lockfile,
    history: &[Version],
) -> Option<(usize, Vec<u8>)> {
    if !lockfile.damage.iter().all(|d| matches!(d, Damage::BadChecksum { .. })) {
        return None;
    }
    let malformed = |e: &&Entry| e.sites.iter().any(|s| s.checksum.is_none());
    // At the very end, what is missing may be more than a part of a checksum.
    let end = bytes.trim_ascii_end().len();
    let last = |e: &Entry| e.sites.iter().any(|s| s.checksum.is_none() && s.span.end >= end);
    if lockfile.entries.iter().any(last) {
        return None;
    }
    let entries: BTreeMap<EntryKey, &Entry> =
        lockfile.entries.iter().filter(malformed).map(|e| (e.key(), e)).collect();
    let mut text = bytes.to_vec();
    for (key, entry) in &entries {
        let good = history.iter().find_map(|version| {
            let held = version.lockfile.entries.iter().find(|e| e.key() == *key)?;
            let mut gone = held.checksums.iter().filter(|c| !entry.checksums.contains(c));
            gone.next().filter(|_| gone.next().is_none())
        })?;
        text = replace_checksum(format, &text, key, None, good).ok()?;
    }
    (!entries.is_empty()).then_some((entries.len(), text))
}

fn by_key(lockfile: &Lockfile) -> BTreeMap<EntryKey, BTreeSet<&Checksum>> {
    let mut known: BTreeMap<EntryKey, BTreeSet<&Checksum>> = BTreeMap::new();
    for entry in lockfile.entries.iter().filter(|e| !e.local && !e.checksums.is_empty()) {
        known.entry(entry.key()).or_default().extend(&entry.checksums);
    }
    known
}

/// The one checksum of an algorithm that came, with the one that went.
fn replaced(entry: &Entry, known: &BTreeSet<&Checksum>) -> Option<(Checksum, Checksum)> {
    Algorithm::ALL.into_iter().rev().find_map(|algorithm| {
        let of = |c: &&Checksum| c.algorithm() == algorithm;
        let come: Vec<&Checksum> = entry.checksums.iter().filter(of).filter(|c| !known.contains(c)).collect();
        let gone: Vec<&Checksum> =
            known.iter().copied().filter(of).filter(|c| !entry.checksums.contains(c)).collect();
        match (come.as_slice(), gone.as_slice()) {
            ([come], [gone]) => Some(((*come).clone(), (*gone).clone())),
            _ => None,
        }
    })
}
