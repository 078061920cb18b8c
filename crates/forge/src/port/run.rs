//! Runs (GitLab: pipelines), their jobs, and what jobs left behind.

use std::time::{Duration, SystemTime};

use super::Repository;

/// One run of a workflow, or one pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunRef {
    /// Whose it is.
    pub repository: Repository,
    /// Its id at the host: the same for all its attempts.
    pub run_id: u64,
}

/// One job of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JobRef {
    /// Whose it is.
    pub repository: Repository,
    /// Its id at the host: every attempt has another one.
    pub job_id: u64,
}

/// What stands when a run is to be repeated: it must be the same as when it was diagnosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// The run.
    pub run: RunRef,
    /// The commit that was diagnosed.
    pub head_sha: String,
    /// The attempt that was diagnosed, from 1.
    pub attempt: u32,
}

/// A run was sent off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rerun {
    /// The attempt that runs now.
    pub attempt: u32,
    /// The host's answer was lost, and the run was found to be under way.
    pub found: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not begun.
    Queued,
    /// Under way.
    Running,
    /// Held until a person, a deployment rule or another run lets it go on.
    Waiting,
    /// Ended.
    Completed,
    /// A word of the host's that is not known here. Not ended, as far as anybody knows.
    Unknown,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conclusion {
    /// All is well.
    Success,
    /// It failed.
    Failure,
    /// Somebody, or a newer run, stopped it.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
    /// It did not run.
    Skipped,
    /// It says neither.
    Neutral,
    /// A person has to do something.
    ActionRequired,
    /// It could not begin: the workflow's file is wrong, or the host had trouble.
    StartupFailure,
    /// The host gave it up.
    Stale,
    /// A word of the host's that is not known here.
    Unknown,
}

impl Conclusion {
    /// Whether it ended in a way that a log may explain.
    pub const fn failed(self) -> bool {
        matches!(self, Conclusion::Failure | Conclusion::TimedOut | Conclusion::StartupFailure)
    }
}

/// What the host says of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Which one.
    pub reference: RunRef,
    /// The workflow's name.
    pub name: String,
    /// The workflow's file, e.g. `.github/workflows/ci.yml`; empty where the host doesn't say.
    pub workflow: String,
    /// The commit it runs on.
    pub head_sha: String,
    /// The branch it runs on; a fork's branch may have any name.
    pub branch: Option<String>,
    /// What started it: `push`, `pull_request`, `schedule`, …
    pub event: String,
    /// From 1.
    pub attempt: u32,
    /// How far it is.
    pub status: Status,
    /// How it ended, once it has.
    pub conclusion: Option<Conclusion>,
    /// When the first attempt was made.
    pub created_at: SystemTime,
    /// When this attempt began.
    pub started_at: Option<SystemTime>,
    /// When anything last changed.
    pub updated_at: Option<SystemTime>,
    /// Its code comes from another repository, or from nobody knows where.
    pub from_fork: bool,
    /// Another run waits for its end, and then goes on with what is not seen here (GitLab: a downstream pipeline).
    pub part_of_another: bool,
    /// The pull requests (merge requests) of the same repository that it belongs to.
    pub pull_requests: Vec<u64>,
    /// The repository's default branch.
    pub default_branch: String,
    /// Its page for people.
    pub url: String,
}

/// What the host says of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which one.
    pub reference: JobRef,
    /// Its run.
    pub run_id: u64,
    /// Its name, with what the matrix adds.
    pub name: String,
    /// The run's attempt that it belongs to, from 1. A job that a later attempt did not repeat keeps its own.
    pub attempt: u32,
    /// The commit it runs on.
    pub head_sha: String,
    /// How far it is.
    pub status: Status,
    /// How it ended, once it has.
    pub conclusion: Option<Conclusion>,
    /// The stage that it is in, where the host has such.
    pub stage: Option<String>,
    /// Its steps in order; empty where the host knows none.
    pub steps: Vec<Step>,
    /// When it began.
    pub started_at: Option<SystemTime>,
    /// When it ended.
    pub completed_at: Option<SystemTime>,
    /// What the runner had to offer.
    pub labels: Vec<String>,
    /// The runner's name, where one took it.
    pub runner: Option<String>,
    /// Its page for people.
    pub url: String,
}

impl Job {
    /// How long it ran; `None` where the host doesn't say, or says that it ended before it began.
    pub fn took(&self) -> Option<Duration> {
        self.completed_at?.duration_since(self.started_at?).ok()
    }

    /// The first step that failed.
    pub fn failed_step(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.conclusion.is_some_and(Conclusion::failed))
    }
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: Status,
    /// How it ended, once it has.
    pub conclusion: Option<Conclusion>,
}

/// A job's log, as the host has it: not masked, not decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct JobLog {
    /// Its end, or all of it.
    pub bytes: Vec<u8>,
    /// So many bytes before these were left out.
    pub left_out: u64,
}

/// One log of a run's archive, as the host has it: not masked, not decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its name in the archive: relative, without `..`, for showing. Never a path.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Raw text of a log is not for messages.
impl std::fmt::Debug for JobLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JobLog({} bytes, {} left out)", self.bytes.len(), self.left_out)
    }
}

impl std::fmt::Debug for LogEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogEntry({:?}, {} bytes)", self.name, self.bytes.len())
    }
}

/// What the host itself, or a tool in the job, noted beside the log. That a runner was lost stands only here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How grave.
    pub level: Level,
    /// Its heading; often empty.
    pub title: String,
    /// What it says.
    pub message: String,
    /// The file it is about; `.github` where it is about the job as a whole.
    pub path: String,
    /// The line in that file, from 1.
    pub line: u64,
}

/// How grave an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For information.
    Notice,
    /// A warning.
    Warning,
    /// A failure.
    Failure,
}
