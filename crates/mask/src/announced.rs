//! Values that a log itself says are secret: by GitHub's and Azure's commands to their runners.

use std::fmt;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::accept::is_value;

/// A log that names more bytes is no job's: what it names first is masked.
const MOST: usize = 32 * 1024;

/// A long line is looked for piece by piece: an automaton for a long text that repeats itself takes long to make.
const PIECE: usize = 512;

/// GitHub: `::add-mask::VALUE`, once `##[add-mask]VALUE`. Azure: `##vso[task.setvariable variable=a;issecret=true]VALUE`,
/// `##vso[task.setsecret]VALUE`.
/// Sources: GitHub's *Workflow commands for GitHub Actions*, Azure's *Logging commands*.
pub(crate) const COMMANDS: &str = r"(?i)(?:::add-mask::|##\[add-mask\]|##vso\[task\.setsecret[^\]\r\n]*\]|##vso\[task\.setvariable [^\]\r\n]*\bissecret=true\b[^\]\r\n]*\])[ \t]*(?P<s>[^\r\n]+)";

static COMMAND: LazyLock<Option<Regex>> =
    LazyLock::new(|| RegexBuilder::new(COMMANDS).unicode(false).build().ok());

/// How data is escaped in a command.
const ESCAPED: [(&[u8], u8); 6] =
    [(b"%25", b'%'), (b"%0D", b'\r'), (b"%0A", b'\n'), (b"%3B", b';'), (b"%5D", b']'), (b"%AZP25", b'%')];

/// Values that a log names as secret: [`Masker::knowing`](crate::Masker::knowing) takes them out of what is said of it.
#[derive(Clone, Default)]
pub struct Announced(pub(crate) Vec<Vec<u8>>);

impl Announced {
    /// Those of the commands in these lines.
    pub fn by(log: &[u8]) -> Announced {
        let Some(command) = COMMAND.as_ref() else { return Announced::default() };
        let values = command.captures_iter(log).filter_map(|found| found.name("s"));
        let values = values
            .map(|value| value.as_bytes().trim_ascii())
            // A script that is shown before it runs has the command in quotes.
            .map(|value| value.strip_suffix(b"\"").or(value.strip_suffix(b"'")).unwrap_or(value))
            .filter(|value| is_value(value))
            .map(unescaped);
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        let mut left = MOST;
        for value in values {
            for piece in value.split(|byte| *byte == b'\n').flat_map(|line| line.chunks(PIECE)) {
                let Some(rest) = left.checked_sub(piece.len()) else { return Announced(pieces) };
                left = rest;
                pieces.push(piece.to_vec());
            }
        }
        Announced(pieces)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Announced({})", self.0.len())
    }
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let escape = ESCAPED.iter().find(|(written, _)| {
            rest.get(..written.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(written))
        });
        out.push(escape.map_or(*first, |(_, sign)| *sign));
        rest = escape.map_or(after, |(written, _)| &rest[written.len()..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_both_runners_name_values() {
        for (line, want) in [
            ("::add-mask::correct-horse", "correct-horse"),
            ("2024-05-01T12:00:00.1Z ::add-mask::50%25 off\r", "50% off"),
            ("##[add-mask]correct", "correct"),
            ("##vso[task.setvariable variable=a;isSecret=true]correct%3Bhorse", "correct;horse"),
            ("##vso[task.setvariable issecret=true;variable=a]correct", "correct"),
            ("##vso[task.setsecret]correct", "correct"),
            ("echo \"::add-mask::correct\"", "correct"),
        ] {
            assert_eq!(Announced::by(line.as_bytes()).0, [want.as_bytes()], "{line}");
        }
        assert_eq!(Announced::by(b"::add-mask::one%0Atwo").0, [b"one", b"two"]);
        for line in [
            "echo \"::add-mask::$TOKEN\"",
            "::add-mask::***",
            "::add-mask::",
            "##vso[task.setvariable variable=a;issecret=false]correct",
            "##vso[task.setvariable variable=issecret]true",
            "::set-output name=a::correct",
        ] {
            assert!(Announced::by(line.as_bytes()).is_empty(), "{line}");
        }
    }

    #[test]
    fn they_are_not_shown() {
        assert_eq!(format!("{:?}", Announced::by(b"::add-mask::correct-horse")), "Announced(1)");
    }
}
