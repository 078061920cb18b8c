//! The evidence where it stands in the log: with the lines around it, where the log is kept.
//!
//! Evidence names lines of the raw log. What is kept is the masked end of it, so the place is believed only where every line of
//! evidence is found on its line, and nothing is guessed.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use regreen_ledger::{Incident, Ledger, LogRef};
use tokio::time::timeout;

use super::words::shown;

/// So many lines are shown before and after each.
const AROUND: u64 = 3;
/// So much of a line has to be found; the rest of a long one may be cut off.
const FOUND_BY: usize = 80;
/// Most logs that are looked into for one incident.
const LOGS: usize = 4;
/// Longest that the store of logs may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Excerpts that are remembered.
const REMEMBERED: usize = 64;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    /// Where in the raw line the evidence begins; 0 of a line that is none.
    pub(super) column: u32,
    pub(super) text: String,
    pub(super) is_root: bool,
    /// What it is evidence of; empty of a line that is none.
    pub(super) role: &'static str,
    /// Lines between the one before and this one are not shown.
    pub(super) gap: bool,
}

/// The evidence, and the log in which it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) lines: Vec<Line>,
    /// Its hash.
    pub(super) log: Option<String>,
}

/// What was looked up lately: a log is as its name says for good.
#[derive(Default)]
pub(super) struct Excerpts(Mutex<VecDeque<(String, Arc<Excerpt>)>>);

impl Excerpts {
    /// The evidence of an incident of which these logs are kept.
    pub(super) async fn of(&self, ledger: &Ledger, incident: &Incident, logs: &[LogRef]) -> Arc<Excerpt> {
        let alone = || Arc::new(Excerpt { lines: alone(incident), log: None });
        if incident.diagnosis.evidence.is_empty() || logs.is_empty() {
            return alone();
        }
        let places: Vec<String> =
            evidence(incident).iter().map(|e| format!("{}:{}", e.line, e.role)).collect();
        let hashes: Vec<&str> = logs.iter().map(|log| log.hash.as_str()).collect();
        let key = format!("{} {} {}", incident.id, places.join(","), hashes.join(","));
        if let Some(known) = self.kept(&key) {
            return known;
        }
        match timeout(PATIENCE, found(ledger, incident, logs)).await {
            Ok(Some(found)) => self.put(key, found),
            // A store that does not answer is asked again with the next look.
            _ => alone(),
        }
    }

    fn kept(&self, key: &str) -> Option<Arc<Excerpt>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(own, _)| own == key).map(|(_, excerpt)| excerpt.clone())
    }

    fn put(&self, key: String, excerpt: Excerpt) -> Arc<Excerpt> {
        let excerpt = Arc::new(excerpt);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == REMEMBERED {
            kept.pop_front();
        }
        kept.push_back((key, excerpt.clone()));
        excerpt
    }
}

/// `None` where a log could not be read; the evidence alone where it is in none of them.
async fn found(ledger: &Ledger, incident: &Incident, logs: &[LogRef]) -> Option<Excerpt> {
    for log in logs.iter().take(LOGS) {
        let text = ledger.log(&log.hash).await.ok()?;
        if let Some(text) = text
            && let Some(before) = lines_before(&text, incident)
        {
            return Some(Excerpt { lines: around(&text, before, incident), log: Some(log.hash.clone()) });
        }
    }
    Some(Excerpt { lines: alone(incident), log: None })
}

/// How many lines of the raw log lie before the text; `None` where its evidence is not in there, or in several places.
pub(super) fn lines_before(text: &str, incident: &Incident) -> Option<u64> {
    let (lines, evidence) = (text.split('\n').collect::<Vec<_>>(), evidence(incident));
    let words: Vec<&str> = evidence.iter().map(|e| words(&e.text)).collect();
    let holds = |before: u64| {
        evidence.iter().zip(&words).all(|(e, words)| {
            let at = e.line.checked_sub(before + 1).and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| lines.get(at)).is_some_and(|line| bare(line).contains(words))
        })
    };
    let (first, first_words) = (evidence.first()?, words.first()?);
    if holds(0) {
        return Some(0);
    }
    let mut places = lines.iter().zip(1u64..).filter_map(|(line, at)| {
        let before = first.line.checked_sub(at).filter(|before| *before > 0)?;
        (bare(line).contains(first_words) && holds(before)).then_some(before)
    });
    let before = places.next()?;
    places.next().is_none().then_some(before)
}

