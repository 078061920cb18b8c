//! What can be typed about one pass over the work, for where no process stays: a job of a CI host.

use std::time::Duration;

use clap::{Args, ValueEnum};
use regreen_domain::Mode;
use regreen_forge::{Repository, RunRef};

use super::init::mode;

/// Arguments of `worker` with `--once`.
#[derive(Debug, Args)]
pub struct OnceArgs {
    /// Do what is ready, say what came of it, and end
    #[arg(long)]
    pub once: bool,
    /// Begin with this run; several may be named
    #[arg(long = "run", value_name = "OWNER/REPO/RUN", value_parser = run, requires = "once")]
    pub runs: Vec<RunRef>,
    /// Begin with this pipeline of GitLab's; several may be named
    #[arg(long = "run-gitlab", value_name = "GROUP/PROJECT/PIPELINE", value_parser = run, requires = "once")]
    pub runs_gitlab: Vec<RunRef>,
    /// Leave runs alone of which the latest attempt began longer ago
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration, requires = "once")]
    pub max_age: Duration,
    /// How far to go where no rule of the configuration says less: observe, suggest, approve or auto
    #[arg(long, value_name = "MODE", value_parser = mode, requires = "once")]
    pub mode: Option<Mode>,
    /// Say what would be done about these runs, and about those that --watch finds; change nothing
    #[arg(long, requires = "once", conflicts_with_all = ["follow", "only"])]
    pub dry_run: bool,
    /// Look at once at every run that was sent off again, and until it has ended or this long has passed
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, requires = "once")]
    pub follow: Option<Duration>,
    /// Do only this part of the work
    #[arg(long, value_enum, value_name = "PART", requires = "once")]
    pub only: Option<OnlyPart>,
    /// How to say it
    #[arg(long, value_enum, default_value_t = OnceFormat::Plain, requires = "once")]
    pub format: OnceFormat,
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnlyPart {
    /// Look at runs, decide about them, act
    Runs,
    /// Tell people: issues, comments, notices
    Telling,
}

/// How to say what came of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnceFormat {
    /// For people
    #[value(alias = "text")]
    Plain,
    /// For programs: one object a line
    Json,
    /// As plain; and the step's summary and outputs where `GITHUB_STEP_SUMMARY` and `GITHUB_OUTPUT` name the files
    Github,
}

fn run(text: &str) -> Result<RunRef, String> {
    let run = text.rsplit_once('/').and_then(|(repository, run)| {
        let run_id = run.parse().ok().filter(|id| *id > 0)?;
        Some(RunRef { repository: Repository::parse(repository)?, run_id })
    });
    run.ok_or_else(|| "a run is OWNER/REPO/RUN, the id as in its address".to_owned())
}
