//! `regreen lockfile …`: lockfiles on their own, without a failed job.

mod against;
mod check;

use crate::{args::Lockfile, context::Context, exit::Failed};

/// Checks.
pub fn lockfile(context: &Context, command: &Lockfile) -> Result<u8, Failed> {
    match command {
        Lockfile::Check(args) => check::check(context, args),
    }
}
