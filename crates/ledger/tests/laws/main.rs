//! The laws of the ledger, with real files.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod approvals;
mod audit;
mod breakers;
mod imports;
mod incidents;
mod journal;
mod killed;
mod masking;
mod measures;
mod opening;
mod world;
