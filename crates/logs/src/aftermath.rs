//! Steps that a workflow runs because something has failed, or whatever has: reports, uploads, messages, cleaning up.
//! Where one of them fails too, the job had failed before.

use crate::decode::decode;
use crate::piece::Piece;
use crate::words::{Alarm, alarm};

/// Words in a step's name or command, lower-case.
const WORDS: [&str; 26] = [
    "upload",
    "notify",
    "notification",
    "slack",
    "discord",
    "telegram",
    "send mail",
    "codecov",
    "coveralls",
    "publish test",
    "publish-test",
    "test report",
    "test-report",
    "test results",
    "cleanup",
    "clean up",
    "clean-up",
    "teardown",
    "tear down",
    "docker logs",
    "collect logs",
    "show logs",
    "dump logs",
    "save cache",
    "cache/save",
    "on failure",
];

/// So many lines of a step are read for its command, or for its last words.
const FIRST: usize = 2;
const LAST: usize = 40;

/// Whether the step is one of them, by its name, and where that says nothing by its command.
pub(crate) fn is_aftermath(step: &Piece) -> bool {
    if step.step != "run" {
        return says(&step.step);
    }
    step.bytes.split(|b| *b == b'\n').take(FIRST).any(|line| says(&text(line)))
}

/// Whether the step's last words are an error's.
pub(crate) fn complains(step: &Piece) -> bool {
    let lines = step.bytes.trim_ascii_end().rsplit(|b| *b == b'\n').take(LAST);
    lines.map(text).any(|line| alarm(&line) == Alarm::Loud)
}

fn says(words: &str) -> bool {
    let words: String = words.chars().take(300).collect::<String>().to_lowercase();
    WORDS.iter().any(|word| words.contains(word))
}

fn text(line: &[u8]) -> String {
    decode(&line[..line.len().min(1024)], 0, 0).as_str().to_owned()
}
