//! A change, as a commit on a branch of its own and a merge request.

use serde_json::json;
use ureq::http::Method;

use super::{answers::MergeRequest, client::GitLab, notes::harmless, pipelines::at};
use crate::{
    BoxFuture, Change, ForgeError, NotAllowed, Proposal, Proposed, Repository,
    calls::{
        api::{Scope, parsed},
        change::{blob, checked},
        sending::Sending,
    },
    wire::base::part,
};

impl GitLab {
    pub(super) async fn propose(
        &self,
        repository: &Repository,
        change: &Change,
    ) -> Result<Proposal, ForgeError> {
        checked(repository, change)?;
        let base = self.base_tip(repository, change).await?;
        let requests = self.requests(repository, change).await?;
        let open = requests.iter().find(|request| request.state == "opened");
        if open.is_none() {
            self.not_declined(repository, change, &requests).await?;
        }
        let commit = self.committed(repository, change, &base).await?;
        let Some(open) = open else {
            let made = self.open_request(repository, change).await?;
            return Ok(Proposal { number: made.iid, url: made.web_url, commit, done: Proposed::Opened });
        };
        let says = says(change);
        let same_text = open.title == change.title && open.description.as_deref() == Some(says.as_str());
        let same_tip = open.sha.as_deref() == Some(commit.as_str());
        let done = if same_text && same_tip { Proposed::Unchanged } else { Proposed::Updated };
        if !same_text {
            let what = format!("merge request {} of {repository}", open.iid);
            let path = at(repository, &format!("/merge_requests/{}", open.iid));
            let body = Some(json!({ "title": change.title, "description": says }));
            let sending = Sending { repository, what: &what, method: Method::PUT, path, body, fresh: false };
            self.api.put(&sending, parsed::<MergeRequest>).await?;
        }
        Ok(Proposal { number: open.iid, url: open.web_url.clone(), commit, done })
    }

    /// The end of the base branch, on which the files must still be what the change was made from.
    async fn base_tip(&self, repository: &Repository, change: &Change) -> Result<String, ForgeError> {
        let missing = || ForgeError::NotFound { what: format!("the branch {} of {repository}", change.base) };
        let base = self.tip(repository, &change.base).await?.ok_or_else(missing)?;
        for file in &change.files {
            let there = self.file_at(repository, &base, &file.path).await?.map(|there| there.blob_id);
            if there != file.before.as_deref().map(blob) {
                let why = NotAllowed::Changed { path: file.path.clone() };
                return Err(ForgeError::NotAllowed { what: format!("a change of {repository}"), why });
            }
        }
        Ok(base)
    }

    /// A person who closed a merge request said no to what it said, and is not asked again. Once a later one was merged, an
    /// older no is outdated.
    async fn not_declined(
        &self,
        repository: &Repository,
        change: &Change,
        requests: &[MergeRequest],
    ) -> Result<(), ForgeError> {
        if let Some(closed) = requests.first().filter(|request| request.state == "closed")
            && let Some(sha) = &closed.sha
            && self.holds(repository, sha, change).await?
        {
            let why = NotAllowed::Declined { number: closed.iid };
            return Err(ForgeError::NotAllowed { what: format!("a change of {repository}"), why });
        }
        Ok(())
    }

    /// The merge requests of the branch in the project itself, the newest first.
    async fn requests(
        &self,
        repository: &Repository,
        change: &Change,
    ) -> Result<Vec<MergeRequest>, ForgeError> {
        let rest = format!(
            "/merge_requests?state=all&scope=all&source_branch={}&target_branch={}&order_by=created_at&sort=desc&per_page=30",
            part(&change.branch),
            part(&change.base)
        );
        let what = format!("the merge requests of {repository}");
        let found: Vec<MergeRequest> =
            self.api.get(Scope::Of(repository), &what, &at(repository, &rest)).await?;
        Ok(found.into_iter().filter(MergeRequest::is_own).collect())
    }

    async fn open_request(
        &self,
        repository: &Repository,
        change: &Change,
    ) -> Result<MergeRequest, ForgeError> {
        let what = format!("a merge request for {repository}");
        let path = at(repository, "/merge_requests");
        let body = Some(json!({
            "title": change.title,
            "source_branch": change.branch,
            "target_branch": change.base,
            "description": says(change),
        }));
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let requests = self.requests(repository, change).await?;
                Ok(requests.into_iter().find(|request| request.state == "opened"))
            })
        };
        self.api.change(sending, look).await
    }
}

fn says(change: &Change) -> String {
    change.marker.mark(&harmless(&change.body))
}
