//! `regreen`: turns red CI green again when, and only when, the infrastructure was at fault.
//!
//! The only place that prints, reads the environment and opens configuration. One file a command.

mod args;
mod commands;
mod config;
mod context;
mod credentials;
mod custom;
mod decided_by;
#[cfg(test)]
mod documented;
mod exit;
mod fleet_server;
mod inputs;
mod live;
mod lockfiles;
mod log_store;
mod output;
mod own_playbooks;
mod panics;
mod passed;
mod record;
mod tally;
mod voice;

use std::process::ExitCode;

fn main() -> ExitCode {
    panics::say_places_only();
    let args = args::Args::read();
    ExitCode::from(commands::dispatch(args))
}
