//! Environment markers, versions, names and file names as Python's packaging standards have them: whether a tool would
//! read them, not what they mean.

/// Variables of a marker. Source: <https://packaging.python.org/en/latest/specifications/dependency-specifiers/>, with those
/// of lockfiles (PEP 751), and the old spellings that pip and uv read.
const VARIABLES: [&str; 19] = [
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
    "extras",
    "dependency_groups",
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
];

/// Parentheses within one another.
const MAX_DEPTH: usize = 64;

/// Whether it is a marker.
pub(crate) fn is_marker(text: &str) -> bool {
    let mut rest = text.trim_start();
    expression(&mut rest, 0).is_some() && rest.is_empty()
}

fn expression(rest: &mut &str, depth: usize) -> Option<()> {
    loop {
        if depth < MAX_DEPTH && eat(rest, "(") {
            expression(rest, depth + 1)?;
            if !eat(rest, ")") {
                return None;
            }
        } else {
            value(rest)?;
            operator(rest)?;
            value(rest)?;
        }
        if !(word(rest, "and") || word(rest, "or")) {
            return Some(());
        }
    }
}

fn eat(rest: &mut &str, sign: &str) -> bool {
    match rest.strip_prefix(sign) {
        Some(after) => {
            *rest = after.trim_start();
            true
        }
        None => false,
    }
}

fn word(rest: &mut &str, word: &str) -> bool {
    match rest.strip_prefix(word) {
        Some(after) if after.starts_with([' ', '\t', '(', '\'', '"']) => {
            *rest = after.trim_start();
            true
        }
        _ => false,
    }
}

fn value(rest: &mut &str) -> Option<()> {
    let quote = rest.chars().next()?;
    if matches!(quote, '\'' | '"') {
        let (_, after) = rest[1..].split_once(quote)?;
        *rest = after.trim_start();
        return Some(());
    }
    let length =
        rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    *rest = after.trim_start();
    VARIABLES.contains(&name).then_some(())
}

fn operator(rest: &mut &str) -> Option<()> {
    if ["===", "==", "!=", "<=", ">=", "~=", "<", ">"].iter().any(|sign| eat(rest, sign)) || word(rest, "in")
    {
        return Some(());
    }
    (word(rest, "not") && word(rest, "in")).then_some(())
}

/// Whether it is the name of a package or an extra.
pub(crate) fn is_name(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(outer)
        && text.ends_with(outer)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Whether it is a version, as PEP 440 has it.
pub(crate) fn is_version(text: &str) -> bool {
    // Almost every one is numbers and dots.
    let part = |p: &[u8]| !p.is_empty() && p.iter().all(u8::is_ascii_digit);
    if text.as_bytes().split(|b| *b == b'.').all(part) {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    let bare = lower.strip_prefix('v').unwrap_or(&lower);
    let (public, local) = bare.split_once('+').map_or((bare, None), |(p, l)| (p, Some(l)));
    let release = match public.split_once('!') {
        Some((epoch, release)) if !epoch.is_empty() && digits(epoch).is_empty() => release,
        Some(_) => return false,
        None => public,
    };
    let mut rest = digits(release);
    if rest.len() == release.len() {
        return false;
    }
    while let Some(after) = rest.strip_prefix('.').filter(|after| digits(after).len() < after.len()) {
        rest = digits(after);
    }
    rest = labelled(rest, &["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"]);
    rest = match rest.strip_prefix('-').filter(|after| digits(after).len() < after.len()) {
        Some(after) => digits(after),
        None => labelled(rest, &["post", "rev", "r"]),
    };
    rest = labelled(rest, &["dev"]);
    let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric());
    rest.is_empty() && local.is_none_or(|local| local.split(['.', '-', '_']).all(part))
}

/// What stands behind the digits that a text begins with.
fn digits(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_digit())
}

/// What stands behind `.rc1` and the like, where a text begins with that.
fn labelled<'t>(text: &'t str, labels: &[&str]) -> &'t str {
    let sign = ['.', '-', '_'];
    let from = text.strip_prefix(sign).unwrap_or(text);
    match labels.iter().find_map(|label| from.strip_prefix(label)) {
        Some(after) => match after.strip_prefix(sign) {
            Some(number) if digits(number).len() < number.len() => digits(number),
            _ => digits(after),
        },
        None => text,
    }
}

