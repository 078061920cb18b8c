//! Finds values that the caller knows, as they are and however they are escaped.

use std::iter;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::{memchr, memchr2_iter, memchr3_iter, memrchr};

use crate::encodings::{forms, is_secret};
use crate::normal::{Normal, begins_escape, normal};

/// Values in all their forms.
pub(crate) struct Values {
    forms: Vec<Vec<u8>>,
    plain: AhoCorasick,
    /// Looks for the forms' normal forms. Most texts have no escapes, so it is made when the first one has.
    normal: OnceLock<Option<AhoCorasick>>,
    has_blank: bool,
    has_quote: bool,
}

impl Values {
    /// `None` where none of the values is a secret.
    pub(crate) fn new<I, V>(values: I) -> Option<Values>
    where
        I: IntoIterator<Item = V>,
        V: AsRef<[u8]>,
    {
        let forms: Vec<Vec<u8>> = values.into_iter().flat_map(|value| forms(value.as_ref())).collect();
        if forms.is_empty() {
            return None;
        }
        let hold = |byte: u8| forms.iter().any(|form| form.contains(&byte));
        let (has_blank, has_quote) = (hold(b' '), hold(b'\''));
        Some(Values { plain: automaton(&forms)?, forms, normal: OnceLock::new(), has_blank, has_quote })
    }

    /// Adds where they stand.
    pub(crate) fn find(&self, text: &[u8], spans: &mut Vec<Range<usize>>) {
        spans.extend(self.plain.find_iter(text).map(|found| found.range()));
        let mut read = Normal::default();
        let mut from = 0;
        for at in self.escapes(text) {
            // Its line was read for an escape before it.
            if at < from {
                continue;
            }
            let Some(normal) = self.normal() else { return };
            let begin = memrchr(b'\n', &text[from..at]).map_or(from, |before| from + before + 1);
            let end = memchr(b'\n', &text[at..]).map_or(text.len(), |after| at + after);
            read.read(&text[begin..end], begin);
            spans.extend(normal.find_iter(read.bytes()).map(|found| read.source(found.range())));
            from = end;
        }
    }

    /// Where escapes begin, in order.
    fn escapes(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let usual = memchr3_iter(b'%', b'\\', b'&', text).filter(|at| begins_escape(text, *at));
        let (mut usual, mut more) = (usual.peekable(), self.more(text).peekable());
        iter::from_fn(move || match (usual.peek(), more.peek()) {
            (Some(one), Some(other)) if other < one => more.next(),
            (Some(_), _) => usual.next(),
            (None, _) => more.next(),
        })
    }

    /// A query's `+` and the shell's `'"'"'` are escapes where a value has a blank or a quote.
    fn more<'t>(&self, text: &'t [u8]) -> impl Iterator<Item = usize> + use<'t> {
        let (one, other, text) = match (self.has_blank, self.has_quote) {
            (false, false) => (b'+', b'+', [].as_slice()),
            (true, false) => (b'+', b'+', text),
            (false, true) => (b'\'', b'\'', text),
            (true, true) => (b'+', b'\'', text),
        };
        memchr2_iter(one, other, text)
    }

    fn normal(&self) -> Option<&AhoCorasick> {
        let make = || {
            // What is a word once its quotes are gone is looked for as it is only.
            let forms: Vec<Vec<u8>> =
                self.forms.iter().map(|form| normal(form)).filter(|form| is_secret(form)).collect();
            (!forms.is_empty()).then(|| automaton(&forms)).flatten()
        };
        self.normal.get_or_init(make).as_ref()
    }
}

fn automaton(forms: &[Vec<u8>]) -> Option<AhoCorasick> {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(forms).ok()
}
