//! Why a host did not do what was asked.

use std::time::SystemTime;

use thiserror::Error;

/// Why a host did not do what was asked. Texts are the host's own, shortened, and hold no credential; they are to be
/// masked before they are shown, as everything from outside.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForgeError {
    /// There is none, or it may not be known that there is one.
    #[error("{what}: not found")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// The credential is wrong, or may not do this. Trying again doesn't help.
    #[error("{what}: not permitted ({why})")]
    Denied {
        /// What was asked for.
        what: String,
        /// What the host says.
        why: String,
    },
    /// Too much was asked in too short a time. Nothing was done.
    #[error("{}", quota.says())]
    RateLimited {
        /// When to ask again.
        until: SystemTime,
        /// Whose limit it is.
        quota: Quota,
    },
    /// What is there is not in a state in which this may be done. Nothing was done.
    #[error("{what}: {why}")]
    NotAllowed {
        /// What was asked for.
        what: String,
        /// Why not.
        why: NotAllowed,
    },
    /// The host can't be reached, or says that it can't serve. Nothing was done. Worth trying again later.
    #[error("{what}: {why}")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// What was seen.
        why: String,
    },
    /// The answer to a change was lost, and looking did not tell whether it was done. Look before trying again.
    #[error("{what}: whether it was done is not known ({why})")]
    Unknown {
        /// What was asked for.
        what: String,
        /// What was seen.
        why: String,
    },
    /// The host answered what it never should.
    #[error("{what}: the answer makes no sense ({why})")]
    Garbage {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The listing has more pages than are read: it is a loop, or nothing that can be looked through.
    #[error("{what}: the listing does not end after {pages} pages")]
    Endless {
        /// What was asked for.
        what: String,
        /// So many were read.
        pages: usize,
    },
    /// The answer is larger than is taken.
    #[error("{what}: larger than the {limit} bytes that are taken")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// How much is taken.
        limit: u64,
    },
    /// What the caller asked for makes no sense: an empty key, a branch that isn't Regreen's. Nothing was sent.
    #[error("{what}: {why}")]
    Invalid {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ForgeError {
    /// Whether the same may work later without anybody doing anything. What makes no sense may be a gateway's; what is too
    /// large, or does not end, is so the next time too.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            ForgeError::RateLimited { .. } | ForgeError::Unreachable { .. } | ForgeError::Garbage { .. }
        )
    }

    /// Whether what was begun has to wait: it passes by itself, or a credential is refused that somebody is changing.
    pub const fn has_to_wait(&self) -> bool {
        self.is_passing() || matches!(self, ForgeError::Denied { .. })
    }

    /// Whether it was not sent because whoever asked for it wants it no more.
    pub(crate) const fn is_stopped(&self) -> bool {
        matches!(self, ForgeError::NotAllowed { why: NotAllowed::Stopped, .. })
    }

    /// Whether it is sure that nothing was done.
    pub const fn had_no_effect(&self) -> bool {
        !matches!(
            self,
            ForgeError::Unknown { .. }
                | ForgeError::Garbage { .. }
                | ForgeError::Endless { .. }
                | ForgeError::TooLarge { .. }
        )
    }
}

/// Whose limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// The host's, by the hour.
    Hourly,
    /// The host's, against bursts (GitHub: secondary limits; GitLab: all, they are by the minute).
    Burst,
    /// Regreen's own, below the host's: what it leaves to others.
    Reserve,
}

impl Quota {
    const fn says(self) -> &'static str {
        match self {
            Quota::Hourly => "the host's hourly limit is used up",
            Quota::Burst => "the host asks to slow down",
            Quota::Reserve => "what is left of the host's limit is for others",
        }
    }
}

/// Why something may not be done in the state that things are in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAllowed {
    /// The run has not ended.
    #[error("the run has not ended")]
    NotEnded,
    /// The run has ended: there is nothing to cancel.
    #[error("the run has ended")]
    Ended,
    /// It is no longer the commit that was diagnosed.
    #[error("the run is of commit {head_sha}, not of the one that was diagnosed")]
    OtherCommit {
        /// The commit it is of.
        head_sha: String,
    },
    /// The run was repeated since. After a crash this may be one's own doing.
    #[error("the run is at attempt {attempt} by now")]
    OtherAttempt {
        /// The attempt it is at.
        attempt: u32,
    },
    /// The host repeats runs only for so long.
    #[error("the run is older than the {days} days for which it can be repeated")]
    TooOld {
        /// For how long.
        days: u32,
    },
    /// The host repeats a run only so often.
    #[error("the run was tried {attempts} times, which is as often as the host allows")]
    TooOften {
        /// How often it was.
        attempts: u32,
    },
    /// The log is gone: the host keeps it only for so long.
    #[error("it is gone")]
    Gone,
    /// The file on the base branch is not the one that the change was made from.
    #[error("`{path}` has changed on the base branch")]
    Changed {
        /// The file.
        path: String,
    },
    /// A person closed a pull request that said the same.
    #[error("a pull request that said the same was closed (#{number})")]
    Declined {
        /// Its number.
        number: u64,
    },
    /// Whoever asked for it wants it no more: a kill switch was thrown before it was sent.
    #[error("healing was paused before it was sent")]
    Stopped,
    /// This host can't do such a thing.
    #[error("{how}")]
    Unsupported {
        /// What it has instead, in a sentence.
        how: &'static str,
    },
    /// The host says no, in its own words.
    #[error("the host says: {0}")]
    Other(String),
}
