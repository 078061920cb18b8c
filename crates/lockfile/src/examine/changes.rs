//! What became of an older version of a lockfile, judged.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::version;
use crate::artefacts::{Artefact, Differences};
use crate::origin::host_of;
use crate::{Change, Checksum, Entry, Finding, Lockfile, Rule, SemanticDiff, State, diff};

/// Compares two versions of a lockfile, and judges what changed though the version did not.
pub fn examine_changes(old: &Lockfile, new: &Lockfile) -> (SemanticDiff, Vec<Finding>) {
    let changes = diff(old, new);
    let lines: BTreeMap<&str, u64> = new.entries.iter().rev().map(|e| (e.place.as_str(), e.line)).collect();
    let line = |change: &Change| lines.get(change.place.as_str()).copied().unwrap_or(1);
    let mut findings = Vec::new();
    let same_scheme = old.checksum_scheme == new.checksum_scheme;
    if !same_scheme && !changes.checksum_changed.is_empty() {
        let many = changes.checksum_changed.len();
        findings.push(Finding::new(
            Rule::ChecksumsIncomparable,
            1,
            format!(
                "the tool's way to compute checksums changed, so {many} of them can't be compared with before"
            ),
        ));
    }
    for change in changes.checksum_changed.iter().filter(|_| same_scheme) {
        findings.extend(of_checksums(change, line(change)));
    }
    for change in &changes.source_changed {
        findings.extend(of_source(change, line(change)));
    }
    let (before, after) = (versions(old), versions(new));
    for change in &changes.version_changed {
        let Some((from, to)) =
            states(change).and_then(|(o, n)| Some((o.version.as_deref()?, n.version.as_deref()?)))
        else {
            continue;
        };
        // With several versions of one package, which one became which is a guess.
        let one = |of: &BTreeMap<&str, usize>| of.get(change.name.as_str()) == Some(&1);
        if one(&before) && one(&after) && version::compare(to, from) == Some(Ordering::Less) {
            let message = format!("{} went from {from} back to {to}", change.name);
            findings.push(Finding::new(Rule::Downgraded, line(change), message));
        }
    }
    findings.sort_by_key(|f| f.line);
    (changes, findings)
}

/// How many entries each name has.
fn versions(lockfile: &Lockfile) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    // Go has two hashes of each module.
    let of_go_mod = |e: &&Entry| e.version.as_deref().is_some_and(|v| v.ends_with("/go.mod"));
    for entry in lockfile.entries.iter().filter(|e| !of_go_mod(e)) {
        *counts.entry(entry.name.as_str()).or_default() += 1;
    }
    counts
}

fn states(change: &Change) -> Option<(&State, &State)> {
    change.old.as_ref().zip(change.new.as_ref())
}

fn title(change: &Change, state: &State) -> String {
    match &state.version {
        Some(version) => format!("{} {version}", change.name),
        None => change.name.clone(),
    }
}

fn of_checksums(change: &Change, line: u64) -> Option<Finding> {
    let (old, new) = states(change)?;
    let title = title(change, new);
    let strongest = |of: &[Checksum]| of.iter().map(Checksum::algorithm).max();
    let (rule, message) = match (strongest(&old.checksums), strongest(&new.checksums)) {
        (None, _) => (Rule::ChecksumAdded, format!("{title} had no checksum before, and has one now")),
        (Some(_), None) => {
            (Rule::ChecksumDropped, format!("{title} had a checksum before, and has none now"))
        }
        (Some(before), Some(after)) if after < before => (
            Rule::ChecksumDropped,
            format!("{title} had a {before} checksum before, and has only {after} now"),
        ),
        _ => return of_files(&title, old, new, line),
    };
    Some(Finding::new(rule, line, message))
}

/// Checksums of the same strength: which took which one's place, and of which file.
fn of_files(title: &str, old: &State, new: &State, line: u64) -> Option<Finding> {
    let found = Differences::between(&old.files, &new.files);
    let (gone, come) = (found.gone.len(), found.come.len());
    let (rule, message) = match found.replaced.as_slice() {
        [first, rest @ ..] => {
            let what = match (first.file, rest.len()) {
                (None, 0) => "another checksum than before".to_owned(),
                (None, more) => format!("{} other checksums than before", more + 1),
                (Some(file), 0) => format!("another checksum of {file} than before"),
                (Some(file), more) => {
                    format!("other checksums of {file} and {more} more of its files than before")
                }
            };
            let (from, to) = (brief(first.from), brief(first.to));
            (Rule::ChecksumChanged, format!("{title} has {what}: {from} became {to}"))
        }
        [] if found.is_unclear() => {
            let what =
                format!("{gone} of the checksums that {title} had are gone, and {come} others have come");
            (Rule::ChecksumChanged, format!("{what}{}", named(&found.come)))
        }
        [] if come == 0 => return None,
        [] => {
            let what = if come == 1 { "a checksum".to_owned() } else { format!("{come} checksums") };
            let of = named(&found.come);
            (Rule::ChecksumAdded, format!("{title} has {what} that it did not have before{of}"))
        }
    };
    Some(Finding::new(rule, line, message))
}

/// The first file of these, where it has a name.
fn named(come: &[&Artefact]) -> String {
    match come {
        [(Some(file), _)] => format!(": {file}"),
        [(Some(file), _), rest @ ..] => format!(": {file} and {} more", rest.len()),
        _ => String::new(),
    }
}

/// Enough of it to tell two apart.
fn brief(checksum: &Checksum) -> String {
    let digits: String = checksum.digest().iter().take(6).map(|b| format!("{b:02x}")).collect();
    format!("{}:{digits}…", checksum.algorithm())
}

/// Another path on the same host is the registry's own affair.
fn of_source(change: &Change, line: u64) -> Option<Finding> {
    let (old, new) = states(change)?;
    let host = |s: &State| s.source.as_deref().and_then(host_of);
    let (from, to) = (host(old), host(new));
    if from == to {
        return None;
    }
    let say = |host: Option<String>| host.unwrap_or_else(|| "the default".to_owned());
    let message = format!("{} comes from {} now, from {} before", title(change, new), say(to), say(from));
    Some(Finding::new(Rule::SourceChanged, line, message))
}
