//! A last look at what a rule would replace: what is no secret stays readable.

/// Values that stand in the place of one: states, types and what checks say of a field.
const WORDS: [&str; 60] = [
    "accepted",
    "argon2",
    "bcrypt",
    "blank",
    "boolean",
    "changed",
    "default",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "encrypted",
    "example",
    "expected",
    "expired",
    "failed",
    "generated",
    "hidden",
    "identifier",
    "incorrect",
    "inherit",
    "input",
    "integer",
    "invalid",
    "latest",
    "masked",
    "mismatch",
    "missing",
    "mismatched",
    "number",
    "object",
    "omitted",
    "optional",
    "passed",
    "passing",
    "passphrase",
    "passwd",
    "password",
    "prompt",
    "protected",
    "random",
    "redacted",
    "rejected",
    "removed",
    "required",
    "reset",
    "secret",
    "string",
    "strong",
    "success",
    "symbol",
    "token",
    "undefined",
    "unexpected",
    "unknown",
    "unset",
    "updated",
    "weak",
    "wrong",
    "changeme",
];

/// Words of sentences about secrets, and seldom of a secret.
const OF_PROSE: [&str; 72] = [
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "been",
    "but",
    "by",
    "can",
    "can't",
    "cannot",
    "change",
    "characters",
    "confirm",
    "contain",
    "could",
    "couldn't",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "don't",
    "enter",
    "error",
    "field",
    "for",
    "forgot",
    "from",
    "had",
    "has",
    "have",
    "if",
    "in",
    "is",
    "isn't",
    "it",
    "least",
    "match",
    "may",
    "must",
    "new",
    "no",
    "not",
    "of",
    "on",
    "or",
    "please",
    "should",
    "that",
    "the",
    "they",
    "this",
    "to",
    "too",
    "use",
    "used",
    "uses",
    "using",
    "value",
    "was",
    "wasn't",
    "were",
    "when",
    "will",
    "with",
    "without",
    "won't",
    "you",
    "your",
];

pub(crate) fn always(_: &[u8]) -> bool {
    true
}

/// After `=`: anything but a reference to a variable, a flag or what was masked already.
pub(crate) fn is_value(text: &[u8]) -> bool {
    // As in `##vso[task.setvariable variable=a;issecret=true]`.
    let flag = text.split(|byte| *byte == b']').next().unwrap_or_default();
    !text.starts_with(b"$")
        && !text.starts_with(b"***")
        && !matches!(flag, b"true" | b"false" | b"null" | b"None" | b"none" | b"undefined")
}

/// After `_pass=`, where tests are counted too: with a letter, and no word for a state.
pub(crate) fn is_worded_value(text: &[u8]) -> bool {
    is_value(text) && text.iter().any(u8::is_ascii_alphabetic) && !is_word(text)
}

/// After `:`, where prose and manifests stand too (`"jsonwebtoken": "^9.0.0"`, `unexpected token: identifier`):
/// long enough, letters with digits, and no version range.
pub(crate) fn is_dense_value(text: &[u8]) -> bool {
    is_value(text)
        && !is_like_a_version(text)
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().any(u8::is_ascii_alphabetic)
        && !text.windows(3).any(|w| w == b"://")
}

/// In quotes after `"password":`, where checks of forms and schemes say something of it: no single word that stands for a
/// value, no sentence, no placeholder.
pub(crate) fn is_no_prose(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    let (first, last) = (text.first().copied().unwrap_or_default(), text.last().copied().unwrap_or_default());
    let in_brackets = matches!((first, last), (b'<', b'>') | (b'[', b']') | (b'(', b')') | (b'{', b'}'));
    let mut words = text.split(u8::is_ascii_whitespace);
    let is_prose = if text.iter().any(u8::is_ascii_whitespace) {
        words.any(|word| is_one_of(&OF_PROSE, word) || is_word(word))
    } else {
        is_word(text)
    };
    let is_path = matches!(first, b'/' | b'.') || text.windows(3).any(|w| w == b"://");
    text.len() >= 6
        && is_value(text)
        && text.iter().any(|byte| *byte != first)
        && !(is_prose || in_brackets || is_path || first == b'%' || is_like_a_version(text))
}

fn is_like_a_version(text: &[u8]) -> bool {
    let version =
        text.strip_prefix(b"^").or(text.strip_prefix(b"~")).or(text.strip_prefix(b">=")).unwrap_or(text);
    version.first().is_some_and(u8::is_ascii_digit) && version.contains(&b'.') && version.len() < 24
}

fn is_word(text: &[u8]) -> bool {
    is_one_of(&WORDS, text)
}

/// Whatever signs stand before or after it.
fn is_one_of(words: &[&str], text: &[u8]) -> bool {
    let is_sign = |byte: &u8| byte.is_ascii_punctuation();
    let begin = text.iter().position(|byte| !is_sign(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_sign(byte)).map_or(begin, |last| last + 1);
    words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(&text[begin..end]))
}
