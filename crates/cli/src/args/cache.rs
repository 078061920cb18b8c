//! Arguments of `cache`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Format;

/// What `cache` does.
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Read the caches of package managers and compilers, and name what is damaged in them
    Check(CacheCheckArgs),
    /// Take the damaged entries out of the caches, so that their tools fetch them anew
    Repair(CacheRepairArgs),
    /// Say how large the caches are, of what they are made, and whether they are of use
    Stats(CacheStatsArgs),
}

/// Which caches.
#[derive(Debug, Args)]
pub struct Caches {
    /// Tools or caches, as docs/caches.md names them; without one, every cache that is here
    #[arg(value_name = "TOOL")]
    pub tools: Vec<String>,
    /// The cache's folder, where it is not the usual one; what kind it is shows by its layout, or by TOOL
    #[arg(long, value_name = "DIR")]
    pub path: Option<PathBuf>,
}

/// Arguments of `cache check`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen cache check\n  regreen cache check npm cargo\n  \
                  regreen cache check npm --path ci-cache/_cacache --format json\n\n\
                  Nothing is written, and nothing is started. Damaged is what contradicts a checksum or\n\
                  its own format; what can't be read is not called damaged. The health is the share of\n\
                  checked entries that are sound.\n\n\
                  Exit code: 0 no damage was found, 18 something is damaged, 3 there is no such cache,\n\
                  130 interrupted.")]
pub struct CacheCheckArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `cache repair`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen cache repair --dry-run\n  regreen cache repair npm --prefetch\n  \
                  regreen cache repair gradle --registry https://repo.maven.apache.org/maven2/\n\n\
                  Exactly what `cache check` names is moved aside, under the cache's lock, and is deleted\n\
                  once a second look finds the cache sound; else it is put back. Nothing is moved while\n\
                  the registry that fills the gap does not answer. A repair that was killed is brought\n\
                  to its end by `regreen resume`.\n\n\
                  Exit code: 0 all are sound now, 14 refused, 15 taken back, 16 stuck, 3 there is no\n\
                  such cache, 130 interrupted before anything was done."
)]
pub struct CacheRepairArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// Fetch what was taken out, from the tool's own registries, where the cache knows its digest
    #[arg(long)]
    pub prefetch: bool,
    /// The registry that fills the gaps, where the tool's own is not known or not meant
    #[arg(long, value_name = "URL", value_parser = address)]
    pub registry: Option<String>,
    /// Look whether it could be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The operator's configuration (default: regreen/config.toml in the user's configuration folder)
    #[arg(long, value_name = "FILE", env = "REGREEN_CONFIG")]
    pub config: Option<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

fn address(text: &str) -> Result<String, String> {
    let fits =
        ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let whole = !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    if fits && whole { Ok(text.to_owned()) } else { Err("an http(s) address without a user".to_owned()) }
}

/// Arguments of `cache stats`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen cache stats\n  regreen cache stats npm --format json\n\n\
                  Uses are known by the access times of the file system, where it keeps them.\n\n\
                  Exit code: 0, 3 there is no such cache, 130 interrupted.")]
pub struct CacheStatsArgs {
    /// Which caches.
    #[command(flatten)]
    pub caches: Caches,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}
