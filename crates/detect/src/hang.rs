//! A job that went silent and was ended for it, or for the time it took: what it said last, how long it had said nothing
//! then, and what to try. It names no cause, and nothing is healed on it.

use std::time::Duration;

use regreen_logs::{Line, Log};
use regreen_mask::Masker;

use crate::circumstances::ExitFacts;
use crate::evidence::shown;
use crate::scan::first_words;

/// So many lines from the end are searched for the word that ended the job.
const SEARCHED: usize = 200;

/// So many lines before it are searched for the last one of the job's own.
const BEFORE: usize = 40;

/// So much of a line is kept.
const TEXT_BYTES: usize = 2 * 1024;

/// A job that was cancelled had hung only if it was silent for so long.
const LONG: Duration = Duration::from_secs(5 * 60);

/// A job that said something within so long was at work until its end.
const SHORT: Duration = Duration::from_secs(60);

/// What platforms say when a job printed nothing for too long.
const SILENT: [&str; 3] =
    ["No output has been received in the last ", "Too long with no output", " since last output"];

/// What they say when it took too long. Sources: the patterns of `runner-failure` name them.
const TOO_LONG: [&str; 9] = [
    " has timed out after ",
    "The action has timed out.",
    " has exceeded the maximum execution time of ",
    " ran longer than the maximum time of ",
    "Build execution time has reached the maximum allowed time",
    "Job failed: execution took longer than ",
    "The job exceeded the maximum time limit",
    "because the timeout was exceeded",
    "Timed out waiting for the build to finish",
];

/// What they say when somebody or something cancelled it.
const CANCELLED: [&str; 3] =
    ["The operation was canceled.", "# Received cancellation signal, interrupting", "Job failed: canceled"];

/// A job that was ended while it said nothing, or that took too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hang {
    /// Raw number of the last line that it printed; none where it printed nothing.
    pub line: Option<u64>,
    /// That line, masked.
    pub text: String,
    /// For how long it had printed nothing, where time stamps or the platform say so.
    pub silent: Option<Duration>,
    /// What to try.
    pub advice: String,
}

/// The same, unmasked.
#[derive(Debug, Clone)]
pub(crate) struct Hung {
    line: Option<u64>,
    text: String,
    silent: Option<Duration>,
    /// It printed until it was ended.
    busy: bool,
    /// Regreen ended it, and has said so.
    here: bool,
}

impl Hung {
    /// What a log says of it; `exit` is what Regreen knows itself.
    pub(crate) fn of(log: &Log<'_>, exit: Option<ExitFacts>) -> Option<Hung> {
        if let Some(exit) = exit {
            let last = last_own(log.lines_from_the_end());
            return exit.hung().then(|| Hung { here: true, ..Hung::after(last, None, false) });
        }
        let said = log.lines_from_the_end().take(SEARCHED).find_map(|line| {
            let end = End::of(line.text().as_str())?;
            Some((line, end))
        });
        let (line, end) = said?;
        let before = std::iter::successors(log.line_before(&line), |line| log.line_before(line)).take(BEFORE);
        let last = last_own(before);
        let stamps = || line.stamp()?.since(last.as_ref()?.stamp()?);
        let silent = stamps().or(end.stated);
        match end.kind {
            Kind::Cancelled if silent.is_none_or(|silent| silent < LONG) => None,
            Kind::Silent => Some(Hung::after(last, silent, false)),
            _ => Some(Hung::after(last, silent, silent.is_some_and(|silent| silent < SHORT))),
        }
    }

    fn after(last: Option<Line<'_>>, silent: Option<Duration>, busy: bool) -> Hung {
        let text = last.map(|line| first_words(line.text().as_str(), TEXT_BYTES).trim().to_owned());
        Hung { line: last.map(|line| line.number), text: text.unwrap_or_default(), silent, busy, here: false }
    }

    /// For people: masked, with what to try.
    pub(crate) fn told(&self, masker: &Masker) -> Hang {
        Hang {
            line: self.line,
            text: shown(&self.text, masker),
            silent: self.silent,
            advice: advice(&self.text, self.busy),
        }
    }

