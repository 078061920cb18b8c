//! What changed between two lockfiles, in terms of packages.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::artefacts::{Artefact, Differences};
use crate::merge::registry_order;
use crate::origin::host_of;
use crate::{Checksum, Dependency, Entry, Lockfile};

/// The differences, each list in the order of names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SemanticDiff {
    /// Entries that only the new lockfile has.
    pub added: Vec<Change>,
    /// Entries that only the old lockfile has.
    pub removed: Vec<Change>,
    /// Another version; what else changed with it is not repeated.
    pub version_changed: Vec<Change>,
    /// **Another checksum for the same version and source.** Registries don't change what they have
    /// published: this is corruption, or tampering.
    pub checksum_changed: Vec<Change>,
    /// The same version from another source.
    pub source_changed: Vec<Change>,
    /// The same package that depends on something else, or by another range.
    pub dependencies_changed: Vec<Change>,
}

/// One entry that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The package's name.
    pub name: String,
    /// The entry's place in the lockfile that has it; in the new one where both do.
    pub place: String,
    /// Before; `None` where it was added.
    pub old: Option<State>,
    /// After; `None` where it was removed.
    pub new: Option<State>,
}

/// What an entry says of its package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The version, or what is asked for where none is fixed.
    pub version: Option<String>,
    /// The source as written.
    pub source: Option<String>,
    /// The well-formed checksums, sorted.
    pub checksums: Vec<Checksum>,
    /// The same in the order of the text, each with the file that it is of where the lockfile names it.
    pub files: Vec<(Option<String>, Checksum)>,
    /// The names it depends on, with their ranges where the lockfile has them; sorted.
    pub dependencies: Vec<String>,
}

/// Compares two lockfiles. The same package at another place of npm's tree, with the same version and
/// checksum, has been removed and added.
pub fn diff(old: &Lockfile, new: &Lockfile) -> SemanticDiff {
    let mut diff = SemanticDiff::default();
    for (before, after) in pairs(old, new) {
        if let (Some(before), Some(after)) = (before, after)
            && is_same(before, after)
        {
            continue;
        }
        let change = Change {
            name: after.or(before).map(|e| e.name.clone()).unwrap_or_default(),
            place: after.or(before).map(|e| e.place.clone()).unwrap_or_default(),
            old: before.map(State::of),
            new: after.map(State::of),
        };
        match (&change.old, &change.new) {
            (None, _) => diff.added.push(change),
            (_, None) => diff.removed.push(change),
            (Some(o), Some(n)) if o.version != n.version => diff.version_changed.push(change),
            (Some(o), Some(n)) => {
                let (checksums, sources) = (o.has_other_checksums(n), o.source != n.source);
                if o.dependencies != n.dependencies {
                    diff.dependencies_changed.push(change.clone());
                }
                if checksums {
                    diff.checksum_changed.push(change.clone());
                }
                if sources {
                    diff.source_changed.push(change);
                }
            }
        }
    }
    diff
}

impl SemanticDiff {
    /// Whether both lockfiles install the same.
    pub fn is_empty(&self) -> bool {
        self.lists().iter().all(|(_, list)| list.is_empty())
    }

    /// Whether a checksum changed though the version did not.
    pub fn is_suspicious(&self) -> bool {
        !self.checksum_changed.is_empty()
    }

    /// The loudest first.
    fn lists(&self) -> [(&'static str, &[Change]); 6] {
        [
            ("CHECKSUM CHANGED, SAME VERSION", &self.checksum_changed),
            ("from elsewhere", &self.source_changed),
            ("version", &self.version_changed),
            ("added", &self.added),
            ("removed", &self.removed),
            ("depends on something else", &self.dependencies_changed),
        ]
    }
}

impl fmt::Display for SemanticDiff {
    /// One line a change, without a newline at the end; hosts are shown, never whole URLs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (what, list) in self.lists() {
            for change in list {
                if !std::mem::take(&mut first) {
                    f.write_str("\n")?;
                }
                write!(f, "{what}: {}", change.name)?;
                let version = |s: &Option<State>| s.as_ref().and_then(|s| s.version.clone());
                match (version(&change.old), version(&change.new)) {
                    (Some(o), Some(n)) if o != n => write!(f, " {o} -> {n}")?,
                    (o, n) => n.or(o).map_or(Ok(()), |v| write!(f, " {v}"))?,
                }
                if let (Some(o), Some(n)) = (&change.old, &change.new)
                    && o.version == n.version
                {
                    if o.has_other_checksums(n) && what.starts_with("CHECKSUM") {
                        write_checksums(f, o, n)?;
                    }
                    if what == "from elsewhere" {
                        let host = |s: &State| {
                            s.source.as_deref().and_then(host_of).unwrap_or_else(|| "the default".to_owned())
                        };
                        write!(f, " {} -> {}", host(o), host(n))?;
                    }
                }
            }
        }
        if first { f.write_str("no difference") } else { Ok(()) }
    }
}

