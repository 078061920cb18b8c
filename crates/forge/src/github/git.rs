//! Git's objects by the API: nothing is cloned, and no branch is ever moved but forward.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use ureq::http::Method;

use super::{
    answers::{Commit, Compared, Content, Object, Ref},
    api::{Scope, parsed},
    client::GitHub,
    sending::{Sending, nothing},
};
use crate::{
    BoxFuture, FileChange, ForgeError, Repository,
    calls::change::blob,
    wire::base::{part, path},
};

impl GitHub {
    /// The commit at the end of a branch.
    pub(super) async fn tip(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<String>, ForgeError> {
        let at = format!("/repos/{repository}/git/ref/{}", part(&format!("heads/{branch}")));
        let what = format!("the branch {branch} of {repository}");
        let found: Option<Ref> = self.api.find(Scope::Of(repository), &what, &at).await?;
        Ok(found.map(|found| found.object.sha))
    }

    /// The tree of a commit.
    pub(super) async fn tree_of(&self, repository: &Repository, commit: &str) -> Result<String, ForgeError> {
        let at = format!("/repos/{repository}/git/commits/{}", part(commit));
        let what = format!("commit {commit} of {repository}");
        let found: Commit = self.api.get(Scope::Of(repository), &what, &at).await?;
        Ok(found.tree.sha)
    }

    /// What git calls the content of a file in a commit; `None` where it is not there.
    pub(super) async fn blob_at(
        &self,
        repository: &Repository,
        commit: &str,
        file: &str,
    ) -> Result<Option<String>, ForgeError> {
        let at = format!("/repos/{repository}/contents/{}?ref={}", path(file), part(commit));
        let what = format!("{file} of {repository}");
        match self.api.find(Scope::Of(repository), &what, &at).await? {
            Some(Content::File { sha }) => Ok(Some(sha)),
            Some(Content::Folder(_)) => {
                Err(ForgeError::Invalid { what, why: "it is a folder there".to_owned() })
            }
            None => Ok(None),
        }
    }

    /// How `branch` and `base` stand to each other.
    pub(super) async fn compared(
        &self,
        repository: &Repository,
        base: &str,
        head: &str,
    ) -> Result<Compared, ForgeError> {
        let at = format!("/repos/{repository}/compare/{}...{}", part(base), part(head));
        self.api.get(Scope::Of(repository), &format!("two commits of {repository}"), &at).await
    }

    /// A tree with these files in place of those of `base`. Objects are named by their content: making one twice makes one.
    pub(super) async fn tree_with(
        &self,
        repository: &Repository,
        base: &str,
        files: &[FileChange],
    ) -> Result<String, ForgeError> {
        let mut entries = Vec::new();
        for file in files {
            let body = json!({ "content": STANDARD.encode(&file.after), "encoding": "base64" });
            let made = self.object(repository, "blobs", body).await?;
            if made != blob(&file.after) {
                let what = format!("{} of {repository}", file.path);
                let why = "it was stored as something else".to_owned();
                return Err(ForgeError::Garbage { what, why });
            }
            let mode = if file.executable { "100755" } else { "100644" };
            entries.push(json!({ "path": file.path, "mode": mode, "type": "blob", "sha": made }));
        }
        self.object(repository, "trees", json!({ "base_tree": base, "tree": entries })).await
    }

    /// A commit. One made twice is one that nothing points to: no harm.
    pub(super) async fn commit(
        &self,
        repository: &Repository,
        message: &str,
        tree: &str,
        parents: &[&str],
    ) -> Result<String, ForgeError> {
        let body = json!({ "message": message, "tree": tree, "parents": parents });
        self.object(repository, "commits", body).await
    }

    async fn object(
        &self,
        repository: &Repository,
        kind: &str,
        body: serde_json::Value,
    ) -> Result<String, ForgeError> {
        let what = format!("one of git's {kind} for {repository}");
        let path = format!("/repos/{repository}/git/{kind}");
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: Some(body), fresh: false };
        self.api.put(&sending, |body| parsed::<Object>(body).map(|made| made.sha)).await
    }

    /// A new branch at `commit`.
    pub(super) async fn make_branch(
        &self,
        repository: &Repository,
        branch: &str,
        commit: &str,
    ) -> Result<(), ForgeError> {
        let what = format!("the branch {branch} of {repository}");
        let path = format!("/repos/{repository}/git/refs");
        let body = Some(json!({ "ref": format!("refs/heads/{branch}"), "sha": commit }));
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let tip = self.tip(repository, branch).await?;
                Ok(tip.filter(|tip| tip == commit).map(drop))
            })
        };
        self.api.change_by(&sending, nothing, look).await.map(drop)
    }

    /// Moves a branch forward to `commit`; GitHub refuses where that loses anything.
    pub(super) async fn forward(
        &self,
        repository: &Repository,
        branch: &str,
        commit: &str,
    ) -> Result<(), ForgeError> {
        let what = format!("the branch {branch} of {repository}");
        let path = format!("/repos/{repository}/git/refs/{}", part(&format!("heads/{branch}")));
        let body = Some(json!({ "sha": commit, "force": false }));
        let sending = Sending { repository, what: &what, method: Method::PATCH, path, body, fresh: false };
        self.api.put(&sending, nothing).await
    }
}
