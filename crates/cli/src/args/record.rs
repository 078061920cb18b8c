//! What can be typed about what is on record: incidents and a person's word on them, breakers, figures, state.

use std::path::PathBuf;

use clap::{
    Parser, Subcommand, ValueEnum,
    builder::{NonEmptyStringValueParser, PossibleValuesParser},
    value_parser,
};
use regreen_domain::{FailureClass, Outcome};

use super::{Format, WhichLedger, WhichPatterns};

/// Arguments of `status`.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  regreen status --format json")]
pub struct StatusArgs {
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// What `incidents` does.
#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// The newest first
    List(IncidentFilters),
    /// One with everything on record: diagnosis, decision, timeline, verification, patch
    #[command(after_help = "Examples:\n  regreen incidents show 19abc2f3d40-1a2b-1\n  \
                            regreen incidents show 19abc2f3d40-1a2b-1 --log build")]
    Show {
        /// Its id
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        /// Only the log that was kept of this job, masked
        #[arg(long, value_name = "JOB", conflicts_with = "format")]
        log: Option<String>,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Open one again in which the fleet did nothing, to be decided anew by what holds now
    Reopen(ReopenArgs),
    /// Decide again from what is on record, and say whether the decision is the same
    #[command(after_help = "Examples:\n  regreen incidents replay 19abc2f3d40-1a2b-1\n  \
                            regreen incidents replay 4d-1-0d6c937a --ledger fleet.db --config /etc/regreen/config.toml\n\n\
                            Nothing is looked at but the ledger and what is known today, and nothing is done. Known are the\n\
                            built-in patterns and playbooks; of an incident of this workspace the operator's and the\n\
                            repository's own; of one beside the fleet the operator's patterns and the accepted ones.\n\
                            Exit code: 0 the decision from the same inputs is the same, 18 it is not.")]
    Replay {
        /// Its id
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        at: WhichLedger,
        #[command(flatten)]
        which: WhichPatterns,
    },
}

/// Arguments of `incidents reopen`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen incidents reopen 4d-1-0d6c937a --ledger postgres://regreen@db/regreen\n  \
                        regreen incidents reopen 4d-1-0d6c937a --reason \"the registry is back\"\n\n\
                        It is no leave to heal. Only an incident of a CI host's run can be opened again: of the run's\n\
                        latest attempt, in which nothing was done, and within 20 hours. Whichever `regreen serve` or\n\
                        `regreen worker` shares the ledger goes on with it. Exit code: 0 it is open, 3 there is no such\n\
                        incident, or it is of no CI host's run or of an earlier attempt, 14 refused."
)]
pub struct ReopenArgs {
    /// Its id
    #[arg(value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub incident: String,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Which incidents.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen incidents list --outcome healed\n  \
                        regreen incidents list --class network-timeout --format json")]
pub struct IncidentFilters {
    /// Only those of this class
    #[arg(long, value_parser = class)]
    pub class: Option<FailureClass>,
    /// Only those that ended like this; `open` and `approved` are still to end
    #[arg(long, value_parser = outcomes())]
    pub outcome: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u32).range(1..=10_000), value_name = "N")]
    pub limit: u32,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    #[command(flatten)]
    pub at: WhichLedger,
}

fn outcomes() -> PossibleValuesParser {
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::id).into_iter().chain(["open", "approved"]))
}

/// Arguments of `approve`.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  regreen approve 19abc2f3d40-1a2b-1\n\n\
                        The word is good for one run of the same command in this workspace that fails in the same way\n\
                        and is healed by the same playbook, within 24 hours. Of an incident beside the fleet, whichever\n\
                        `regreen serve` or `regreen worker` looks next goes on with it itself, if nothing has changed.")]
pub struct ApproveArgs {
    /// Id of an incident that waits for approval
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub incident: String,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Arguments of `deny`.
#[derive(Debug, Parser)]
#[command(after_help = "Example:\n  regreen deny 19abc2f3d40-1a2b-1 --reason \"the branch is frozen\"\n\n\
                        An approval that no run has used yet can be taken back in the same way.")]
pub struct DenyArgs {
    /// Id of an incident that waits for approval, or was approved
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub incident: String,
    /// Why
    #[arg(long)]
    pub reason: Option<String>,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Stands where `rollback` was given no reason.
pub const ANY_REASON: &str = "a person asked for it";

/// Arguments of `rollback`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  regreen rollback 19abc2f3d40-1a2b-1 --reason \"the lockfile was meant to change\"\n\n\
                        A healed incident is taken back by its patch in reverse, and only while the file is byte for\n\
                        byte what Regreen left. What the fleet has under way at a CI host is cancelled by whoever works\n\
                        beside it. Exit code: 0 as before, or listed for the fleet, 3 nothing is under way at the host, 14\n\
                        refused and nothing touched, 16 a person must look."
)]
pub struct RollbackArgs {
    /// Id of the incident
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub incident: String,
    /// Why
    #[arg(long, default_value = ANY_REASON)]
    pub reason: String,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Arguments of `pause`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen pause --reason \"release day\"\n  regreen pause --fleet --repository octo-org/octo-repo"
)]
pub struct PauseArgs {
    /// Why
    #[arg(long, default_value = "no reason was given")]
    pub reason: String,
    #[command(flatten)]
    pub whose: PausedArgs,
}

