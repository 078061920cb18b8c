//! The shape of a line: what of it is the tool's fixed words, and what differs from run to run.

use std::sync::LazyLock;

use regex::Regex;

/// Bytes of a line that are looked at.
const LONGEST: usize = 400;

/// What differs from run to run, in order of preference where several begin at one place: name, what it looks like, and
/// the expression that stands for it in a pattern.
const VARIABLE: [(&str, &str, &str); 12] = [
    ("masked", r"[^\s'\x22]*\*\*\*[^\s'\x22]*", r"[^ ]+"),
    ("url", r"\b[a-z][a-z0-9+.-]*://[^\s'\x22`<>()\[\]{},;]+", r"[a-z0-9+.-]+://[^ ]+"),
    ("uuid", r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b", r"[0-9a-fA-F-]{36}"),
    (
        "time",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?",
        r"[0-9T:., Z+-]+",
    ),
    ("drive", r"\b[A-Za-z]:\\[^\s'\x22:*?<>|]+", r"[A-Za-z]:[^ :]+"),
    (
        "path",
        r"\\\\[^\s'\x22:*?<>|]+|(?:~|\.{1,2})?(?:/[\w.@+~-]+)+/?|[\w.@+~-]+(?:/[\w.@+~-]+)+/?",
        r"[^ :]+",
    ),
    ("ip", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", r"[0-9.]+(?::[0-9]+)?"),
    (
        "host",
        r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|dev|cloud|local|internal|lan|corp|example|test|invalid)(?::\d+)?\b",
        r"[A-Za-z0-9.-]+(?::[0-9]+)?",
    ),
    ("version", r"\bv?\d+\.\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.-]+)?\b", r"v?[0-9][0-9A-Za-z.+-]*"),
    ("address", r"\b0x[0-9a-fA-F]+\b", r"0x[0-9a-fA-F]+"),
    ("hash", r"\b[0-9a-f]{7,64}\b", r"[0-9a-f]+"),
    ("number", r"\b\d+", NUMBER),
];

const NUMBER: &str = "[0-9]+";

static VARIABLES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let all: Vec<String> = VARIABLE.iter().map(|(name, looks, _)| format!("(?<{name}>{looks})")).collect();
    Regex::new(&all.join("|")).ok()
});

/// Numbers that mean something: success, exit codes that shells and kernels give.
const TELLING: [&str; 8] = ["0", "1", "2", "126", "127", "137", "139", "143"];

/// Words before a number of three digits that make it an answer of HTTP.
const HTTP: [&str; 5] = ["http", "status", "response", "code", "error"];

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The tool's own words.
    Fixed(String),
    /// Something that differs, by the expression that stands for it.
    Differs(&'static str),
}

/// The parts of a text.
pub(crate) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut from = 0;
    let found = VARIABLES.iter().flat_map(|variables| variables.captures_iter(text));
    for captures in found {
        let Some(all) = captures.get(0) else { continue };
        let kind = VARIABLE.iter().find(|(name, ..)| captures.name(name).is_some());
        let Some((name, _, expression)) = kind else { continue };
        if !differs(name, all.as_str(), &text[..all.start()], &text[all.end()..]) {
            continue;
        }
        fixed(&text[from..all.start()], &mut parts);
        let is_number = all.as_str().bytes().all(|b| b.is_ascii_digit());
        parts.push(Part::Differs(if is_number { NUMBER } else { expression }));
        from = all.end();
    }
    fixed(&text[from..], &mut parts);
    parts
}

fn fixed(text: &str, parts: &mut Vec<Part>) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Fixed(before)) => before.push_str(text),
        _ => parts.push(Part::Fixed(text.to_owned())),
    }
}

