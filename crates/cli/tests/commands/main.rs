//! Every command that reads or changes what is on record, as a person meets it: the whole output of the real binary in
//! a scrubbed environment.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../../src/documented/fences.rs"]
mod fences;

mod accepted;
mod approval;
mod breakers;
mod cache;
mod cache_forget;
mod cache_killed;
mod clock;
mod demo;
mod diagnose;
mod drafts;
mod empty;
mod ending;
mod fleet;
mod healed;
mod help_acting;
mod help_fleet;
mod help_known;
mod help_ledger;
mod help_patterns;
mod help_reading;
mod history;
mod history_gitlab;
mod itself;
mod known;
mod limits;
mod lockfile;
mod manual;
mod mcp;
mod notify;
mod own;
mod pipes;
mod proposing;
mod proving;
mod repairing;
mod report;
mod rollback;
mod said;
mod transfer;
mod watching;
mod workflow;
