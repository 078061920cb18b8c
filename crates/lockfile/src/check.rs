//! Everything that is wrong, or weak, in one lockfile.

use std::collections::BTreeSet;
use std::fmt;

use crate::origin::host_of;
use crate::{Algorithm, Damage, Entry, Format, Lockfile, parse};

/// One thing to say about a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is damaged: the tool will refuse it or install something else.
    Damage(Damage),
    /// Its only checksum is of an algorithm with known collisions. Many old packages have no other.
    WeakChecksum {
        /// Line of the entry.
        line: u64,
        /// The entry's name and version.
        entry: String,
        /// The strongest algorithm it has.
        algorithm: Algorithm,
    },
    /// It has no checksum although others from the same host (for pip: others in the file) have one. pip
    /// refuses such a file; npm and Cargo install without a check.
    NoChecksum {
        /// Line of the entry.
        line: u64,
        /// The entry's name and version.
        entry: String,
    },
}

/// Reads the lockfile and tells every problem, by line. Nothing means: sound as far as its own text tells.
pub fn check(format: Format, bytes: &[u8]) -> Vec<Problem> {
    let lockfile = match parse(format, bytes) {
        Ok(lockfile) => lockfile,
        Err(damage) => return vec![Problem::Damage(damage)],
    };
    problems(&lockfile)
}

/// Every problem of a lockfile that could be read, by line.
pub(crate) fn problems(lockfile: &Lockfile) -> Vec<Problem> {
    let mut problems: Vec<Problem> = lockfile.damage.iter().cloned().map(Problem::Damage).collect();
    problems.extend(weaknesses(lockfile));
    problems.sort_by_key(Problem::line);
    problems
}

impl Problem {
    /// The 1-based line it points to.
    pub fn line(&self) -> u64 {
        match self {
            Problem::Damage(damage) => damage.line(),
            Problem::WeakChecksum { line, .. } | Problem::NoChecksum { line, .. } => *line,
        }
    }

    /// Whether it is damage; a weakness is only worth a word.
    pub fn is_damage(&self) -> bool {
        matches!(self, Problem::Damage(damage) if damage.is_corruption())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Damage(damage) => damage.fmt(f),
            Problem::WeakChecksum { line, entry, algorithm } => {
                write!(f, "line {line}: {entry} has no checksum stronger than {algorithm}")
            }
            Problem::NoChecksum { line, entry } => {
                write!(f, "line {line}: {entry} has no checksum, unlike its neighbours")
            }
        }
    }
}

fn weaknesses(lockfile: &Lockfile) -> Vec<Problem> {
    // Entries are compared with those of the same origin: git and local ones never have a checksum.
    let silent = lockfile.format.facts().silent_default;
    let origin = |e: &Entry| match e.source.as_deref() {
        // pip wants one for every requirement.
        _ if lockfile.format == Format::PipRequirements => Some(String::new()),
        Some(source) if source.starts_with("git") => None,
        Some(source) => host_of(source),
        None => silent.then(String::new),
    };
    // Most entries have the origin of the one before.
    let mut with: BTreeSet<String> = BTreeSet::new();
    let mut last: Option<&Entry> = None;
    for entry in lockfile.entries.iter().filter(|e| !e.checksums.is_empty() || !e.sites.is_empty()) {
        if last.is_none_or(|l| l.source != entry.source) {
            with.extend(origin(entry));
        }
        last = Some(entry);
    }
    // Where a format has no better algorithm, there is nothing to say.
    let weak = lockfile.format.facts().style.usual() > Algorithm::Sha1;
    let mut found = Vec::new();
    for entry in lockfile.entries.iter().filter(|e| !e.local && !e.unproved) {
        let line = entry.line;
        match entry.checksums.iter().map(|c| c.algorithm()).max() {
            Some(algorithm) if algorithm <= Algorithm::Sha1 && weak => {
                found.push(Problem::WeakChecksum { line, entry: entry.title(), algorithm });
            }
            Some(_) => {}
            None if entry.sites.is_empty() && origin(entry).is_some_and(|o| with.contains(&o)) => {
                found.push(Problem::NoChecksum { line, entry: entry.title() });
            }
            None => {}
        }
    }
    found
}
