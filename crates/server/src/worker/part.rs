//! Parts of the work: a process may have the right to do one and not the other.

use regreen_engine::{ESCALATION, OUTAGE, TOLD};

use crate::task::{ANSWER, ASKED, COMMAND, GREEN, JOB, PRUNE, RUN, SWEEP};

/// Which pieces of work a worker takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Any.
    #[default]
    All,
    /// What looks at runs, decides about them and acts.
    Runs,
    /// What tells people at the host: issues, comments and check runs.
    Telling,
}

impl Part {
    /// The kinds of work that it is.
    pub(super) const fn kinds(self) -> &'static [&'static str] {
        match self {
            Part::All => &[RUN, JOB, SWEEP, COMMAND, ANSWER, ASKED, OUTAGE, ESCALATION, GREEN, TOLD, PRUNE],
            Part::Runs => &[RUN, JOB, SWEEP, COMMAND, ASKED, OUTAGE, GREEN, PRUNE],
            Part::Telling => &[ANSWER, ESCALATION, TOLD],
        }
    }
}
