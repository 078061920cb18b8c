//! The smallest change that makes a damaged lockfile whole again, from what its history held; and the rules for every
//! repaired lockfile, whoever made it.
//!
//! In this order: checksums that the history contradicts; the lines that are damaged, as a good version has them; a merge
//! of both sides of a conflict; and where nothing of that is enough, the last good version for the tool's own resolver to
//! complete. No undamaged entry is changed, and no version beyond the damage.

mod accept;
mod lines;
mod odd;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::position::marker;
use crate::{Agreement, Conflict, Damage, Format, Lockfile, hosts, merge, parse, split_conflict};

pub use accept::acceptable;
pub use odd::{OddChecksum, OddChecksums, UnclearChecksums, odd_checksums};

/// A lockfile that may be damaged, with all that bears on it.
pub struct Suspect<'s> {
    /// Its path, for sentences.
    pub name: &'s str,
    /// Its format.
    pub format: Format,
    /// Its bytes as they are.
    pub bytes: &'s [u8],
    /// The sound versions of it in the history that may be believed, newest first.
    pub history: &'s [Version],
    /// The sides of an unresolved merge as git has them, where it does.
    pub sides: Option<&'s Conflict>,
    /// Whether a lockfile agrees with the manifests as they are now.
    pub agreement: &'s dyn Fn(&Lockfile) -> Agreement,
    /// The places of its entries that no manifest needs, as [`crate::unneeded`].
    pub unneeded: &'s dyn Fn(&Lockfile) -> Vec<String>,
}

/// A sound version of a lockfile.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its commit.
    pub commit: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What they hold.
    pub lockfile: Lockfile,
}

impl Version {
    /// The version of a commit; `None` where it can't be read or is damaged.
    pub fn sound(format: Format, commit: &str, bytes: &[u8]) -> Option<Version> {
        // One name may stand for several formats.
        let same = format.of_content(bytes) == format;
        let lockfile = sound(format, bytes).filter(|_| same)?;
        Some(Version { commit: commit.to_owned(), bytes: bytes.to_vec(), lockfile })
    }
}

/// How a lockfile is repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Repair {
    /// The last good version of the trusted history.
    Restore {
        /// Its commit.
        commit: String,
    },
    /// Damaged lines as the last good version has them; everything else stays.
    Lines {
        /// Its commit.
        commit: String,
        /// How many.
        count: usize,
    },
    /// Both sides of an unresolved merge, entry by entry.
    Merge,
    /// Checksums that the trusted history held for the same name, version and source.
    Checksums {
        /// How many.
        count: usize,
    },
    /// The last good version, to be completed by the tool's own resolver.
    Resolve {
        /// Its commit.
        commit: String,
    },
}

impl Repair {
    /// The stable name of the way.
    pub const fn how(&self) -> &'static str {
        match self {
            Repair::Restore { .. } => "restore",
            Repair::Lines { .. } => "lines",
            Repair::Merge => "merge",
            Repair::Checksums { .. } => "checksums",
            Repair::Resolve { .. } => "resolve",
        }
    }

    /// The commit whose version it is from, where it is from one alone.
    pub fn commit(&self) -> Option<&str> {
        match self {
            Repair::Restore { commit } | Repair::Lines { commit, .. } | Repair::Resolve { commit } => {
                Some(commit)
            }
            Repair::Merge | Repair::Checksums { .. } => None,
        }
    }

    /// What would be done to the lockfile at `path`, in a clause.
    pub fn would(&self, path: &str) -> String {
        let short = |commit: &str| commit.get(..10).unwrap_or(commit).to_owned();
        match self {
            Repair::Restore { commit } => format!("restore {path} as commit {} holds it", short(commit)),
            Repair::Merge => format!("merge both sides of {path} entry by entry"),
            Repair::Resolve { commit } => {
                format!("complete {path} of commit {} with the tool's own resolver", short(commit))
            }
            // To put is the same in both tenses.
            Repair::Lines { .. } | Repair::Checksums { .. } => self.said(path),
        }
    }

    /// What is done to the lockfile at `path`, in a clause.
    pub fn said(&self, path: &str) -> String {
        let short = |commit: &str| commit.get(..10).unwrap_or(commit).to_owned();
        match self {
            Repair::Restore { commit } => format!("restored {path} as commit {} holds it", short(commit)),
            Repair::Lines { commit, count } => {
                format!("put {count} damaged line(s) of {path} back as commit {} holds them", short(commit))
            }
            Repair::Merge => format!("merged both sides of {path} entry by entry"),
            Repair::Checksums { count } => {
                format!("put {count} checksum(s) that the history held back into {path}")
            }
            Repair::Resolve { commit } => {
                format!("completed {path} of commit {} with the tool's own resolver", short(commit))
            }
        }
    }
}

