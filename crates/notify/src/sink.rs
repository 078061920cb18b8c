//! A way out, whichever it is.

use std::time::Duration;

use crate::{Email, Notice, PagerDuty, Slack, Teams, Webhook};

/// Where notices go.
#[derive(Debug, Clone)]
pub enum Sink {
    /// A channel in Slack.
    Slack(Slack),
    /// A channel in Microsoft Teams.
    Teams(Teams),
    /// Any program.
    Webhook(Webhook),
    /// Mailboxes.
    Email(Box<Email>),
    /// Whoever is on call.
    PagerDuty(PagerDuty),
}

/// Why somebody could not be told. No address and no key is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// It may work later.
    #[error("{why}")]
    Later {
        /// Why.
        why: String,
        /// How long to wait at least, where it was said.
        after: Option<Duration>,
    },
    /// It never will: the key, the address or the message is wrong.
    #[error("refused: {why}")]
    Refused {
        /// Why.
        why: String,
    },
}

impl SinkError {
    pub(crate) fn later(why: impl Into<String>) -> SinkError {
        SinkError::Later { why: why.into(), after: None }
    }
}

impl Sink {
    /// Tells it. Blocks, for 10 seconds at most (e-mail: 30).
    ///
    /// # Errors
    /// [`SinkError`].
    pub fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        match self {
            Sink::Slack(slack) => slack.send(notice),
            Sink::Teams(teams) => teams.send(notice),
            Sink::Webhook(webhook) => webhook.send(notice),
            Sink::Email(email) => email.send(notice),
            Sink::PagerDuty(pager) => pager.send(notice),
        }
    }

    /// What kind of way it is, as the configuration calls it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Sink::Slack(_) => "slack",
            Sink::Teams(_) => "teams",
            Sink::Webhook(_) => "webhook",
            Sink::Email(_) => "email",
            Sink::PagerDuty(_) => "pagerduty",
        }
    }
}
