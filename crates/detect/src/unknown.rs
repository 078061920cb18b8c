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

/// The masked line's shape: numbers, hexadecimal words, moments, hosts and paths are the same wherever it is printed.
pub(crate) fn template(text: &str) -> String {
    text.split_whitespace().take(24).map(word).collect::<Vec<_>>().join(" ")
}

fn word(word: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '/');
    if bare.contains(['/', '\\']) {
        "<path>".to_owned()
    } else if is_host(bare) {
        "<host>".to_owned()
    } else if bare.len() >= 7 && bare.bytes().all(|b| b.is_ascii_hexdigit()) {
        // A hash may have digits only.
        "0".to_owned()
    } else {
        one_zero_a_number(word)
    }
}

/// A name with dots, a file's too, maybe with a port; or an IPv6 address.
fn is_host(word: &str) -> bool {
    let (name, port) = word.rsplit_once(':').unwrap_or((word, "0"));
    let mut labels = name.split('.');
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let top = labels.next_back().is_some_and(|top| top.bytes().all(|b| b.is_ascii_alphabetic()));
    let named = top
        && name.contains('.')
        && name.split('.').all(is_label)
        && port.bytes().all(|b| b.is_ascii_digit());
    let colons = word.bytes().filter(|b| *b == b':').count();
    let address = colons >= 2
        && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        && (colons == 7 || word.contains("::"));
    named || address
}

/// `7`, `4500`, `1.5` and `1,024.0` are one number, and so is a version.
fn one_zero_a_number(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let within = matches!(c, '.' | ',') && chars.peek().is_some_and(char::is_ascii_digit);
        match c {
            '0'..='9' if out.ends_with('0') => {}
            '0'..='9' => out.push('0'),
            _ if within && out.ends_with('0') => {}
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
        for (a, b) in [
            ("took 31 ms", "took 1234567 ms"),
            ("took 1.5s at 10:22:31", "took 12s at 9:01:59"),
            ("at 1234567 of 2024-05-01T12:00:00.123Z", "at deadbee of 2025-12-31T23:59:59Z"),
            ("no answer from a.example.", "no answer from registry.b.example:4873."),
            ("no answer from 10.0.0.1", "no answer from 192.168.100.20"),
            ("no answer from 2001:db8::1", "no answer from fe80::a:1"),
            ("x 1.2.3 is needed", "x 10.0 is needed"),
            ("in C:\\a\\b.rs", "in /srv/x"),
        ] {
            assert_eq!(template(a), template(b));
        }
        for (a, b) in [("a: b", "a: c"), ("error 5", "error"), ("std::io", "std::fs")] {
            assert_ne!(template(a), template(b));
        }
    }
}
