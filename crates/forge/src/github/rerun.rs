//! Runs sent off again, stopped, and started: once, and only in the state that was diagnosed.

use std::{collections::BTreeMap, time::SystemTime};

use serde_json::json;
use ureq::http::Method;

use super::{
    api::parsed,
    client::GitHub,
    runs::{named, two_parts},
    sending::{Sending, nothing},
};
use crate::{
    BoxFuture, Diagnosed, ForgeError, JobRef, MaySend, NotAllowed, Repository, Rerun, Run, RunRef, Status,
    wire::base::part,
};

/// For so many days GitHub repeats a run, and so often.
/// <https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs>
const DAYS: u32 = 30;
const RERUNS: u32 = 50;

impl GitHub {
    /// Repeats a run as a whole or its failed jobs.
    pub(super) async fn rerun(
        &self,
        of: &Diagnosed,
        how: &str,
        may_send: MaySend<'_>,
    ) -> Result<Rerun, ForgeError> {
        let path = format!("/repos/{}/actions/runs/{}/{how}", of.run.repository, of.run.run_id);
        let what = format!("repeating {}", named(&of.run));
        self.send_rerun(of, &what, path, may_send).await
    }

    /// Repeats one job.
    pub(super) async fn rerun_one(&self, of: &Diagnosed, job: &JobRef) -> Result<Rerun, ForgeError> {
        let what = format!("repeating job {} of {}", job.job_id, named(&of.run));
        let invalid = |why: &str| ForgeError::Invalid { what: what.clone(), why: why.to_owned() };
        if job.repository != of.run.repository {
            return Err(invalid("the job is another repository's"));
        }
        self.check(of, &what).await?;
        if self.one_job(job).await?.run_id != of.run.run_id {
            return Err(invalid("the job is another run's"));
        }
        let path = format!("/repos/{}/actions/jobs/{}/rerun", job.repository, job.job_id);
        self.send_rerun(of, &what, path, &|| true).await
    }

    /// Sends it off, where the run is as it was diagnosed. It is looked right before each time it is sent, and what could not
    /// be sent at once is not sent later: much can have happened by then.
    async fn send_rerun(
        &self,
        of: &Diagnosed,
        what: &str,
        path: String,
        may_send: MaySend<'_>,
    ) -> Result<Rerun, ForgeError> {
        let repository = &of.run.repository;
        let body = Some(json!({}));
        let sending = Sending { repository, what, method: Method::POST, path, body, fresh: true };
        let next = of.attempt.saturating_add(1);
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let run = self.run_now(&of.run).await?;
                Ok((run.attempt > of.attempt).then_some(run.attempt))
            })
        };
        let stopped = || ForgeError::NotAllowed { what: what.to_owned(), why: NotAllowed::Stopped };
        self.check(of, what).await?;
        if !may_send() {
            return Err(stopped());
        }
        let sent = match self.api.change_by(&sending, |body| is_json(body).map(|()| next), look).await {
            // The answer was lost, and looking shows that it did not arrive.
            Err(ForgeError::Unknown { .. }) => {
                self.check(of, what).await?;
                if !may_send() {
                    let why = stopped().to_string();
                    return Err(ForgeError::Unknown { what: what.to_owned(), why });
                }
                let again = self.api.change_by(&sending, |body| is_json(body).map(|()| next), look).await;
                // The second one was kept back; whether the first one is still to come, nobody knows.
                again.map_err(|e| match e.is_passing() {
                    true => ForgeError::Unknown { what: what.to_owned(), why: e.to_string() },
                    false => e,
                })
            }
            sent => sent,
        };
        let (attempt, found) = sent?;
        Ok(Rerun { attempt, found })
    }

    async fn check(&self, of: &Diagnosed, what: &str) -> Result<(), ForgeError> {
        two_parts(&of.run.repository)?;
        let run = self.run_now(&of.run).await?;
        match not_allowed(&run, of, SystemTime::now()) {
            Some(why) => Err(ForgeError::NotAllowed { what: what.to_owned(), why }),
            None => Ok(()),
        }
    }

    pub(super) async fn stop(&self, run: &RunRef) -> Result<(), ForgeError> {
        let what = format!("stopping {}", named(run));
        let ended = || ForgeError::NotAllowed { what: what.clone(), why: NotAllowed::Ended };
        if self.run_now(run).await?.status == Status::Completed {
            return Err(ended());
        }
        let path = format!("/repos/{}/actions/runs/{}/cancel", run.repository, run.run_id);
        let sending = Sending {
            repository: &run.repository,
            what: &what,
            method: Method::POST,
            path,
            body: None,
            fresh: false,
        };
        match self.api.put(&sending, nothing).await {
            // It ended meanwhile: GitHub answers 409.
            Err(ForgeError::NotAllowed { .. }) => Err(ended()),
            other => other,
        }
    }

    pub(super) async fn start(
        &self,
        repository: &Repository,
        workflow: &str,
        reference: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<(), ForgeError> {
        two_parts(repository)?;
        let what = format!("starting {workflow} of {repository}");
        if workflow.is_empty() || reference.is_empty() {
            let why = "name a workflow's file and a branch or tag".to_owned();
            return Err(ForgeError::Invalid { what, why });
        }
        let path = format!("/repos/{repository}/actions/workflows/{}/dispatches", part(workflow));
        let body = Some(json!({ "ref": reference, "inputs": inputs }));
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        self.api.blind(&sending).await.map(drop)
    }
}

/// GitHub answers with an empty object: a page that some gateway put in its place is no answer.
fn is_json(body: &[u8]) -> Result<(), String> {
    if body.is_empty() { Ok(()) } else { parsed::<serde_json::Value>(body).map(drop) }
}

/// Why a run may not be repeated.
fn not_allowed(run: &Run, of: &Diagnosed, now: SystemTime) -> Option<NotAllowed> {
    if run.head_sha != of.head_sha {
        return Some(NotAllowed::OtherCommit { head_sha: run.head_sha.clone() });
    }
    if run.attempt != of.attempt {
        return Some(NotAllowed::OtherAttempt { attempt: run.attempt });
    }
    if run.status != Status::Completed {
        return Some(NotAllowed::NotEnded);
    }
    let age = now.duration_since(run.created_at).unwrap_or_default();
    if age.as_secs() >= u64::from(DAYS) * 86_400 {
        return Some(NotAllowed::TooOld { days: DAYS });
    }
    (run.attempt > RERUNS).then_some(NotAllowed::TooOften { attempts: run.attempt })
}