/// Why there is no repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRepair {
    /// There is nothing to repair.
    Whole(String),
    /// None is possible, or acceptable: a sentence.
    Impossible(String),
}

impl fmt::Display for NoRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (NoRepair::Whole(why) | NoRepair::Impossible(why)) = self;
        f.write_str(why)
    }
}

/// The repair to make and the text to write for it. With `can_resolve`, the text of a good version is given where only the
/// tool's own resolver can complete it; what the resolver makes of it has to pass [`acceptable`].
///
/// # Errors
/// Where there is nothing to repair, or nothing that may be done.
pub fn choose(suspect: &Suspect<'_>, can_resolve: bool) -> Result<(Repair, Vec<u8>), NoRepair> {
    let Suspect { name, format, bytes, .. } = suspect;
    let parsed = parse(*format, bytes);
    let damage = match &parsed {
        Err(damage) => Some(damage),
        Ok(lockfile) => lockfile.damage.iter().find(|d| d.is_corruption()),
    };
    let (parsed, damage) = match (&parsed, damage) {
        (Err(unknown), _) if !unknown.is_corruption() => {
            return Err(NoRepair::Impossible(format!("{name}: {unknown}")));
        }
        (Ok(lockfile), None) => return correct_checksums(suspect, lockfile),
        (parsed, Some(damage)) => (parsed.as_ref().ok(), damage),
        (Err(damage), None) => (None, damage),
    };
    let conflict = matches!(damage, Damage::ConflictMarkers { .. });
    let mut why_not = None;
    if conflict {
        match merge_sides(suspect) {
            Ok(merged) => return Ok((Repair::Merge, merged)),
            Err(why) => why_not = Some(why),
        }
    }
    for version in suspect.history {
        let Some(mended) = lines::mended(*format, bytes, version) else { continue };
        let repair = match mended.text == version.bytes {
            true => Repair::Restore { commit: version.commit.clone() },
            false => Repair::Lines { commit: version.commit.clone(), count: mended.lines },
        };
        match acceptable(suspect, parsed, &mended.text, &[]) {
            // One side of a merge alone is enough only if the manifest says so.
            Ok(lockfile) if conflict && (suspect.agreement)(&lockfile) != Agreement::Agrees => {}
            Ok(_) => return Ok((repair, mended.text)),
            Err(why) => why_not = why_not.or(Some(why)),
        }
    }
    if let Some((count, text)) =
        parsed.and_then(|lockfile| odd::well_formed(*format, bytes, lockfile, suspect.history))
        && acceptable(suspect, parsed, &text, &[]).is_ok()
    {
        return Ok((Repair::Checksums { count }, text));
    }
    match suspect.history.first() {
        Some(version) if can_resolve => {
            Ok((Repair::Resolve { commit: version.commit.clone() }, version.bytes.clone()))
        }
        Some(_) => Err(NoRepair::Impossible(match why_not {
            Some(why) => format!("no good version of {name} is enough: {why}"),
            None => format!(
                "more than the damage differs between {name} and every good version of the trusted history"
            ),
        })),
        None => Err(NoRepair::Impossible(match why_not {
            Some(why) => format!("the trusted history holds no good version of {name}, and {why}"),
            None => format!(
                "the trusted history holds no good version of {name}; regenerate it and review the change"
            ),
        })),
    }
}