/// The lines of evidence by number; of several on one line the cause first.
fn evidence(incident: &Incident) -> Vec<&regreen_ledger::EvidenceV1> {
    let mut evidence: Vec<_> = incident.diagnosis.evidence.iter().collect();
    evidence.sort_by_key(|line| (line.line, line.role != "root", line.column));
    evidence
}

/// The evidence and nothing else.
fn alone(incident: &Incident) -> Vec<Line> {
    let mut last: Option<u64> = None;
    let line = |e: &regreen_ledger::EvidenceV1| {
        let gap = last.is_some_and(|last| e.line > last + 1);
        last = Some(e.line);
        Line { number: e.line, column: e.column, text: shown(&e.text), gap, ..role_of(e) }
    };
    evidence(incident).into_iter().map(line).collect()
}

/// The evidence with the lines around it, in a log of which `before` lines are not kept.
fn around(text: &str, before: u64, incident: &Incident) -> Vec<Line> {
    let evidence = evidence(incident);
    let mut lines: Vec<Line> = Vec::new();
    for (text, number) in text.split('\n').zip(before + 1..) {
        let here: Vec<_> = evidence.iter().filter(|e| e.line == number).collect();
        let near = evidence.iter().any(|e| e.line.abs_diff(number) <= AROUND);
        if !near || (here.is_empty() && bare(text).trim().is_empty()) {
            continue;
        }
        let gap = lines.last().is_some_and(|last| number > last.number + 1);
        let plain =
            Line { number, column: 0, text: shown(unstamped(&bare(text))), is_root: false, role: "", gap };
        if here.is_empty() {
            lines.push(plain);
        }
        for (i, e) in here.into_iter().enumerate() {
            let gap = gap && i == 0;
            lines.push(Line { number, column: e.column, text: shown(&e.text), gap, ..role_of(e) });
        }
    }
    lines
}

fn role_of(e: &regreen_ledger::EvidenceV1) -> Line {
    let is_root = e.role == "root";
    let role = if is_root { "the cause" } else { "followed from it" };
    Line { number: e.line, column: e.column, text: String::new(), is_root, role, gap: false }
}

/// What the line is evidence of in a log of which `before` lines are not kept; of several the cause.
pub(super) fn role_at(incident: &Incident, number: u64) -> Option<(bool, &'static str)> {
    let found = evidence(incident).into_iter().find(|e| e.line == number).map(role_of)?;
    Some((found.is_root, found.role))
}

/// By which a line is known again.
fn words(text: &str) -> &str {
    let text = text.trim();
    &text[..text.floor_char_boundary(FOUND_BY)]
}

/// A line without the sequences that colour it or clear the rest of it.
pub(super) fn bare(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.trim_end_matches('\r');
    while let Some((text, after)) = rest.split_once("\u{1b}[") {
        out.push_str(text);
        let end = after.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'));
        rest = match end.map(|end| (end, after.as_bytes()[end])) {
            Some((end, b'm' | b'K')) => &after[end + 1..],
            // Any other is shown as what it is.
            _ => {
                out.push_str("\u{1b}[");
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// The line without the moment that a CI host writes before each.
fn unstamped(line: &str) -> &str {
    let is_stamp = |stamp: &str| {
        stamp.len() > 19
            && stamp.ends_with('Z')
            && stamp.bytes().zip("0000-00-00T00:00:00".bytes()).all(|(own, shape)| match shape {
                b'0' => own.is_ascii_digit(),
                shape => own == shape,
            })
    };
    line.split_once(' ').filter(|(stamp, _)| is_stamp(stamp)).map_or(line, |(_, rest)| rest)
}
