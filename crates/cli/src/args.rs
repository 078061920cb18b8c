//! What can be typed.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use regreen_domain::FailureClass;

/// Turns red CI green again when, and only when, the infrastructure was at fault.
#[derive(Debug, Parser)]
#[command(
    name = "regreen",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  regreen run -- npm ci          wrap a command: heal it if the infrastructure was at fault\n  \
                  regreen diagnose build.log     say why a job failed\n  regreen demo                   see a really broken project healed"
)]
pub struct Args {
    /// When to colour: only on a terminal, always or never (also NO_COLOR)
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command; if the infrastructure makes it fail, heal that and run it again
    Run(RunArgs),
    /// Say why a job failed, from its log
    Diagnose(DiagnoseArgs),
    /// Bring a recovery that was killed to its end: healed, or as before
    Resume,
    /// Say how it stands: state, incidents, and the targets beside what was measured
    Status,
    /// List incidents of this workspace, or show one
    Incidents {
        /// What to do
        #[command(subcommand)]
        command: Incidents,
    },
    /// Check the hash-chained audit log
    Audit {
        /// What to do
        #[command(subcommand)]
        command: Audit,
    },
    /// Say what an incident really was
    Feedback {
        /// Id of the incident
        incident: String,
        /// Its class, e.g. test-failure
        #[arg(long, value_parser = class)]
        class: FailureClass,
        /// What else there is to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Heal nothing in this workspace until `unpause`; seen before the next effect of a running recovery
    Pause {
        /// Why
        #[arg(long, default_value = "no reason was given")]
        reason: String,
    },
    /// Heal again
    Unpause,
    /// List the playbooks
    Playbooks,
    /// List the patterns
    Patterns,
    /// Explain a class, pattern, playbook, reason or exit code
    Explain {
        /// Its id
        code: String,
    },
    /// Measure how good Regreen is
    Bench {
        /// What to measure
        #[command(subcommand)]
        command: Bench,
    },
    /// Print shell completions
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    #[cfg(feature = "demo")]
    /// Break a small real project and heal it before your eyes
    Demo(DemoArgs),
}

/// What `incidents` does.
#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// The newest first
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// One, with its journal
    Show {
        /// Its id
        id: String,
    },
}

/// What `bench` measures.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How often a diagnosis is right, on labelled logs
    Accuracy(AccuracyArgs),
}

/// Arguments of `bench accuracy`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen bench accuracy --corpus logs --set check\n  \
                        regreen bench accuracy --corpus logs --format json > accuracy.json\n\n\
                        The folder holds JSON Lines, packed with zstd or not: {id, label, also, repo, log}. The rows of a\n\
                        repository whose name's SHA-256 is 0 mod 4 are the check set: nothing is tuned on them.")]
pub struct AccuracyArgs {
    /// Folder of labelled logs (*.jsonl, *.jsonl.zst); chunks.jsonl marks the lines that describe a failure
    #[arg(long, value_name = "DIR", env = "REGREEN_CORPUS")]
    pub corpus: PathBuf,
    /// Which rows
    #[arg(long, value_enum, default_value_t = CorpusSet::Check)]
    pub set: CorpusSet,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
    /// Folder of weights from `cargo xtask train --folds DIR`: each row is judged by the model that has not seen its
    /// repository
    #[arg(long, value_name = "DIR")]
    pub folds: Option<PathBuf>,
    /// List what was found wrong; never of the check set, which nobody looks into
    #[arg(long)]
    pub misses: bool,
}

/// A part of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CorpusSet {
    /// The rows that nothing is tuned on
    Check,
    /// The others
    Train,
    /// Every row
    All,
}

/// What `audit` does.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Check every entry, every row, and that the chain had this head
    Verify {
        /// A head that was printed earlier
        #[arg(long)]
        head: Option<String>,
    },
}

/// Arguments of `run`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen run -- npm ci\n  regreen run --idle-timeout 10m -- cargo build --locked\n  \
                        regreen run --mode suggest -- pip install -r requirements.txt\n\n\
                        The exit code is the command's own; 0 once healed and verified; 124 on a time-out;\n\
                        126 or 127 where the command can't be started; 128 + n where signal n ended it."
)]
pub struct RunArgs {
    /// End the command after this long (124)
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub timeout: Option<Duration>,
    /// End the command when it has printed nothing for this long (124), and show what it was doing
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub idle_timeout: Option<Duration>,
    /// How far to go: observe, suggest, approve or auto
    #[arg(long, value_name = "MODE", value_parser = ["observe", "suggest", "approve", "auto"])]
    pub mode: Option<String>,
    /// On a laptop: allow what is otherwise only suggested there, for this run
    #[arg(long)]
    pub yes: bool,
    /// Whether a command that Regreen does not know may be run again
    #[arg(long, value_enum, default_value_t = RerunWhen::Known, value_name = "WHEN")]
    pub rerun: RerunWhen,
    /// Look and decide, but change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Let processes that the command started in the background live on after it
    #[arg(long)]
    pub leave_background: bool,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// Write the diagnosis and the outcome as one line of JSON to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub cmd: Vec<OsString>,
}

/// When a command may be run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RerunWhen {
    /// Only known install, fetch, build and test commands
    Known,
    /// Always: the user knows that it is repeatable
    Always,
}

/// Arguments of `diagnose`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen diagnose build.log\n  gh run view --log-failed | regreen diagnose -\n  \
                        regreen diagnose --format json *.log\n\n\
                        Exit code: 0 no failure found, 10 infrastructure and curable, 17 infrastructure and needs a\n\
                        person, 11 the project's own code, 12 not diagnosed, 3 nothing to read."
)]
pub struct DiagnoseArgs {
    /// Logs to read; `-` is standard input
    #[arg(value_name = "LOG", default_value = "-")]
    pub logs: Vec<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
}

/// How to say a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// One object a line, one line an input
    Json,
}

#[cfg(feature = "demo")]
/// Arguments of `demo`.
#[derive(Debug, Parser)]
pub struct DemoArgs {
    /// What to break
    #[arg(value_enum, value_name = "CAUSE", default_value_t = DemoCause::Lockfile)]
    pub cause: DemoCause,
    /// With which package manager (default: npm where it is installed, else cargo)
    #[arg(long, value_enum)]
    pub tool: Option<DemoTool>,
    /// Write the diagnosis and the outcome as one line of JSON to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

#[cfg(feature = "demo")]
/// What `demo` breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DemoCause {
    /// The lockfile ends in the middle
    Lockfile,
    /// A checksum in the lockfile is wrong
    Checksum,
    /// The package cache is damaged
    Cache,
    /// The connection is reset
    Network,
    /// The registry is down for some seconds
    Service,
}

#[cfg(feature = "demo")]
/// The package manager of `demo`'s project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DemoTool {
    /// npm ci
    Npm,
    /// cargo fetch --locked
    Cargo,
    /// pip install -r requirements.txt
    Pip,
}

fn class(text: &str) -> Result<FailureClass, String> {
    FailureClass::parse(text)
        .ok_or_else(|| "no such class; see `regreen explain unknown` and docs/classes.md".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|e| format!("{e} (examples: 90s, 10m, 1h30m)"))?;
    if duration.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(duration) }
}
