//! Arguments of `bench`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::Format;

/// What `bench` measures.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How often a diagnosis is right, on labelled logs
    Accuracy(AccuracyArgs),
    /// How fast a log is read and diagnosed
    Throughput(ThroughputArgs),
    /// How fast a cache of npm is checked, beside `npm cache verify`
    Cache(CacheBenchArgs),
    /// How many really broken projects are healed, how fast, and what else can heal them
    #[cfg(feature = "demo")]
    Healing(HealingArgs),
}

/// Arguments of `bench healing`.
#[cfg(feature = "demo")]
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen bench healing --tool npm\n  \
                        regreen bench healing --all-arms --results healing.jsonl\n\n\
                        Each scenario is a small real project with its own registry, broken on purpose; the real package\n\
                        manager is run in a temporary folder. With --results the benchmark can be stopped and goes on where\n\
                        it was. With --all-arms the scenarios that are marked for it are also given to the bare command, to\n\
                        three tries 10 s apart, and to the tool's own retries at their most. The exit code is 18 where\n\
                        something was touched that must not be, or Regreen did not do what the scenario says.")]
pub struct HealingArgs {
    /// Only these scenarios; `*` stands for anything
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Only this package manager's
    #[arg(long, value_name = "TOOL")]
    pub tool: Vec<String>,
    /// Let the other arms at the scenarios that are marked for comparison
    #[arg(long)]
    pub all_arms: bool,
    /// Keep each result in this file, and don't run what it holds already
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// List the scenarios, run nothing
    #[arg(long)]
    pub list: bool,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `bench cache`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen bench cache\n  regreen bench cache --size 200 --runs 5\n\n\
                        A cache is made up in a temporary folder, in npm's own layout, and checked by Regreen and by\n\
                        `npm cache verify` in turn; of each the fastest run counts. Needs npm.")]
pub struct CacheBenchArgs {
    /// Megabytes of the cache that is made up
    #[arg(long, default_value_t = 1000, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..))]
    pub size: u64,
    /// How often
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
}

/// Arguments of `bench throughput`.
#[derive(Debug, Parser)]
#[command(after_help = "Examples:\n  regreen bench throughput\n  regreen bench throughput big.log --runs 3")]
pub struct ThroughputArgs {
    /// The log; without one, a log is made up
    #[arg(value_name = "LOG")]
    pub log: Option<PathBuf>,
    /// Megabytes of the log that is made up
    #[arg(long, default_value_t = 200, value_name = "MB", conflicts_with = "log", value_parser = clap::value_parser!(u64).range(1..))]
    pub size: u64,
    /// How often; the fastest run counts
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// How to say it
    #[arg(long, value_enum, default_value_t = Format::Plain, value_name = "FORMAT")]
    pub format: Format,
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
