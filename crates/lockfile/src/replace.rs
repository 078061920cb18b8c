//! Replaces one checksum, and no other byte.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::checksum::Style;
use crate::lockfile::Site;
use crate::{Algorithm, Checksum, Damage, Entry, EntryKey, Format, parse};

/// Why no byte was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The lockfile can't be read.
    #[error("the lockfile can't be read: {0}")]
    Unreadable(Damage),
    /// Nothing has this name, version and source.
    #[error("the lockfile has no {0}")]
    Absent(EntryKey),
    /// The entry has no checksum that could be replaced; none is ever added.
    #[error("{0} has no checksum to replace")]
    NoChecksum(EntryKey),
    /// There are several checksums (one for each file of a release, or at each place of the tree another), and
    /// it wasn't said which of them is meant.
    #[error("{0} has several checksums, and which one is meant was not said")]
    Ambiguous(EntryKey),
    /// The checksum that was to be replaced is not there.
    #[error("{key} has no checksum {old}")]
    NotThere {
        /// The entry.
        key: EntryKey,
        /// What was to be replaced.
        old: Box<Checksum>,
    },
    /// The new checksum would be easier to forge.
    #[error("{new} is weaker than {old}, which {key} has")]
    Weaker {
        /// The entry.
        key: EntryKey,
        /// What it has.
        old: Algorithm,
        /// What it was to get.
        new: Algorithm,
    },
    /// The format has no way to write this algorithm.
    #[error("{format} can't hold a {new} checksum")]
    Foreign {
        /// The format.
        format: Format,
        /// What was to be written.
        new: Algorithm,
    },
}

/// The lockfile with `new` in place of the entry's checksum; every other byte stays as it is.
///
/// `old` says which checksum is meant where there are several. Without it that is the only one, or the only
/// malformed one, or the one of the same algorithm as `new`. Where the same artefact is locked at several
/// places (npm's nested copies, and the second listing of lockfile version 2), all of them are changed.
///
/// Whether `new` may be trusted is for the caller to know: it must have been seen for this name, version and
/// source, or been signed for.
///
/// # Errors
/// [`Refused`]; nothing has been changed then.
pub fn replace_checksum(
    format: Format,
    bytes: &[u8],
    key: &EntryKey,
    old: Option<&Checksum>,
    new: &Checksum,
) -> Result<Vec<u8>, Refused> {
    let style = format.facts().style;
    if style != Style::Element && !style.can_hold(new.algorithm()) {
        return Err(Refused::Foreign { format, new: new.algorithm() });
    }
    let lockfile = parse(format, bytes).map_err(Refused::Unreadable)?;
    let entries: Vec<&Entry> =
        lockfile.entries.iter().chain(&lockfile.mirror).filter(|e| e.key() == *key).collect();
    if entries.is_empty() {
        return Err(Refused::Absent(key.clone()));
    }
    let with: Vec<&Entry> = entries.into_iter().filter(|e| !e.sites.is_empty()).collect();
    if with.is_empty() {
        return Err(Refused::NoChecksum(key.clone()));
    }
    let mut spans = Vec::new();
    let mut replaced = BTreeSet::new();
    for entry in with {
        // A nested copy that already has the right value needs no change.
        if old.is_some() && entry.checksums.contains(new) && !old.is_some_and(|o| entry.checksums.contains(o))
        {
            continue;
        }
        let site = meant(entry, key, old, new)?;
        strong_enough(format, site, key, new)?;
        replaced.insert(site.checksum.clone());
        spans.push(site.span.clone());
    }
    // Copies of one artefact that disagree: one of them may be right, and nobody said which is not.
    if replaced.len() > 1 && old.is_none() {
        return Err(Refused::Ambiguous(key.clone()));
    }
    if let (true, Some(old)) = (spans.is_empty(), old) {
        return Err(Refused::NotThere { key: key.clone(), old: Box::new(old.clone()) });
    }
    let new = new.to_text(format);
    Ok(spliced(bytes, spans.into_iter().map(|span| (span, new.clone())).collect()))
}

/// What is to stand at one place of the text.
pub(crate) struct Replacement<'r> {
    /// Whose checksum it is.
    pub(crate) key: &'r EntryKey,
    /// Where one stands now.
    pub(crate) site: &'r Site,
    /// The one to write.
    pub(crate) new: &'r Checksum,
}

/// The text with each of these checksums in its place, under the rules of [`replace_checksum`].
///
/// # Errors
/// [`Refused::Foreign`] and [`Refused::Weaker`].
pub(crate) fn replaced(
    format: Format,
    bytes: &[u8],
    replacements: &[Replacement<'_>],
) -> Result<Vec<u8>, Refused> {
    let style = format.facts().style;
    let mut pieces = Vec::new();
    for Replacement { key, site, new } in replacements {
        if style != Style::Element && !style.can_hold(new.algorithm()) {
            return Err(Refused::Foreign { format, new: new.algorithm() });
        }
        strong_enough(format, site, key, new)?;
        pieces.push((site.span.clone(), new.to_text(format)));
    }
    pieces.sort_by_key(|(span, _)| span.start);
    pieces.dedup();
    // With an escape in it, a string of several stands in one place.
    if let Some(at) = pieces.windows(2).position(|two| two[1].0.start < two[0].0.end) {
        let key = replacements.get(at).map(|r| r.key.clone());
        return key.map_or(Ok(bytes.to_vec()), |key| Err(Refused::Ambiguous(key)));
    }
    Ok(spliced(bytes, pieces))
}

/// Which of the entry's checksums is to go.
fn meant<'e>(
    entry: &'e Entry,
    key: &EntryKey,
    old: Option<&Checksum>,
    new: &Checksum,
) -> Result<&'e Site, Refused> {
    if let Some(old) = old {
        let found = entry.sites.iter().find(|s| s.checksum.as_ref() == Some(old));
        return found.ok_or_else(|| Refused::NotThere { key: key.clone(), old: Box::new(old.clone()) });
    }
    let only = |fits: &dyn Fn(&&Site) -> bool| {
        let mut fitting = entry.sites.iter().filter(fits);
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let malformed = entry.sites.iter().any(|s| s.checksum.is_none());
    only(&|_| true)
        .or_else(|| {
            if malformed {
                only(&|s| s.checksum.is_none())
            } else {
                only(&|s| s.algorithm == Some(new.algorithm()))
            }
        })
        .ok_or_else(|| Refused::Ambiguous(key.clone()))
}

/// The new one must be no weaker than the one that goes.
fn strong_enough(format: Format, site: &Site, key: &EntryKey, new: &Checksum) -> Result<(), Refused> {
    // There the element is named after it, and only its value is written.
    if format.facts().style == Style::Element && site.algorithm != Some(new.algorithm()) {
        return Err(Refused::Foreign { format, new: new.algorithm() });
    }
    // Where not even the algorithm can be read, it was what the tool writes today.
    let usual = format.facts().style.usual();
    let going = site.algorithm.unwrap_or(usual);
    match new.algorithm() < going {
        true => Err(Refused::Weaker { key: key.clone(), old: going, new: new.algorithm() }),
        false => Ok(()),
    }
}

fn spliced(bytes: &[u8], mut pieces: Vec<(Range<usize>, String)>) -> Vec<u8> {
    pieces.sort_by_key(|(span, _)| span.start);
    pieces.dedup();
    let mut out = Vec::with_capacity(bytes.len() + pieces.len());
    let mut at = 0;
    for (span, new) in pieces {
        out.extend_from_slice(&bytes[at..span.start]);
        out.extend_from_slice(new.as_bytes());
        at = span.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}
