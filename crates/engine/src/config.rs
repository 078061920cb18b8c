//! What the operator configured, ready for use.

use std::time::Duration;

use regreen_decide::Policy;
use regreen_ledger::BreakerPolicy;
use regreen_steps::Mirror;

/// The tunables of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How far Regreen may go.
    pub policy: Policy,
    /// Time for Regreen's own work on one failure: looking, waiting, repairing. The repeated command's own time is not
    /// Regreen's to cut.
    pub recovery_timeout: Duration,
    /// When a circuit breaker opens, and for how long.
    pub breaker: BreakerPolicy,
    /// Mirrors, in order of preference.
    pub mirrors: Vec<Mirror>,
    /// Whether steps may run commands of the operator's own.
    pub allow_commands: bool,
    /// `--yes`.
    pub yes: bool,
    /// `--rerun=always`.
    pub rerun_always: bool,
    /// `--dry-run`: every look and nothing else.
    pub dry_run: bool,
}