impl State {
    /// Whether its checksums differ from the other one's, those of each file where files are named.
    fn has_other_checksums(&self, other: &State) -> bool {
        self.checksums != other.checksums
            || !Differences::between(&self.files, &other.files).replaced.is_empty()
    }

    fn of(entry: &Entry) -> State {
        let mut checksums = entry.checksums.clone();
        checksums.sort();
        checksums.dedup();
        let mut dependencies: Vec<String> = (entry.dependencies.iter())
            .map(|d| match &d.requirement {
                Some(range) => format!("{} {range}", d.name),
                None => d.name.clone(),
            })
            .collect();
        dependencies.sort();
        dependencies.dedup();
        State {
            version: entry.version.clone().or_else(|| entry.requirement.clone()),
            source: entry.source.clone(),
            checksums,
            files: entry.owned_artefacts(),
            dependencies,
        }
    }
}

/// Which checksum became which, file by file where that can be told.
fn write_checksums(f: &mut fmt::Formatter<'_>, old: &State, new: &State) -> fmt::Result {
    let found = Differences::between(&old.files, &new.files);
    if found.replaced.is_empty() || !found.gone.is_empty() || !found.come.is_empty() {
        return write!(f, " {} -> {}", list_of(&old.files), list_of(&new.files));
    }
    for (n, replaced) in found.replaced.iter().enumerate() {
        f.write_str(if n == 0 { " " } else { ", " })?;
        if let Some(file) = replaced.file {
            write!(f, "{file} ")?;
        }
        write!(f, "{} -> {}", replaced.from, replaced.to)?;
    }
    Ok(())
}

fn list_of(files: &[Artefact]) -> String {
    let one = |(file, checksum): &Artefact| match file {
        Some(file) => format!("{file} {checksum}"),
        None => checksum.to_string(),
    };
    match files {
        [] => "none".to_owned(),
        list => list.iter().map(one).collect::<Vec<_>>().join(" "),
    }
}

/// Whether both say the same, as almost all do.
fn is_same(a: &Entry, b: &Entry) -> bool {
    let said = |d: &Dependency| (d.name.clone(), d.requirement.clone());
    a.version == b.version
        && a.requirement == b.requirement
        && a.source == b.source
        && a.checksums == b.checksums
        && a.artefacts().eq(b.artefacts())
        && (a.dependencies == b.dependencies
            || a.dependencies.iter().map(said).eq(b.dependencies.iter().map(said)))
}

/// Puts together what stands at the same place, then what has the same name, oldest version first.
fn pairs<'l>(old: &'l Lockfile, new: &'l Lockfile) -> Vec<(Option<&'l Entry>, Option<&'l Entry>)> {
    let mut pairs = Vec::new();
    let mut old_places: BTreeMap<&str, &Entry> = old.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    let mut left: BTreeMap<&str, (Vec<&Entry>, Vec<&Entry>)> = BTreeMap::new();
    let new_places: BTreeMap<&str, &Entry> = new.entries.iter().map(|e| (e.place.as_str(), e)).collect();
    for (place, after) in new_places {
        match old_places.remove(place) {
            Some(before) => pairs.push((Some(before), Some(after))),
            None => left.entry(&after.name).or_default().1.push(after),
        }
    }
    for before in old_places.into_values() {
        left.entry(&before.name).or_default().0.push(before);
    }
    for (before, after) in left.into_values() {
        let (mut before, mut after) = (before, after);
        before.sort_by(|a, b| by_version(a, b));
        after.sort_by(|a, b| by_version(a, b));
        let rows = before.len().max(after.len());
        pairs.extend((0..rows).map(|n| (before.get(n).copied(), after.get(n).copied())));
    }
    let name = |(before, after): &(Option<&Entry>, Option<&'l Entry>)| {
        after.or(*before).map(|e| e.name.clone()).unwrap_or_default()
    };
    pairs.sort_by(|a, b| registry_order(&name(a), &name(b)));
    pairs
}

fn by_version(a: &Entry, b: &Entry) -> Ordering {
    let version = |e: &Entry| e.version.as_deref().and_then(|v| semver::Version::parse(v).ok());
    version(a).cmp(&version(b)).then_with(|| a.version.cmp(&b.version))
}
