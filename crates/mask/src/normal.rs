//! The normal form: what a text is once nothing in it is escaped any more, so that however its bytes were written it is
//! the same text.
//!
//! Encoders don't agree on which bytes they escape (`quote`, `encodeURIComponent` and `URLSearchParams` differ in `/`, `!`
//! and the blank), and one encodes what another encoded. So a value is not looked for in every form that it can have, but
//! in its one normal form in the text's normal form. Undone are `%40`, `\u0040`, `&#64;`, `&#x40;`, `&quot;` and the like,
//! also within each other; backslashes and quotes are left out, which undoes JSON's, the shell's and most other escapes
//! (`\/`, `'\''`); `+` is the blank of a query. One pass, linear in the text: each undoing makes the text shorter.
//!
//! The order in which escapes are undone does not matter, since no two of them can share a byte in part. Only a `%`, `u` or
//! `&` that stands right before a value, with no blank or other sign between, can take a part of it for its own.

use std::ops::Range;

/// Names of signs in HTML and XML.
const NAMED: [(&[u8], u32); 5] =
    [(b"amp", 0x26), (b"lt", 0x3c), (b"gt", 0x3e), (b"quot", 0x22), (b"apos", 0x27)];

/// The longest sign's name with what stands around it: `&#x10FFFF;`.
const LONGEST_NAME: usize = 10;

/// A text in its normal form, and where in the source each of its bytes stands.
#[derive(Default)]
pub(crate) struct Normal {
    bytes: Vec<u8>,
    /// Of each byte that does not stand right after the one before it, as one byte.
    places: Vec<Place>,
    /// Where the next byte stands if nothing is left out before it.
    next: usize,
}

struct Place {
    /// Which byte of the normal form.
    of: usize,
    /// Where it comes from.
    source: Range<usize>,
}

/// The normal form of a text.
pub(crate) fn normal(text: &[u8]) -> Vec<u8> {
    let mut normal = Normal::default();
    normal.read(text, 0);
    normal.bytes
}

/// Whether the byte at `at` begins an escape. Those of blanks and quotes are left out: `+` and quotes are everywhere.
pub(crate) fn begins_escape(text: &[u8], at: usize) -> bool {
    let next = text.get(at + 1).copied().unwrap_or_default();
    match text.get(at) {
        Some(b'\\') => true,
        Some(b'%') => next.is_ascii_hexdigit() && text.get(at + 2).is_some_and(u8::is_ascii_hexdigit),
        Some(b'&') => next == b'#' || next.is_ascii_alphabetic(),
        _ => false,
    }
}

impl Normal {
    /// Reads a text in place of the one before; it stands in its source from `offset` on.
    pub(crate) fn read(&mut self, text: &[u8], offset: usize) {
        self.bytes.clear();
        self.places.clear();
        self.bytes.reserve(text.len());
        for (at, byte) in text.iter().enumerate() {
            self.push(*byte, offset + at..offset + at + 1);
            while self.undo_escape() {}
        }
    }

    /// The text.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the source a part of it stands.
    pub(crate) fn source(&self, part: Range<usize>) -> Range<usize> {
        let last = part.end.saturating_sub(1).max(part.start);
        self.source_of(part.start).start..self.source_of(last).end
    }

    fn source_of(&self, of: usize) -> Range<usize> {
        let after = self.places.partition_point(|place| place.of <= of);
        match after.checked_sub(1).and_then(|index| self.places.get(index)) {
            Some(place) if place.of == of => place.source.clone(),
            Some(place) => place.source.end + (of - place.of - 1)..place.source.end + (of - place.of),
            None => of..of + 1,
        }
    }

    fn push(&mut self, byte: u8, source: Range<usize>) {
        let byte = match byte {
            b'\\' | b'"' | b'\'' => return,
            // What is left of `\n` without its backslash.
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            b' ' => b'+',
            other => other,
        };
        let end = source.end;
        if source.start != self.next || source.len() != 1 || self.bytes.is_empty() {
            self.places.push(Place { of: self.bytes.len(), source });
        }
        self.next = end;
        self.bytes.push(byte);
    }

