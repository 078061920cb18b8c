//! What came of a command and could not be said at once, as it lies in the ledger.

use regreen_engine::Answer;
use regreen_forge::{Repository, hook::Sender};
use serde::{Deserialize, Serialize};

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The comment that commanded.
    pub comment: u64,
    /// When it was carried out, in milliseconds since 1970.
    pub since: i64,
    /// What is said.
    pub answer: Answer,
}

/// As it is stored. Fields may be added, never changed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyV1 {
    version: u32,
    sender: String,
    repository: String,
    comment: u64,
    since: i64,
    about: u64,
    on_issue: bool,
    text: String,
}

impl Reply {
    /// One for each command.
    pub(crate) fn key(&self, sender: Sender) -> String {
        format!("{}/answer/{}/{}", sender.id(), self.answer.repository.folded(), self.comment)
    }

    pub(crate) fn stored(&self, sender: Sender) -> String {
        let document = ReplyV1 {
            version: 1,
            sender: sender.id().to_owned(),
            repository: self.answer.repository.as_str().to_owned(),
            comment: self.comment,
            since: self.since,
            about: self.answer.about,
            on_issue: !self.answer.on_change,
            text: self.answer.text.clone(),
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// `None` where this version can't read it.
    pub(crate) fn read(payload: &str) -> Option<(Sender, Reply)> {
        let ReplyV1 { version: 1, sender, repository, comment, since, about, on_issue, text } =
            serde_json::from_str(payload).ok()?
        else {
            return None;
        };
        let (sender, repository) = (Sender::parse(&sender)?, Repository::parse(&repository)?);
        let answer = Answer { repository, about, on_change: !on_issue, text };
        Some((sender, Reply { comment, since, answer }))
    }
}
