//! UTF-16 → UTF-8, piece by piece; everything else is read as it is.

use std::borrow::Cow;

/// Turns a log's bytes into UTF-8 as they come.
#[derive(Debug, Clone)]
pub(crate) struct Utf8 {
    unit: Option<fn([u8; 2]) -> u16>,
    /// A byte order mark is still to be skipped.
    mark: bool,
    odd: Option<u8>,
    surrogate: Option<u16>,
}

impl Utf8 {
    /// The encoding that a log which begins with these bytes has. Without a byte order mark, UTF-16 is known by its
    /// zeros: of the first characters nearly all have one, on the same side.
    pub(crate) fn of(sample: &[u8]) -> Utf8 {
        let le: fn([u8; 2]) -> u16 = u16::from_le_bytes;
        let be: fn([u8; 2]) -> u16 = u16::from_be_bytes;
        let (unit, mark) = match sample {
            [0xff, 0xfe, ..] => (Some(le), true),
            [0xfe, 0xff, ..] => (Some(be), true),
            _ => (zeros(sample).map(|low_first| if low_first { le } else { be }), false),
        };
        Utf8 { unit, mark, odd: None, surrogate: None }
    }

    /// As [`Utf8::of`], for bytes before which others were lost: a byte order mark stands at a log's beginning alone.
    pub(crate) fn amid(sample: &[u8]) -> Utf8 {
        match sample {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                Utf8 { unit: None, mark: false, odd: None, surrogate: None }
            }
            _ => Utf8::of(sample),
        }
    }

    /// Whether it is UTF-16.
    pub(crate) fn is_utf16(&self) -> bool {
        self.unit.is_some()
    }

    /// The next bytes as UTF-8, as far as they make whole characters.
    pub(crate) fn text<'b>(&mut self, mut bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let Some(unit) = self.unit else { return Cow::Borrowed(bytes) };
        if self.mark && bytes.len() >= 2 {
            self.mark = false;
            bytes = &bytes[2..];
        }
        let mut text = String::with_capacity(bytes.len());
        for byte in bytes {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(first) => self.take(unit([first, *byte]), &mut text),
            }
        }
        Cow::Owned(text.into_bytes())
    }

    /// What a cut last character leaves.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let cut = self.odd.take().is_some() | self.surrogate.take().is_some();
        if cut { "\u{fffd}".as_bytes().to_vec() } else { Vec::new() }
    }

    fn take(&mut self, unit: u16, text: &mut String) {
        let before = self.surrogate.take();
        let high = (0xd800..0xdc00).contains(&unit);
        let low = (0xdc00..0xe000).contains(&unit);
        match before {
            Some(first) if low => text.extend(char::decode_utf16([first, unit]).flatten()),
            broken => {
                text.extend(broken.map(|_| char::REPLACEMENT_CHARACTER));
                match unit {
                    _ if high => self.surrogate = Some(unit),
                    _ if low => text.push(char::REPLACEMENT_CHARACTER),
                    unit => text.extend(char::from_u32(u32::from(unit))),
                }
            }
        }
    }
}

/// Whether the bytes are UTF-16 of mostly western text, with the low byte first.
fn zeros(sample: &[u8]) -> Option<bool> {
    let sample = &sample[..sample.len().min(4096) & !1];
    let pairs = sample.len() / 2;
    let zeros_at = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros_at(0), zeros_at(1));
    match pairs {
        0..8 => None,
        _ if odd * 10 >= pairs * 7 && even * 20 <= pairs => Some(true),
        _ if even * 10 >= pairs * 7 && odd * 20 <= pairs => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Utf8;
    use proptest::prelude::*;

    fn encoded(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    proptest! {
        #[test]
        fn any_text_in_pieces_of_any_size(text in "\\PC{0,40}", big: bool, size in 1usize..9) {
            let mut bytes = if big { vec![0xfe, 0xff] } else { vec![0xff, 0xfe] };
            bytes.extend(encoded(&text, big));
            let mut utf8 = Utf8::of(&bytes);
            let mut out = utf8.text(&bytes[..2]).into_owned();
            for piece in bytes[2..].chunks(size) {
                out.extend_from_slice(&utf8.text(piece));
            }
            out.extend(utf8.end());
            prop_assert_eq!(String::from_utf8(out), Ok(text));
        }

        #[test]
        fn without_a_mark_western_text_is_known(text in "[ -~]{8,60}", big: bool) {
            let bytes = encoded(&text, big);
            prop_assert_eq!(Utf8::of(&bytes).text(&bytes), text.as_bytes());
            prop_assert_eq!(Utf8::of(text.as_bytes()).text(text.as_bytes()), text.as_bytes());
        }

        #[test]
        fn any_bytes_give_whole_characters(bytes in proptest::collection::vec(any::<u8>(), 0..80), big: bool) {
            let mark: [u8; 2] = if big { [0xfe, 0xff] } else { [0xff, 0xfe] };
            let all = [&mark[..], &bytes].concat();
            let mut utf8 = Utf8::of(&all);
            let mut out = utf8.text(&all).into_owned();
            out.extend(utf8.end());
            prop_assert!(std::str::from_utf8(&out).is_ok());
        }
    }
}
