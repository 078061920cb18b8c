//! Branches, files and commits by the API: nothing is cloned, and no branch is ever moved but forward.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use ureq::http::Method;

use super::{
    answers::{Branch, Commit, File},
    client::GitLab,
    pipelines::at,
};
use crate::{
    BoxFuture, Change, FileChange, ForgeError, Repository,
    calls::{
        api::{Scope, parsed},
        change::blob,
        sending::Sending,
    },
    wire::base::part,
};

impl GitLab {
    /// The commit at the end of a branch.
    pub(super) async fn tip(
        &self,
        repository: &Repository,
        branch: &str,
    ) -> Result<Option<String>, ForgeError> {
        let path = at(repository, &format!("/repository/branches/{}", part(branch)));
        let what = format!("the branch {branch} of {repository}");
        let found: Option<Branch> = self.api.find(Scope::Of(repository), &what, &path).await?;
        Ok(found.map(|found| found.commit.id))
    }

    /// What git calls the content of a file in a commit, and the commit that last changed it; `None` where it is not there.
    pub(super) async fn file_at(
        &self,
        repository: &Repository,
        commit: &str,
        file: &str,
    ) -> Result<Option<File>, ForgeError> {
        let path = at(repository, &format!("/repository/files/{}?ref={}", part(file), part(commit)));
        self.api.find(Scope::Of(repository), &format!("{file} of {repository}"), &path).await
    }

    /// Whether all files of a change are in a commit as it wants them.
    pub(super) async fn holds(
        &self,
        repository: &Repository,
        commit: &str,
        change: &Change,
    ) -> Result<bool, ForgeError> {
        for file in &change.files {
            let there = self.file_at(repository, commit, &file.path).await?;
            if there.is_none_or(|there| there.blob_id != blob(&file.after)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// One commit with what is not on the branch yet, at its end; at the end of the base branch where there is no branch. The
    /// branch is made with it. Says at which commit the branch then is.
    pub(super) async fn committed(
        &self,
        repository: &Repository,
        change: &Change,
        base: &str,
    ) -> Result<String, ForgeError> {
        let tip = self.tip(repository, &change.branch).await?;
        let on = tip.as_deref().unwrap_or(base);
        let mut actions = Vec::new();
        for file in &change.files {
            let there = self.file_at(repository, on, &file.path).await?;
            if there.as_ref().is_none_or(|there| there.blob_id != blob(&file.after)) {
                actions.push(action(file, there.as_ref()));
            }
        }
        if let Some(tip) = &tip
            && actions.is_empty()
        {
            return Ok(tip.clone());
        }
        let mut body =
            json!({ "branch": change.branch, "commit_message": change.message, "actions": actions });
        if tip.is_none() {
            body["start_sha"] = json!(base);
        }
        let what = format!("a commit for {repository}");
        let path = at(repository, "/repository/commits");
        let body = Some(body);
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        let read = |body: &[u8]| parsed::<Commit>(body).map(|made| made.id);
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                let Some(now) = self.tip(repository, &change.branch).await? else { return Ok(None) };
                let moved = tip.as_ref() != Some(&now);
                Ok((moved && self.holds(repository, &now, change).await?).then_some(now))
            })
        };
        self.api.change_by(&sending, read, look).await.map(|(commit, _)| commit)
    }
}

/// GitLab refuses where the file was changed after `last_commit_id`.
fn action(file: &FileChange, there: Option<&File>) -> Value {
    let mut action = json!({
        "action": if there.is_some() { "update" } else { "create" },
        "file_path": file.path,
        "content": STANDARD.encode(&file.after),
        "encoding": "base64",
    });
    if let Some(last) = there.and_then(|there| there.last_commit_id.as_ref()) {
        action["last_commit_id"] = json!(last);
    }
    if file.executable {
        action["execute_filemode"] = json!(true);
    }
    action
}
