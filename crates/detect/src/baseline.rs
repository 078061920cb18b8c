//! What a passing run of the same job prints too: it is no cause.
//!
//! A line is remembered by 64 bits of its usual form, in which numbers, hashes, times and temporary folders are the
//! same from run to run. Secrets are masked first. Numbers that mean something stay: exit codes, HTTP errors, and the
//! codes that tools give their errors.

use std::collections::BTreeSet;
use std::fmt::Write;

use regreen_logs::Log;
use regreen_mask::{Announced, Masker};

/// A path is taken for a temporary one from here on.
const TEMPORARY: [&str; 5] = ["/tmp/", "/var/folders/", "/_temp/", "\\_temp\\", "\\Temp\\"];

/// Numbers that mean something where they stand alone: success, and exit codes that shells and kernels give.
const TELLING: [&str; 8] = ["0", "1", "2", "126", "127", "137", "139", "143"];

/// A number with one of these behind it is a time or a size.
const UNITS: [&str; 16] =
    ["ns", "us", "ms", "s", "m", "h", "sec", "min", "B", "k", "kB", "KB", "KiB", "MB", "MiB", "GB"];

/// The lines of passing runs.
#[derive(Debug, Clone)]
pub struct Baseline<'m> {
    lines: BTreeSet<u64>,
    masker: &'m Masker,
}

