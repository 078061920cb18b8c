//! What `lockfile repair` says of one lockfile.

use regreen_forge::Proposed;
use regreen_lockfile::{Damage, Format, Lockfile, Repair, SemanticDiff};
use regreen_mask::Masker;
use regreen_show::{
    harmless::{harmless, short},
    plain::WIDTH,
};
use serde::Serialize;

use super::json::{ChangeV1, changes_of};
use crate::output::print::line;

/// So many changes are said.
const CHANGES: usize = 20;

/// What became of a lockfile.
pub struct Repaired {
    /// Its path as it was given.
    pub input: String,
    /// Its format.
    pub format: Format,
    /// What became of it.
    pub state: State,
    /// Its first damage.
    pub damage: Option<String>,
    /// How it is repaired.
    pub repair: Option<Repair>,
    /// That, in a clause.
    pub said: String,
    /// Why it is not repaired, or not shown.
    pub why: Option<String>,
    /// What is another in the repaired one than in the lockfile as it is, or than in the last good version.
    pub changes: Option<SemanticDiff>,
    /// As a patch.
    pub patch: Option<String>,
    /// As a pull request.
    pub pull_request: Option<PullRequest>,
}

/// A pull request with the repaired lockfile, masked.
pub struct PullRequest {
    /// Whose repository.
    pub repository: String,
    /// The branch it is to go to.
    pub base: String,
    /// The branch that carries it.
    pub branch: String,
    /// Its title.
    pub title: String,
    /// Its text, in Markdown.
    pub body: String,
    /// What became of it; `None` where it was only said what would be sent, or it was not taken.
    pub opened: Option<Opened>,
}

/// A pull request that is open.
pub struct Opened {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// The commit at the end of its branch.
    pub commit: String,
    /// What was done for it now.
    pub done: Proposed,
}

/// How far a repair came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// There is nothing to repair.
    Whole,
    /// There is a repair; nothing was written.
    Repairable,
    /// It was written.
    Written,
    /// It was written, and this is its commit.
    Committed(String),
    /// It is proposed; nothing was written here.
    Proposed,
    /// There is none.
    NotRepaired,
    /// It was tried, and everything is as before.
    PutBack,
}

impl Repaired {
    /// A lockfile that is not repaired yet.
    pub fn new(input: String, format: Format, parsed: Result<Lockfile, Damage>) -> Repaired {
        let damage = match parsed {
            Err(damage) => Some(damage),
            Ok(lockfile) => lockfile.damage.into_iter().find(Damage::is_corruption),
        };
        Repaired {
            input,
            format,
            state: State::Whole,
            damage: damage.map(|d| d.to_string()),
            repair: None,
            said: String::new(),
            why: None,
            changes: None,
            patch: None,
            pull_request: None,
        }
    }

    /// There is no repair, or it was put back.
    pub fn refused(&mut self, why: String) {
        if self.state != State::PutBack {
            self.state = State::NotRepaired;
        }
        self.why = Some(why);
    }

    /// There is a repair that can't be shown as a patch, or not be proposed.
    pub fn no_patch(&mut self, why: String) {
        self.why = Some(why);
    }
}

/// For people, line by line.
pub fn sentences(of: &Repaired) -> Vec<String> {
    let input = &of.input;
    let mut said = Vec::new();
    said.extend(of.damage.as_ref().map(|damage| format!("{input}: {damage}")));
    let done = match &of.state {
        State::Whole => return Vec::new(),
        State::Repairable => format!("could be repaired: {}", of.said),
        State::Written => of.said.clone(),
        State::Committed(commit) => {
            format!("{}; commit {}", of.said, commit.get(..10).unwrap_or(commit))
        }
        State::Proposed => format!("{}{}", of.said, proposed(of)),
        State::NotRepaired => format!("{input}: not repaired"),
        State::PutBack => format!("{input}: as before"),
    };
    said.push(match &of.why {
        Some(why) => format!("{done}; {why}"),
        None => done,
    });
    if let Some(changes) = of.changes.as_ref().filter(|_| of.state != State::PutBack) {
        let text = changes.to_string();
        let lines: Vec<&str> = text.lines().collect();
        said.extend(
            lines.iter().take(CHANGES).map(|change| format!("  {}", short(&harmless(change), WIDTH - 11))),
        );
        if lines.len() > CHANGES {
            said.push(format!("  and {} more; `--format json` has all", lines.len() - CHANGES));
        }
    }
    said
}

