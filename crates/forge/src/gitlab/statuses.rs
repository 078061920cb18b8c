//! Commit statuses: a verdict beside a commit. GitLab shows one as a job of the commit's pipeline, and it counts there.
//!
//! By <https://docs.gitlab.com/api/commits/#commit-status>. A status has no place for a marker but its description.

use serde_json::json;
use ureq::http::Method;

use super::{answers::CommitStatus, client::GitLab, pipelines::at};
use crate::{
    BoxFuture, Check, CheckState, ForgeError, Repository,
    calls::{
        api::{Scope, parsed},
        sending::Sending,
    },
    wire::base::part,
};

/// Longest description, in characters: GitLab takes 255.
const LONGEST: usize = 255;

impl GitLab {
    pub(super) async fn put_status(&self, repository: &Repository, check: &Check) -> Result<u64, ForgeError> {
        let what = format!("a status of {repository}");
        let found = self.status_of(repository, check).await?;
        let state = state(check.state);
        if let Some(found) = &found
            && found.status == state
            && found.description.as_deref() == Some(description(check).as_str())
        {
            return Ok(found.id);
        }
        let mut body = json!({ "state": state, "name": check.name, "description": description(check) });
        if let Some(url) = &check.details_url {
            body["target_url"] = json!(url);
        }
        let path = at(repository, &format!("/statuses/{}", part(&check.head_sha)));
        let body = Some(body);
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        let read = |body: &[u8]| parsed::<CommitStatus>(body).map(|made| made.id);
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let found = self.status_of(repository, check).await?;
                Ok(found.filter(|found| found.status == state).map(|found| found.id))
            })
        };
        self.api.change_by(&sending, read, look).await.map(|(id, _)| id)
    }

    /// Regreen's own status of this name and marker: the newest.
    async fn status_of(
        &self,
        repository: &Repository,
        check: &Check,
    ) -> Result<Option<CommitStatus>, ForgeError> {
        let own = self.api.actor().await?.login;
        let rest = format!(
            "/repository/commits/{}/statuses?name={}&per_page=100",
            part(&check.head_sha),
            part(&check.name)
        );
        let what = format!("the statuses of {repository}");
        let items = |page: Vec<CommitStatus>| -> Vec<CommitStatus> {
            let is_own = |status: &CommitStatus| {
                status.name.as_deref() == Some(&check.name)
                    && status.author.as_ref().is_some_and(|author| author.username == own)
                    && status.description.as_deref().is_some_and(|text| text.ends_with(&tail(check)))
            };
            page.into_iter().filter(is_own).collect()
        };
        let found =
            self.api.all(Scope::Of(repository), &what, &at(repository, &rest), items, |_| false).await?;
        Ok(found.into_iter().max_by_key(|status| status.id))
    }
}

fn tail(check: &Check) -> String {
    format!(" [{}]", check.marker.as_str())
}

fn description(check: &Check) -> String {
    let tail = tail(check);
    let room = LONGEST.saturating_sub(tail.len());
    format!("{}{tail}", check.title.chars().take(room).collect::<String>())
}

/// A status knows neither *neutral* nor that a person has to do something.
fn state(state: CheckState) -> &'static str {
    match state {
        CheckState::Running => "running",
        CheckState::Success => "success",
        CheckState::Failure | CheckState::ActionRequired => "failed",
        CheckState::Neutral => "skipped",
    }
}
