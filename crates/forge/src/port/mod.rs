//! The trait, and the types that pass through it.

mod calls;
mod change;
mod error;
mod forge;
mod issue;
mod name;
mod remote;
mod run;

pub use calls::Calls;
pub use change::{Change, Check, CheckState, FileChange, Proposal, Proposed};
pub use error::{ForgeError, NotAllowed, Quota};
pub use forge::{BoxFuture, Budget, Cache, Cursor, Forge, MaySend, Page};
pub use issue::{Actor, Comment, Issue, IssueText, Permission};
pub use name::{Marker, Repository};
pub use remote::Remote;
pub use run::{
    Annotation, Conclusion, Diagnosed, Job, JobLog, JobRef, Level, LogEntry, Rerun, Run, RunRef, Status, Step,
};
