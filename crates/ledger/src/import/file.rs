//! Reading an exported file: bounded, of a known version, and adding up, or refused as a whole.

use std::{
    collections::HashSet,
    io::{BufRead, Read},
};

use regreen_domain::FailureClass;
use regreen_saga::Fact;

use crate::{
    Ledger, LedgerError,
    audit::{AuditEntry, GENESIS},
    incident::check_id,
    limits::countable,
    row::Row,
    shape::Incident,
    transfer::{Line, VERSION},
    verify::{AuditVerdict, Check},
};

/// Longest line. A record is a few kilobytes.
const LINE: u64 = 1 << 20;
/// Longest file: it is held in memory until it is proven.
const FILE: u64 = 256 << 20;
/// Longest name of an accepted pattern, and its largest file, in bytes.
const LONGEST_NAME: usize = 200;
const LARGEST_PATTERN: usize = 64 << 10;
/// How far ahead the other machine's clock may be.
const CLOCK_SKEW_MS: i64 = 24 * 60 * 60 * 1000;

/// A file that adds up.
pub(super) struct File {
    pub(super) entries: Vec<AuditEntry>,
    pub(super) rows: Vec<Row>,
    pub(super) head: String,
}

/// Reads and proves a file.
///
/// # Errors
/// `BadImport`, with the line.
pub(super) fn read(input: &mut (dyn BufRead + Send), now: i64) -> Result<File, LedgerError> {
    let mut lines = Lines { input, number: 0, left: FILE };
    match lines.next()? {
        Some(Line::RegreenState { version }) if version <= VERSION && version > 0 => {}
        Some(Line::RegreenState { version }) => {
            return Err(
                lines.bad(format!("it has version {version}, and this regreen reads up to {VERSION}"))
            );
        }
        _ => return Err(lines.bad("it is no exported state of regreen")),
    }
    let mut file = File { entries: Vec::new(), rows: Vec::new(), head: GENESIS.to_owned() };
    let latest = now.saturating_add(CLOCK_SKEW_MS);
    let (mut known, mut patterns) = (HashSet::new(), 0);
    loop {
        let before = lines.number;
        match lines.next()? {
            Some(Line::Audit(entry)) if file.rows.is_empty() => file.entries.push(entry),
            Some(Line::Row(row)) => {
                check_row(&row, latest, (&mut known, &mut patterns)).map_err(|why| lines.bad(why))?;
                file.rows.push(row);
            }
            Some(Line::End { lines: said }) if said == before as u64 => break,
            None => return Err(lines.bad("it was cut short")),
            Some(_) => return Err(lines.bad("it is not where it should be")),
        }
    }
    if lines.next()?.is_some() {
        return Err(lines.bad("it goes on after its end"));
    }
    let mut check = Check::new(None);
    file.entries.iter().for_each(|entry| check.entry(entry));
    file.rows.iter().for_each(|row| check.row(row));
    let report = check.finish();
    match report.verdict {
        AuditVerdict::Sound => {}
        AuditVerdict::BrokenAt { seq, why } => {
            return Err(whole(format!("its audit log is broken at entry {seq}: {why}")));
        }
        AuditVerdict::RowContradicts { row, why } => {
            return Err(whole(format!("its audit log contradicts `{row}`: {why}")));
        }
        AuditVerdict::HeadNotFound => return Err(whole("its audit log is another one".to_owned())),
    }
    file.head = report.head;
    Ok(file)
}

struct Lines<'a> {
    input: &'a mut (dyn BufRead + Send),
    number: usize,
    left: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Line>, LedgerError> {
        self.number += 1;
        let mut text = Vec::new();
        let cap = LINE.min(self.left) + 1;
        let read = (&mut *self.input).take(cap).read_until(b'\n', &mut text);
        let length = read.map_err(|e| self.bad(format!("it can't be read: {e}")))? as u64;
        if length == 0 {
            return Ok(None);
        }
        if length >= cap {
            return Err(self.bad("it, or the file, is too long"));
        }
        self.left -= length;
        serde_json::from_slice(&text).map(Some).map_err(|e| self.bad(format!("it can't be parsed: {e}")))
    }

    fn bad(&self, why: impl Into<String>) -> LedgerError {
        LedgerError::BadImport { line: self.number, why: why.into() }
    }
}

fn whole(why: String) -> LedgerError {
    LedgerError::BadImport { line: 0, why }
}

/// A row must be what its table holds, speak of an incident that came before it, and not come from the future.
///
/// `seen`: the incidents so far, and how many accepted patterns stand.
fn check_row(row: &Row, latest: i64, seen: (&mut HashSet<String>, &mut usize)) -> Result<(), String> {
    let (incidents, patterns) = seen;
    let id = |id: &str| check_id(id).map_err(|e| e.to_string());
    let at = |at: i64| (at <= latest).then_some(()).ok_or_else(|| "it comes from the future".to_owned());
    match row {
        Row::Incident { id: key, record } => {
            id(key)?;
            let incident = Incident::parse(record).map_err(|e| chain(&e))?;
            at(incident.opened_at.max(incident.changed_at))?;
            countable(&incident)?;
            if incident.id != *key {
                return Err("its record is another incident's".to_owned());
            }
            if !incidents.insert(key.clone()) {
                return Err("this incident is there twice".to_owned());
            }
        }
        Row::Fact { incident, at: when, fact, .. } => {
            at(*when)?;
            serde_json::from_str::<Fact>(fact).map_err(|e| format!("its fact can't be parsed: {e}"))?;
            known(incidents, incident)?;
        }
        Row::Feedback { id: key, incident, class, at: when, .. } => {
            id(key)?;
            at(*when)?;
            FailureClass::parse(class).ok_or("its class is not known")?;
            known(incidents, incident)?;
        }
        Row::BreakerEvent { id: key, at: when, .. } | Row::Pause { id: key, at: when, .. } => {
            id(key)?;
            at(*when)?;
        }
        Row::Pattern { id: key, name, text, at: when, ended_at, .. } => {
            id(key)?;
            at(*when)?;
            if name.len() > LONGEST_NAME || text.len() > LARGEST_PATTERN {
                return Err("its pattern is larger than one may be".to_owned());
            }
            *patterns += usize::from(ended_at.is_none());
            if *patterns > Ledger::MOST_ACCEPTED {
                return Err(format!("more than {} accepted patterns stand in it", Ledger::MOST_ACCEPTED));
            }
        }
    }
    Ok(())
}

fn known(incidents: &HashSet<String>, id: &str) -> Result<(), String> {
    incidents.contains(id).then_some(()).ok_or_else(|| "its incident is not in the file".to_owned())
}

fn chain(error: &LedgerError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
