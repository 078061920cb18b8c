//! How an incident stands, in a word, a sign and a colour: green and red mean something, and nothing else has them.

use regreen_ledger::{Incident, State};

use super::words::plain;

/// A word with its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Badge {
    /// `good`, `bad`, `busy`, `ask` or `still`.
    pub(super) kind: &'static str,
    /// What it says.
    pub(super) text: String,
}

impl Badge {
    pub(super) fn new(kind: &'static str, text: impl Into<String>) -> Badge {
        Badge { kind, text: text.into() }
    }

    /// How an incident stands.
    pub(super) fn of(incident: &Incident) -> Badge {
        let asks = incident.question.as_ref().is_some_and(|question| question.answer.is_none());
        match (incident.state, incident.outcome.as_deref()) {
            (State::Open, _) if asks => Badge::new("ask", "asks"),
            (State::Open, _) => Badge::new("busy", "healing"),
            (State::AwaitingApproval, _) => Badge::new("ask", "waits for you"),
            (State::Approved, _) => Badge::new("ask", "approved"),
            (State::Closed, Some(outcome)) => Badge::outcome(outcome),
            (State::Closed, None) => Badge::new("still", "closed"),
        }
    }

    /// How an incident ended.
    pub(super) fn outcome(id: &str) -> Badge {
        let kind = match id {
            "healed" => "good",
            "rolled-back" | "stuck" => "bad",
            "awaiting-approval" => "ask",
            _ => "still",
        };
        Badge::new(kind, plain(id))
    }
}
