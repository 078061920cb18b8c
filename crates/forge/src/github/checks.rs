//! Check runs: a verdict beside a commit. GitHub lets only apps make them.

use serde_json::{Value, json};
use ureq::http::Method;

use super::{
    answers,
    api::{Scope, parsed},
    client::GitHub,
    runs::two_parts,
    sending::Sending,
};
use crate::{BoxFuture, Check, CheckState, ForgeError, Marker, Repository, wire::base::part};

/// By so much the clock of whoever wrote a check may go ahead of this one, in milliseconds.
const AHEAD_MS: i64 = 24 * 3_600_000;

impl GitHub {
    pub(super) async fn put_check(&self, repository: &Repository, check: &Check) -> Result<u64, ForgeError> {
        two_parts(repository)?;
        let what = format!("the check {:?} of {repository}", check.name);
        let read = |body: &[u8]| parsed::<answers::CheckRun>(body).map(|made| made.id);
        let mut body = said(check);
        if let Some((id, summary)) = self.check_of(repository, check).await? {
            // Jobs of the repository can write a check too: one that says it is of another year silences none.
            let latest = jiff::Timestamp::now().as_millisecond().saturating_add(AHEAD_MS);
            let is_believed = Marker::place(&summary).is_none_or(|(at, _)| at <= latest);
            if is_believed && Marker::is_newer(&summary, &check.summary) {
                return Ok(id);
            }
            let path = format!("/repos/{repository}/check-runs/{id}");
            let sending = Sending {
                repository,
                what: &what,
                method: Method::PATCH,
                path,
                body: Some(body),
                fresh: false,
            };
            return self.api.put(&sending, read).await;
        }
        body["head_sha"] = json!(check.head_sha);
        let path = format!("/repos/{repository}/check-runs");
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: Some(body), fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async { Ok(self.check_of(repository, check).await?.map(|(id, _)| id)) })
        };
        self.api.change_by(&sending, read, look).await.map(|(id, _)| id)
    }

    /// Its id, and what it says.
    async fn check_of(
        &self,
        repository: &Repository,
        check: &Check,
    ) -> Result<Option<(u64, String)>, ForgeError> {
        let path = format!(
            "/repos/{repository}/commits/{}/check-runs?check_name={}&filter=all&per_page=100",
            part(&check.head_sha),
            part(&check.name)
        );
        let what = format!("the checks of {repository}");
        let items = |page: answers::CheckRuns| -> Vec<(u64, String)> {
            let own = |run: &answers::CheckRun| run.external_id.as_deref() == Some(check.marker.as_str());
            let says = |run: answers::CheckRun| run.output.and_then(|output| output.summary);
            let read = |run: answers::CheckRun| (run.id, says(run).unwrap_or_default());
            page.check_runs.into_iter().filter(own).map(read).collect()
        };
        let found = self.api.all(Scope::Of(repository), &what, &path, items, |all| !all.is_empty()).await?;
        Ok(found.into_iter().min())
    }
}

fn said(check: &Check) -> Value {
    let mut body = json!({
        "name": check.name,
        "external_id": check.marker.as_str(),
        "output": { "title": check.title, "summary": check.summary },
    });
    let conclusion = match check.state {
        CheckState::Running => None,
        CheckState::Success => Some("success"),
        CheckState::Failure => Some("failure"),
        CheckState::Neutral => Some("neutral"),
        CheckState::ActionRequired => Some("action_required"),
    };
    match conclusion {
        // GitHub takes a check with a conclusion as ended.
        Some(conclusion) => body["conclusion"] = json!(conclusion),
        None => body["status"] = json!("in_progress"),
    }
    if let Some(url) = &check.details_url {
        body["details_url"] = json!(url);
    }
    if let Some(started) = check.started_at.and_then(|at| jiff::Timestamp::try_from(at).ok()) {
        body["started_at"] = json!(started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    body
}
