//! Issues and comments.

use super::Marker;

/// An issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number in its repository.
    pub number: u64,
    /// Whether it is open.
    pub open: bool,
    /// Its title.
    pub title: String,
    /// Its text, with the marker.
    pub body: String,
    /// Its page for people.
    pub url: String,
}

/// What an issue is to say. Masked by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueText {
    /// By what it is found again.
    pub marker: Marker,
    /// Its title.
    pub title: String,
    /// Its text in Markdown; the marker is added.
    pub body: String,
    /// Labels beside Regreen's own.
    pub labels: Vec<String>,
}

/// A comment on an issue or pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id at the host.
    pub id: u64,
    /// Its page for people.
    pub url: String,
}

/// What an account may do in a repository; each includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing.
    None,
    /// Look.
    Read,
    /// Change its code.
    Write,
    /// Change its settings.
    Admin,
}

/// Who Regreen is at the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account's name, e.g. `regreen[bot]`.
    pub login: String,
}
