//! The JSON API, in this very process over a real ledger.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod access;
mod actions;
mod described;
mod jobs;
mod otlp;
mod rate;
mod reading;
mod scraping;
mod seed;
mod shipped;
mod world;
