//! Arguments of `diagnose`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use super::OwnPatterns;

/// Arguments of `diagnose`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen diagnose build.log\n  gh run view --log-failed | regreen diagnose -\n  \
                        regreen diagnose --format json logs/ 'runs/**/*.log.gz'\n  \
                        regreen diagnose --baseline yesterday-green.log red.log\n\n\
                        Logs may be packed (gzip, zstd) or lie in a zip archive, as the GitHub API gives the logs of a\n\
                        run: each job in it is an input of its own.\n\n\
                        Exit code: 0 no failure found, 10 infrastructure and curable, 17 infrastructure and needs a\n\
                        person, 11 the project's own code, 12 not diagnosed, 3 nothing to read. Of several inputs the\n\
                        first that occurs of 3, 10, 17, 12, 11."
)]
pub struct DiagnoseArgs {
    /// Logs to read: files, folders, patterns such as 'logs/*.log'; `-` is standard input
    #[arg(value_name = "LOG", default_value = "-")]
    pub logs: Vec<PathBuf>,
    /// A passing run of the same job: what it prints too is no cause. Takes what LOG takes; may be given again
    #[arg(long, value_name = "LOG")]
    pub baseline: Vec<PathBuf>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = DiagnosisFormat::Plain)]
    pub format: DiagnosisFormat,
    #[command(flatten)]
    pub own: OwnPatterns,
}

/// How to say a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiagnosisFormat {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line, one line an input
    Json,
    /// Annotations of a GitHub job, and its summary where `GITHUB_STEP_SUMMARY` names the file
    Github,
    /// SARIF 2.1.0, one document for all inputs
    Sarif,
    /// Markdown, a section for each input
    Markdown,
}
