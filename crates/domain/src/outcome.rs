//! How an incident ended.

use std::fmt;

/// The end of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Every verification factor held.
    Healed,
    /// It was tried, did not hold, and everything was put back.
    RolledBack,
    /// A step could not be undone. A person must look; nothing is retried.
    Stuck,
    /// The cure was said, not done.
    Suggested,
    /// Waiting for a person's word.
    AwaitingApproval,
    /// Diagnosed only.
    LeftAlone,
    /// A person agreed, and a later incident carried it out.
    HandedOver,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Outcome; 7] = [
        Outcome::Healed,
        Outcome::RolledBack,
        Outcome::Stuck,
        Outcome::Suggested,
        Outcome::AwaitingApproval,
        Outcome::LeftAlone,
        Outcome::HandedOver,
    ];

    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Outcome::Healed => "healed",
            Outcome::RolledBack => "rolled-back",
            Outcome::Stuck => "stuck",
            Outcome::Suggested => "suggested",
            Outcome::AwaitingApproval => "awaiting-approval",
            Outcome::LeftAlone => "left-alone",
            Outcome::HandedOver => "handed-over",
        }
    }

    /// The outcome with this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.id() == id)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What was checked before anything was called healed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Each factor with its answer.
    pub factors: Vec<VerificationFactor>,
}

/// One factor of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationFactor {
    /// Stable name, e.g. `command-green`, `tool-consistent`, `nothing-else-changed`.
    pub name: String,
    /// `Some(true)` held, `Some(false)` did not, `None` could not be checked here.
    pub held: Option<bool>,
    /// One sentence.
    pub says: String,
}

impl Verification {
    /// Healed means: at least one factor was checked and none failed.
    pub fn holds(&self) -> bool {
        self.factors.iter().any(|f| f.held == Some(true))
            && self.factors.iter().all(|f| f.held != Some(false))
    }
}
