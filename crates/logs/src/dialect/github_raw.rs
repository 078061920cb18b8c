//! GitHub Actions, the raw log of a job: `2024-05-01T12:34:56.1234567Z ##[group]Run npm ci`.

use super::{Dialect, Mark, most_lines};

pub(super) struct GithubRaw;

/// The runner prints this, in English always, when a step's program ended with anything but 0.
const ENDED_WITH_ERROR: &[u8] = b"##[error]Process completed with exit code ";

impl Dialect for GithubRaw {
    fn fits(&self, sample: &[u8]) -> bool {
        most_lines(sample, |line| timestamp(line) > 0)
    }

    fn prefix(&self, line: &[u8]) -> usize {
        timestamp(line)
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["##[", "Post job cleanup.", "Cleaning up orphan processes"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        mark(&line[timestamp(line)..])
    }

    fn marks_failures(&self) -> bool {
        true
    }
}

/// What a line of the runner, without its timestamp, says.
pub(super) fn mark(body: &[u8]) -> Mark {
    let body = body.trim_ascii_end();
    if let Some(name) = body.strip_prefix(b"##[group]Run ") {
        return Mark::Step(String::from_utf8_lossy(name).into_owned());
    }
    match body {
        b"Post job cleanup." => Mark::Step("Post job cleanup".to_owned()),
        b"Cleaning up orphan processes" => Mark::Step("Complete job".to_owned()),
        _ if body.starts_with(ENDED_WITH_ERROR) => Mark::Failed,
        _ if body.starts_with(b"##[error]") => Mark::Complained,
        _ => Mark::None,
    }
}

/// Length of a leading `2024-05-01T12:34:56.1234567Z ` with an optional byte order mark; 0 where there is none.
pub(super) fn timestamp(line: &[u8]) -> usize {
    let mark = if line.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let line = &line[mark..];
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = line.len() > shape.len()
        && shape
            .iter()
            .zip(line)
            .all(|(want, got)| if *want == b'd' { got.is_ascii_digit() } else { want == got });
    if !fits {
        return 0;
    }
    let rest = &line[shape.len()..];
    let fraction = if rest.first() == Some(&b'.') {
        1 + rest[1..].iter().take_while(|b| b.is_ascii_digit()).count()
    } else {
        0
    };
    match (rest.get(fraction), rest.get(fraction + 1)) {
        (Some(b'Z'), Some(b' ')) => mark + shape.len() + fraction + 2,
        (Some(b'Z'), None | Some(b'\r')) => mark + shape.len() + fraction + 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps() {
        for (line, want) in [
            ("2024-05-01T12:34:56.1234567Z npm ci", 29),
            ("\u{feff}2024-05-01T12:34:56.1234567Z x", 32),
            ("2024-05-01T12:34:56Z x", 21),
            ("2024-05-01T12:34:56.1Z", 22),
            ("2024-05-01T12:34:56.1", 0),
            ("2024-05-01 12:34:56Z x", 0),
            ("", 0),
        ] {
            assert_eq!(timestamp(line.as_bytes()), want, "{line}");
        }
    }
}
