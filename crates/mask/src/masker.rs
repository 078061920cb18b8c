//! The masker: finds secrets and puts `***` in their place.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

use crate::rules::RULES;
use crate::spans::replace;
use crate::values::Values;

/// What stands in the place of a secret.
pub const REPLACEMENT: &str = "***";

/// One replacement can make another secret visible as such (a token beside a password); a handful of passes
/// reaches the point where nothing changes.
const PASSES: usize = 8;

/// Finds secrets in normalised text. Cheap to share; a rule is compiled when a text first calls for it.
pub struct Masker {
    /// The caller's own values in all their forms.
    values: Option<Values>,
    /// The words of the rules, and by word the rule that it calls for.
    words: Option<AhoCorasick>,
    rule_of: Vec<usize>,
    /// The rules, in the order of [`RULES`].
    each: Vec<OnceLock<Option<Regex>>>,
}

impl Masker {
    /// A masker for the known shapes and for these values, which the caller took from variables whose names
    /// [`looks_secret`](crate::looks_secret) accepts. Values shorter than six bytes are ignored.
    pub fn new<I, V>(values: I) -> Masker
    where
        I: IntoIterator<Item = V>,
        V: AsRef<[u8]>,
    {
        let values = Values::new(values);
        let words =
            RULES.iter().enumerate().flat_map(|(i, rule)| rule.words.iter().map(move |word| (*word, i)));
        let (words, rule_of): (Vec<&str>, Vec<usize>) = words.unzip();
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(words)
            .ok();
        Masker { values, words, rule_of, each: RULES.iter().map(|_| OnceLock::new()).collect() }
    }

    /// The text without its secrets.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.mask_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(
                String::from_utf8(bytes)
                    .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
            ),
        }
    }

    /// The bytes without their secrets.
    pub fn mask_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut masked = Cow::Borrowed(text);
        for _ in 0..PASSES {
            let spans = self.spans(&masked);
            if spans.is_empty() {
                break;
            }
            let next = replace(&masked, spans, REPLACEMENT.as_bytes());
            if *next == *masked {
                break;
            }
            masked = Cow::Owned(next);
        }
        masked
    }

    /// The names of the shapes that every masker knows, for the manual.
    pub fn shapes() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|rule| rule.name)
    }

    /// Whether masking would alter these bytes: such a patch is refused, since it would no longer apply.
    pub fn would_change(&self, text: &[u8]) -> bool {
        matches!(self.mask_bytes(text), Cow::Owned(_))
    }

    fn spans(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        if let Some(values) = &self.values {
            values.find(text, &mut spans);
        }
        for index in self.called_for(text) {
            let (Some(rule), Some(regex)) = (RULES.get(index), self.regex(index)) else { continue };
            for captures in regex.captures_iter(text) {
                let secret = captures.name("s").or_else(|| captures.get(0));
                spans.extend(secret.filter(|m| (rule.accept)(m.as_bytes())).map(|m| m.range()));
            }
        }
        spans
    }

    /// The rules of which the text holds a word: the others can't find anything in it.
    fn called_for(&self, text: &[u8]) -> BTreeSet<usize> {
        let Some(words) = &self.words else { return (0..RULES.len()).collect() };
        let found = words.find_overlapping_iter(text);
        found.filter_map(|found| self.rule_of.get(found.pattern().as_usize()).copied()).collect()
    }

    fn regex(&self, index: usize) -> Option<&Regex> {
        // The rules are constants; `every_rule_compiles` proves that nothing is dropped here.
        let compile = || RegexBuilder::new(RULES.get(index)?.pattern).unicode(false).build().ok();
        self.each.get(index)?.get_or_init(compile).as_ref()
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} rules)", self.each.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        let masker = Masker::new::<[&str; 0], &str>([]);
        assert!(masker.words.is_some());
        assert!((0..RULES.len()).all(|index| masker.regex(index).is_some()));
    }

    #[test]
    fn rule_names_are_unique() {
        let names: std::collections::BTreeSet<_> = Masker::shapes().collect();
        assert_eq!(names.len(), RULES.len());
    }
}
