//! Changes of files that are proposed as a pull request, and verdicts beside a commit.

use std::time::SystemTime;

use super::Marker;

/// Files changed on a branch of their own, and a pull request (merge request) for them. Masked by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The branch it is to go to.
    pub base: String,
    /// The branch that carries it. Begins with `regreen/`, so that it is nobody else's.
    pub branch: String,
    /// The files. At least one.
    pub files: Vec<FileChange>,
    /// The commit's message.
    pub message: String,
    /// The pull request's title.
    pub title: String,
    /// Its text in Markdown; the marker is added.
    pub body: String,
    /// By what it is found again.
    pub marker: Marker,
}

/// One file of a [`Change`].
#[derive(Clone, PartialEq, Eq)]
pub struct FileChange {
    /// From the top of the repository, with `/`; relative, without `..`.
    pub path: String,
    /// What the change was made from; `None` where the file is to be new. On the base branch it must be this still.
    pub before: Option<Vec<u8>>,
    /// What it is to hold.
    pub after: Vec<u8>,
    /// Whether it is a program.
    pub executable: bool,
}

impl std::fmt::Debug for FileChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileChange({:?}, {} bytes)", self.path, self.after.len())
    }
}

/// What came of a [`Change`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The pull request's number.
    pub number: u64,
    /// Its page for people.
    pub url: String,
    /// The commit at the end of its branch.
    pub commit: String,
    /// What was done.
    pub done: Proposed,
}

/// What was done for a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposed {
    /// A pull request was opened.
    Opened,
    /// One was open, and got another commit.
    Updated,
    /// One was open that says the same.
    Unchanged,
}

/// A verdict beside a commit (GitHub: a check run; GitLab: a commit status). Masked by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name, the same each time.
    pub name: String,
    /// The commit.
    pub head_sha: String,
    /// By what it is found again: the incident's id.
    pub marker: Marker,
    /// How far it is, or how it ended.
    pub state: CheckState,
    /// A heading.
    pub title: String,
    /// What happened, in Markdown. One that comes [later](Marker::is_newer) stays.
    pub summary: String,
    /// A page with more.
    pub details_url: Option<String>,
    /// When it began.
    pub started_at: Option<SystemTime>,
}

/// How far a check is, or how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// Under way.
    Running,
    /// All is well.
    Success,
    /// It failed.
    Failure,
    /// It says neither.
    Neutral,
    /// A person has to do something.
    ActionRequired,
}
