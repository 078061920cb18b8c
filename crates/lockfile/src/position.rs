//! From byte offsets to lines, and the checks that every format needs before it is parsed.

use std::cell::Cell;

use crate::{Damage, Format};

/// Where the lines of a text begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    /// Offset of each newline, ascending.
    newlines: Vec<usize>,
    /// The line that was asked for last, from 0.
    last: Cell<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Lines { text, newlines: memchr::memchr_iter(b'\n', text.as_bytes()).collect(), last: Cell::new(0) }
    }

    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    /// The 1-based line that holds this byte.
    pub(crate) fn line(&self, offset: usize) -> u64 {
        // Mostly asked in the order of the text: a few lines behind the one that was asked for last.
        let last = self.last.get();
        let before = |line: usize| self.newlines.get(line).is_some_and(|end| *end < offset);
        let near = match last == 0 || before(last - 1) {
            true => (last..last + 16).find(|line| !before(*line)),
            false => None,
        };
        let line = near.unwrap_or_else(|| self.newlines.partition_point(|n| *n < offset));
        self.last.set(line);
        line as u64 + 1
    }

    /// The 1-based column of this byte, in Unicode scalars.
    pub(crate) fn column(&self, offset: usize) -> u64 {
        let before = self.newlines.partition_point(|n| *n < offset);
        let start = if before == 0 { 0 } else { self.newlines[before - 1] + 1 };
        let line = self.text.as_bytes().get(start..offset.min(self.text.len())).unwrap_or_default();
        // A continuation byte is no scalar of its own.
        line.iter().filter(|b| **b & 0xC0 != 0x80).count() as u64 + 1
    }

    /// Line of the last byte that is not white space.
    pub(crate) fn last(&self) -> u64 {
        self.line(self.text.trim_end().len().saturating_sub(1))
    }

    pub(crate) fn unparsable(&self, offset: usize, why: impl Into<String>) -> Damage {
        Damage::Unparsable { line: self.line(offset), column: self.column(offset), why: why.into() }
    }
}

/// The bytes as text that holds something and has no conflict markers.
pub(crate) fn text_of(format: Format, bytes: &[u8]) -> Result<&str, Damage> {
    let line_of = |offset: usize| memchr::memchr_iter(b'\n', &bytes[..offset]).count() as u64 + 1;
    if let Some(nul) = memchr::memchr(0, bytes) {
        return Err(Damage::NotText { line: line_of(nul), why: "a NUL byte" });
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|e| Damage::NotText { line: line_of(e.valid_up_to()), why: "bytes that are not UTF-8" })?;
    if let Some(line) = first_marker(bytes) {
        return Err(Damage::ConflictMarkers { line });
    }
    let said = text.trim_start_matches('\u{feff}').trim();
    if said.is_empty() && !format.facts().may_be_empty {
        return Err(Damage::Empty);
    }
    Ok(text)
}

/// One line of a git merge's conflict markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// `<<<<<<< ours`
    Ours,
    /// `||||||| base`
    Base,
    /// `=======`
    Theirs,
    /// `>>>>>>> theirs`
    End,
}

/// What this line (with or without its newline) is as a conflict marker: seven signs, then a space or nothing.
pub(crate) fn marker(line: &[u8]) -> Option<Marker> {
    let (marker, sign) = match line.first()? {
        b'<' => (Marker::Ours, b'<'),
        b'|' => (Marker::Base, b'|'),
        b'=' => (Marker::Theirs, b'='),
        b'>' => (Marker::End, b'>'),
        _ => return None,
    };
    let seven = line.len() >= 7 && line[..7].iter().all(|b| *b == sign);
    (seven && matches!(line.get(7), None | Some(b' ' | b'\r' | b'\n'))).then_some(marker)
}

/// The text without the byte order mark that some editors put in front, and how many bytes that is.
pub(crate) fn without_mark(text: &str) -> (usize, &str) {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => (text.len() - rest.len(), rest),
        None => (0, text),
    }
}

fn first_marker(bytes: &[u8]) -> Option<u64> {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|n| n + 1));
    let marked = |(_, at): &(u64, usize)| {
        // Few lines begin with one of the signs.
        let sign = matches!(bytes.get(*at), Some(b'<' | b'|' | b'=' | b'>'));
        sign && bytes[*at..].split(|b| *b == b'\n').next().is_some_and(|line| marker(line).is_some())
    };
    (1..).zip(starts).find(marked).map(|(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_in_whatever_order_they_are_asked_for() {
        let text = "a\n\nbc\n".repeat(40);
        let lines = Lines::new(&text);
        let right = |offset: usize| text[..offset].matches('\n').count() as u64 + 1;
        for step in [1, 7, 119, 200] {
            for offset in (0..=text.len()).map(|n| n * step % (text.len() + 1)) {
                assert_eq!(lines.line(offset), right(offset), "{offset}");
            }
        }
    }

    #[test]
    fn offsets_become_lines_and_columns() {
        let lines = Lines::new("ab\nçd\n");
        assert_eq!((lines.line(0), lines.column(0)), (1, 1));
        assert_eq!((lines.line(2), lines.column(2)), (1, 3));
        assert_eq!((lines.line(5), lines.column(5)), (2, 2));
        assert_eq!(lines.last(), 2);
    }

    #[test]
    fn a_marker_is_seven_signs_and_a_space_or_nothing() {
        assert_eq!(marker(b"<<<<<<< HEAD\r\n"), Some(Marker::Ours));
        assert_eq!(marker(b"=======\n"), Some(Marker::Theirs));
        assert_eq!(marker(b"========"), None);
        assert_eq!(marker(b" <<<<<<< HEAD"), None);
        assert_eq!(marker(b">>>>>>>x"), None);
    }
}
