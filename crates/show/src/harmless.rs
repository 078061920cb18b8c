//! Text from outside, made harmless for whoever reads it: nothing hides, reorders or forges what is around it.

/// So many marks may stand on one character; more of them are painted over the lines around it.
const MARKS: usize = 3;

/// The text on one line: control characters are blanks, characters that hide or reorder others are shown as `�`, marks
/// are not heaped up, and what a CI runner would carry out where it is printed has a blank in it.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        match c {
            // Emoji choose their colour by these; alone they show nothing.
            '\u{fe0e}' | '\u{fe0f}' => {}
            _ if marks > MARKS => {}
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => shown.push(' '),
            c if invisible(c) => shown.push(char::REPLACEMENT_CHARACTER),
            c => shown.push(c),
        }
    }
    disarmed(&shown)
}

fn disarmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    let mut rest = text;
    while let Some(at) = command(rest) {
        out.push_str(&rest[..at]);
        out.push_str(" [");
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    if out.trim_start().starts_with("::") { out.replacen("::", ": :", 1) } else { out }
}

/// Where the bracket stands that makes a command of the text for a CI runner.
///
/// GitHub's runner takes `##[…]` anywhere in a printed line for a command, and `::…::` at its beginning
/// (`actions/runner`, `ActionCommand.cs`); Azure's takes `##vso[…]`, TeamCity's `##teamcity[…]`.
pub(crate) fn command(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let brackets = bytes.iter().enumerate().filter(|(_, b)| **b == b'[').map(|(at, _)| at);
    let mut from = 0;
    for at in brackets {
        let name = bytes[from..at].iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
        if bytes[from..at - name].ends_with(b"##") {
            return Some(at);
        }
        from = at;
    }
    None
}

/// Characters without a shape of their own, or that show nothing but a blank: those of the Trojan Source attack
/// (CVE-2021-42574), tags, fillers, and the separators that some programs take for line ends.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The blocks of combining marks.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The first characters of a text that is longer than so many.
pub fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{harmless, short};

    #[test]
    fn nothing_hides_or_reorders() {
        for (text, want) in [
            ("a\u{1b}[31mb\nc\rd", "a [31mb c d"),
            ("x\u{202e}txt.exe\u{2066}", "x�txt.exe�"),
            ("naïve → 世界 ⚠\u{fe0f}", "naïve → 世界 ⚠"),
            ("\u{3164}\u{e0041}\u{9b}2J\u{2029}", "�� 2J "),
            ("Z\u{300}\u{301}\u{302}\u{303}\u{304}a\u{300}", "Z\u{300}\u{301}\u{302}a\u{300}"),
        ] {
            assert_eq!(harmless(text), want, "{text:?}");
        }
        assert_eq!((short("abc", 3), short("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
    }

    #[test]
    fn no_runner_carries_out_what_is_printed() {
        for (text, want) in [
            ("x ##[add-mask]a ##vso[task.complete]", "x ## [add-mask]a ##vso [task.complete]"),
            ("##teamcity[a ####[b", "##teamcity [a #### [b"),
            ("# #[x] #a[1] ##a1[2] ##", "# #[x] #a[1] ##a1[2] ##"),
            ("##\u{fe0f}[error]x", "## [error]x"),
            (" ::error::a::b", " : :error::a::b"),
            ("\u{1b}::set-output name=a::b", " : :set-output name=a::b"),
            ("a::b", "a::b"),
        ] {
            assert_eq!(harmless(text), want, "{text:?}");
        }
    }
}
