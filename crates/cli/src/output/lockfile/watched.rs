//! What `lockfile watch` says of one look at one lockfile.

use regreen_lockfile::SemanticDiff;
use regreen_show::{
    harmless::{harmless, short},
    plain::WIDTH,
};
use serde::Serialize;

use super::{
    Checked,
    json::{self, ChangeV1, CheckedV1},
    plain,
};
use crate::output::print::line;

/// So many changes are shown to people.
const CHANGES: usize = 40;

/// Why a lockfile was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was there when the watch began.
    First,
    /// It came.
    Came,
    /// It changed.
    Changed,
}

impl Happened {
    const fn id(self) -> &'static str {
        match self {
            Happened::First => "first",
            Happened::Came => "came",
            Happened::Changed => "changed",
        }
    }
}

/// For people: what changed, then what is wrong.
pub fn plain(happened: Happened, of: &Checked, since: Option<&SemanticDiff>, colour: bool) -> String {
    let mut text = match happened {
        Happened::First => String::new(),
        Happened::Came => format!("{}: came\n", of.input),
        Happened::Changed => format!("{}: changed\n", of.input),
    };
    if let Some(diff) = since.filter(|diff| happened == Happened::Changed || !diff.is_empty()) {
        let said = diff.to_string();
        let all: Vec<&str> = said.lines().collect();
        for change in all.iter().take(CHANGES) {
            text.push_str(&format!("  {}\n", short(&harmless(change), WIDTH - 2)));
        }
        if all.len() > CHANGES {
            text.push_str(&format!("  and {} more; `--format json` has all\n", all.len() - CHANGES));
        }
    }
    text + &plain::checked(of, colour)
}

/// Version 1: fields may be added, never changed.
#[derive(Debug, Serialize)]
struct WatchedV1<'a> {
    version: u32,
    event: &'static str,
    input: &'a str,
    lockfile: Option<CheckedV1<'a>>,
    changes: Vec<ChangeV1>,
}

/// For programs.
pub fn json(happened: Happened, of: &Checked, since: Option<&SemanticDiff>) -> String {
    line(&WatchedV1 {
        version: 1,
        event: happened.id(),
        input: &of.input,
        lockfile: Some(json::shape(of)),
        changes: since.map(json::changes_of).unwrap_or_default(),
    })
}

/// The same of a lockfile that is no longer there.
pub fn gone(input: &str) -> String {
    line(&WatchedV1 { version: 1, event: "gone", input, lockfile: None, changes: Vec::new() })
}
