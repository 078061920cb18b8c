//! Jobs sent off again, pipelines stopped and started: once, and only in the state that was diagnosed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use serde_json::json;
use ureq::http::Method;

use super::{
    answers::Job,
    attempts::{self, BY_ITSELF},
    client::GitLab,
    pipelines::{Seen, at, has_failed, named},
};
use crate::{
    BoxFuture, Diagnosed, ForgeError, JobRef, MaySend, NotAllowed, Repository, Rerun, RunRef, Status,
    calls::sending::{Sending, nothing},
};

/// A limit that ends this soon is waited for in the middle of several retries: they are one.
const PATIENCE: Duration = Duration::from_secs(65);

impl GitLab {
    /// Repeats the jobs that made the pipeline fail in this attempt, each where `may_send` says yes right before.
    pub(super) async fn retry_failed(
        &self,
        of: &Diagnosed,
        may_send: MaySend<'_>,
    ) -> Result<Rerun, ForgeError> {
        let what = format!("repeating the failed jobs of {}", named(&of.run));
        let seen = self.look(&of.run).await?;
        let wanted: Vec<&Job> = attempts::at(&seen.jobs, of.attempt)
            .into_iter()
            .map(|(job, _)| job)
            .filter(|job| has_failed(job))
            .collect();
        let left = self.left_to_do(of, &what, &seen, &wanted).await?;
        if left.is_empty() {
            let why = NotAllowed::Other("none of its jobs failed".to_owned());
            return Err(ForgeError::NotAllowed { what, why });
        }
        self.go_on_with(of, &what, &seen, &left, may_send).await
    }

    /// Repeats one job.
    pub(super) async fn retry_one(&self, of: &Diagnosed, job: &JobRef) -> Result<Rerun, ForgeError> {
        let what = format!("repeating job {} of {}", job.job_id, named(&of.run));
        let invalid = |why: &str| ForgeError::Invalid { what: what.clone(), why: why.to_owned() };
        if job.repository != of.run.repository {
            return Err(invalid("the job is another repository's"));
        }
        let seen = self.look(&of.run).await?;
        let known = seen.jobs.iter().map(|(one, _)| one).find(|one| one.id == job.job_id);
        let wanted = [known.ok_or_else(|| invalid("the job is another pipeline's"))?];
        let left = self.left_to_do(of, &what, &seen, &wanted).await?;
        if left.is_empty() {
            let why = NotAllowed::Other("the job was repeated already".to_owned());
            return Err(ForgeError::NotAllowed { what, why });
        }
        self.go_on_with(of, &what, &seen, &left, &|| true).await
    }

    /// Sends them off. Stopped where this very account has sent others before, it is not said that nothing was done.
    async fn go_on_with(
        &self,
        of: &Diagnosed,
        what: &str,
        seen: &Seen,
        left: &[Job],
        may_send: MaySend<'_>,
    ) -> Result<Rerun, ForgeError> {
        let begun = seen.run.attempt != of.attempt;
        match self.retry_all(of, what, left, may_send).await {
            Err(e) if begun && e.is_stopped() => {
                Err(ForgeError::Unknown { what: what.to_owned(), why: e.to_string() })
            }
            done => done,
        }
    }

    /// Which of the wanted jobs are still to be sent off, where the pipeline is as it was diagnosed, or as this very account
    /// left it in the middle of sending them.
    async fn left_to_do(
        &self,
        of: &Diagnosed,
        what: &str,
        seen: &Seen,
        wanted: &[&Job],
    ) -> Result<Vec<Job>, ForgeError> {
        let run = &seen.run;
        let no = |why| Err(ForgeError::NotAllowed { what: what.to_owned(), why });
        if run.head_sha != of.head_sha {
            return no(NotAllowed::OtherCommit { head_sha: run.head_sha.clone() });
        }
        let left: Vec<Job> = wanted
            .iter()
            .filter(|job| successor(&seen.jobs, job).is_none())
            .map(|job| (*job).clone())
            .collect();
        if run.attempt != of.attempt {
            let names: BTreeSet<&str> = wanted.iter().map(|job| job.name.as_str()).collect();
            let next = of.attempt.saturating_add(1);
            let begun: Vec<&Job> =
                seen.jobs.iter().filter(|(_, attempt)| *attempt == next).map(|(job, _)| job).collect();
            if run.attempt != next || left.is_empty() || !begun.iter().all(|job| names.contains(&*job.name)) {
                return no(NotAllowed::OtherAttempt { attempt: run.attempt });
            }
            let own = self.api.actor().await?.login;
            if !begun.iter().all(|job| job.user.as_ref().is_some_and(|user| user.username == own)) {
                return no(NotAllowed::OtherAttempt { attempt: run.attempt });
            }
            return Ok(left);
        }
        if run.status != Status::Completed {
            return no(NotAllowed::NotEnded);
        }
        Ok(left)
    }

