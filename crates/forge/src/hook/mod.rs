//! What CI hosts tell by themselves: a webhook is verified, named and read; pure, so that it can be tried with any bytes.
//!
//! The signature comes first: nothing of a body whose sender is not proven is read. Two headers that matter, the
//! event's name and the delivery's id, are *not* covered by GitHub's signature. So whoever repeats a recorded delivery
//! under a new id gets through here, and must find that the same thing has been done already: [`Event::key`] is made
//! of signed content alone.

mod body;
mod comment;
mod github;
mod gitlab;
mod secret;

use std::fmt;

pub use comment::Command;
pub use secret::{Secret, Secrets, WeakSecret};
use thiserror::Error;

use crate::{Conclusion, Repository};

/// Who sends webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// GitHub, and GitHub Enterprise Server.
    GitHub,
    /// GitLab, hosted or self-managed.
    GitLab,
}

impl Sender {
    /// Every one.
    pub const ALL: [Sender; 2] = [Sender::GitHub, Sender::GitLab];

    /// The stable id, as in addresses and on record.
    pub const fn id(self) -> &'static str {
        match self {
            Sender::GitHub => "github",
            Sender::GitLab => "gitlab",
        }
    }

    /// The sender with this id.
    pub fn parse(id: &str) -> Option<Sender> {
        Sender::ALL.into_iter().find(|sender| sender.id() == id)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sender::GitHub => "GitHub",
            Sender::GitLab => "GitLab",
        })
    }
}

/// The headers of a request: `None` for one that is absent, is there twice, or is no text.
pub type Headers<'a> = &'a dyn Fn(&str) -> Option<&'a str>;

/// A delivery whose sender is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who sent it.
    pub sender: Sender,
    /// The sender's id of it: 1 to 128 letters, digits, `-`, `_`, `.` and `:`.
    pub id: String,
    /// The sender's name of the event, such as `workflow_run`: up to 64 letters, digits, spaces, `_` and `-`.
    pub name: String,
    /// What it says.
    pub event: Event,
}

/// What a webhook says. Texts are hostile: repositories and commits are checked, branches and names only cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A workflow run or pipeline has ended.
    RunEnded(RunEnded),
    /// A job has ended.
    JobEnded(JobEnded),
    /// A check has ended that is no job of a run: somebody else's, or Regreen's own.
    CheckEnded(CheckEnded),
    /// A person commands.
    Comment(Comment),
    /// Nothing that matters here.
    Ignored {
        /// Why not.
        why: &'static str,
    },
    /// It should matter, but is not what the sender's documentation says. The text holds nothing of the payload.
    Refused {
        /// What is wrong with it.
        why: String,
    },
}

/// A workflow run or pipeline that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnded {
    /// Whose it is.
    pub repository: Repository,
    /// The host's id of it.
    pub run: u64,
    /// Which attempt, from 1; GitLab counts none, and only of one that did not fail it can be seen that it is the first.
    pub attempt: Option<u32>,
    /// When it ended, as the host writes it: tells the ends of one pipeline apart where no attempts are counted.
    pub ended_at: Option<String>,
    /// The commit that it ran on, in lower-case hex.
    pub commit: String,
    /// The branch or tag.
    pub branch: Option<String>,
    /// What the workflow is called.
    pub workflow: Option<String>,
    /// How it ended.
    pub conclusion: Conclusion,
    /// Whether the commit comes from another repository than this one, or nobody knows from where.
    pub foreign: bool,
}

/// A job that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnded {
    /// As in [`RunEnded`].
    pub repository: Repository,
    /// The run or pipeline that it belongs to.
    pub run: u64,
    /// Which attempt of the run, from 1; GitLab counts none, and neither does a job's check.
    pub attempt: Option<u32>,
    /// The host's id of the job.
    pub job: u64,
    /// What it is called.
    pub name: String,
    /// As in [`RunEnded`].
    pub commit: String,
    /// How it ended.
    pub conclusion: Conclusion,
}

/// A check that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckEnded {
    /// As in [`RunEnded`].
    pub repository: Repository,
    /// The host's id of it.
    pub check: u64,
    /// What it is called.
    pub name: String,
    /// As in [`RunEnded`].
    pub commit: String,
    /// How it ended.
    pub conclusion: Conclusion,
    /// The app that reports it, where it says so.
    pub app: Option<String>,
}

