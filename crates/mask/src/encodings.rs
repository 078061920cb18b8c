//! The forms in which a known value may show up: as it is, line by line, escaped, and in base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter values are words, numbers and flags; masking them would hide the log instead of the secret.
const SHORTEST: usize = 6;

/// Values that stand in secret-looking variables and are none.
const BORING: [&str; 8] =
    ["default", "disabled", "enabled", "undefined", "required", "optional", "password", "changeme"];

/// Both are in use: encoders are free to choose.
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

/// Every form of `value` that must not be shown; empty where the value is no secret.
pub(crate) fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let value = value.trim_ascii();
    if value.len() < SHORTEST || is_boring(value) {
        return Vec::new();
    }
    let mut forms = vec![value.to_vec()];
    // A multi-line value (a key, a JSON credential) is printed line by line, each after its own timestamp.
    if value.contains(&b'\n') {
        forms.extend(
            value.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).filter(|l| l.len() >= 8).map(<[u8]>::to_vec),
        );
    }
    forms.push(json_escaped(value));
    forms.extend(percent_encoded(value, HEX_UPPER));
    forms.extend(percent_encoded(value, HEX_LOWER));
    forms.extend(base64_cores(value));
    forms.sort();
    forms.dedup();
    forms
}

fn is_boring(value: &[u8]) -> bool {
    let one_byte_only = value.iter().all(|b| *b == value[0]);
    one_byte_only || BORING.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

fn json_escaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 16);
    for &b in value {
        match b {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            _ => out.push(b),
        }
    }
    out
}

fn percent_encoded(value: &[u8], digits: &[u8; 16]) -> Option<Vec<u8>> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    if value.iter().all(plain) {
        return None;
    }
    let mut out = Vec::with_capacity(value.len() * 3);
    for b in value {
        if plain(b) {
            out.push(*b);
        } else {
            out.extend([b'%', digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]);
        }
    }
    Some(out)
}

/// Base64 of a text that holds the value depends on what stands before it (three alignments) and after it. The
/// characters that depend on the value alone are the same in each, and long enough to be told apart.
fn base64_cores(value: &[u8]) -> Vec<Vec<u8>> {
    let mut cores = Vec::new();
    for lead in 0..3usize {
        let mut text = vec![0u8; lead];
        text.extend_from_slice(value);
        let first = (lead * 8).div_ceil(6);
        let whole = text.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            if let Some(core) = encoded.as_bytes().get(first..whole).filter(|core| core.len() >= SHORTEST) {
                cores.push(core.to_vec());
            }
        }
    }
    cores
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn the_value_is_found_in_the_base64_of_any_text_that_holds_it() {
        let forms = forms(b"hunter2-is-secret");
        for before in ["", "u", "us", "user:", "user:x"] {
            let encoded = STANDARD.encode(format!("{before}hunter2-is-secret:after"));
            let found = forms.iter().any(|f| encoded.contains(std::str::from_utf8(f).unwrap()));
            assert!(found, "{before:?} {encoded}");
        }
    }

    #[test]
    fn words_and_flags_are_no_secrets() {
        for value in ["", "true", "1", "12345", "enabled", "xxxxxxxx", "Password"] {
            assert!(forms(value.as_bytes()).is_empty(), "{value:?}");
        }
    }
}
