//! The forms in which a known value may show up: as it is, line by line, in base64 and in hex. Escaped ones are found by the
//! [normal form](crate::normal).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter values are words, numbers and flags; masking them would hide the log instead of the secret.
const SHORTEST: usize = 6;

/// Both are in use: encoders are free to choose.
const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const HEX_LOWER: &[u8; 16] = b"0123456789abcdef";

/// Values that stand in secret-looking variables and are none.
const BORING: [&str; 9] =
    ["default", "disabled", "enabled", "undefined", "required", "optional", "password", "changeme", "secret"];

/// The widths at which `base64` and PEM break lines.
const BASE64_LINES: [usize; 2] = [76, 64];

/// A shorter line of a value is not told apart from other text.
const SHORTEST_LINE: usize = 8;

/// Every form of `value` that must not be shown, but for those of which it is the normal form; empty where the value is no
/// secret.
pub(crate) fn forms(value: &[u8]) -> Vec<Vec<u8>> {
    let value = value.trim_ascii();
    if !is_secret(value) {
        return Vec::new();
    }
    let mut forms = vec![value.to_vec()];
    // A multi-line value (a key, a JSON credential) is printed line by line, each after its own timestamp.
    if value.contains(&b'\n') {
        forms.extend(
            value
                .split(|&b| b == b'\n')
                .map(<[u8]>::trim_ascii)
                .filter(|l| l.len() >= SHORTEST_LINE)
                .map(<[u8]>::to_vec),
        );
    }
    forms.extend(base64_cores(value));
    forms.extend(base64_lines(value));
    forms.extend([HEX_LOWER, HEX_UPPER].map(|digits| hex(value, digits)));
    forms.sort();
    forms.dedup();
    forms
}

/// Whether a value is long enough and no word that stands for one.
pub(crate) fn is_secret(value: &[u8]) -> bool {
    value.len() >= SHORTEST && !is_boring(value)
}

fn is_boring(value: &[u8]) -> bool {
    let one_byte_only = value.iter().all(|b| *b == value[0]);
    one_byte_only || BORING.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(value))
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    value.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]).collect()
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

/// The lines in which the value's own base64 is printed where it is longer than one.
fn base64_lines(value: &[u8]) -> Vec<Vec<u8>> {
    let encoded = STANDARD_NO_PAD.encode(value);
    let wrapped = BASE64_LINES.iter().filter(|width| encoded.len() > **width);
    wrapped
        .flat_map(|width| encoded.as_bytes().chunks(*width))
        .filter(|line| line.len() >= SHORTEST_LINE)
        .map(<[u8]>::to_vec)
        .collect()
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
