//! Text from outside, made harmless for whoever reads it: nothing hides, reorders or forges what is around it.

/// The text on one line: control characters are blanks, characters that hide or reorder others are shown as `�`, and
/// what a CI runner would carry out where it is printed has a blank in it.
pub fn harmless(text: &str) -> String {
    let show = |c: char| match c {
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => ' ',
        c if hides(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    disarmed(&text.chars().map(show).collect::<String>())
}

/// GitHub's runner takes `##[…]` anywhere in a printed line for a command and `::…::` at its beginning
/// (`actions/runner`, `ActionCommand.cs`); Azure's takes `##vso[…]`.
fn disarmed(text: &str) -> String {
    let text = text.replace("##[", "## [").replace("##vso[", "##vso [");
    if text.trim_start().starts_with("::") { text.replacen("::", ": :", 1) } else { text }
}

/// Characters without a shape of their own, among them those of the Trojan Source attack (CVE-2021-42574) and tags.
fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
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
        assert_eq!(harmless("a\u{1b}[31mb\nc\rd"), "a [31mb c d");
        assert_eq!(harmless("x\u{202e}txt.exe\u{2066}"), "x�txt.exe�");
        assert_eq!(harmless("naïve → 世界"), "naïve → 世界");
        assert_eq!(
            harmless("x ##[add-mask]a ##vso[task.complete]"),
            "x ## [add-mask]a ##vso [task.complete]"
        );
        assert_eq!((harmless(" ::error::a::b"), harmless("a::b")), (" : :error::a::b".into(), "a::b".into()));
        assert_eq!((short("abc", 3), short("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
    }
}
