//! The rules, ready to be used: which of them a text calls for, and what they find in it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use crate::rules::{ANNOUNCING, RULES};

/// The rules; each is compiled when a text first calls for it.
pub(crate) struct Shapes {
    /// The words of the rules, and by word the rule that it calls for.
    words: Option<AhoCorasick>,
    rule_of: Vec<usize>,
    /// In the order of [`RULES`].
    each: Vec<OnceLock<Option<Regex>>>,
}

/// The rules of whose words a text holds one.
pub(crate) struct Called(BTreeSet<usize>);

impl Called {
    /// Whether the text may name values as secret.
    pub(crate) fn may_announce(&self) -> bool {
        self.0.iter().any(|index| RULES.get(*index).is_some_and(|rule| rule.name == ANNOUNCING))
    }
}

impl Shapes {
    pub(crate) fn new() -> Shapes {
        let words =
            RULES.iter().enumerate().flat_map(|(i, rule)| rule.words.iter().map(move |word| (*word, i)));
        let (words, rule_of): (Vec<&str>, Vec<usize>) = words.unzip();
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .ok();
        Shapes { words, rule_of, each: RULES.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The rules that the text calls for: the others can't find anything in it.
    pub(crate) fn called_for(&self, text: &[u8]) -> Called {
        let Some(words) = &self.words else { return Called((0..RULES.len()).collect()) };
        let found = words.find_overlapping_iter(text);
        Called(found.filter_map(|found| self.rule_of.get(found.pattern().as_usize()).copied()).collect())
    }

    /// Adds where these rules find secrets.
    pub(crate) fn find(&self, text: &[u8], called: &Called, spans: &mut Vec<Range<usize>>) {
        for index in &called.0 {
            let (Some(rule), Some(regex)) = (RULES.get(*index), self.regex(*index)) else { continue };
            for captures in regex.captures_iter(text) {
                let secret = captures.iter().skip(1).flatten().next().or_else(|| captures.get(0));
                spans.extend(secret.filter(|m| (rule.accept)(m.as_bytes())).map(|m| m.range()));
            }
        }
    }

    fn regex(&self, index: usize) -> Option<&Regex> {
        // The rules are constants; `every_rule_compiles` proves that nothing is dropped here.
        let compile = || RegexBuilder::new(RULES.get(index)?.pattern).unicode(false).build().ok();
        self.each.get(index)?.get_or_init(compile).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        let shapes = Shapes::new();
        assert!(shapes.words.is_some());
        assert!((0..RULES.len()).all(|index| shapes.regex(index).is_some()));
    }
}
