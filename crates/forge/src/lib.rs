//! The port to a CI host: what Regreen asks of GitHub and GitLab, in words that mean the same at both.
//!
//! [`Forge`] is the trait; what it takes and gives are plain types. Nothing here decides anything: whether a job may run
//! again is the engine's matter. Enforced here is only what no caller may get wrong: a rerun is sent once, after the run
//! has ended, and only for the commit and attempt that were diagnosed; an empty name never means "all".
//!
//! What hosts tell by themselves comes in by [`hook`].

mod calls;
mod github;
mod gitlab;
pub mod hook;
mod port;
mod wire;

pub use calls::options::Options;
pub use github::{Credential, GitHub};
pub use gitlab::{Counted, GitLab, NotACount, Variable};
pub use port::{
    Actor, Annotation, BoxFuture, Budget, Cache, Calls, Change, Check, CheckState, Comment, Conclusion,
    Cursor, Diagnosed, FileChange, Forge, ForgeError, Issue, IssueText, Job, JobLog, JobRef, Level, LogEntry,
    Marker, MaySend, NotAllowed, Page, Permission, Proposal, Proposed, Quota, Remote, Repository, Rerun, Run,
    RunRef, Status, Step,
};
pub use wire::{archive::Bounds, backoff::Backoff, secret::Secret};
