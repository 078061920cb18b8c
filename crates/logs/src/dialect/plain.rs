//! No CI's words at all: the command's output as it is.

use super::{Dialect, Mark};

pub(super) struct Plain;

impl Dialect for Plain {
    fn fits(&self, _sample: &[u8]) -> bool {
        true
    }

    fn marks_steps(&self) -> bool {
        false
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&[])
    }

    fn mark(&self, _line: &[u8]) -> Mark {
        Mark::None
    }
}

/// The line without control sequences and blanks at its start and end, so that a coloured mark is recognised.
pub(crate) fn bare(mut line: &[u8]) -> &[u8] {
    loop {
        line = line.trim_ascii();
        let Some(rest) = line.strip_prefix(b"\x1b[") else { break };
        let Some(end) = rest.iter().position(|b| (0x40..=0x7e).contains(b)) else { break };
        line = &rest[end + 1..];
    }
    while let Some(start) = memchr::memrchr(0x1b, line) {
        let tail = &line[start..];
        let is_sequence = tail.len() > 2
            && tail.get(1) == Some(&b'[')
            && tail.iter().skip(2).position(|b| (0x40..=0x7e).contains(b)) == tail.len().checked_sub(3);
        if !is_sequence {
            break;
        }
        line = line[..start].trim_ascii_end();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn colours_around_a_mark_are_taken_off() {
        for (line, want) in [
            ("\u{1b}[31;1mThe command failed.\u{1b}[0m", "The command failed."),
            ("\u{1b}[0K\u{1b}[33mx \u{1b}[1my\u{1b}[0m\r", "x \u{1b}[1my"),
            ("\u{1b}[", "\u{1b}["),
            ("  plain\t", "plain"),
            ("", ""),
        ] {
            assert_eq!(bare(line.as_bytes()), want.as_bytes(), "{line:?}");
        }
    }
}
