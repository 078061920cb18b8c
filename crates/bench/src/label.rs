//! What a log is labelled as, and what it was found to be: a class, or a build that passed.

use std::fmt;

use regreen_domain::FailureClass;

/// A class, or `passing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Label {
    /// The job failed for this reason.
    Failed(FailureClass),
    /// The job passed.
    Passing,
}

impl Label {
    /// The label with this id.
    pub fn parse(id: &str) -> Option<Label> {
        if id == "passing" { Some(Label::Passing) } else { FailureClass::parse(id).map(Label::Failed) }
    }

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Label::Failed(class) => class.id(),
            Label::Passing => "passing",
        }
    }

    /// The class, where the job failed.
    pub const fn class(self) -> Option<FailureClass> {
        match self {
            Label::Failed(class) => Some(class),
            Label::Passing => None,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
