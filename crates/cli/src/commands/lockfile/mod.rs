//! `regreen lockfile …`: lockfiles on their own, without a failed job.

mod against;
mod check;
mod propose;
mod put;
mod repair;
mod resolve;
mod watch;

use crate::{args::Lockfile, context::Context, exit::Failed};

/// Checks, repairs or watches.
pub fn lockfile(context: &Context, command: &Lockfile) -> Result<u8, Failed> {
    match command {
        Lockfile::Check(args) => check::check(context, args),
        Lockfile::Repair(args) => repair::repair(context, args),
        Lockfile::Watch(args) => watch::watch(context, args),
    }
}
