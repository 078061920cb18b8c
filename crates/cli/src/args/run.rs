//! What can be typed after `run`.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use super::OwnPatterns;

/// Arguments of `run`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen run -- npm ci\n  regreen run --idle-timeout 10m -- cargo build --locked\n  \
                        regreen run --mode suggest -- pip install -r requirements.txt\n  \
                        regreen run --server https://regreen.example -- npm ci\n\n\
                        The exit code is the command's own; 0 once healed and verified; 124 on a time-out;\n\
                        126 or 127 where the command can't be started; 128 + n where signal n ended it\n\
                        or the healing, which is taken back then."
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
    #[command(flatten)]
    pub own: OwnPatterns,
    /// Ask this `regreen serve` before acting, and tell it what came of it; where it is silent, go on alone
    #[arg(long, value_name = "URL", env = "REGREEN_SERVER")]
    pub server: Option<String>,
    /// A file with the token for it (or REGREEN_SERVER_TOKEN)
    #[arg(long, value_name = "FILE")]
    pub server_token_file: Option<PathBuf>,
    /// Write the diagnosis and the outcome as one line of JSON to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write annotations, the summary and the outputs of the GitHub step that this is
    #[arg(long)]
    pub github: bool,
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

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|e| format!("{e} (examples: 90s, 10m, 1h30m)"))?;
    if duration.is_zero() { Err("must be longer than nothing".to_owned()) } else { Ok(duration) }
}
