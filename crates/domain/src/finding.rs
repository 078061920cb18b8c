//! What a probe of the workspace, a cache or a remote saw.

use crate::{FailureClass, Tool};

/// One probe's answer. What the workspace says beats what the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable id of the probe, e.g. `npm-lockfile`; its measured counts stand in the catalogue.
    pub probe: &'static str,
    /// The tool whose workspace, cache or remote was looked at.
    pub tool: Tool,
    /// The class the probe can speak about.
    pub class: FailureClass,
    /// For it, against it, or no answer.
    pub standing: Standing,
    /// What was looked at, for people: a relative path, a cache entry, a host.
    pub subject: String,
    /// One sentence that says what was seen.
    pub says: String,
}

/// How a finding bears on its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The damage was seen.
    Confirms,
    /// It was looked for and is not there.
    Refutes,
    /// It could not be looked at. "Cannot read" is not "corrupt".
    CannotTell,
    /// The thing is damaged in a way that must not be healed (possible tampering, drift): stops every playbook
    /// of the class that would act, and is said to people.
    Forbids,
}

impl Standing {
    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Standing::Confirms => "confirms",
            Standing::Refutes => "refutes",
            Standing::CannotTell => "cannot-tell",
            Standing::Forbids => "forbids",
        }
    }

    /// The standing with this id.
    pub fn parse(id: &str) -> Option<Self> {
        [Self::Confirms, Self::Refutes, Self::CannotTell, Self::Forbids].into_iter().find(|s| s.id() == id)
    }
}
