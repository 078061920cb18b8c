//! Logs (traces). GitLab answers with the text itself, or leads to where its object storage has it.

use super::{client::GitLab, pipelines::at};
use crate::{
    ForgeError, JobLog, JobRef, LogEntry, NotAllowed, RunRef, Status,
    calls::api::Scope,
    wire::http::{Answer, Keep},
};

impl GitLab {
    /// A job's log. An empty one is none: it was erased, or the job never began.
    pub(super) async fn trace(&self, job: &JobRef) -> Result<JobLog, ForgeError> {
        let what = format!("the log of job {} of {}", job.job_id, job.repository);
        let url = self.api.base.at(&at(&job.repository, &format!("/jobs/{}/trace", job.job_id)));
        let bounds = &self.api.options.bounds;
        let keep = Keep::End { last: bounds.log, ever: bounds.longest_log };
        let read = |answer: Answer| match answer.body.is_empty() {
            true => Err(ForgeError::NotAllowed { what: what.clone(), why: NotAllowed::Gone }),
            false => Ok(JobLog { bytes: answer.body, left_out: answer.left_out }),
        };
        self.api.fetched(Scope::Of(&job.repository), &what, &url, keep, read).await
    }

    /// All logs of an attempt, one for each job: GitLab packs them into no archive.
    pub(super) async fn traces(&self, run: &RunRef, attempt: u32) -> Result<Vec<LogEntry>, ForgeError> {
        let (mut logs, mut left) = (Vec::new(), self.api.options.bounds.unpacked);
        let jobs = self.jobs_of(run, attempt).await?;
        for (place, job) in jobs.iter().filter(|job| job.status == Status::Completed).enumerate() {
            let log = match self.trace(&job.reference).await {
                Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. }) => continue,
                log => log?,
            };
            let limit = self.api.options.bounds.unpacked;
            let too_large =
                || ForgeError::TooLarge { what: format!("the logs of {}", run.repository), limit };
            left = left.checked_sub(log.bytes.len() as u64).ok_or_else(too_large)?;
            let name: String = job.name.chars().map(|c| if "/\\\0".contains(c) { '_' } else { c }).collect();
            logs.push(LogEntry { name: format!("{place}_{name}.txt"), bytes: log.bytes });
        }
        Ok(logs)
    }
}
