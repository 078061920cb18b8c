//! Arguments of `cache`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::Format;

/// What `cache` does.
#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Read the caches of package managers and compilers, and name what is damaged in them
    Check(CacheCheckArgs),
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
