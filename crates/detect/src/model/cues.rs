//! Which lines are worth the model's time, and where the failing command gave up.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// Words of lines that may say what went wrong.
const ERROR_WORDS: [&str; 71] = [
    "error",
    "fatal",
    "fail",
    "exception",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "unable",
    "denied",
    "not found",
    "no such",
    "timed out",
    "time out",
    "timeout",
    "refused",
    "invalid",
    "missing",
    "killed",
    "panic",
    "abort",
    "mismatch",
    "conflict",
    "unexpected",
    "expected",
    "undefined",
    "unresolved",
    "corrupt",
    "expired",
    "unauthorized",
    "forbidden",
    "exceed",
    "limit",
    "no space",
    "out of memory",
    "require",
    "exit code",
    "exit with",
    "exit status",
    "exited ",
    "err!",
    "traceback",
    "not satisfied",
    "does not",
    "doesn't",
    "wrong",
    "incompatible",
    "unsupported",
    "deprecated",
    "unavailable",
    "lost",
    "reset",
    "interrupted",
    "cancel",
    "terminated",
    "signal",
    "no matching",
    "too many",
    "not a ",
    "already",
    "untrusted",
    "certificate",
    "unknown",
    "not supported",
    "is not ",
    "malformed",
    "damaged",
    "truncated",
    "broken",
    "stale",
    "would reformat",
];

/// Words by which a line says that it is an error.
const STRONG: [&str; 8] =
    ["error", "fatal", "err", "failed", "failure", "exception", "panicked", "traceback"];

/// Words of the lines in which a command's end is reported.
const END_WORDS: [&str; 15] = [
    "exited with ",
    "exit code",
    "exit status",
    "##[error]",
    "build fail",
    "make: ***",
    "npm err!",
    "elifecycle",
    "job failed",
    "command failed",
    "returned a non-zero",
    "could not compile",
    "build stopped",
    "finished: failure",
    "completed with exit",
];

/// Words of the last lines in which tools report that all went well.
const SUCCESS_WORDS: [&str; 6] =
    ["successfully installed", "added ", "up to date", "build success", "exited with 0", "exit code 0"];

/// The first three of [`END_WORDS`] need a number other than 0 after them.
const NEED_A_CODE: usize = 3;

static ERRORS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| searcher(&ERROR_WORDS));
static SUCCESSES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| searcher(&SUCCESS_WORDS));
static ENDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| searcher(&END_WORDS));

fn searcher(words: &[&str]) -> Option<AhoCorasick> {
    AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::Standard).build(words).ok()
}

/// Whether the raw line has a word of errors.
pub(crate) fn reads_like_an_error(raw: &[u8]) -> bool {
    ERRORS.as_ref().is_some_and(|errors| errors.is_match(raw))
}

/// Whether one of the words says that this is an error.
pub(crate) fn says_error(words: &[String]) -> bool {
    words.iter().any(|word| STRONG.contains(&word.as_str()))
}

/// Whether the raw line reports that a command went well.
pub(crate) fn reports_success(raw: &[u8]) -> bool {
    SUCCESSES.as_ref().is_some_and(|successes| successes.is_match(raw))
}

/// Whether the raw line is the last word of a CI on a job that passed: Travis, Jenkins, GitLab.
pub(crate) fn reports_a_passed_job(raw: &[u8]) -> bool {
    const WORDS: [&[u8]; 3] = [b"Done. Your build exited with 0.", b"Finished: SUCCESS", b"Job succeeded"];
    // A colour may be switched off behind the words.
    let colour =
        |b: &u8| b.is_ascii_digit() || matches!(b, 0x1b | b'[' | b';' | b'm') || b.is_ascii_whitespace();
    let end = raw.len() - raw.iter().rev().take_while(|b| colour(b)).count();
    WORDS.iter().any(|words| raw[..end].ends_with(words))
}

/// Whether the raw line reports that a command failed.
pub(crate) fn reports_an_end(raw: &[u8]) -> bool {
    let Some(ends) = ENDS.as_ref() else { return false };
    ends.find_iter(raw).any(|found| {
        let code = || raw[found.end()..].iter().find(|b| !matches!(b, b' ' | b':' | b'='));
        found.pattern().as_usize() >= NEED_A_CODE || code().is_some_and(|b| (b'1'..=b'9').contains(b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ci_s_own_word_means_a_passed_job() {
        for passed in [
            "Done. Your build exited with 0.\r",
            "\x1b[32;1mJob succeeded\x1b[0;m\x1b[0m",
            "Finished: SUCCESS",
        ] {
            assert!(reports_a_passed_job(passed.as_bytes()), "{passed}");
        }
        assert!(!reports_a_passed_job(b"Done. Your build exited with 1."));
        assert!(!reports_a_passed_job(b"Finished: SUCCESS of 3 tests, 1 failed"));
    }

    #[test]
    fn ends_and_successes_are_told_apart() {
        for end in ["The command \"x\" exited with 1.", "exit code: 2", "##[error]x", "npm ERR! code 1"] {
            assert!(reports_an_end(end.as_bytes()), "{end}");
        }
        for no in ["The command \"x\" exited with 0.", "exit code", "all is well"] {
            assert!(!reports_an_end(no.as_bytes()), "{no}");
        }
    }
}
