//! What the model chooses among: the fifteen classes, and that nothing failed.

use regreen_domain::FailureClass;

/// How many outcomes there are.
pub const OUTCOMES: usize = 16;

/// The place of an outcome in the model's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome(usize);

impl Outcome {
    /// Nothing failed; of a single line: it is not the cause.
    pub const NOTHING: Outcome = Outcome(OUTCOMES - 1);

    /// Every class, in the taxonomy's order.
    pub fn classes() -> impl Iterator<Item = (Outcome, FailureClass)> {
        let known = FailureClass::ALL.into_iter().filter(|class| *class != FailureClass::Unknown);
        known.take(OUTCOMES - 1).enumerate().map(|(i, class)| (Outcome(i), class))
    }

    /// The place of a class; `None` for unknown, which is never learned.
    pub fn of(class: FailureClass) -> Option<Outcome> {
        Outcome::classes().find(|(_, other)| *other == class).map(|(outcome, _)| outcome)
    }

    /// The class; `None` where nothing failed.
    pub fn class(self) -> Option<FailureClass> {
        Outcome::classes().find(|(other, _)| *other == self).map(|(_, class)| class)
    }

    /// The index.
    pub fn index(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_place_and_unknown_has_none() {
        assert_eq!(Outcome::classes().count(), OUTCOMES - 1);
        assert!(Outcome::classes().all(|(outcome, class)| Outcome::of(class) == Some(outcome)));
        assert_eq!(Outcome::of(FailureClass::Unknown), None);
        assert_eq!(Outcome::NOTHING.class(), None);
    }
}