fn correct_checksums(suspect: &Suspect<'_>, lockfile: &Lockfile) -> Result<(Repair, Vec<u8>), NoRepair> {
    let odd = odd_checksums(lockfile, suspect.history);
    if odd.is_empty() {
        let whole = format!("{} is whole and agrees with the trusted history", suspect.name);
        return Err(NoRepair::Whole(whole));
    }
    if let Some(unclear) = odd.unclear.first() {
        return Err(NoRepair::Impossible(unclear.to_string()));
    }
    let text = odd::put_back(suspect.format, suspect.bytes, lockfile, &odd.replaced)
        .map_err(|e| NoRepair::Impossible(e.to_string()))?;
    acceptable(suspect, Some(lockfile), &text, &[]).map_err(NoRepair::Impossible)?;
    Ok((Repair::Checksums { count: odd.replaced.len() }, text))
}

/// Both sides of a conflict as one lockfile, or why not.
fn merge_sides(suspect: &Suspect<'_>) -> Result<Vec<u8>, String> {
    // What git has put together outside of the markers is as the tool would have it only by chance.
    if let Some(sides) = suspect.sides.filter(|sides| holds_nothing_else(suspect.bytes, sides))
        && let Ok(merged) = merged(suspect, sides, sides.base.as_deref())
    {
        return Ok(merged.0);
    }
    let sides = split_conflict(suspect.bytes).map_err(|e| e.to_string())?;
    let known = suspect.sides.and_then(|s| s.base.clone());
    if let Some(base) = sides.base.clone().or(known) {
        return merged(suspect, &sides, Some(&base)).map(|(text, _)| text);
    }
    // A version that is one of the sides can't be what both began from: it would make nothing of that side's changes.
    let one_of_them = |v: &&Version| v.bytes == sides.ours || v.bytes == sides.theirs;
    let guessed = suspect.history.iter().find(|v| !one_of_them(v)).map(|v| v.bytes.as_slice());
    let (text, lockfile) = merged(suspect, &sides, guessed)?;
    match guessed.is_none() || (suspect.agreement)(&lockfile) == Agreement::Agrees {
        true => Ok(text),
        false => Err("what both sides began from is not known".to_owned()),
    }
}

/// Whether every line of the text is one of either side, or a marker: nobody has begun to resolve it by hand.
fn holds_nothing_else(text: &[u8], sides: &Conflict) -> bool {
    let lines = |text: &[u8]| -> BTreeSet<Vec<u8>> {
        text.split(|b| *b == b'\n').map(|l| l.trim_ascii_end().to_vec()).collect()
    };
    let mut known = lines(&sides.ours);
    known.extend(lines(&sides.theirs));
    known.extend(sides.base.as_deref().map(lines).unwrap_or_default());
    lines(text).iter().all(|line| known.contains(line) || marker(line).is_some())
}

fn merged(
    suspect: &Suspect<'_>,
    sides: &Conflict,
    base: Option<&[u8]>,
) -> Result<(Vec<u8>, Lockfile), String> {
    let merged = merge(suspect.format, base, &sides.ours, &sides.theirs).map_err(|e| e.to_string())?;
    if let Some(conflict) = merged.conflicts.first() {
        return Err(format!("both sides changed {conflict}"));
    }
    let locks: Vec<Lockfile> = [&sides.ours, &sides.theirs]
        .into_iter()
        .filter_map(|side| parse(suspect.format, side).ok())
        .collect();
    let allowed: Vec<String> = locks.iter().flat_map(hosts).collect();
    let lockfile = acceptable(suspect, None, &merged.text, &allowed)?;
    // What both sides have was there before them.
    let old = |place: &String| locks.iter().all(|lock| lock.entries.iter().any(|e| e.place == *place));
    if let Some(place) = (suspect.unneeded)(&lockfile).into_iter().find(|place| !old(place)) {
        return Err(format!("no manifest needs the {place} that one side adds"));
    }
    Ok((merged.text, lockfile))
}

/// The lockfile in `bytes`, where nothing in it is damaged.
pub(crate) fn sound(format: Format, bytes: &[u8]) -> Option<Lockfile> {
    parse(format, bytes).ok().filter(|lock| !lock.damage.iter().any(Damage::is_corruption))
}