    /// Undoes an escape that the last byte completes.
    fn undo_escape(&mut self) -> bool {
        let Some((length, sign)) = completed(&self.bytes) else { return false };
        let begin = self.bytes.len() - length;
        let source = self.source(begin..self.bytes.len());
        self.bytes.truncate(begin);
        // What was undone may leave nothing.
        self.next = usize::MAX;
        while self.places.pop_if(|place| place.of >= begin).is_some() {}
        match sign {
            Sign::Byte(byte) => self.push(byte, source),
            Sign::Char(char) => {
                let mut buffer = [0; 4];
                for byte in char.encode_utf8(&mut buffer).bytes() {
                    self.push(byte, source.clone());
                }
            }
        }
        true
    }
}

enum Sign {
    Byte(u8),
    Char(char),
}

/// The escape at the end of these bytes: how long it is, and what it stands for.
fn completed(bytes: &[u8]) -> Option<(usize, Sign)> {
    match bytes {
        [.., b';'] => named(bytes),
        [.., b'%', first, second] => {
            let code = hex(&[*first, *second])?;
            Some((3, Sign::Byte(u8::try_from(code).ok()?)))
        }
        [.., b'u', first, second, third, fourth] => {
            let code = hex(&[*first, *second, *third, *fourth])?;
            Some((5, Sign::Char(char::from_u32(code)?)))
        }
        _ => None,
    }
}

/// `&amp;`, `&#38;` and `&#x26;`.
fn named(bytes: &[u8]) -> Option<(usize, Sign)> {
    let nearest = bytes.len().saturating_sub(LONGEST_NAME);
    let tail = bytes.get(nearest..)?;
    let begin = tail.iter().rposition(|byte| *byte == b'&')?;
    let code = match tail.get(begin + 1..tail.len() - 1)? {
        [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        name => NAMED.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((tail.len() - begin, Sign::Char(char::from_u32(code)?)))
}

fn hex(digits: &[u8]) -> Option<u32> {
    number(digits, 16)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let mut number = 0u32;
    for digit in digits {
        number = number.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?)?;
    }
    (!digits.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_encoders_write_is_undone() {
        for (written, want) in [
            ("p%40ss/w0rd%2Bx%21Qz9", "p@ss/w0rd+x!Qz9"),
            ("p%40ss%2fw0rd%2bx!Qz9", "p@ss/w0rd+x!Qz9"),
            ("p%2540ss", "p@ss"),
            ("p%%34%30ss", "p@ss"),
            ("p\\u0040ss\\/w", "p@ss/w"),
            ("p&#64;ss&#x2F;w&amp;amp;", "p@ss/w&"),
            ("u&lt;%&gt;%a&amp;", "u<%>%a&"),
            ("a b+c%20d", "a+b+c+d"),
            ("it'\\''s", "its"),
            ("it'\"'\"'s", "its"),
            ("it&#39;s &quot;", "its+"),
            ("\\u00e9%C3%A9", "éé"),
            ("100% of 5%a", "100%+of+5%a"),
            ("&& &; &#; &#99999999; ;", "&&+&;+&#;+&#99999999;+;"),
        ] {
            assert_eq!(String::from_utf8_lossy(&normal(written.as_bytes())), want, "{written}");
        }
    }

    #[test]
    fn each_part_is_found_in_the_source() {
        let mut normal = Normal::default();
        let text = b"a=\"p%2540s\\/s\" b&quot;c";
        normal.read(text, 100);
        assert_eq!(normal.bytes(), b"a=p@s/s+bc");
        for (part, want) in [
            (0..1, "a"),
            (2..3, "p"),
            (2..7, "p%2540s\\/s"),
            (3..4, "%2540"),
            (4..6, "s\\/"),
            (7..9, " b"),
            (9..10, "c"),
        ] {
            let source = normal.source(part);
            assert_eq!(String::from_utf8_lossy(&text[source.start - 100..source.end - 100]), want);
        }
    }

    #[test]
    fn nested_escapes_without_end_are_undone_in_one_pass() {
        let nested = format!("{}%34", "%3".repeat(200_000));
        assert_eq!(normal(nested.as_bytes()), b"4");
    }
}
