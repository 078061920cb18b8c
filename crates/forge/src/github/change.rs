//! A change, as a commit on a branch of its own and a pull request.

use serde_json::json;
use ureq::http::Method;

use super::{
    answers::Pull,
    api::{Scope, parsed},
    client::GitHub,
    runs::two_parts,
    sending::Sending,
};
use crate::{
    BoxFuture, Change, ForgeError, NotAllowed, Proposal, Proposed, Repository,
    calls::change::{blob, checked},
    wire::base::part,
};

impl GitHub {
    pub(super) async fn propose(
        &self,
        repository: &Repository,
        change: &Change,
    ) -> Result<Proposal, ForgeError> {
        two_parts(repository)?;
        checked(repository, change)?;
        let base = self.base_tip(repository, change).await?;
        let pulls = self.pulls(repository, change).await?;
        let open = pulls.iter().find(|pull| pull.state == "open");
        if open.is_none() {
            self.not_declined(repository, change, &pulls).await?;
        }
        let commit = self.committed(repository, change, &base, open.is_some()).await?;
        let Some(pull) = open else {
            let pull = self.open_pull(repository, change).await?;
            return Ok(Proposal { number: pull.number, url: pull.html_url, commit, done: Proposed::Opened });
        };
        let says = change.marker.mark(&change.body);
        let same_text = pull.title == change.title && pull.body.as_deref() == Some(says.as_str());
        let done = if same_text && pull.head.sha == commit { Proposed::Unchanged } else { Proposed::Updated };
        if !same_text {
            let what = format!("pull request {} of {repository}", pull.number);
            let path = format!("/repos/{repository}/pulls/{}", pull.number);
            let body = Some(json!({ "title": change.title, "body": says }));
            let sending =
                Sending { repository, what: &what, method: Method::PATCH, path, body, fresh: false };
            self.api.put(&sending, parsed::<Pull>).await?;
        }
        Ok(Proposal { number: pull.number, url: pull.html_url.clone(), commit, done })
    }

    /// The end of the base branch, on which the files must still be what the change was made from.
    async fn base_tip(&self, repository: &Repository, change: &Change) -> Result<String, ForgeError> {
        let missing = || ForgeError::NotFound { what: format!("the branch {} of {repository}", change.base) };
        let base = self.tip(repository, &change.base).await?.ok_or_else(missing)?;
        for file in &change.files {
            let there = self.blob_at(repository, &base, &file.path).await?;
            if there != file.before.as_deref().map(blob) {
                let why = NotAllowed::Changed { path: file.path.clone() };
                return Err(ForgeError::NotAllowed { what: format!("a change of {repository}"), why });
            }
        }
        Ok(base)
    }

    /// A person who closed a pull request said no to what it said, and is not asked again.
    async fn not_declined(
        &self,
        repository: &Repository,
        change: &Change,
        pulls: &[Pull],
    ) -> Result<(), ForgeError> {
        // Once a later one was merged, an older no is outdated.
        if let Some(closed) = pulls.first().filter(|pull| pull.merged_at.is_none()) {
            let mut same = true;
            for file in &change.files {
                let there = self.blob_at(repository, &closed.head.sha, &file.path).await?;
                same = same && there.as_deref() == Some(blob(&file.after).as_str());
            }
            if same {
                let why = NotAllowed::Declined { number: closed.number };
                return Err(ForgeError::NotAllowed { what: format!("a change of {repository}"), why });
            }
        }
        Ok(())
    }

    /// Brings the branch to hold the change on top of the base branch, and says at which commit it then is.
    async fn committed(
        &self,
        repository: &Repository,
        change: &Change,
        base: &str,
        open: bool,
    ) -> Result<String, ForgeError> {
        let branch = &change.branch;
        let Some(tip) = self.tip(repository, branch).await? else {
            let on = self.tree_of(repository, base).await?;
            let tree = self.tree_with(repository, &on, &change.files).await?;
            let commit = self.commit(repository, &change.message, &tree, &[base]).await?;
            self.make_branch(repository, branch, &commit).await?;
            return Ok(commit);
        };
        let compared = self.compared(repository, base, &tip).await?;
        let ours = |file: &str| change.files.iter().any(|changed| changed.path == file);
        // What a person added to the open pull request stays; else the branch is brought up to the base.
        let others_too = open && !compared.files.iter().all(|file| ours(&file.filename));
        let mut parents = vec![tip.as_str()];
        let on = if others_too {
            self.tree_of(repository, &tip).await?
        } else {
            if compared.behind_by > 0 {
                parents.push(base);
            }
            self.tree_of(repository, base).await?
        };
        let tree = self.tree_with(repository, &on, &change.files).await?;
        if tree == self.tree_of(repository, &tip).await? && parents.len() == 1 {
            return Ok(tip);
        }
        let commit = self.commit(repository, &change.message, &tree, &parents).await?;
        self.forward(repository, branch, &commit).await?;
        Ok(commit)
    }

    /// The pull requests of the branch, the newest first.
    async fn pulls(&self, repository: &Repository, change: &Change) -> Result<Vec<Pull>, ForgeError> {
        let head = format!("{}:{}", repository.owner(), change.branch);
        let path = format!(
            "/repos/{repository}/pulls?state=all&head={}&base={}&sort=created&direction=desc&per_page=30",
            part(&head),
            part(&change.base)
        );
        let what = format!("the pull requests of {repository}");
        self.api.get(Scope::Of(repository), &what, &path).await
    }

    async fn open_pull(&self, repository: &Repository, change: &Change) -> Result<Pull, ForgeError> {
        let what = format!("a pull request for {repository}");
        let path = format!("/repos/{repository}/pulls");
        let body = json!({
            "title": change.title,
            "head": change.branch,
            "base": change.base,
            "body": change.marker.mark(&change.body),
        });
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: Some(body), fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let pulls = self.pulls(repository, change).await?;
                Ok(pulls.into_iter().find(|pull| pull.state == "open"))
            })
        };
        self.api.change(sending, look).await
    }
}
