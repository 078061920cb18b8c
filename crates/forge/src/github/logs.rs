//! Logs: GitHub answers with an address elsewhere that needs no credential and gets none.

use std::time::Duration;

use ureq::http::Method;

use super::{
    api::{Api, Scope, unreachable},
    refusal::{message, refusal},
    runs::{named, two_parts},
};
use crate::{
    ForgeError, JobLog, JobRef, LogEntry, NotAllowed, RunRef,
    wire::{
        archive,
        http::{Answer, Ask, Keep},
    },
};

/// So many times it is followed.
const HOPS: u32 = 3;

/// A job's log.
pub(super) async fn of_job(api: &Api, job: &JobRef) -> Result<JobLog, ForgeError> {
    two_parts(&job.repository)?;
    let what = format!("the log of job {} of {}", job.job_id, job.repository);
    let url = api.base.at(&format!("/repos/{}/actions/jobs/{}/logs", job.repository, job.job_id));
    let bounds = &api.options.bounds;
    let keep = Keep::End { last: bounds.log, ever: bounds.longest_log };
    let read = |answer: Answer| Ok(JobLog { bytes: answer.body, left_out: answer.left_out });
    fetched(api, Scope::Of(&job.repository), &what, &url, keep, read).await
}

/// All logs of an attempt.
pub(super) async fn of_run(api: &Api, run: &RunRef, attempt: u32) -> Result<Vec<LogEntry>, ForgeError> {
    two_parts(&run.repository)?;
    let what = format!("the logs of {}", named(run));
    let path = format!("/repos/{}/actions/runs/{}/attempts/{attempt}/logs", run.repository, run.run_id);
    let bounds = &api.options.bounds;
    let keep = Keep::All(bounds.archive);
    let read = |answer: Answer| archive::entries(&what, answer.body, bounds);
    fetched(api, Scope::Of(&run.repository), &what, &api.base.at(&path), keep, read).await
}

/// Asks anew from the start where it stumbles: the address elsewhere is good for a minute only.
async fn fetched<T>(
    api: &Api,
    scope: Scope<'_>,
    what: &str,
    url: &str,
    keep: Keep,
    read: impl Fn(Answer) -> Result<T, ForgeError>,
) -> Result<T, ForgeError> {
    let mut failures = 0;
    loop {
        let error = match once(api, scope, what, url, keep).await.and_then(&read) {
            // An answer that is cut off is a stumble too; one that leads inside or astray is not.
            Err(e @ ForgeError::Unreachable { .. }) => e,
            Err(e @ ForgeError::Garbage { .. }) if !e.to_string().contains("it leads to") => e,
            other => return other,
        };
        failures += 1;
        if failures >= api.options.backoff.tries {
            return Err(error);
        }
        api.options.backoff.wait(failures).await;
    }
}

async fn once(api: &Api, scope: Scope<'_>, what: &str, url: &str, keep: Keep) -> Result<Answer, ForgeError> {
    let gone = |status: u16, said: String| match (refusal(what, status, said), status) {
        // A run that is there with logs that are not: they are kept for so long only.
        (_, 404 | 410) => ForgeError::NotAllowed { what: what.to_owned(), why: NotAllowed::Gone },
        (other, _) => other,
    };
    let limit = api.options.limit.saturating_mul(10);
    let mut ask = api.ask(Method::GET, url.to_owned(), Vec::new(), None);
    (ask.keep, ask.limit) = (keep, limit);
    let mut answer = api.send(scope, what, ask).await.map_err(|e| unreachable(what, e))??;
    let mut at = url.to_owned();
    for _ in 0..HOPS {
        match answer.status {
            200..=299 => return Ok(answer),
            301 | 302 | 303 | 307 | 308 => {}
            status if status >= 500 => {
                let why = format!("status {status}");
                return Err(ForgeError::Unreachable { what: what.to_owned(), why });
            }
            status => return Err(gone(status, message(&answer))),
        }
        let location = answer.header("location").unwrap_or_default();
        let to = api.base.redirect(&at, location);
        at = to.map_err(|why| ForgeError::Garbage { what: what.to_owned(), why })?;
        answer = elsewhere(api, what, &at, keep, limit).await?;
    }
    Err(ForgeError::Garbage { what: what.to_owned(), why: "it leads to one place after another".to_owned() })
}

async fn elsewhere(
    api: &Api,
    what: &str,
    url: &str,
    keep: Keep,
    limit: Duration,
) -> Result<Answer, ForgeError> {
    let ask = Ask { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: None, keep, limit };
    api.http.elsewhere(ask).await.map_err(|e| unreachable(what, e))
}