/// Arguments of `unpause`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen unpause\n  regreen unpause --fleet")]
pub struct UnpauseArgs {
    #[command(flatten)]
    pub whose: PausedArgs,
}

/// What is paused.
#[derive(Debug, Parser)]
#[command(mut_arg("ledger", super::which::beside_the_fleet))]
pub struct PausedArgs {
    /// What `regreen serve` and `regreen worker` do, instead of this workspace
    #[arg(long)]
    pub fleet: bool,
    /// Of that, one repository
    #[arg(long, value_name = "OWNER/REPO", requires = "fleet", value_parser = super::serve::repository)]
    pub repository: Option<regreen_forge::Repository>,
    /// At that host alone, github or gitlab, instead of at each
    #[arg(long, value_name = "HOST", requires = "fleet", value_parser = super::serve::host)]
    pub host: Option<regreen_forge::hook::Sender>,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// Arguments of `feedback`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Example:\n  regreen feedback 19abc2f3d40-1a2b-1 --class test-failure --note \"flaky test\""
)]
pub struct FeedbackArgs {
    /// Id of the incident
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub incident: String,
    /// Its class, e.g. test-failure
    #[arg(long, value_parser = class)]
    pub class: FailureClass,
    /// What else there is to say
    #[arg(long)]
    pub note: Option<String>,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// What `breaker` does.
#[derive(Debug, Subcommand)]
pub enum Breaker {
    /// Every circuit breaker that something happened to
    #[command(after_help = "Example:\n  regreen breaker list")]
    List {
        /// How to say it
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        format: Format,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Close breakers, so that healing may be tried again at once
    Reset(ResetArgs),
}

/// Arguments of `breaker reset`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen breaker reset network-timeout/npm/github.com/org/repo\n  regreen breaker reset --all"
)]
pub struct ResetArgs {
    /// Keys as `breaker list` shows them: CLASS/SERVICE/REPOSITORY
    #[arg(
        value_name = "KEY",
        required_unless_present = "all",
        conflicts_with = "all",
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub keys: Vec<String>,
    /// Every breaker of this workspace
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// What `metrics` does.
#[derive(Debug, Subcommand)]
pub enum Metrics {
    /// Every figure with the number of cases that it comes from; no data is null, never a number
    Export(MetricsArgs),
}

/// Arguments of `metrics export`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen metrics export --format prometheus\n  \
                        regreen metrics export --format original --output .github/metrics/infrastructure-auto-healing-metrics.json")]
pub struct MetricsArgs {
    /// In which shape
    #[arg(long, value_enum, default_value_t = MetricsFormat::Json)]
    pub format: MetricsFormat,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub at: WhichLedger,
}

/// The shapes of `metrics export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MetricsFormat {
    /// Regreen's own, versioned
    Json,
    /// Text exposition format for a node exporter's textfile collector or a push gateway
    Prometheus,
    /// The metrics file of the system that Regreen follows
    Original,
}

/// What `audit` does.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check every entry, every row, and that the chain had this head
    #[command(after_help = "Example:\n  regreen audit verify --head HASH\n\n\
                            Exit code: 0 it holds, 18 it does not.")]
    Verify {
        /// A head that was printed earlier
        #[arg(long)]
        head: Option<String>,
        #[command(flatten)]
        at: WhichLedger,
    },
}

/// What `state` does.
#[derive(Debug, Subcommand)]
pub enum State {
    /// Write everything on record to a file, with its audit chain
    #[command(after_help = "Example, around a CI cache:\n  regreen state export .cache/regreen.jsonl\n\n\
                            Where nothing is on record no file is written, and that is no error.")]
    Export {
        /// The file; `-` is standard output
        file: PathBuf,
        #[command(flatten)]
        at: WhichLedger,
    },
    /// Take in what another machine exported, all of it or nothing
    #[command(after_help = "Example, around a CI cache:\n  regreen state import .cache/regreen.jsonl\n\n\
                            What comes in can be read and counted; it never makes Regreen act. Exit code: 0 taken in,\n\
                            3 nothing to read, 18 the file does not add up and nothing of it was taken in.")]
    Import {
        /// The file; `-` is standard input
        file: PathBuf,
        #[command(flatten)]
        at: WhichLedger,
    },
}

fn class(text: &str) -> Result<FailureClass, String> {
    FailureClass::parse(text).ok_or_else(|| {
        let known: Vec<&str> = FailureClass::ALL.iter().map(|class| class.id()).collect();
        format!("no such class; the classes are {}", known.join(", "))
    })
}
