//! What a check of the ledger found: for people, and as version 1 of a shape.

use regreen_ledger::{AuditVerdict, CheckReport};
use serde::Serialize;

use super::print::{line, table};

#[derive(Debug, Serialize)]
struct CheckV1<'a> {
    version: u32,
    ledger: &'a str,
    engine: &'a str,
    schema: i64,
    records: u64,
    audit_entries: u64,
    audit_head: &'a str,
    sound: bool,
    problems: Vec<String>,
}

/// One object.
pub fn json(place: &str, report: &CheckReport) -> String {
    line(&CheckV1 {
        version: 1,
        ledger: place,
        engine: report.engine,
        schema: report.schema,
        records: report.records,
        audit_entries: report.audit.entries,
        audit_head: &report.audit.head,
        sound: report.is_sound(),
        problems: problems(report),
    })
}

/// For people.
pub fn plain(place: &str, report: &CheckReport) -> String {
    let rows = [
        ["ledger", place],
        ["engine", &format!("{}, schema version {}", report.engine, report.schema)],
        ["records", &report.records.to_string()],
        ["audit", &format!("{} entries, head {}", report.audit.entries, report.audit.head)],
    ]
    .map(|row| row.map(str::to_owned));
    let mut text = table(&rows);
    for problem in problems(report) {
        text.push_str(&format!("problem: {problem}\n"));
    }
    if report.is_sound() {
        text.push_str("nothing is wrong\n");
    }
    text
}

fn problems(report: &CheckReport) -> Vec<String> {
    let audit = match &report.audit.verdict {
        AuditVerdict::Sound => None,
        AuditVerdict::BrokenAt { seq, why } => {
            Some(format!("the audit chain is broken at entry {seq}: {why}"))
        }
        AuditVerdict::HeadNotFound => {
            Some("the audit chain never had this head: it was cut short or rewritten".to_owned())
        }
        AuditVerdict::RowContradicts { row, why } => Some(format!("{row} is not as it was recorded: {why}")),
    };
    audit.into_iter().chain(report.problems.iter().cloned()).collect()
}
