//! The masker: finds secrets and puts `***` in their place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::announced::Announced;
use crate::rules::RULES;
use crate::shapes::{Called, Shapes};
use crate::spans::replace;
use crate::values::Values;

/// What stands in the place of a secret.
pub const REPLACEMENT: &str = "***";

/// One replacement can make another secret visible as such (a token beside a password); a handful of passes
/// reaches the point where nothing changes.
const PASSES: usize = 8;

/// Finds secrets in normalised text. Cheap to share and to copy.
#[derive(Clone)]
pub struct Masker {
    /// The caller's own values, and what logs have named beside them.
    values: Vec<Arc<Values>>,
    shapes: Arc<Shapes>,
}

impl Masker {
    /// A masker for the known shapes and for these values, which the caller took from its environment by
    /// [`secrets_of`](crate::secrets_of). Values shorter than six bytes are ignored.
    pub fn new<I, V>(values: I) -> Masker
    where
        I: IntoIterator<Item = V>,
        V: AsRef<[u8]>,
    {
        Masker {
            values: Values::new(values).map(Arc::new).into_iter().collect(),
            shapes: Arc::new(Shapes::new()),
        }
    }

    /// One that also knows what a log names as secret, for what is said of that log and of no other.
    #[must_use]
    pub fn knowing(&self, announced: &Announced) -> Masker {
        let more = Values::new(&announced.0).map(Arc::new);
        Masker { values: self.values.iter().cloned().chain(more).collect(), shapes: self.shapes.clone() }
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

    /// The bytes without their secrets, nor those that they name as such.
    pub fn mask_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let called = self.shapes.called_for(text);
        if called.may_announce() {
            let announced = Announced::by(text);
            if !announced.is_empty() {
                return self.knowing(&announced).masked(text, called);
            }
        }
        self.masked(text, called)
    }

    fn masked<'t>(&self, text: &'t [u8], mut called: Called) -> Cow<'t, [u8]> {
        let mut masked = Cow::Borrowed(text);
        for _ in 0..PASSES {
            let spans = self.spans(&masked, &called);
            if spans.is_empty() {
                break;
            }
            let next = replace(&masked, spans, REPLACEMENT.as_bytes());
            if *next == *masked {
                break;
            }
            called = self.shapes.called_for(&next);
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

    fn spans(&self, text: &[u8], called: &Called) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = Vec::new();
        self.values.iter().for_each(|values| values.find(text, &mut spans));
        self.shapes.find(text, called, &mut spans);
        spans
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Masker({} rules)", RULES.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_names_are_unique() {
        let names: std::collections::BTreeSet<_> = Masker::shapes().collect();
        assert_eq!(names.len(), RULES.len());
    }
}
