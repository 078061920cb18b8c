//! What can be typed after `demo`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Arguments of `demo`.
#[derive(Debug, Parser)]
pub struct DemoArgs {
    /// What to break
    #[arg(value_enum, value_name = "CAUSE", default_value_t = DemoCause::Lockfile)]
    pub cause: DemoCause,
    /// With which package manager (default: the first of npm, cargo and pip that is installed)
    #[arg(long, value_enum)]
    pub tool: Option<DemoTool>,
    /// Write the diagnosis and the outcome as one line of JSON to this file
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

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
