//! The options behind a requirement, as pip reads them: Python's `optparse`, which takes an unambiguous beginning for the whole name.

use super::line::Word;

/// The long options of a line with a requirement, and whether a value follows; from `SUPPORTED_OPTIONS` and
/// `SUPPORTED_OPTIONS_REQ` of pip's `req_file.py` and its `cmdoptions.py`.
const KNOWN: [(&str, bool); 22] = [
    ("--hash", true),
    ("--config-settings", true),
    ("--config-setting", true),
    ("--global-option", true),
    ("--index-url", true),
    ("--pypi-url", true),
    ("--extra-index-url", true),
    ("--no-index", false),
    ("--constraint", true),
    ("--requirement", true),
    ("--editable", true),
    ("--find-links", true),
    ("--no-binary", true),
    ("--only-binary", true),
    ("--prefer-binary", false),
    ("--require-hashes", false),
    ("--pre", false),
    ("--all-releases", true),
    ("--only-final", true),
    ("--trusted-host", true),
    ("--use-feature", true),
    // Of old releases, which took it for nothing.
    ("--install-option", true),
];

/// Whether pip can tell the words apart: it splits options by Python's `shlex`, which refuses a quotation mark that is never
/// closed and a backslash at the end.
pub(super) fn closed(options: &[Word<'_>]) -> bool {
    let marked = |word: &Word<'_>| word.text.contains(['"', '\'', '\\']);
    !options.iter().any(marked)
        || shlex::split(&options.iter().map(|word| word.text).collect::<Vec<_>>().join(" ")).is_some()
}

/// The values of `--hash`, and the words of all other options.
///
/// # Errors
/// The word that is no option of pip's.
pub(super) fn split<'t>(options: &[Word<'t>]) -> Result<(Vec<Word<'t>>, Vec<&'t str>), Word<'t>> {
    let (mut hashes, mut others) = (Vec::new(), Vec::new());
    // What stands in quotation marks is one word to pip, and several here.
    let quoted = options.iter().any(|word| word.text.contains(['"', '\'']));
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let name = word.text.split('=').next().unwrap_or_default();
        let (known, valued) = match known(name) {
            Some(known) => known,
            None if name.starts_with("--") && !quoted => return Err(*word),
            None => {
                others.push(word.text);
                continue;
            }
        };
        let value = match word.text.get(name.len() + 1..) {
            Some(text) => Some(Word { text, at: word.at + name.len() + 1 }),
            None if valued => words.next().copied(),
            None => None,
        };
        match known {
            // Without a value after it, what stands there is an empty checksum.
            "--hash" => hashes.push(value.unwrap_or(Word { text: "", at: word.at + word.text.len() })),
            _ => {
                others.push(word.text);
                others.extend(value.filter(|_| name.len() == word.text.len()).map(|value| value.text));
            }
        }
    }
    Ok((hashes, others))
}

/// The option that is meant, and whether a value follows.
fn known(name: &str) -> Option<(&'static str, bool)> {
    if name.len() < "--h".len() {
        return None;
    }
    let mut fitting = KNOWN.iter().filter(|(known, _)| known.starts_with(name));
    let exact = KNOWN.iter().find(|(known, _)| *known == name);
    exact.or_else(|| fitting.next().filter(|_| fitting.next().is_none())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Vec<&str>, Vec<&str>), &str> {
        let words: Vec<Word<'_>> = text.split(' ').map(|text| Word { text, at: 0 }).collect();
        match split(&words) {
            Ok((hashes, others)) => Ok((hashes.iter().map(|hash| hash.text).collect(), others)),
            Err(word) => Err(word.text),
        }
    }

    #[test]
    fn a_quotation_that_is_never_closed_is_seen() {
        for (text, whole) in [
            ("--hash=sha256:aa --global-option=\"--a --b\"", true),
            ("--global-option='it\"s' --pre", true),
            ("--hash=sha256:aa \" --hash=sha256:bb", false),
            ("--hash=sha256:aa'", false),
            ("--hash=sha256:aa \\", false),
            ("--pre", true),
        ] {
            let words: Vec<Word<'_>> = text.split(' ').map(|text| Word { text, at: 0 }).collect();
            assert_eq!(closed(&words), whole, "{text}");
        }
    }

    #[test]
    fn options_are_read_as_pip_reads_them() {
        let hash = "sha256:aa";
        for text in ["--hash=sha256:aa", "--hash sha256:aa", "--has=sha256:aa", "--h sha256:aa"] {
            assert_eq!(read(text), Ok((vec![hash], vec![])), "{text}");
        }
        assert_eq!(read("--ha"), Ok((vec![""], vec![])));
        assert_eq!(read("--haqh=sha256:aa"), Err("--haqh=sha256:aa"));
        assert_eq!(read("--hashes=sha256:aa"), Err("--hashes=sha256:aa"));
        // `--config-setting` and its plural begin alike, and each is one.
        let settings = "--config-settings --a=b --hash=sha256:aa";
        assert_eq!(read(settings), Ok((vec![hash], vec!["--config-settings", "--a=b"])));
        assert_eq!(read("--pre --hash=sha256:aa"), Ok((vec![hash], vec!["--pre"])));
        let quoted = "--global-option=\"--a --b\" --hash=sha256:aa";
        assert_eq!(read(quoted), Ok((vec![hash], vec!["--global-option=\"--a", "--b\""])));
        assert_eq!(read("-C a=b --hash=sha256:aa"), Ok((vec![hash], vec!["-C", "a=b"])));
    }
}