/// A command in a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// As in [`RunEnded`].
    pub repository: Repository,
    /// The host's id of the comment.
    pub comment: u64,
    /// The number of the issue, pull or merge request that it is about.
    pub about: Option<u64>,
    /// Whether that is, or may be, a pull or merge request: GitHub numbers both alike, GitLab does not.
    pub on_change: bool,
    /// Who wrote it. That somebody may write comments does not say that they may command: the host must be asked.
    pub author: String,
    /// What is wanted.
    pub command: Command,
}

/// A request that is answered with an error; nothing of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejected {
    /// Its sender is not proven.
    #[error("the signature is missing or is none of this server's secrets")]
    Unproven,
    /// A header that every delivery has is absent, is there twice, or is not well formed.
    #[error("the header `{0}` is missing or malformed")]
    Header(&'static str),
    /// The body is of a kind that the sender does not send.
    #[error("the content type is not one that webhooks have")]
    ContentType,
    /// The body is not what its content type says.
    #[error("the body is not what its content type says")]
    Body,
}

/// Whether a body could prove this sender, by the headers alone: where not, none needs to be taken in.
pub fn may_be_proven(sender: Sender, secrets: &Secrets, headers: Headers<'_>) -> bool {
    match sender {
        Sender::GitHub => !secrets.is_empty() && github::signature(headers).is_some(),
        Sender::GitLab => gitlab::is_proven(secrets, headers),
    }
}

/// Proves the sender, and only then reads.
///
/// # Errors
/// [`Rejected`].
pub fn receive(
    sender: Sender,
    secrets: &Secrets,
    headers: Headers<'_>,
    body: &[u8],
) -> Result<Delivery, Rejected> {
    let proven = match sender {
        Sender::GitHub => github::is_proven(secrets, headers, body),
        Sender::GitLab => gitlab::is_proven(secrets, headers),
    };
    if !proven {
        return Err(Rejected::Unproven);
    }
    let (name, id) = match sender {
        Sender::GitHub => (github::name(headers)?, github::delivery(headers)?),
        Sender::GitLab => (gitlab::name(headers)?, gitlab::delivery(headers, body)?),
    };
    let event = read(sender, &name, &body::payload(sender, headers, body)?);
    Ok(Delivery { sender, id, name, event })
}

/// What a payload with this name says. For a delivery that was proven when it was received.
pub fn read(sender: Sender, name: &str, payload: &[u8]) -> Event {
    match sender {
        Sender::GitHub => github::event(name, payload),
        Sender::GitLab => gitlab::event(name, payload),
    }
}

impl Event {
    /// Names what is to be done, from signed content alone: two deliveries with the same key are about the same thing,
    /// whatever their ids are. `None` where nothing is to be done.
    pub fn key(&self) -> Option<String> {
        match self {
            Event::RunEnded(RunEnded { repository, run, attempt, ended_at, .. }) => {
                let which = match (attempt, ended_at) {
                    (Some(attempt), _) => attempt.to_string(),
                    (None, Some(at)) => at.clone(),
                    (None, None) => String::new(),
                };
                Some(format!("run/{repository}/{run}/{which}"))
            }
            Event::JobEnded(JobEnded { repository, job, .. }) => Some(format!("job/{repository}/{job}")),
            Event::CheckEnded(CheckEnded { repository, check, conclusion, .. }) => {
                Some(format!("check/{repository}/{check}/{conclusion:?}").to_lowercase())
            }
            Event::Comment(Comment { repository, comment, .. }) => {
                Some(format!("comment/{repository}/{comment}"))
            }
            Event::Ignored { .. } | Event::Refused { .. } => None,
        }
    }

    /// The stable name of its kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Event::RunEnded(_) => "run-ended",
            Event::JobEnded(_) => "job-ended",
            Event::CheckEnded(_) => "check-ended",
            Event::Comment(_) => "comment",
            Event::Ignored { .. } => "ignored",
            Event::Refused { .. } => "refused",
        }
    }
}
