//! Checksums that the trusted history contradicts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Version;
use crate::artefacts::{Artefact, Differences};
use crate::lockfile::Site;
use crate::replace::{Refused, Replacement, replaced};
use crate::{Checksum, Damage, Entry, EntryKey, Format, Lockfile};

/// A checksum that the trusted history contradicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OddChecksum {
    /// Whose checksum.
    pub key: EntryKey,
    /// 1-based line of the entry.
    pub line: u64,
    /// The file that it is of, where the lockfile names it.
    pub file: Option<String>,
    /// What the lockfile says.
    pub found: Checksum,
    /// What the history held for exactly this name, version, source and file.
    pub known: Checksum,
    /// In which commit, newest first.
    pub commit: String,
}

/// An entry some of whose checksums went while others came, so that which took whose place can't be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnclearChecksums {
    /// Whose checksums.
    pub key: EntryKey,
    /// 1-based line of the entry.
    pub line: u64,
    /// How many of those that the history held are not there.
    pub gone: usize,
    /// How many are there that it did not hold.
    pub come: usize,
    /// In which commit, newest first.
    pub commit: String,
}

/// What the trusted history contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OddChecksums {
    /// Checksums in another one's place.
    pub replaced: Vec<OddChecksum>,
    /// Entries of which no more can be told than that their checksums are others.
    pub unclear: Vec<UnclearChecksums>,
}

impl fmt::Display for UnclearChecksums {
    /// A sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let UnclearChecksums { key, gone, come, commit, .. } = self;
        let (name, commit) = (&key.name, commit.get(..10).unwrap_or(commit));
        let version = key.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
        write!(
            f,
            "{gone} of the checksums that commit {commit} held for {name}{version} are gone and {come} others have come; "
        )?;
        f.write_str("which took whose place can't be told")
    }
}

impl OddChecksums {
    /// Whether the history contradicts nothing.
    pub fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.unclear.is_empty()
    }
}

/// Checksums of `lockfile` that differ from what the history held for the same name, version and source with the same
/// algorithm: the newest version that holds another one in its place is named. Where a release has several files they are
/// compared by name, where the lockfile names them, else as a set; a file that was published later is nothing odd. Where
/// the tool's way to compute them changed, nothing can be told.
pub fn odd_checksums(lockfile: &Lockfile, history: &[Version]) -> OddChecksums {
    let mut open = by_key(lockfile);
    let mut odd = OddChecksums::default();
    for version in history.iter().filter(|v| v.lockfile.checksum_scheme == lockfile.checksum_scheme) {
        for (key, known) in by_key(&version.lockfile) {
            let Some(entries) = open.get(&key) else { continue };
            if contradictions(&key, entries, &known, &version.commit, &mut odd) {
                open.remove(&key);
            }
        }
    }
    let order = |o: &OddChecksum| (o.key.clone(), o.line);
    odd.replaced.sort_by_key(order);
    odd
}

/// Whether what a version held for the same name, version and source has another checksum in the place of one of these.
pub(super) fn contradicts(known: &[&Entry], entry: &Entry) -> bool {
    !Differences::between(&held(known, entry), &entry.owned_artefacts()).is_consistent()
}

/// Adds what one version contradicts, and tells whether it does.
fn contradictions(
    key: &EntryKey,
    entries: &[&Entry],
    known: &[&Entry],
    commit: &str,
    odd: &mut OddChecksums,
) -> bool {
    let mut any = false;
    for entry in entries {
        // Almost every entry is as it was.
        if known.iter().any(|k| k.artefacts().eq(entry.artefacts())) {
            continue;
        }
        let (old, new) = (held(known, entry), entry.owned_artefacts());
        let found = Differences::between(&old, &new);
        any |= !found.is_consistent();
        for replaced in &found.replaced {
            let (known, found) = (replaced.from.clone(), replaced.to.clone());
            let file = replaced.file.map(str::to_owned);
            let one = OddChecksum {
                key: key.clone(),
                line: entry.line,
                file,
                found,
                known,
                commit: commit.to_owned(),
            };
            // Copies of one release say the same.
            let same = |o: &OddChecksum| o.key == one.key && o.file == one.file && o.found == one.found;
            if !odd.replaced.iter().rev().any(same) {
                odd.replaced.push(one);
            }
        }
        if found.is_unclear() {
            odd.unclear.push(UnclearChecksums {
                key: key.clone(),
                line: entry.line,
                gone: found.gone.len(),
                come: found.come.len(),
                commit: commit.to_owned(),
            });
        }
    }
    any
}

