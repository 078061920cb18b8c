//! Timestamps that a CI, or a tool on its behalf, puts before each line.

use crate::Stamp;

/// The leading timestamp, read. Zones do not matter: only differences are asked for.
pub(super) fn stamp(line: &[u8]) -> Option<Stamp> {
    if length(line) == 0 {
        return None;
    }
    // A byte order mark stands before some, a bracket before others.
    let from = line.iter().take(8).position(u8::is_ascii_digit)?;
    let swallowed = line.starts_with("锘?".as_bytes());
    let text = &line[from..];
    let clock = shaped(text, b"dd:dd:dd");
    if clock > 0 && !swallowed {
        return Some(Stamp::clock(time(text)?));
    }
    let (year, rest) =
        if swallowed { (2000 + number(text, 3)?, &text[3..]) } else { (number(text, 4)?, &text[4..]) };
    let (month, day) = (number(rest.get(1..)?, 2)?, number(rest.get(4..)?, 2)?);
    let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then_some(())?;
    Some(Stamp::moment(days(year, month, day) * 24 * 3600 * 1000 + time(rest.get(7..)?)?))
}

/// Milliseconds of `12:34:56` with an optional fraction. An hour can be more than 23: AppVeyor counts from the beginning.
fn time(text: &[u8]) -> Option<i64> {
    let (hours, minutes, seconds) =
        (number(text, 2)?, number(text.get(3..)?, 2)?, number(text.get(6..)?, 2)?);
    let fraction = match text.get(8) {
        Some(b'.' | b',') => {
            let digits = text[9..].iter().take_while(|b| b.is_ascii_digit()).take(3);
            digits.fold((0, 100), |(ms, weight), b| (ms + i64::from(b - b'0') * weight, weight / 10)).0
        }
        _ => 0,
    };
    (minutes < 60 && seconds <= 60).then_some(((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction)
}

/// The number of so many digits.
fn number(text: &[u8], digits: usize) -> Option<i64> {
    text.get(..digits)?
        .iter()
        .try_fold(0, |number, b| Some(number * 10 + i64::from((*b as char).to_digit(10)?)))
}

/// Days from 1970-01-01 to this one of the Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Length of a leading timestamp with what separates it from the line; 0 where there is none.
pub(super) fn length(line: &[u8]) -> usize {
    [iso, gitlab_stamp, bracketed, clock].iter().map(|stamp| stamp(line)).max().unwrap_or(0)
}

/// `2024-05-01T12:34:56.1234567Z ` as GitHub and Azure write it, with an optional byte order mark; `gh` on a Windows
/// console leaves the mark in pieces. The separator can be a tab.
pub(super) fn iso(line: &[u8]) -> usize {
    const MARKS: [&str; 3] = ["\u{feff}", "∩╗┐", "´╗┐"];
    let mark = MARKS.iter().find(|mark| line.starts_with(mark.as_bytes())).map_or(0, |mark| mark.len());
    // Of a console with a Chinese code page, the mark has swallowed the first digit.
    let (mark, shape) = match line.strip_prefix("锘?".as_bytes()) {
        Some(_) => (4, &b"ddd-dd-ddTdd:dd:dd"[..]),
        None => (mark, &b"dddd-dd-ddTdd:dd:dd"[..]),
    };
    let line = &line[mark..];
    let date = shaped(line, shape);
    if date == 0 {
        return 0;
    }
    let rest = &line[date..];
    let fraction = match rest.first() {
        Some(b'.') => 1 + digits(&rest[1..]),
        _ => 0,
    };
    match (rest.get(fraction), rest.get(fraction + 1)) {
        (Some(b'Z'), Some(b' ' | b'\t')) => mark + date + fraction + 2,
        (Some(b'Z'), None | Some(b'\r')) => mark + date + fraction + 1,
        _ => 0,
    }
}

/// GitLab's `2024-05-01T12:34:56.123456Z 01O `: the stream's number and kind, and `+` where the line goes on.
fn gitlab_stamp(line: &[u8]) -> usize {
    let date = iso(line);
    match line.get(date..date + 4) {
        Some([a, b, b'O' | b'E', b' ' | b'+'])
            if date > 0 && a.is_ascii_hexdigit() && b.is_ascii_hexdigit() =>
        {
            date + 4
        }
        _ => 0,
    }
}

/// `[12:34:56] ` and `[2024-05-01T12:34:56.123Z] `, as AppVeyor and the timestamper of Jenkins write it.
fn bracketed(line: &[u8]) -> usize {
    let Some(inner) = line.strip_prefix(b"[") else { return 0 };
    let date = match shaped(inner, b"dddd-dd-ddTdd:dd:dd") {
        0 => shaped(inner, b"dddd-dd-dd dd:dd:dd").max(shaped(inner, b"dd:dd:dd")),
        date => date,
    };
    if date == 0 {
        return 0;
    }
    let fraction = match inner.get(date) {
        Some(b'.' | b',') => 1 + digits(&inner[date + 1..]),
        _ => 0,
    };
    let zone = usize::from(inner.get(date + fraction) == Some(&b'Z'));
    match inner.get(date + fraction + zone..) {
        Some([b']', b' ', ..]) => date + fraction + zone + 3,
        Some([b']']) => date + fraction + zone + 2,
        _ => 0,
    }
}

/// `12:34:56.789<TAB>` and `12:34:56  `, as consoles in a browser copy it.
fn clock(line: &[u8]) -> usize {
    let time = shaped(line, b"dd:dd:dd");
    if time == 0 {
        return 0;
    }
    let fraction = match line.get(time) {
        Some(b'.' | b',') => 1 + digits(&line[time + 1..]),
        _ => 0,
    };
    match line.get(time + fraction) {
        Some(b'\t') => time + fraction + 1,
        Some(b' ') if line.get(time + fraction + 1) == Some(&b' ') => time + fraction + 2,
        Some(b' ') => time + fraction + 1,
        _ => 0,
    }
}

/// `#12 3.456 ` of BuildKit's plain progress: the vertex and the seconds since it began.
pub(super) fn buildkit(line: &[u8]) -> usize {
    let Some(rest) = line.strip_prefix(b"#") else { return 0 };
    let vertex = digits(rest);
    let seconds = rest.get(vertex + 1..).unwrap_or_default();
    let whole = digits(seconds);
    if vertex == 0 || rest.get(vertex) != Some(&b' ') || whole == 0 || seconds.get(whole) != Some(&b'.') {
        return 0;
    }
    let fraction = digits(&seconds[whole + 1..]);
    let end = 1 + vertex + 1 + whole + 1 + fraction;
    if fraction > 0 && line.get(end) == Some(&b' ') { end + 1 } else { 0 }
}

/// The shape's length where the line starts with it; `d` stands for a digit.
fn shaped(line: &[u8], shape: &[u8]) -> usize {
    let fits = line.len() >= shape.len()
        && shape
            .iter()
            .zip(line)
            .all(|(want, got)| if *want == b'd' { got.is_ascii_digit() } else { want == got });
    if fits { shape.len() } else { 0 }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::{buildkit, days, length};

    #[test]
    fn timestamps() {
        for (line, want) in [
            ("2024-05-01T12:34:56.1234567Z npm ci", 29),
            ("\u{feff}2024-05-01T12:34:56.1234567Z x", 32),
            ("锘?024-05-01T12:34:56.1Z x", 26),
            ("2024-05-01T12:34:56Z x", 21),
            ("2024-05-01T12:34:56.1Z", 22),
            ("2024-05-01T12:34:56.123Z\tx", 25),
            ("2024-05-01T12:34:56.1", 0),
            ("2024-05-01 12:34:56Z x", 0),
            ("2024-05-01T12:34:56.123456Z 00O x", 32),
            ("2024-05-01T12:34:56.123456Z 01E+x", 32),
            ("[12:34:56] x", 11),
            ("[2024-05-01T12:34:56.123Z] x", 27),
            ("[2024-05-01 12:34:56,123] x", 26),
            ("[12:34] x", 0),
            ("12:34:56.789\tx", 13),
            ("12:34:56 x", 9),
            ("12:34:56", 0),
            ("", 0),
        ] {
            assert_eq!(length(line.as_bytes()), want, "{line}");
        }
    }

    #[test]
    fn days_of_the_calendar() {
        for (date, want) in [
            ((1970, 1, 1), 0),
            ((1970, 12, 31), 364),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2024, 5, 1), 19_844),
        ] {
            assert_eq!(days(date.0, date.1, date.2), want, "{date:?}");
        }
    }

    #[test]
    fn vertices_of_buildkit() {
        for (line, want) in
            [("#12 3.456 npm", 10), ("#1 0.1 ", 7), ("#12 DONE 3.4s", 0), ("#12 3 x", 0), ("# 1.0 x", 0)]
        {
            assert_eq!(buildkit(line.as_bytes()), want, "{line}");
        }
    }
}
