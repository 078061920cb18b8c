//! One raw line → its readable [`Text`]: UTF-8 as far as it goes, escape sequences off, the last state of a
//! progress bar, nothing that could hide or reorder words.

use std::str::Utf8Chunk;

use crate::Text;

/// Decodes a line without its line feed; `skip` bytes at its start (a timestamp, a job's name) are counted as
/// columns but not read, and so are `before` columns that lie before it.
pub(crate) fn decode(raw: &[u8], skip: usize, before: u32) -> Text {
    let (prefix, body) = raw.split_at(skip.min(raw.len()));
    let mut screen = Screen::default();
    let mut column = before.saturating_add(1).saturating_add(scalars(prefix));
    let mut state = Escape::None;
    for chunk in body.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(character) = rest.chars().next() {
            // Most of a line is words and colours: they are taken whole.
            let outside = matches!(state, Escape::None);
            let plain = if outside { plain(rest) } else { 0 };
            let colour = if outside && character == '\u{1b}' { colour(rest) } else { 0 };
            if plain > 0 {
                screen.now.push_plain(&rest[..plain], column);
            }
            let taken = plain + colour;
            if taken > 0 {
                column = column.saturating_add(taken as u32);
                rest = &rest[taken..];
            } else {
                state = state.step(character, column, &mut screen);
                column = column.saturating_add(1);
                rest = &rest[character.len_utf8()..];
            }
        }
        if !chunk.invalid().is_empty() {
            state = state.step(char::REPLACEMENT_CHARACTER, column, &mut screen);
            column = column.saturating_add(1);
        }
    }
    screen.finish()
}

/// How many characters the text begins with that stand for themselves, one byte each.
fn plain(text: &str) -> usize {
    text.bytes().take_while(|b| matches!(b, b' '..=b'~' | b'\t')).count()
}

/// The length of the colour (`ESC [ … m`) that the text begins with; 0 where it begins with something else.
fn colour(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let length = parameters.bytes().take_while(|b| matches!(b, 0x20..=0x3f)).count();
    if parameters.as_bytes().get(length) == Some(&b'm') { length + 3 } else { 0 }
}

/// Unicode scalars of bytes, each broken sequence counted once: as an editor that shows U+FFFD for it does.
pub(crate) fn scalars(bytes: &[u8]) -> u32 {
    let scalars = if bytes.is_ascii() {
        bytes.len()
    } else {
        let of_chunk =
            |chunk: Utf8Chunk<'_>| chunk.valid().chars().count() + usize::from(!chunk.invalid().is_empty());
        bytes.utf8_chunks().map(of_chunk).sum()
    };
    u32::try_from(scalars).unwrap_or(u32::MAX)
}

/// What a terminal would still show of the line: each carriage return starts it anew.
#[derive(Default)]
struct Screen {
    now: Text,
    /// The last state that was not blank.
    before: Text,
}

impl Screen {
    fn restart(&mut self) {
        let state = std::mem::take(&mut self.now);
        if !state.is_blank() {
            self.before = state;
        }
    }

    fn finish(mut self) -> Text {
        self.restart();
        self.before.trim_end();
        self.before
    }

    fn put(&mut self, character: char, column: u32) {
        match character {
            '\r' => self.restart(),
            '\u{8}' => self.now.pop(),
            '\t' => self.now.push('\t', column),
            c if c.is_control() || is_invisible(c) => {}
            c => self.now.push(c, column),
        }
    }
}

/// Characters without a shape that can hide a word from a pattern or reorder it before a reader's eyes.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Where in an escape sequence (ECMA-48) the reader stands.
enum Escape {
    None,
    /// After ESC.
    Start,
    /// In a control sequence, with the first digits of its parameter.
    Control {
        parameter: u32,
        plain: bool,
    },
    /// After ESC and an intermediate byte: one more character belongs to it.
    Charset,
    /// In an operating system command (a title, a link), until BEL or ESC \.
    Command {
        after_escape: bool,
    },
}

impl Escape {
    fn step(self, c: char, column: u32, screen: &mut Screen) -> Escape {
        match self {
            Escape::None => match c {
                '\u{1b}' => Escape::Start,
                '\u{9b}' => Escape::Control { parameter: 0, plain: true },
                c => {
                    screen.put(c, column);
                    Escape::None
                }
            },
            Escape::Start => match c {
                '[' => Escape::Control { parameter: 0, plain: true },
                ']' | 'P' | '_' | '^' => Escape::Command { after_escape: false },
                '(' | ')' | '#' | '%' => Escape::Charset,
                '\u{1b}' => Escape::Start,
                _ => Escape::None,
            },
            Escape::Charset => Escape::None,
            Escape::Control { parameter, plain } => match c {
                '0'..='9' if plain => {
                    let digit = u32::from(c) - u32::from('0');
                    Escape::Control { parameter: parameter.saturating_mul(10).saturating_add(digit), plain }
                }
                '\u{20}'..='\u{3f}' => Escape::Control { parameter, plain: false },
                '\u{1b}' => Escape::Start,
                // "Cursor to column 1" and "erase the whole line" start the line anew, as spinners do.
                'G' if plain && parameter <= 1 => {
                    screen.restart();
                    Escape::None
                }
                'K' if plain && parameter == 2 => {
                    screen.restart();
                    Escape::None
                }
                '@'..='~' => Escape::None,
                // No escape sequence holds this character: it is text again.
                c => {
                    screen.put(c, column);
                    Escape::None
                }
            },
            Escape::Command { after_escape } => match c {
                '\u{7}' | '\u{9c}' => Escape::None,
                '\\' if after_escape => Escape::None,
                c => Escape::Command { after_escape: c == '\u{1b}' },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    fn text(raw: &str) -> String {
        decode(raw.as_bytes(), 0, 0).as_str().to_owned()
    }

    #[test]
    fn what_a_terminal_would_still_show() {
        for (raw, want) in [
            ("plain", "plain"),
            ("\u{1b}[1mnpm\u{1b}[22m \u{1b}[31merror\u{1b}[39m code E503", "npm error code E503"),
            ("a\u{1b}]8;;https://x.example\u{7}link\u{1b}]8;;\u{1b}\\b", "alinkb"),
            (" 10%\r 50%\r100%\r", "100%"),
            ("\u{2819}\u{1b}[1G\u{1b}[0Kdone", "done"),
            ("old\u{1b}[2Knew", "new"),
            ("ab\u{8}c", "ac"),
            ("n\0p\0m", "npm"),
            ("np\u{200b}m \u{202e}x", "npm x"),
            ("\u{1b}(Bx\u{1b}7y", "xy"),
            ("trailing \t ", "trailing"),
            ("\u{1b}[31\u{e4}", "\u{e4}"),
            ("", ""),
        ] {
            assert_eq!(text(raw), want, "{raw:?}");
        }
    }

    #[test]
    fn broken_utf8_is_one_character_and_columns_stay_right() {
        let decoded = decode(b"T \xff\xfe\x1b[1mx", 2, 0);
        assert_eq!(decoded.as_str(), "\u{fffd}\u{fffd}x");
        assert_eq!(decoded.column(0), 3);
        assert_eq!(decoded.column(6), 9);
    }
}
