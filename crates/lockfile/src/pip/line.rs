//! Physical lines into logical ones, as pip joins them: a `\` at the end goes on, a comment ends it.

use std::ops::Range;

/// What pip takes for one line.
pub(super) struct Logical<'t> {
    /// Its words, comments left out.
    pub(super) words: Vec<Word<'t>>,
    /// Its bytes in the text, the last newline included.
    pub(super) span: Range<usize>,
    /// The text ends where it should have gone on.
    pub(super) unfinished: bool,
}

/// What stands between blanks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'t> {
    pub(super) text: &'t str,
    /// Its offset in the text.
    pub(super) at: usize,
}

/// Every logical line; their spans follow one another without gaps.
pub(super) fn logical_lines(text: &str) -> Vec<Logical<'_>> {
    let mut logical = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut words = Vec::new();
    let mut in_comment = false;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        let (said, goes_on) = match line.strip_suffix('\\') {
            Some(said) => (said, true),
            None => (line, false),
        };
        // A whole line of comment ends the logical line even before a `\`.
        let whole_comment = said.trim_start().starts_with('#');
        if !in_comment {
            in_comment = read_words(said, at, &mut words);
        }
        at += raw.len();
        if !goes_on || whole_comment {
            logical.push(Logical { words: std::mem::take(&mut words), span: start..at, unfinished: false });
            (start, in_comment) = (at, false);
        }
    }
    if start < at {
        logical.push(Logical { unfinished: !in_comment, words, span: start..at });
    }
    logical
}

/// Adds the words before a comment; whether there is a comment.
fn read_words<'t>(said: &'t str, at: usize, words: &mut Vec<Word<'t>>) -> bool {
    for text in said.split(|c: char| c.is_ascii_whitespace()).filter(|w| !w.is_empty()) {
        if text.starts_with('#') {
            return true;
        }
        words.push(Word { text, at: at + (text.as_ptr() as usize - said.as_ptr() as usize) });
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<Vec<&str>> {
        logical_lines(text).iter().map(|l| l.words.iter().map(|w| w.text).collect()).collect()
    }

    #[test]
    fn lines_are_joined_as_pip_joins_them() {
        assert_eq!(words("a==1 \\\n  --hash=x # c\nb\n"), [vec!["a==1", "--hash=x"], vec!["b"]]);
        assert_eq!(words("a \\\r\n  b\r\n"), [vec!["a", "b"]]);
        assert_eq!(words("a \\\n# comment \\\nb\n"), [vec!["a"], vec!["b"]]);
        assert_eq!(words("a # c \\\n--hash=x\nb"), [vec!["a"], vec!["b"]]);
        assert_eq!(words("a==1#sha"), [vec!["a==1#sha"]]);
        assert!(logical_lines("a \\\n").last().unwrap().unfinished);
        assert!(logical_lines("a \\").last().unwrap().unfinished);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_between_lines(text in "([a-z#\\\\ =]|\n|\r\n){0,60}") {
            let logical = logical_lines(&text);
            let whole: String = logical.iter().map(|l| &text[l.span.clone()]).collect();
            prop_assert_eq!(whole, text.clone());
            for word in logical.iter().flat_map(|l| &l.words) {
                prop_assert_eq!(&text[word.at..word.at + word.text.len()], word.text);
            }
        }
    }
}
