//! Beside the fleet: webhooks come in over HTTP, and are acknowledged once they are durable and before anything is done
//! about them.
//!
//! [`serve`] takes them, [`Worker`] does what comes of them, [`schedule`] looks for what nobody told. All of them share one
//! ledger and nothing else, so that any number of each may run in any number of processes.
//!
//! Nothing of a request is kept, logged or read beyond its signature before its sender is proven. What is kept of a
//! proven one is what it says in Regreen's own words, never its body.

pub mod access;
pub mod act;
mod api;
mod asked;
mod fresh;
mod happening;
mod hooks;
mod http;
mod inbox;
mod jobs;
mod limits;
mod memory;
mod otlp;
mod pages;
mod patience;
mod problem;
mod reply;
mod room;
mod schedule;
pub mod shape;
mod task;
mod teller;
mod worker;

pub use api::{Api, Budgets, Sinks, description, history};
pub use asked::{Asked, Wanted};
pub use happening::{Happening, Level, Log, Refused};
pub use hooks::Hooks;
pub use http::{Doors, Drained, serve};
pub use inbox::{Accepted, Inbox, InboxFuture, NewDelivery, Unavailable};
pub use jobs::Jobs;
pub use limits::Limits;
pub use memory::LedgerInbox;
pub use otlp::Otlp;
pub use pages::{Pages, Settings, Value, Values};
pub use reply::Reply;
pub use schedule::{Timetable, schedule};
pub use task::{Listed, Spoken, Task};
pub use teller::{Calm, Teller};
pub use worker::{Pace, Part, Worker};
