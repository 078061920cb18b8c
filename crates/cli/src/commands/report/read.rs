//! What was read of a repository's history, kept so that it is not fetched again: one line for each job, masked.
//!
//! Lines are only ever added. A run counts as read once the line that says so is there; a line that was cut off is none.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_catalog::Catalog;
use regreen_domain::FailureClass;
use serde::{Deserialize, Serialize};

use crate::tally::{ACTIONS, Counted, Example, Tally};

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// What the lines after it were made by: after an update they are made anew.
    By(String),
    /// A job that was diagnosed.
    Job {
        /// Its run, and when that was made, in seconds since 1970.
        run: u64,
        at: u64,
        name: String,
        failed: bool,
        class: String,
        action: String,
        fingerprint: String,
        pattern: Option<String>,
        playbook: Option<String>,
        place: Option<(u64, u32, String)>,
        confidence: f64,
        took_ms: Option<u64>,
    },
    /// A job whose log can't be read, and why.
    Unread { run: u64, at: u64, name: String, why: String },
    /// A run is read up to this attempt.
    Run { run: u64, attempt: u32 },
}

/// The file of one repository.
pub struct Kept {
    file: File,
    lines: Vec<Line>,
    runs: BTreeSet<(u64, u32)>,
}

/// Seconds since 1970.
pub fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl Kept {
    /// Opens the file in a folder, which has to be there; what another version made is begun anew.
    pub fn open(folder: &Path, made_by: &str) -> io::Result<Kept> {
        let path = folder.join("report.jsonl");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let lines = known(&bytes, made_by);
        let text = text_of(&lines)?;
        let mut open = OpenOptions::new();
        open.create(true).mode(0o600);
        // What was cut off goes, so that it is not counted when it is there again.
        let same = text.as_bytes() == bytes;
        let mut file = if same { open.append(true) } else { open.write(true).truncate(true) }.open(&path)?;
        if !same {
            file.write_all(text.as_bytes())?;
        }
        let runs = lines.iter().filter_map(|line| match line {
            Line::Run { run, attempt } => Some((*run, *attempt)),
            _ => None,
        });
        let mut kept = Kept { file, runs: runs.collect(), lines };
        if kept.lines.is_empty() {
            kept.add(vec![Line::By(made_by.to_owned())])?;
        }
        Ok(kept)
    }

    /// Whether a run is read up to this attempt, and up to which it is.
    pub fn read_up_to(&self, run: u64) -> u32 {
        self.runs.range((run, 0)..=(run, u32::MAX)).next_back().map_or(0, |(_, attempt)| *attempt)
    }

    /// Adds lines, in one piece.
    pub fn add(&mut self, lines: Vec<Line>) -> io::Result<()> {
        self.file.write_all(text_of(&lines)?.as_bytes())?;
        self.runs.extend(lines.iter().filter_map(|line| match line {
            Line::Run { run, attempt } => Some((*run, *attempt)),
            _ => None,
        }));
        self.lines.extend(lines);
        Ok(())
    }

    /// Counts the jobs of runs made since then.
    pub fn count<'c>(&self, catalog: &'c Catalog, since: SystemTime, tally: &mut Tally<'c>) {
        let since = seconds(since);
        for line in &self.lines {
            match line {
                Line::Job { at, took_ms, .. } if *at >= since => {
                    if let Some(counted) = counted(line, catalog) {
                        tally.count(counted, took_ms.map(Duration::from_millis));
                    }
                }
                Line::Unread { at, name, why, .. } if *at >= since => {
                    tally.cannot_read(name.clone(), why.clone())
                }
                _ => {}
            }
        }
    }
}

fn text_of(lines: &[Line]) -> io::Result<String> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&serde_json::to_string(line).map_err(io::Error::other)?);
        text.push('\n');
    }
    Ok(text)
}

/// The lines of the runs that are read as a whole; none where they were made by another version.
fn known(bytes: &[u8], made_by: &str) -> Vec<Line> {
    let lines: Vec<Line> = BufReader::new(bytes)
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect();
    if !matches!(lines.first(), Some(Line::By(version)) if version == made_by) {
        return Vec::new();
    }
    // Lines of one run are written in one piece with the one that closes it: without that, the piece was cut off.
    let (mut whole, mut piece) = (Vec::new(), Vec::new());
    for line in lines {
        let closes = matches!(line, Line::By(_) | Line::Run { .. });
        piece.push(line);
        if closes {
            let same = piece.last().and_then(run_of);
            piece.retain(|line| run_of(line) == same);
            whole.append(&mut piece);
        }
    }
    whole
}

fn run_of(line: &Line) -> Option<u64> {
    match line {
        Line::By(_) => None,
        Line::Job { run, .. } | Line::Unread { run, .. } | Line::Run { run, .. } => Some(*run),
    }
}

fn counted<'c>(line: &Line, catalog: &'c Catalog) -> Option<Counted<'c>> {
    let Line::Job { name, failed, class, action, fingerprint, pattern, playbook, place, confidence, .. } =
        line
    else {
        return None;
    };
    Some(Counted {
        failed: *failed,
        class: FailureClass::parse(class)?,
        action: ACTIONS.into_iter().find(|id| id == action)?,
        fingerprint: fingerprint.clone(),
        pattern: pattern.as_deref().and_then(|id| catalog.pattern(id)),
        playbook: playbook.as_deref().and_then(|id| catalog.playbook(id)).map(|found| found.id.as_str()),
        example: Example { input: name.clone(), file: None, line: place.clone(), confidence: *confidence },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(run: u64) -> Line {
        Line::Job {
            run,
            at: 1000,
            name: format!("run {run}"),
            failed: true,
            class: "unknown".to_owned(),
            action: "none".to_owned(),
            fingerprint: "f".to_owned(),
            pattern: None,
            playbook: None,
            place: None,
            confidence: 0.5,
            took_ms: None,
        }
    }

    #[test]
    fn what_was_cut_off_is_read_again_and_an_update_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let open = |version: &str| Kept::open(folder.path(), version).unwrap();
        let count = |kept: &Kept, catalog: &Catalog| {
            let mut tally = Tally::default();
            kept.count(catalog, UNIX_EPOCH, &mut tally);
            tally.logs()
        };
        let catalog = regreen_builtin::catalog().unwrap();
        let mut kept = open("1");
        kept.add(vec![job(1), Line::Run { run: 1, attempt: 1 }]).unwrap();
        let path = folder.path().join("report.jsonl");
        let before = fs::read(&path).unwrap();
        kept.add(vec![job(2), job(2), Line::Run { run: 2, attempt: 3 }]).unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!((kept.read_up_to(2), kept.read_up_to(3), count(&kept, &catalog)), (3, 0, 3));
        for length in before.len()..whole.len() - 1 {
            fs::write(&path, &whole[..length]).unwrap();
            let mut kept = open("1");
            assert_eq!(
                (kept.read_up_to(1), kept.read_up_to(2), count(&kept, &catalog)),
                (1, 0, 1),
                "{length}"
            );
            kept.add(vec![job(2), job(2), Line::Run { run: 2, attempt: 3 }]).unwrap();
            assert_eq!((open("1").read_up_to(2), count(&open("1"), &catalog)), (3, 3), "{length}");
        }
        assert_eq!(open("2").read_up_to(1), 0);
    }
}
