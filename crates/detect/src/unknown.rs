//! What is said of a failure that no pattern names: its last words, and their template.

use regreen_logs::{Alarm, Log, alarm};

use crate::Baseline;
use crate::scan::first_words;

/// So many lines from the end are searched for last words.
const SEARCHED: usize = 300;

/// So much of a line is looked at.
const LOOKED_AT: usize = 2 * 1024;

/// The line that reads most like the error.
#[derive(Debug, Clone)]
pub(crate) struct LastWords {
    pub(crate) line: u64,
    pub(crate) column: u32,
    pub(crate) text: String,
}

impl LastWords {
    /// The last line of the window in which a program gives up, else the last one that holds an error's words. What a
    /// passing run prints too is neither.
    pub(crate) fn of(log: &Log<'_>, baseline: Option<&Baseline<'_>>) -> Option<LastWords> {
        let mut faint = None;
        for line in log.lines_from_the_end().take(SEARCHED) {
            let text = line.text();
            if baseline.is_some_and(|baseline| baseline.holds(text.as_str())) {
                continue;
            }
            let words = || {
                let text_start = text.as_str().len() - text.as_str().trim_start().len();
                LastWords {
                    line: line.number,
                    column: text.column(text_start),
                    text: first_words(text.as_str(), LOOKED_AT).to_owned(),
                }
            };
            match alarm(text.as_str()) {
                Alarm::Loud => return Some(words()),
                Alarm::Faint if faint.is_none() => faint = Some(words()),
                Alarm::Faint | Alarm::None => {}
            }
        }
        faint
    }
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
}
