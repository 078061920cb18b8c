//! What can be typed about Regreen itself.

use clap::{Parser, Subcommand};

use super::{Format, OwnPatterns, WhichLedger};

/// What `self` does.
#[derive(Debug, Subcommand)]
pub enum Itself {
    /// Say which version this is, what it knows, what it reads, and what is out of date as far as that shows here
    Check(SelfCheckArgs),
}

/// Arguments of `self check`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen self check\n  regreen self check --format json\n\n\
                        Nothing is asked over the network. Exit code: 0 nothing is wrong, 18 something is.")]
pub struct SelfCheckArgs {
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain)]
    pub format: Format,
    #[command(flatten)]
    pub own: OwnPatterns,
    #[command(flatten)]
    pub at: WhichLedger,
}