    /// Sends them off, one after the other. What could not be sent after others were is not said to have had no effect.
    async fn retry_all(
        &self,
        of: &Diagnosed,
        what: &str,
        jobs: &[Job],
        may_send: MaySend<'_>,
    ) -> Result<Rerun, ForgeError> {
        // What follows a failure at once counts as GitLab's own doing.
        let ended = jobs.iter().filter_map(|job| job.finished_at).max();
        let since = ended.map(|ended| SystemTime::now().duration_since(ended.0).unwrap_or_default());
        if let Some(wait) = since.and_then(|since| (BY_ITSELF * 3).checked_sub(since)) {
            tokio::time::sleep(wait).await;
        }
        let mut found = false;
        for (sent, job) in jobs.iter().enumerate() {
            let came = match self.retry(of, what, job, may_send).await {
                Err(ForgeError::RateLimited { until, .. }) if sent > 0 => {
                    let wait = until.duration_since(SystemTime::now()).unwrap_or_default();
                    tokio::time::sleep(wait.min(PATIENCE)).await;
                    self.retry(of, what, job, may_send).await
                }
                came => came,
            };
            match came {
                Ok(was_lost) => found |= was_lost,
                Err(e) if sent == 0 && !found => return Err(e),
                Err(e) => return Err(ForgeError::Unknown { what: what.to_owned(), why: e.to_string() }),
            }
        }
        Ok(Rerun { attempt: of.attempt.saturating_add(1), found })
    }

    /// Sends one off; says whether it was only found to be under way. GitLab retries no job twice, so it may be sent twice.
    async fn retry(
        &self,
        of: &Diagnosed,
        what: &str,
        job: &Job,
        may_send: MaySend<'_>,
    ) -> Result<bool, ForgeError> {
        let repository = &of.run.repository;
        let path = at(repository, &format!("/jobs/{}/retry", job.id));
        let sending =
            Sending { repository, what, method: Method::POST, path, body: Some(json!({})), fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let seen = self.look(&of.run).await?;
                Ok(successor(&seen.jobs, job).map(drop))
            })
        };
        match self.api.change_if(&sending, nothing, look, may_send).await {
            Ok(((), lost)) => Ok(lost),
            // Somebody was faster.
            Err(e @ ForgeError::NotAllowed { why: NotAllowed::Other(_), .. }) => match look().await {
                Ok(Some(())) => Ok(true),
                _ => Err(e),
            },
            Err(e) => Err(e),
        }
    }

    pub(super) async fn stop(&self, run: &RunRef) -> Result<(), ForgeError> {
        let what = format!("stopping {}", named(run));
        // GitLab answers well whether there is anything to stop or not.
        if self.look(run).await?.run.status == Status::Completed {
            return Err(ForgeError::NotAllowed { what, why: NotAllowed::Ended });
        }
        let path = at(&run.repository, &format!("/pipelines/{}/cancel", run.run_id));
        let repository = &run.repository;
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: None, fresh: false };
        self.api.put(&sending, nothing).await
    }

    /// Starts a pipeline; `workflow` is empty, or the project's own file.
    pub(super) async fn start(
        &self,
        repository: &Repository,
        workflow: &str,
        reference: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<(), ForgeError> {
        let what = format!("starting a pipeline of {repository}");
        let invalid = |why: String| Err(ForgeError::Invalid { what: what.clone(), why });
        if reference.is_empty() {
            return invalid("name a branch or tag".to_owned());
        }
        let file = self.project(repository).await?.file;
        if !workflow.is_empty() && workflow != file {
            return invalid(format!("a project of GitLab has one file, `{file}`"));
        }
        let variables: Vec<_> =
            inputs.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let body = Some(json!({ "ref": reference, "variables": variables }));
        let path = at(repository, "/pipeline");
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        self.api.blind(&sending).await.map(drop)
    }
}

/// The job that took this one's place.
fn successor<'a>(jobs: &'a [(Job, u32)], of: &Job) -> Option<&'a Job> {
    jobs.iter().map(|(job, _)| job).find(|job| job.name == of.name && job.id > of.id)
}
