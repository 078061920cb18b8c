//! `regreen cache …`: the caches of package managers and compilers on their own, without a failed job; and those that a CI host keeps.

mod check;
mod forget;
mod repair;
mod select;
mod stats;
mod watching;

use crate::{args::Cache, context::Context, exit::Failed};

/// Checks, repairs, or counts.
pub fn cache(context: &Context, command: &Cache) -> Result<u8, Failed> {
    match command {
        Cache::Check(args) => check::check(context, args),
        Cache::Repair(args) => repair::repair(context, args),
        Cache::Stats(args) => stats::stats(context, args),
        Cache::Forget(args) => forget::forget(context, args),
    }
}
