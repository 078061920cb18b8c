//! Beside the fleet: webhooks come in over HTTP, and are acknowledged once they are durable and before anything is done
//! about them.
//!
//! Nothing of a request is kept, logged or read beyond its signature before its sender is proven. What is kept of a
//! proven one is what it says in Regreen's own words, never its body.

mod happening;
mod hooks;
mod http;
mod inbox;
mod limits;

pub use happening::{Happening, Level, Log};
pub use hooks::Hooks;
pub use http::{Drained, serve};
pub use inbox::{Accepted, Inbox, InboxFuture, NewDelivery, Unavailable};
pub use limits::Limits;