/// Whether what looks like it is something that differs from run to run.
fn differs(kind: &str, text: &str, before: &str, after: &str) -> bool {
    match kind {
        "number" | "hash" if text.bytes().all(|b| b.is_ascii_digit()) => {
            let answer = text.len() == 3 && matches!(text.as_bytes()[0], b'4' | b'5');
            let words = before.to_ascii_lowercase();
            let last = words.split(|c: char| !c.is_ascii_alphanumeric()).rfind(|word| !word.is_empty());
            let http = last.is_some_and(|last| HTTP.contains(&last)) || words.contains("http");
            !(TELLING.contains(&text) || (answer && http))
        }
        // A word that happens to have hexadecimal letters only is no hash.
        "hash" => text.bytes().any(|b| b.is_ascii_digit()),
        // `and/or` is no path.
        "path" => {
            text.starts_with(['/', '~', '.', '\\'])
                || text.contains(['.', '\\', ':'])
                || text.matches('/').count() > 1
        }
        // `java.net.SocketException` has no host in it.
        "host" => {
            !after.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
        }
        _ => true,
    }
}

/// The first bytes of a line, whole characters; and whether that is all of it.
pub(crate) fn beginning(line: &str) -> (&str, bool) {
    let line = line.trim_end().trim_end_matches('…');
    let mut end = line.len().min(LONGEST);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    // Half a word is no word of the tool's.
    let cut = if end < line.len() { line[..end].rfind(' ').unwrap_or(end) } else { end };
    (&line[..cut], cut == line.len())
}

/// A regular expression for lines like this one: what differs from run to run is left open, the rest is as it stands.
pub fn expression(line: &str) -> String {
    let cut = line.trim_end().ends_with('…');
    let (line, whole) = beginning(line);
    let mut expression = String::from("^");
    for part in parts(line) {
        match part {
            Part::Fixed(text) => expression.push_str(&escaped(&text)),
            Part::Differs(open) => expression.push_str(open),
        }
    }
    if whole && !cut {
        expression.push_str(r"[ \t]*$");
    }
    expression
}

/// As it stands, but for control characters and those that are none of ASCII: their bytes are left open.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open = false;
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            // Only what has a meaning needs its backslash; the rest is easier to read without.
            if r"\.+*?()|[]{}^$".contains(c) {
                out.push('\\');
            }
            out.push(c);
            open = false;
        } else if !open {
            out.push_str("[^!-~]+");
            open = true;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::expression;

    #[test]
    fn what_differs_from_run_to_run_is_left_open() {
        for (line, want) in [
            ("widget: no answer within 30 s", r"^widget: no answer within [0-9]+ s[ \t]*$"),
            (
                "error E404: HTTP 502 from https://r.example/a?b=1",
                r"^error E404: HTTP 502 from [a-z0-9+.-]+://[^ ]+[ \t]*$",
            ),
            ("exited with 137 (core)", r"^exited with 137 \(core\)[ \t]*$"),
            ("cannot open /home/a/x.rs:31:4", r"^cannot open [^ :]+:[0-9]+:[0-9]+[ \t]*$"),
            ("bad and/or worse: src/a.c", r"^bad and/or worse: [^ :]+[ \t]*$"),
            ("commit deadbeef1 of v1.2.3-rc.1", r"^commit [0-9a-f]+ of v?[0-9][0-9A-Za-z.+-]*[ \t]*$"),
            ("can't reach db.prod.internal:5432", r"^can't reach [A-Za-z0-9.-]+(?::[0-9]+)?[ \t]*$"),
            ("token *** was refused", r"^token [^ ]+ was refused[ \t]*$"),
            ("✗ naïve", r"^[^!-~]+ na[^!-~]+ve[ \t]*$"),
            ("java.net.SocketException: x86_64 utf8", r"^java\.net\.SocketException: x86_64 utf8[ \t]*$"),
            (r"C:\a b 12345678", r"^[A-Za-z]:[^ :]+ b [0-9]+[ \t]*$"),
            ("cut here…", "^cut here"),
        ] {
            let made = expression(line);
            assert_eq!(made, want, "{line}");
            let regex = regex::bytes::RegexBuilder::new(&made).unicode(false).build().unwrap();
            assert!(regex.is_match(line.as_bytes()), "{line}");
        }
    }
}
