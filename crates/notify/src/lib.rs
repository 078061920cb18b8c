//! People are told: what a notice says, whom it goes to and when, and one file a way out.
//!
//! Every text of a [`Notice`] is masked and made harmless by whoever makes it; each sink escapes it once more in its
//! own notation, so that a log can neither mention a channel nor forge a link. Nothing here waits, tries again or
//! remembers: sending is work in the ledger like any other, and [`SinkError`] says whether trying again may help.

mod email;
mod notice;
mod pagerduty;
mod post;
mod quiet;
mod route;
mod sink;
mod slack;
mod teams;
mod webhook;

pub use email::{Email, Encryption};
pub use notice::{Kind, Notice, Severity};
pub use pagerduty::PagerDuty;
pub use post::{Address, BadAddress, post_json};
pub use quiet::{BadQuiet, Quiet};
pub use route::{Recipient, Routes, Rule, When};
pub use sink::{Sink, SinkError};
pub use slack::Slack;
pub use teams::Teams;
pub use webhook::{Webhook, signature};
