//! What can be typed about the files by which a repository is protected.

use clap::{Args, Subcommand};
use regreen_domain::Mode;

use super::every::Every;

/// What `init` writes.
#[derive(Debug, Subcommand)]
pub enum Init {
    /// Write a GitHub workflow of six jobs that diagnoses failed runs and lets those of the infrastructure run again
    #[command(after_help = "Examples:\n  regreen init github --dry-run\n  regreen init github\n  \
                            regreen init github --yes --mode auto --issues --every 1h\n\n\
                            It writes .github/workflows/infrastructure-auto-healing-v2.yml, and what it wrote once more to\n\
                            .regreen/init/, so that a later run brings the file up to date without losing edits. A diff is\n\
                            shown first. The other workflows of the repository are watched by their names; run it again\n\
                            when there are new ones, with the same --mode, --issues and --commit-metrics.\n\n\
                            In a private repository each look costs two billed minutes, also where nothing failed:\n\
                            5,760 a month every 15m, 1,440 every 1h.\n\n\
                            Exit code: 0 written, up to date, or only shown by --dry-run; 13 nobody could be asked, or said\n\
                            no, and nothing was written; 14 somebody else wrote the file; 18 it was edited where it is to\n\
                            change, and nothing was written: both sides are shown; say --keep to keep yours, as it stands\n\
                            or written anew; 3 this is no git repository, or it has no workflow.")]
    Github(InitGithubArgs),
    /// Write a job for GitLab that diagnoses failed pipelines and retries the jobs that the infrastructure failed
    #[command(
        after_help = "Examples:\n  regreen init gitlab --dry-run\n  regreen init gitlab --mode auto\n\n\
                            It writes .gitlab/ci/infrastructure-auto-healing.yml, for .gitlab-ci.yml to include, and what it\n\
                            wrote once more to .regreen/init/. As with `init github`, a diff is shown first, edits are kept,\n\
                            and the exit codes are the same.\n\n\
                            It wants a pipeline schedule with the variable REGREEN_HEAL=true, and a project access token (scope\n\
                            `api`, role Developer) as the masked, protected variable REGREEN_GITLAB_TOKEN."
    )]
    Gitlab(InitGitlabArgs),
}

/// Arguments of `init gitlab`.
#[derive(Debug, Args)]
pub struct InitGitlabArgs {
    /// How far it goes where the CI/CD variable REGREEN_MODE does not say otherwise: observe, suggest, approve or auto
    #[arg(long, value_name = "MODE", default_value = "observe", value_parser = mode)]
    pub mode: Mode,
    #[command(flatten)]
    pub how: InitArgs,
}

/// Arguments of `init github`.
#[derive(Debug, Args)]
pub struct InitGithubArgs {
    /// How far it goes where the repository variable REGREEN_MODE does not say otherwise: observe, suggest, approve or auto
    #[arg(long, value_name = "MODE", default_value = "observe", value_parser = mode)]
    pub mode: Mode,
    /// Let it write an issue about what is left to people
    #[arg(long)]
    pub issues: bool,
    /// Let it commit the metrics to the default branch, besides uploading them
    #[arg(long)]
    pub commit_metrics: bool,
    /// How often it looks for failures that no event told: 5m to 12h (unless given, as the file has it, or else 15m)
    #[arg(long, value_name = "DURATION", value_parser = Every::parse)]
    pub every: Option<Every>,
    #[command(flatten)]
    pub how: InitArgs,
}

/// How files are written.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Write without asking
    #[arg(long)]
    pub yes: bool,
    /// Only show what would change
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Where the file was edited and is to change, keep what it says now
    #[arg(long, conflicts_with = "replace")]
    pub keep: bool,
    /// Overwrite the file, whoever wrote it and whatever was edited
    #[arg(long)]
    pub replace: bool,
}

pub(super) fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "a mode is observe, suggest, approve or auto".to_owned())
}
