//! Logs: GitHub answers with an address elsewhere that needs no credential and gets none.

use super::{
    api::{Api, Scope},
    host::Octocat,
    runs::{named, two_parts},
};
use crate::{
    ForgeError, JobLog, JobRef, LogEntry, RunRef,
    wire::{
        archive,
        http::{Answer, Keep},
    },
};

/// A job's log.
pub(super) async fn of_job(api: &Api<Octocat>, job: &JobRef) -> Result<JobLog, ForgeError> {
    two_parts(&job.repository)?;
    let what = format!("the log of job {} of {}", job.job_id, job.repository);
    let url = api.base.at(&format!("/repos/{}/actions/jobs/{}/logs", job.repository, job.job_id));
    let bounds = &api.options.bounds;
    let keep = Keep::End { last: bounds.log, ever: bounds.longest_log };
    let read = |answer: Answer| Ok(JobLog { bytes: answer.body, left_out: answer.left_out });
    api.fetched(Scope::Of(&job.repository), &what, &url, keep, read).await
}

/// All logs of an attempt.
pub(super) async fn of_run(
    api: &Api<Octocat>,
    run: &RunRef,
    attempt: u32,
) -> Result<Vec<LogEntry>, ForgeError> {
    two_parts(&run.repository)?;
    let what = format!("the logs of {}", named(run));
    let path = format!("/repos/{}/actions/runs/{}/attempts/{attempt}/logs", run.repository, run.run_id);
    let bounds = &api.options.bounds;
    let keep = Keep::All(bounds.archive);
    let read = |answer: Answer| archive::entries(&what, answer.body, bounds);
    api.fetched(Scope::Of(&run.repository), &what, &api.base.at(&path), keep, read).await
}
