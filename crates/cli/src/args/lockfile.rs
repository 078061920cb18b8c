//! Arguments of `lockfile`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use regreen_lockfile::AllowedHost;

/// What `lockfile` does.
#[derive(Debug, Subcommand)]
pub enum Lockfile {
    /// Check lockfiles without the network and without the tools that wrote them
    Check(CheckArgs),
}

/// Arguments of `lockfile check`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen lockfile check\n  regreen lockfile check --allow-host npm.example.com package-lock.json\n  \
                  regreen lockfile check --against origin/main --format sarif > lockfiles.sarif\n\n\
                  Below a folder, what git ignores and folders of installed packages are left out; name a file to\n\
                  check it all the same. `regreen explain RULE` says what a finding means.\n\n\
                  Exit code: 0 nothing is wrong (warnings and notes count as nothing), 18 a lockfile has errors,\n\
                  3 a file can't be read or there is no lockfile, 4 the configuration is invalid."
)]
pub struct CheckArgs {
    /// Lockfiles, and folders that are searched for them
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// A host that packages may come from, beside the tool's default registry; `*.example.com` for all below. With
    /// any such host, given here or configured, every other host is an error. May be repeated
    #[arg(long, value_name = "HOST", value_parser = host)]
    pub allow_host: Vec<AllowedHost>,
    /// Compare with this commit or branch, where this branch left it, and say what changed: a checksum that changed
    /// without its version is an error
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = CheckFormat::Plain)]
    pub format: CheckFormat,
}

/// How to say what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line, one line a lockfile
    Json,
    /// SARIF 2.1.0, one document for all lockfiles
    Sarif,
}

fn host(text: &str) -> Result<AllowedHost, String> {
    AllowedHost::parse(text).ok_or_else(|| {
        "a host such as npm.example.com, npm.example.com:8443 or *.example.com, without protocol and path"
            .to_owned()
    })
}
