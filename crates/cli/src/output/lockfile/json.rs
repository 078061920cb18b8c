//! Version 1 of the JSON shape of a checked lockfile: one object a line. Fields may be added, never changed.

use regreen_lockfile::{Agreement, Change, SemanticDiff, Severity};
use regreen_show::harmless::harmless;
use serde::Serialize;

use super::{Changes, Checked};
use crate::output::print::line;

#[derive(Debug, Serialize)]
pub(super) struct CheckedV1<'a> {
    version: u32,
    input: &'a str,
    format: &'static str,
    lockfile_version: Option<u64>,
    entries: Option<usize>,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<FindingV1<'a>>,
    manifest: Option<ManifestV1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<AgainstV1<'a>>,
}

#[derive(Debug, Serialize)]
struct FindingV1<'a> {
    rule: &'static str,
    severity: &'static str,
    line: u64,
    column: Option<u64>,
    message: &'a str,
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct ManifestV1<'a> {
    file: Option<&'static str>,
    agrees: Option<bool>,
    not_checked: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct AgainstV1<'a> {
    rev: &'a str,
    commit: &'a str,
    new_file: bool,
    not_compared: Option<&'a str>,
    changes: Vec<ChangeV1>,
}

#[derive(Debug, Serialize)]
pub(super) struct ChangeV1 {
    kind: &'static str,
    name: String,
    old_version: Option<String>,
    new_version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    old_checksums: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    new_checksums: Vec<String>,
}

/// One lockfile.
pub fn checked(of: &Checked) -> String {
    line(&shape(of))
}

pub(super) fn shape(of: &Checked) -> CheckedV1<'_> {
    let finding =
        |found: &'_ super::Found| -> (u64, Option<u64>) { (found.finding.line, found.finding.column) };
    let findings = (of.findings.iter())
        .map(|found| {
            let (line, column) = finding(found);
            let f = &found.finding;
            FindingV1 {
                rule: f.rule.id(),
                severity: f.severity.id(),
                line,
                column,
                message: &f.message,
                text: &found.excerpt,
            }
        })
        .collect();
    let manifest = of.agreement.as_ref().map(|agreement| ManifestV1 {
        file: of.format.manifest(),
        agrees: match agreement {
            Agreement::Agrees => Some(true),
            Agreement::Drift(_) => Some(false),
            Agreement::NotChecked(_) => None,
        },
        not_checked: match agreement {
            Agreement::NotChecked(why) => Some(why),
            _ => None,
        },
    });
    let against = of.compared.as_ref().map(|compared| AgainstV1 {
        rev: &compared.typed,
        commit: &compared.commit,
        new_file: matches!(compared.changes, Changes::New),
        not_compared: match &compared.changes {
            Changes::Not(why) => Some(why),
            _ => None,
        },
        changes: changes(&compared.changes),
    });
    CheckedV1 {
        version: 1,
        input: &of.input,
        format: of.format.id(),
        lockfile_version: of.version,
        entries: of.entries,
        errors: of.count(Severity::Error),
        warnings: of.count(Severity::Warning),
        notes: of.count(Severity::Note),
        findings,
        manifest,
        against,
    }
}

fn changes(of: &Changes) -> Vec<ChangeV1> {
    match of {
        Changes::Since(diff, _) => changes_of(diff),
        Changes::New | Changes::Not(_) => Vec::new(),
    }
}

/// Every change, the loudest first.
pub(super) fn changes_of(diff: &SemanticDiff) -> Vec<ChangeV1> {
    let lists: [(&'static str, &[Change]); 6] = [
        ("checksum-changed", &diff.checksum_changed),
        ("source-changed", &diff.source_changed),
        ("version-changed", &diff.version_changed),
        ("added", &diff.added),
        ("removed", &diff.removed),
        ("dependencies-changed", &diff.dependencies_changed),
    ];
    let version = |state: &Option<regreen_lockfile::State>| {
        state.as_ref().and_then(|s| s.version.as_deref()).map(harmless)
    };
    // Only where they are the news.
    let checksums = |kind: &str, state: &Option<regreen_lockfile::State>| {
        let all = state.iter().filter(|_| kind == "checksum-changed").flat_map(|s| &s.checksums);
        all.map(ToString::to_string).collect()
    };
    let change = |kind: &'static str, change: &Change| ChangeV1 {
        kind,
        name: harmless(&change.name),
        old_version: version(&change.old),
        new_version: version(&change.new),
        old_checksums: checksums(kind, &change.old),
        new_checksums: checksums(kind, &change.new),
    };
    lists.iter().flat_map(|(kind, list)| list.iter().map(|c| change(kind, c))).collect()
}