/// Whether it is a list of clauses such as `>=3.4,<4`.
pub(crate) fn is_specifier(text: &str) -> bool {
    text.split(',').map(str::trim).filter(|_| !text.trim().is_empty()).all(|clause| {
        let signs = ["===", "==", "!=", "<=", ">=", "~=", "<", ">"];
        let version = signs.iter().find_map(|sign| clause.strip_prefix(sign)).map(str::trim);
        version.is_some_and(|v| is_version(v.strip_suffix(".*").unwrap_or(v)))
    })
}

/// Whether it is the file name of a wheel: `name-version(-build)-python-abi-platform.whl`.
pub(crate) fn is_wheel(file: &str) -> bool {
    let Some(stem) = file.strip_suffix(".whl") else { return false };
    let mut parts = stem.split('-');
    let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let tag = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    let (count, sound) = parts.fold((0, true), |(count, sound), part| (count + 1, sound && tag(part)));
    if !sound || !matches!(count, 3 | 4) {
        return false;
    }
    // An index may have escaped what stands in a URL.
    let is_version = match version.contains('%') {
        true => is_version(&version.replace("%2B", "+").replace("%2b", "+")),
        false => is_version(version),
    };
    is_name(name) && is_version
}

/// Whether it is a moment as RFC 3339 has it.
pub(crate) fn is_moment(text: &str) -> bool {
    let bytes = text.as_bytes();
    let number =
        |from: usize, to: usize| text.get(from..to).filter(|t| t.bytes().all(|b| b.is_ascii_digit()));
    let within = |from: usize, most: u8| {
        number(from, from + 2).and_then(|t| t.parse().ok()).is_some_and(|n: u8| n <= most)
    };
    let signs = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let dated = number(0, 4).is_some() && within(5, 12) && within(8, 31);
    let timed = within(11, 23) && within(14, 59) && within(17, 60);
    let apart = matches!(bytes.get(10), Some(b'T' | b't' | b' '))
        && signs.iter().all(|(at, b)| bytes.get(*at) == Some(b));
    let rest = text.get(19..).unwrap_or_default();
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() { return false } else { zone }
        }
        None => rest,
    };
    let zoned = matches!(rest, "Z" | "z") || (rest.len() == 6 && rest.starts_with(['+', '-']));
    dated && timed && apart && zoned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_read() {
        for good in [
            "python_full_version >= '3.10'",
            "sys_platform == 'win32' and (os_name != \"nt\" or extra == 'x')",
            "'linux' in sys_platform or platform_machine not in 'a b'",
            "(python_version < '3')",
        ] {
            assert!(is_marker(good), "{good}");
        }
        for bad in [
            "",
            "python_full_versioj >= '3.10'",
            "os_name >={3.10'",
            "os_name = 'a'",
            "(os_name == 'a'",
            "os_name == 'a' or",
        ] {
            assert!(!is_marker(bad), "{bad}");
        }
        for good in [
            "1",
            "1.0.0",
            "2!1.0",
            "1.0rc1",
            "1.0.post1",
            "1.0.dev0",
            "1.0+cu118",
            "v1.2",
            "2024.7.4",
            "1.0-1",
        ] {
            assert!(is_version(good), "{good}");
        }
        for bad in
            ["", "1..0", "=.1.0", "1.0{", "a", "1.", "1.0+", "1 0", "1.1v.0", "1.0rc1rc2", "!1", "1.0."]
        {
            assert!(!is_version(bad), "{bad}");
        }
        assert!(is_specifier(">=3.4,<4, !=3.5.*") && is_specifier("") && is_specifier("===1.0"));
        assert!(!is_specifier("3.4") && !is_specifier(">=3.4,,<4") && !is_specifier(">={"));
        assert!(is_name("a") && is_name("zope.interface") && is_name("A_b-1"));
        assert!(!is_name("-a") && !is_name("a@b") && !is_name(""));
        assert!(
            is_wheel("idna-3.20-py3-none-any.whl")
                && is_wheel("a-1.0+x-1-cp39-cp39-manylinux_2_17_x86_64.whl")
        );
        assert!(
            !is_wheel("attrs-=.1.0-py3-none-any.whl")
                && !is_wheel("a-1.whl")
                && !is_wheel("a ; b-1-py3-none-any.whl")
        );
        assert!(is_moment("2022-10-25T02:36:22.414Z") && is_moment("2022-10-25T02:36:22+02:00"));
        for bad in [
            "2022-10-25T=2:36:22.414Z",
            "[022-10-25T02:36:22Z",
            "2022-13-25T02:36:22Z",
            "2022-10-25T02:36:22",
            "2022-10-25T02:36:22.Z",
        ] {
            assert!(!is_moment(bad), "{bad}");
        }
    }
}
