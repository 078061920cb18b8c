//! What is said of a failure that no pattern names: its last words, and their template.

use regreen_logs::Log;

use crate::scan::{first_bytes, first_words};

/// So many lines from the end are searched for last words.
const SEARCHED: u64 = 300;

/// So much of a line is looked at.
const LOOKED_AT: usize = 2 * 1024;

/// The last line that reads like an error.
#[derive(Debug, Clone)]
pub(crate) struct LastWords {
    pub(crate) line: u64,
    pub(crate) column: u32,
    pub(crate) text: String,
}

impl LastWords {
    /// The last line of the window that starts like an error.
    pub(crate) fn of(log: &Log<'_>) -> Option<LastWords> {
        let mut end = log.window().len();
        let all = log.first_line() + memchr::memchr_iter(b'\n', log.window()).count() as u64;
        for lines_after in 0..SEARCHED {
            let start = memchr::memrchr(b'\n', log.window().get(..end)?).map_or(0, |feed| feed + 1);
            let line = log.lines_from(start, all.saturating_sub(lines_after)).next()?;
            let text = line.text();
            if reads_like_an_error(text.as_str()) {
                let text_start = text.as_str().len() - text.as_str().trim_start().len();
                let column = text.column(text_start);
                return Some(LastWords {
                    line: line.number,
                    column,
                    text: first_words(text.as_str(), LOOKED_AT).to_owned(),
                });
            }
            end = start.checked_sub(1)?;
        }
        None
    }
}

/// Starts with a word that programs of all kinds put before an error.
fn reads_like_an_error(text: &str) -> bool {
    const STARTS: [&str; 12] = [
        "error",
        "fatal",
        "failed",
        "failure",
        "panic",
        "exception",
        "traceback",
        "e:",
        "err!",
        "npm err",
        "##[error]",
        "abort",
    ];
    let text = text.trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, '[' | '*' | '>' | '-' | '×' | '✗' | '✖')
    });
    let start = first_bytes(text, 16).to_ascii_lowercase();
    STARTS.iter().any(|word| start.starts_with(word))
        && !start.starts_with("errors: 0")
        && !start.starts_with("failed: 0")
}

/// The line's shape: numbers, hexadecimal words and paths are the same wherever it is printed.
pub(crate) fn template(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/');
        if bare.contains('/') || bare.contains('\\') {
            "<path>".to_owned()
        } else if bare.len() >= 7 && bare.bytes().all(|b| b.is_ascii_hexdigit()) {
            "<hex>".to_owned()
        } else {
            one_zero_a_number(word)
        }
    };
    text.split_whitespace().take(24).map(word).collect::<Vec<_>>().join(" ")
}

fn one_zero_a_number(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '0'..='9' if out.ends_with('0') => {}
            '0'..='9' => out.push('0'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_about_other_things_have_one_template() {
        let a = template("error: step 7 of /home/a/x.rs failed after 31 ms (deadbeef1)");
        let b = template("error: step 3 of /srv/b/y.rs failed after 4500 ms (0123456789ab)");
        assert_eq!(a, b);
        assert_ne!(a, template("error: another thing failed"));
    }

    #[test]
    fn what_reads_like_an_error() {
        for yes in ["error: x", "  Error: y", "FATAL: z", "[ERROR] a", "✖ failed", "npm ERR! x"] {
            assert!(reads_like_an_error(yes), "{yes}");
        }
        for no in ["0 errors", "Errors: 0", "no error", "", "test failed_login ... ok"] {
            assert!(!reads_like_an_error(no), "{no}");
        }
    }
}