/// What became of its pull request, as a clause.
fn proposed(of: &Repaired) -> String {
    let Some((sent, opened)) = of.pull_request.as_ref().and_then(|p| Some((p, p.opened.as_ref()?))) else {
        return String::new();
    };
    let Opened { number, url, done, .. } = opened;
    match done {
        Proposed::Opened => format!("; proposed for `{}` as pull request #{number}: {url}", sent.base),
        Proposed::Updated => format!("; pull request #{number} was brought up to date: {url}"),
        Proposed::Unchanged => format!("; pull request #{number} is open already: {url}"),
    }
}

/// What would be sent.
pub fn draft(of: &PullRequest) -> String {
    let PullRequest { repository, base, branch, title, body, .. } = of;
    format!("pull request for {repository}: {} <- {branch}\n{title}\n\n{body}\n", harmless(base))
}

/// Version 1: fields may be added, never changed.
#[derive(Debug, Serialize)]
struct RepairedV1<'a> {
    version: u32,
    input: &'a str,
    format: &'static str,
    state: &'static str,
    damage: Option<String>,
    how: Option<&'static str>,
    from: Option<&'a str>,
    reason: Option<String>,
    commit: Option<&'a str>,
    changes: Vec<ChangeV1>,
    patch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pull_request: Option<PullRequestV1<'a>>,
}

#[derive(Debug, Serialize)]
struct PullRequestV1<'a> {
    repository: &'a str,
    base: String,
    branch: &'a str,
    title: &'a str,
    body: &'a str,
    number: Option<u64>,
    url: Option<&'a str>,
    commit: Option<&'a str>,
    done: Option<&'static str>,
}

fn pull_request(of: &PullRequest) -> PullRequestV1<'_> {
    let opened = of.opened.as_ref();
    PullRequestV1 {
        repository: &of.repository,
        base: harmless(&of.base),
        branch: &of.branch,
        title: &of.title,
        body: &of.body,
        number: opened.map(|opened| opened.number),
        url: opened.map(|opened| opened.url.as_str()),
        commit: opened.map(|opened| opened.commit.as_str()),
        done: opened.map(|opened| match opened.done {
            Proposed::Opened => "opened",
            Proposed::Updated => "updated",
            Proposed::Unchanged => "unchanged",
        }),
    }
}

/// For programs.
pub fn json(of: &Repaired, masker: &Masker) -> String {
    let say = |text: &String| harmless(&masker.mask(text));
    line(&RepairedV1 {
        version: 1,
        input: &of.input,
        format: of.format.id(),
        state: match of.state {
            State::Whole => "whole",
            State::Repairable => "repairable",
            State::Written | State::Committed(_) => "repaired",
            State::Proposed => "proposed",
            State::NotRepaired => "not-repaired",
            State::PutBack => "put-back",
        },
        damage: of.damage.as_ref().map(say),
        how: of.repair.as_ref().map(Repair::how),
        from: of.repair.as_ref().and_then(Repair::commit),
        reason: of.why.as_ref().map(say),
        commit: match &of.state {
            State::Committed(commit) => Some(commit),
            _ => None,
        },
        changes: of.changes.as_ref().map(changes_of).unwrap_or_default(),
        patch: of.patch.as_deref(),
        pull_request: of.pull_request.as_ref().map(pull_request),
    })
}
