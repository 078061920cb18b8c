//! Arguments of `report`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::known::OwnPatterns;

/// Arguments of `report`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen report logs/\n  regreen report --format html runs/ 'older/**/*.zip' > report.html\n  \
                        regreen report --format json logs/ | jq '.causes[0]'\n\n\
                        Every log is diagnosed as by `regreen diagnose`, and nothing is healed. Times are from the\n\
                        first to the last time stamp of each log.\n\n\
                        Exit code: 0 the report is of all that was named, 3 something of it could not be read; whatever\n\
                        the causes are."
)]
pub struct ReportArgs {
    /// Logs to read: folders, files, patterns such as 'logs/*.log'; `-` is standard input
    #[arg(value_name = "FOLDER", required = true)]
    pub logs: Vec<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = ReportFormat::Plain)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub own: OwnPatterns,
}

/// How to say a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    #[value(alias = "text", alias = "terminal")]
    Plain,
    /// Markdown, for a comment or the summary of a job
    Markdown,
    /// A page of its own, for a browser
    Html,
    /// For programs: one object
    Json,
}
