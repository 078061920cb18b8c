//! Arguments of `notify`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Who is told beside the fleet.
#[derive(Debug, Subcommand)]
pub enum Notify {
    /// Send a test notice to every sink of `[[notify.sink]]`, or to those that are named
    Test(NotifyTestArgs),
}

/// Arguments of `notify test`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen notify test\n  regreen notify test ops --config /etc/regreen/config.toml\n\n\
                  Each sink gets one notice at once, whatever its rules, quiet hours and limits say. The exit code is 5\n\
                  where one can't be told."
)]
pub struct NotifyTestArgs {
    /// Sinks, by name
    #[arg(value_name = "SINK")]
    pub sinks: Vec<String>,
    /// The operator's configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
