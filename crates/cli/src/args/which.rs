//! Which ledger a command reads or writes.

use clap::{Arg, Args};

use super::{Audit, Breaker, Cache, Command, Incidents, Itself, Ledger, Metrics, Patterns, State};

/// The ledger that is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct WhichLedger {
    /// A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
    #[arg(long, env = "REGREEN_LEDGER", hide_env_values = true, value_name = "ADDRESS", value_parser = line)]
    pub ledger: Option<String>,
}

/// Without the line break at the end that a value has which was made from a file: `kubectl create secret --from-file` keeps it.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a parser that may refuse")]
fn line(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same option of a command beside the fleet, where no workspace has a ledger of its own.
pub(super) fn beside_the_fleet(ledger: Arg) -> Arg {
    ledger.help("The ledger: a file, or postgres://… (default: fleet/ledger.db in the user's state folder)")
}

impl Command {
    /// The ledger that was named, for a command that takes one.
    pub fn ledger(&self) -> Option<&str> {
        let at = match self {
            Command::Status(args) => &args.at,
            Command::Incidents(Incidents::List(filters)) => &filters.at,
            Command::Incidents(Incidents::Show { at, .. } | Incidents::Replay { at, .. }) => at,
            Command::Incidents(Incidents::Reopen(args)) => &args.at,
            Command::Approve(args) => &args.at,
            Command::Deny(args) => &args.at,
            Command::Rollback(args) => &args.at,
            Command::Feedback(args) => &args.at,
            Command::Cache(Cache::Forget(args)) => &args.at,
            Command::Breaker(Breaker::List { at, .. }) => at,
            Command::Breaker(Breaker::Reset(args)) => &args.at,
            Command::Metrics(Metrics::Export(args)) => &args.at,
            Command::Audit(Audit::Verify { at, .. }) => at,
            Command::State(State::Export { at, .. } | State::Import { at, .. }) => at,
            Command::Ledger(
                Ledger::Backup { at, .. }
                | Ledger::Restore { at, .. }
                | Ledger::Prune { at, .. }
                | Ledger::Check { at, .. },
            ) => at,
            Command::Patterns(Patterns::Suggest(args)) => &args.at,
            Command::Mcp(args) => &args.at,
            Command::Itself(Itself::Check(args)) => &args.at,
            _ => return None,
        };
        at.ledger.as_deref()
    }
}