impl<'m> Baseline<'m> {
    /// One that holds nothing.
    pub fn new(masker: &'m Masker) -> Baseline<'m> {
        Baseline { lines: BTreeSet::new(), masker }
    }

    /// One that was stored, by what [`Baseline::hashes`] gave.
    pub fn stored(hashes: impl IntoIterator<Item = u64>, masker: &'m Masker) -> Baseline<'m> {
        Baseline { lines: hashes.into_iter().collect(), masker }
    }

    /// Adds the lines of a passing run: of its log's window. A private key's own lines are no lines of it.
    pub fn add(&mut self, log: &Log<'_>) {
        // Most lines of a log look like another one; only the first of a kind is masked.
        let mut seen = BTreeSet::new();
        let mut in_a_key = false;
        let announced = Announced::by(log.window());
        let knowing = (!announced.is_empty()).then(|| self.masker.knowing(&announced));
        let masker = knowing.as_ref().unwrap_or(self.masker);
        for line in log.lines() {
            let text = line.text();
            if text.as_str().contains("PRIVATE KEY") {
                in_a_key = text.as_str().contains("-----BEGIN");
            }
            if in_a_key {
                continue;
            }
            if let Some(raw) = hash(text.as_str())
                && seen.insert(raw)
            {
                self.lines.extend(hash(&masker.mask(text.as_str())));
            }
        }
    }

    /// Whether a passing run prints this line too.
    pub fn holds(&self, text: &str) -> bool {
        !self.is_empty() && hash(&self.masker.mask(text)).is_some_and(|hash| self.lines.contains(&hash))
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What it holds, for keeping: ascending, each once.
    pub fn hashes(&self) -> impl Iterator<Item = u64> {
        self.lines.iter().copied()
    }
}

/// FNV-1a of the usual form: the same on every machine and in every version. None of a line without a word.
fn hash(text: &str) -> Option<u64> {
    let form = usual(text);
    form.bytes().any(|b| b.is_ascii_alphabetic() || !b.is_ascii()).then(|| {
        form.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    })
}

/// The line as every run prints it.
fn usual(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !form.is_empty() {
            form.push(' ');
        }
        let start = TEMPORARY.iter().filter_map(|mark| word.find(mark)).min();
        let (head, path) = word.split_at(start.unwrap_or(word.len()));
        one_word(head, &mut form);
        if !path.is_empty() {
            let end = path.find(['"', '\'', '`', ')', ']', '>', ',', ';']).unwrap_or(path.len());
            form.push_str("<tmp>");
            one_word(&path[end..], &mut form);
        }
    }
    form
}

fn one_word(word: &str, form: &mut String) {
    let bytes = word.as_bytes();
    let mut at = 0;
    while let Some(first) = word[at..].chars().next() {
        let rest = &word[at..];
        if let Some(uuid) = rest.get(..36).filter(|text| is_uuid(text)) {
            form.push_str("<hex>");
            at += uuid.len();
            continue;
        }
        if !first.is_ascii_alphanumeric() {
            form.push(first);
            at += first.len_utf8();
            continue;
        }
        let length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let run = &rest[..length];
        let joined = joins(bytes, at.checked_sub(1), at.checked_sub(2))
            || joins(bytes, Some(at + length), Some(at + length + 1));
        one_run(run, joined, form);
        at += length;
    }
}

/// Whether a sign stands there that makes one number, time, date or version of what is on both sides.
fn joins(bytes: &[u8], sign: Option<usize>, beyond: Option<usize>) -> bool {
    let byte = |at: Option<usize>| at.and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    matches!(byte(sign), b'.' | b':' | b',' | b'/' | b'-' | b'_') && byte(beyond).is_ascii_digit()
}

/// Letters and digits without anything between them.
fn one_run(run: &str, joined: bool, form: &mut String) {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let letters = run.len() - digits;
    let hexadecimal = run.len() >= 7 && run.bytes().all(|b| b.is_ascii_hexdigit());
    if digits == 0 || is_code(run) {
        form.push_str(run);
    } else if hexadecimal && letters > 0 {
        form.push_str("<hex>");
    } else if letters == 0 {
        let telling = !joined && (TELLING.contains(&run) || is_http_error(run));
        let _infallible = form.write_str(if telling { run } else { "#" });
    } else if UNITS.contains(&run.trim_start_matches(|c: char| c.is_ascii_digit())) {
        form.push('#');
    } else {
        for c in run.chars() {
            match c {
                '0'..='9' if form.ends_with('#') => {}
                '0'..='9' => form.push('#'),
                c => form.push(c),
            }
        }
    }
}

fn is_http_error(number: &str) -> bool {
    number.len() == 3 && number.starts_with(['4', '5'])
}

/// `E404`, `TS2322`, `E0308`: capitals, then two to five digits.
fn is_code(run: &str) -> bool {
    let capitals = run.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = &run[capitals..];
    (1..=6).contains(&capitals)
        && (2..=5).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => b == b'-',
        _ => b.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_the_same() {
        for (one, other) in [
            ("added 9 packages in 303ms", "added 12  packages in 1s"),
            ("Downloading a-1.2.3.whl (3.4 MB)", "Downloading a-1.2.4.whl (5.6 MB)"),
            ("at 2024-05-01T12:34:56Z commit 3f2a9c17b", "at 2025-01-31T00:00:01Z commit 0a1b2c3d4e5f"),
            ("run 123e4567-e89b-12d3-a456-426614174000", "run 00000000-0000-0000-0000-000000000abc"),
            ("open '/tmp/tmpab3x/x y': busy", "open '/tmp/npm-9-cd/x y': busy"),
            ("C:\\Users\\a\\AppData\\Local\\Temp\\x1", "C:\\Users\\a\\AppData\\Local\\Temp\\other"),
            ("took 1.0 s", "took 3.7 s"),
        ] {
            assert_eq!(hash(one), hash(other), "{one}: {} / {}", usual(one), usual(other));
        }
    }

    #[test]
    fn what_means_something_else_is_something_else() {
        for (one, other) in [
            ("exit code 0", "exit code 137"),
            ("0 failed", "7 failed"),
            ("npm error code E404", "npm error code E503"),
            ("GET /a: 200", "GET /a: 503"),
            ("GET /a: 429", "GET /a: 503"),
            ("error[E0308]: x", "error[E0277]: x"),
            ("cannot open /a/b", "cannot open /a/c"),
            ("Error: read ECONNRESET", "Error: read ETIMEDOUT"),
        ] {
            assert_ne!(hash(one), hash(other), "{one}: {}", usual(one));
        }
        assert_eq!((hash(""), hash("  12:00 -- 3")), (None, None));
    }
}