    /// How it ended, as the end of a sentence.
    pub(crate) fn says(&self) -> String {
        let silence = match self.silent.map(|silent| silent.as_secs()) {
            Some(s) if s >= 120 => format!("nothing was printed for {} min", s / 60),
            Some(s) if !self.busy => format!("nothing was printed for {s} s"),
            _ if self.busy => "it was still running".to_owned(),
            _ => "nothing more was printed".to_owned(),
        };
        match self.line {
            Some(line) if self.here => format!("; its last line is line {line}"),
            None if self.here => "; it printed nothing at all".to_owned(),
            Some(line) => format!("; {silence} after line {line} when it was ended"),
            None => format!("; {silence} at all when it was ended"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Silent,
    TooLong,
    Cancelled,
}

/// The word that ended a job.
struct End {
    kind: Kind,
    /// The silence that it states.
    stated: Option<Duration>,
}

impl End {
    fn of(text: &str) -> Option<End> {
        let text = text.trim();
        let says = |all: &[&str]| all.iter().any(|words| text.contains(words));
        let kind = match () {
            () if says(&SILENT) => Kind::Silent,
            () if says(&TOO_LONG) => Kind::TooLong,
            () if says(&CANCELLED) => Kind::Cancelled,
            () => return None,
        };
        let stated = (kind == Kind::Silent).then(|| duration(text)).flatten();
        Some(End { kind, stated })
    }
}

/// The last line that is the job's own: not blank, no word of the platform about its end.
fn last_own<'l>(mut lines: impl Iterator<Item = Line<'l>>) -> Option<Line<'l>> {
    lines.find(|line| {
        let text = line.text();
        let text = text.as_str().trim();
        !text.is_empty() && !text.starts_with("##[") && End::of(text).is_none()
    })
}

/// The first duration in the text: `10m0s`, `10 minutes`, `1h0m0s`.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = &text[text.find(|c: char| c.is_ascii_digit())?..];
    let mut seconds = 0_u64;
    let mut found = false;
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0) {
        let (number, after) = rest.split_at(end);
        let unit = after.trim_start();
        let each = match unit.as_bytes().first() {
            Some(b'h') => 3600,
            Some(b'm') => 60,
            Some(b's') => 1,
            _ => break,
        };
        seconds = seconds.saturating_add(number.parse::<u64>().ok()?.saturating_mul(each));
        found = true;
        rest = unit.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    }
    found.then(|| Duration::from_secs(seconds))
}

/// What a last line can mean: words that it holds, in lower case, and what to try.
const MEANINGS: [(&[&str], &str); 5] = [
    (
        &[
            "[y/n]",
            "(y/n)",
            "(yes/no",
            "password:",
            "password for",
            "passphrase",
            "username for",
            "press any key",
            "press enter",
            "ok to proceed?",
        ],
        "it asks a question that nobody answers: use the tool's own flag for that (`--yes`), `DEBIAN_FRONTEND=noninteractive`, \
         `GIT_TERMINAL_PROMPT=0` or `ssh -o BatchMode=yes`",
    ),
    (
        &["lock", "another process", "another instance", "waiting for other"],
        "it waits for a lock that something else holds: end the other process, or give each job a folder and a cache of its own",
    ),
    (
        &[
            "listening on",
            "watching for",
            "server running",
            "server started",
            "ready on",
            "ready in",
            "waiting for changes",
            "watch mode",
            "press ctrl",
            "started server",
        ],
        "it started a server or a watcher, which never ends: start it in the background, or use the command that runs once",
    ),
    (
        &[
            "download",
            "fetch",
            "http://",
            "https://",
            "cloning into",
            "pulling",
            "get:",
            "receiving objects",
            "resolving",
            "installing",
            "collecting ",
            "updating crates.io",
        ],
        "it waits for a download: run it again, and give the tool a limit of its own (`npm --fetch-timeout`, \
         `CARGO_HTTP_TIMEOUT`, `pip --timeout`, `curl --max-time`, `git -c http.lowSpeedTime=60 -c http.lowSpeedLimit=1000`)",
    ),
    (
        &["test", "spec", "suite", "=== run", "passed", "running for over"],
        "a test hangs, which is a bug: run it alone, and give the tests a limit of their own (`go test -timeout`, \
         `pytest-timeout`, the `slow-timeout` of nextest, jest's `--detectOpenHandles`)",
    ),
];

fn advice(last: &str, busy: bool) -> String {
    let last = last.to_lowercase();
    let meant = MEANINGS.iter().find(|(words, _)| words.iter().any(|word| last.contains(word)));
    let see = "`regreen run --idle-timeout 10m -- …` ends a silent command and shows what was running";
    match meant {
        _ if busy => format!(
            "it was at work until its end: the work has grown, or goes round in circles; raise the limit or split the job. {see}"
        ),
        Some((_, what)) => format!("by its last line, {what}. {see}"),
        None => format!("run the last command alone and see what it waits for. {see}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, want) in [
            ("in the last 10m0s, this", Some(600)),
            ("in the last 10 minutes, this", Some(600)),
            ("(exceeded 1h0m0s): context deadline", Some(3600)),
            ("90s", Some(90)),
            ("10 apples", None),
            ("none", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(duration(text), want.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn the_last_line_says_what_to_try() {
        for (last, want) in [
            ("Do you want to continue? [Y/n]", "asks a question"),
            ("    Blocking waiting for file lock on package cache", "waits for a lock"),
            ("Downloading https://repo.example/a.jar", "waits for a download"),
            ("=== RUN   TestServer", "a test hangs"),
            ("Local server running at :3000", "started a server"),
            ("thinking", "see what it waits for"),
        ] {
            let said = advice(last, false);
            assert!(said.contains(want) && said.contains("--idle-timeout"), "{last}: {said}");
            assert!(advice(last, true).contains("at work until its end"));
        }
    }
}