/// What a version held for the entry: that of the same place first, and what its other copies have beside that.
fn held(known: &[&Entry], entry: &Entry) -> Vec<Artefact> {
    let own = known.iter().find(|k| k.place == entry.place).or(known.first());
    let mut list: Vec<Artefact> = own.map(|k| k.owned_artefacts()).unwrap_or_default();
    for (file, checksum) in known.iter().flat_map(|k| k.artefacts()) {
        if !list.iter().any(|(f, c)| f.as_deref() == file && c == checksum) {
            list.push((file.map(str::to_owned), checksum.clone()));
        }
    }
    list
}

fn by_key(lockfile: &Lockfile) -> BTreeMap<EntryKey, Vec<&Entry>> {
    let mut known: BTreeMap<EntryKey, Vec<&Entry>> = BTreeMap::new();
    for entry in lockfile.entries.iter().filter(|e| !e.local && !e.checksums.is_empty()) {
        known.entry(entry.key()).or_default().push(entry);
    }
    known
}

/// The text with what is in another one's place as the history held it.
///
/// # Errors
/// Where the format can't hold it, or it would be weaker.
pub(super) fn put_back(
    format: Format,
    bytes: &[u8],
    lockfile: &Lockfile,
    odd: &[OddChecksum],
) -> Result<Vec<u8>, Refused> {
    let mut replacements = Vec::new();
    for odd in odd {
        let copies = lockfile.entries.iter().chain(&lockfile.mirror).filter(|e| e.key() == odd.key);
        let here =
            |s: &&Site| s.checksum.as_ref() == Some(&odd.found) && s.file.as_deref() == odd.file.as_deref();
        let before = replacements.len();
        for site in copies.flat_map(|e| e.sites.iter().filter(here)) {
            replacements.push(Replacement { key: &odd.key, site, new: &odd.known });
        }
        if replacements.len() == before {
            return Err(Refused::NotThere { key: odd.key.clone(), old: Box::new(odd.found.clone()) });
        }
    }
    replaced(format, bytes, &replacements)
}

/// The text with every malformed checksum as the history held it for the same name, version, source and file, and how many
/// entries those are of. `None` where something else is damaged, or where it can't be told which checksum stood there.
pub(super) fn well_formed(
    format: Format,
    bytes: &[u8],
    lockfile: &Lockfile,
    history: &[Version],
) -> Option<(usize, Vec<u8>)> {
    if !lockfile.damage.iter().all(|d| matches!(d, Damage::BadChecksum { .. })) {
        return None;
    }
    // At the very end, what is missing may be more than a part of a checksum.
    let end = bytes.trim_ascii_end().len();
    let malformed = |e: &&Entry| e.sites.iter().any(|s| s.checksum.is_none());
    let entries: Vec<(EntryKey, &Entry)> =
        (lockfile.entries.iter().chain(&lockfile.mirror).filter(malformed)).map(|e| (e.key(), e)).collect();
    if entries.iter().flat_map(|(_, e)| &e.sites).any(|s| s.checksum.is_none() && s.span.end >= end) {
        return None;
    }
    let mut replacements = Vec::new();
    for (key, entry) in &entries {
        let held = history.iter().find_map(|version| {
            let mut known =
                version.lockfile.entries.iter().filter(|e| !e.checksums.is_empty() && e.key() == *key);
            let of_place = known.clone().find(|e| e.place == entry.place);
            of_the_malformed(entry, of_place.or_else(|| known.next())?)
        })?;
        replacements.extend(held.into_iter().map(|(site, new)| Replacement { key, site, new }));
    }
    let text = replaced(format, bytes, &replacements).ok()?;
    let many = entries.iter().map(|(key, _)| key).collect::<BTreeSet<_>>().len();
    (many > 0).then_some((many, text))
}

/// For each malformed checksum of an entry the one that stood there: that of the same file; the only one that is
/// missing; or the one in the same place of a list as long.
fn of_the_malformed<'s>(entry: &'s Entry, held: &'s Entry) -> Option<Vec<(&'s Site, &'s Checksum)>> {
    let missing: Vec<&Checksum> = held.checksums.iter().filter(|c| !entry.checksums.contains(c)).collect();
    let malformed = entry.sites.iter().enumerate().filter(|(_, s)| s.checksum.is_none());
    let several = malformed.clone().nth(1).is_some();
    let found = malformed.map(|(at, site)| {
        let of_file = || {
            let mut same = held.sites.iter().filter(|s| s.file.is_some() && s.file == site.file);
            same.next().filter(|_| same.next().is_none())
        };
        let in_place = || {
            let of_as_many = held.sites.get(at).filter(|_| held.sites.len() == entry.sites.len());
            of_as_many.filter(|s| s.file == site.file)
        };
        let checksum = match (missing.as_slice(), &site.file) {
            (_, Some(_)) => in_place().or_else(of_file)?.checksum.as_ref()?,
            ([only], None) if !several => *only,
            (_, None) => in_place()?.checksum.as_ref().filter(|c| missing.contains(c))?,
        };
        Some((site, checksum))
    });
    found.collect()
}
