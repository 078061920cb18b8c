//! Timestamps that a CI, or a tool on its behalf, puts before each line.

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
    use super::{buildkit, length};

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
    fn vertices_of_buildkit() {
        for (line, want) in
            [("#12 3.456 npm", 10), ("#1 0.1 ", 7), ("#12 DONE 3.4s", 0), ("#12 3 x", 0), ("# 1.0 x", 0)]
        {
            assert_eq!(buildkit(line.as_bytes()), want, "{line}");
        }
    }
}
