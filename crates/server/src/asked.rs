//! What a person asks for over HTTP that only whoever works beside the fleet can do, as it lies in the ledger.

use regreen_engine::Order;
use regreen_forge::{
    Repository,
    hook::{Command, Sender},
};
use serde::{Deserialize, Serialize};

/// What a person asks for about an incident, who has shown that they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Of which repository the incident is.
    pub repository: Repository,
    /// Its id.
    pub incident: String,
    /// Who asks, as the record names them.
    pub actor: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What is wanted.
    pub wanted: Wanted,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// What is under way is taken back.
    Rollback,
}

/// As it is stored. Fields may be added, never changed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedV1 {
    version: u32,
    sender: String,
    repository: String,
    incident: String,
    actor: String,
    at: i64,
    word: String,
}

impl Wanted {
    const fn word(self) -> &'static str {
        match self {
            Wanted::Rollback => "rollback",
        }
    }

    fn parse(word: &str) -> Option<Wanted> {
        [Wanted::Rollback].into_iter().find(|wanted| wanted.word() == word)
    }
}

impl Asked {
    /// One for each time that it is asked: what is so already stays so.
    pub(crate) fn key(&self, sender: Sender) -> String {
        format!("{}/asked/{}/{}/{}", sender.id(), self.incident, self.wanted.word(), self.at)
    }

    pub(crate) fn stored(&self, sender: Sender) -> String {
        let document = AskedV1 {
            version: 1,
            sender: sender.id().to_owned(),
            repository: self.repository.as_str().to_owned(),
            incident: self.incident.clone(),
            actor: self.actor.clone(),
            at: self.at,
            word: self.wanted.word().to_owned(),
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// `None` where this version can't read it.
    pub(crate) fn read(payload: &str) -> Option<(Sender, Asked)> {
        let AskedV1 { version: 1, sender, repository, incident, actor, at, word } =
            serde_json::from_str(payload).ok()?
        else {
            return None;
        };
        let (sender, repository) = (Sender::parse(&sender)?, Repository::parse(&repository)?);
        Some((sender, Asked { repository, incident, actor, at, wanted: Wanted::parse(&word)? }))
    }

    /// As the engine takes it.
    pub(crate) fn order(&self) -> Order {
        Order {
            repository: self.repository.clone(),
            comment: 0,
            at: self.at,
            about: None,
            on_change: false,
            author: self.actor.clone(),
            actor: self.actor.clone(),
            command: match self.wanted {
                Wanted::Rollback => Command::Rollback { incident: Some(self.incident.clone()) },
            },
        }
    }
}
