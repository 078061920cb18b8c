//! Arguments of `report`.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use super::known::OwnPatterns;

/// Arguments of `report`.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  regreen report logs/\n  regreen report --format html runs/ 'older/**/*.zip' > report.html\n  \
                        regreen report --format json logs/ | jq '.causes[0]'\n  \
                        regreen report --github OWNER/REPO --since 30d\n  \
                        regreen report --gitlab GROUP/PROJECT --since 30d\n\n\
                        Every log is diagnosed as by `regreen diagnose`, and nothing is healed. Times are from the\n\
                        first to the last time stamp of each log.\n\n\
                        --github takes the token from GITHUB_TOKEN or GH_TOKEN (it needs to read actions; none is needed\n\
                        for a public repository, but then 60 calls an hour are all there is), --gitlab from GITLAB_TOKEN\n\
                        (scope `read_api`). A fifth of the host's limit is left to others. What was read is kept, masked,\n\
                        in the state folder, and not fetched again: after Ctrl-C or a limit, the same command goes on.\n\n\
                        Exit code: 0 the report is of all that was named, 3 something of it could not be read, 5 the host\n\
                        did not let it all be read now; whatever the causes are."
)]
pub struct ReportArgs {
    /// Logs to read: folders, files, patterns such as 'logs/*.log'; `-` is standard input
    #[arg(value_name = "FOLDER", required_unless_present_any = ["github", "gitlab"])]
    pub logs: Vec<PathBuf>,
    /// Read the failed jobs of a repository's workflow runs from GitHub instead; nothing is changed there
    #[arg(long, value_name = "OWNER/REPO", conflicts_with = "logs")]
    pub github: Option<String>,
    /// Read the failed jobs of a project's pipelines from GitLab instead; nothing is changed there
    #[arg(long, value_name = "GROUP/PROJECT", conflicts_with_all = ["logs", "github"])]
    pub gitlab: Option<String>,
    /// How far back, with --github or --gitlab
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = humantime::parse_duration, conflicts_with = "logs")]
    pub since: Duration,
    /// Address of the API of a GitHub Enterprise server, e.g. https://HOST/api/v3
    #[arg(long, value_name = "URL", env = "GITHUB_API_URL", default_value = "https://api.github.com")]
    pub api_url: String,
    /// Address of a GitLab of one's own, e.g. https://HOST
    #[arg(long, value_name = "URL", env = "CI_SERVER_URL", default_value = "https://gitlab.com")]
    pub gitlab_url: String,
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
