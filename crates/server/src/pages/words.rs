//! Words, moments and spans of time as people read them.

use regreen_show::harmless::{harmless, short};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// A day in milliseconds.
pub(super) const DAY: i64 = 24 * HOUR;

/// Longest text that is shown in one place.
const LONGEST: usize = 600;

/// Text from outside on one line: what hides, reorders or drives anything is shown as what it is.
pub(super) fn shown(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for c in text.chars().take(LONGEST + 1) {
        match c {
            '\t' => seen.push(' '),
            '\0'..='\u{1f}' => seen.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => seen.push('\u{2421}'),
            c if c.is_ascii() || !is_hidden(c) => seen.push(c),
            c => seen.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
        }
    }
    short(&harmless(&seen), LONGEST)
}

/// Whether nothing would be seen of it, or something else moved by it.
fn is_hidden(c: char) -> bool {
    c.is_control() || (c != char::REPLACEMENT_CHARACTER && harmless(c.encode_utf8(&mut [0; 4])) == "\u{fffd}")
}

/// A name of ours, `in-such-words`, as words.
pub(super) fn plain(id: &str) -> String {
    shown(&id.replace('-', " "))
}

/// The same with a capital letter.
pub(super) fn capital(id: &str) -> String {
    let text = plain(id);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct When {
    /// For programs.
    pub(super) iso: String,
    /// To the second.
    pub(super) full: String,
    /// How long ago.
    pub(super) ago: String,
}

impl When {
    pub(super) fn new(at: i64, now: i64) -> When {
        let stamp = jiff::Timestamp::from_millisecond(at).ok();
        let iso = stamp.map_or_else(|| at.to_string(), |stamp| format!("{stamp:.0}"));
        let full =
            stamp.map_or_else(|| at.to_string(), |at| at.strftime("%-d %b %Y, %H:%M:%S UTC").to_string());
        When { iso, full, ago: ago(now.saturating_sub(at)) }
    }
}

fn ago(past: i64) -> String {
    match past {
        _ if past < -MINUTE => format!("in {}", about(-past)),
        _ if past < MINUTE => "just now".to_owned(),
        _ => format!("{} ago", about(past)),
    }
}

fn about(span: i64) -> String {
    match span {
        _ if span < HOUR => format!("{} min", span / MINUTE),
        _ if span < DAY => format!("{} h", span / HOUR),
        _ if span < 30 * DAY => format!("{} d", span / DAY),
        _ if span < 60 * DAY => "a month".to_owned(),
        _ => format!("{} months", span / (30 * DAY)),
    }
}

/// A span of time, in milliseconds.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{} s", ms / 1_000),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        3_600_000..86_400_000 => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}

/// The time between two moments.
pub(super) fn between(from: i64, to: i64) -> String {
    span(to.saturating_sub(from).max(0).unsigned_abs())
}

/// A share from 0 to 1 in whole percent, never rounded up to certainty.
pub(super) fn percent(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * 100.0 + 1e-9).floor() as u8
}

/// A day, counted from 1970.
pub(super) fn day(day: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(day.saturating_mul(DAY)).ok();
    at.map_or_else(|| day.to_string(), |at| at.strftime("%-d %b").to_string())
}

/// So many bytes.
pub(super) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} B"),
        1_000..1_000_000 => format!("{} kB", n / 1_000),
        _ => format!("{}.{} MB", n / 1_000_000, n % 1_000_000 / 100_000),
    }
}

/// A number with its thousands apart.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// So many of something, with its word in the right number.
pub(super) fn many(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A piece of a sentence of ours: plain words, or something to type or to find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) is_code: bool,
    pub(super) text: String,
}

/// A sentence in its pieces: what stands between two backticks is code. A template puts each of them in as text, so that nothing in
/// them is more than that.
pub(super) fn pieces(text: &(impl AsRef<str> + ?Sized)) -> Vec<Piece> {
    let piece = |is_code, text: &str| Piece { is_code, text: text.to_owned() };
    let mut rest = text.as_ref();
    let mut pieces = Vec::new();
    while let Some((before, (code, after))) =
        rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
    {
        pieces.extend([piece(false, before), piece(true, code)]);
        rest = after;
    }
    pieces.push(piece(false, rest));
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_seen() {
        for (text, want) in [
            ("a\u{1b}[31mb\r\n", "a␛[31mb␍␊"),
            ("x\u{202e}txt.exe", "x⟨U+202E⟩txt.exe"),
            ("\u{85}\u{200b}", "⟨U+0085⟩⟨U+200B⟩"),
            ("naïve → 世界 �", "naïve → 世界 �"),
            ("<script>&", "<script>&"),
        ] {
            assert_eq!(shown(text), want);
        }
        assert_eq!(shown(&"x".repeat(5_000)).chars().count(), LONGEST);
    }

    #[test]
    fn what_is_to_be_typed_is_told_apart_and_a_backtick_alone_is_text() {
        let told = |text: &str| -> Vec<(bool, String)> {
            pieces(text).into_iter().map(|piece| (piece.is_code, piece.text)).collect()
        };
        let (words, code) = (|text: &str| (false, text.to_owned()), |text: &str| (true, text.to_owned()));
        assert_eq!(
            told("say `regreen approve` or `<b>`."),
            [words("say "), code("regreen approve"), words(" or "), code("<b>"), words(".")]
        );
        assert_eq!(told("`a``b`"), [code("a"), code("b")]);
        assert_eq!(told("one ` alone"), [words("one ` alone")]);
        assert_eq!((told(""), told("``")), (Vec::new(), Vec::new()));
        assert_eq!(
            [many(0, "proof"), many(1, "proof"), many(2, "proof")],
            ["0 proofs", "1 proof", "2 proofs"]
        );
    }

    #[test]
    fn spans_moments_and_shares_read_well() {
        assert_eq!(
            [span(999), span(1_250), span(61_000), span(7_260_000)],
            ["999 ms", "1.2 s", "1 min 1 s", "2 h 1 min"]
        );
        let ago = |past| When::new(0, past).ago;
        assert_eq!(
            [ago(59_999), ago(61_000), ago(3 * HOUR), ago(40 * DAY)],
            ["just now", "1 min ago", "3 h ago", "a month ago"]
        );
        assert_eq!(When::new(0, 0).iso, "1970-01-01T00:00:00Z");
        assert_eq!((percent(0.999), percent(0.29), percent(1.0)), (99, 29, 100));
        assert_eq!([bytes(999), bytes(1_000), bytes(4_194_304)], ["999 B", "1 kB", "4.1 MB"]);
        assert_eq!((count(1_234_567), count(12)), ("1\u{202f}234\u{202f}567".to_owned(), "12".to_owned()));
    }
}
