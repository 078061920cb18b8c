//! What happens, for whoever tells people. A happening is a struct; saying it is the only way to show it.

use regreen_domain::{Decision, Diagnosis};

/// A happening.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// Work that takes a while goes on.
    Progress(&'a str),
    /// Something is not as it should be, and Regreen goes on without it.
    Warning(&'a str),
    /// The failure was diagnosed.
    Diagnosed(&'a Diagnosis),
    /// It was decided what to do; what it would change, for a dry run.
    Decided(&'a Decision),
    /// A playbook can't help here; the next one is tried.
    PassedOver {
        /// Its id.
        playbook: &'a str,
        /// Why.
        why: &'a str,
    },
    /// A playbook begins.
    Healing {
        /// Its id.
        playbook: &'a str,
        /// The incident.
        incident: &'a str,
        /// Which attempt, from 1.
        attempt: u32,
    },
    /// Every factor held.
    Healed {
        /// The incident.
        incident: &'a str,
        /// What was wrong, in one sentence.
        wrong: &'a str,
        /// What was done, in one sentence.
        done: &'a str,
        /// Where the patch of changed tracked files is.
        patch: Option<&'a str>,
    },
    /// It did not hold; everything Regreen wrote is as before.
    RolledBack {
        /// The incident.
        incident: &'a str,
        /// Why.
        why: &'a str,
    },
    /// Something could not be put back; a person must look.
    Stuck {
        /// The incident.
        incident: &'a str,
        /// What.
        why: &'a str,
    },
}

/// Tells people.
pub trait Voice: Send + Sync {
    /// Tells one happening.
    fn tell(&self, event: Event<'_>);
}
