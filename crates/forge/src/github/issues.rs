//! Issues and comments. Only what Regreen's own account wrote is Regreen's: anybody may copy a marker.

use serde_json::json;
use ureq::http::Method;

use super::{
    answers,
    api::{Scope, parsed},
    client::GitHub,
    runs::two_parts,
    sending::Sending,
};
use crate::{
    BoxFuture, Comment, ForgeError, Issue, IssueText, Marker, NotAllowed, Permission, Repository,
    wire::base::part,
};

/// What all of Regreen's issues are labelled with: by it they are listed, and only who may sort issues can put it on one.
const LABEL: &str = "regreen";

impl GitHub {
    pub(super) async fn issue_of(
        &self,
        repository: &Repository,
        marker: &Marker,
    ) -> Result<Option<Issue>, ForgeError> {
        two_parts(repository)?;
        let own = self.api.actor().await?.login;
        let path = format!(
            "/repos/{repository}/issues?labels={LABEL}&state=all&sort=created&direction=asc&per_page=100"
        );
        let what = format!("the issues of {repository}");
        let items = |page: Vec<answers::Issue>| -> Vec<answers::Issue> {
            page.into_iter().filter(|issue| is_own(issue, &own, marker)).collect()
        };
        let found = self.api.all(Scope::Of(repository), &what, &path, items, |all| !all.is_empty()).await?;
        Ok(found.into_iter().next().map(read))
    }

    /// One that was deleted is told of as gone to whoever may read the repository.
    /// <https://docs.github.com/en/rest/issues/issues#get-an-issue>
    pub(super) async fn issue_by(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Option<Issue>, ForgeError> {
        two_parts(repository)?;
        let own = self.api.actor().await?.login;
        let what = format!("issue {number} of {repository}");
        let path = format!("/repos/{repository}/issues/{number}");
        let found: Option<answers::Issue> = match self.api.find(Scope::Of(repository), &what, &path).await {
            Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. }) => None,
            found => found?,
        };
        Ok(found.filter(|issue| is_by(issue, &own)).map(read))
    }

    pub(super) async fn make_issue(
        &self,
        repository: &Repository,
        text: &IssueText,
    ) -> Result<Issue, ForgeError> {
        if let Some(there) = self.issue_of(repository, &text.marker).await? {
            return Ok(there);
        }
        let what = format!("a new issue of {repository}");
        let body =
            json!({ "title": text.title, "body": text.marker.mark(&text.body), "labels": labels(text) });
        let path = format!("/repos/{repository}/issues");
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: Some(body), fresh: false };
        let read_new = |body: &[u8]| parsed::<answers::Issue>(body).map(read);
        let look =
            || -> BoxFuture<'_, _> { Box::pin(async { self.issue_of(repository, &text.marker).await }) };
        self.api.change_by(&sending, read_new, look).await.map(|(issue, _)| issue)
    }

    pub(super) async fn rewrite_issue(
        &self,
        repository: &Repository,
        number: u64,
        text: &IssueText,
    ) -> Result<Issue, ForgeError> {
        let body = json!({
            "title": text.title,
            "body": text.marker.mark(&text.body),
            "labels": labels(text),
            "state": "open",
        });
        self.patch_issue(repository, number, body).await
    }

    pub(super) async fn end_issue(&self, repository: &Repository, number: u64) -> Result<(), ForgeError> {
        let body = json!({ "state": "closed", "state_reason": "completed" });
        self.patch_issue(repository, number, body).await.map(drop)
    }

    async fn patch_issue(
        &self,
        repository: &Repository,
        number: u64,
        body: serde_json::Value,
    ) -> Result<Issue, ForgeError> {
        two_parts(repository)?;
        let what = format!("issue {number} of {repository}");
        let path = format!("/repos/{repository}/issues/{number}");
        let sending =
            Sending { repository, what: &what, method: Method::PATCH, path, body: Some(body), fresh: false };
        self.api.put(&sending, |body| parsed::<answers::Issue>(body).map(read)).await
    }

    pub(super) async fn put_comment(
        &self,
        repository: &Repository,
        number: u64,
        marker: &Marker,
        body: &str,
    ) -> Result<Comment, ForgeError> {
        two_parts(repository)?;
        let what = format!("a comment on {number} of {repository}");
        let text = json!({ "body": marker.mark(body) });
        let read_new = |body: &[u8]| {
            parsed::<answers::Comment>(body).map(|new| Comment { id: new.id, url: new.html_url })
        };
        if let Some((there, said)) = self.comment_of(repository, number, marker).await? {
            if said == marker.mark(body) || Marker::is_newer(&said, body) {
                return Ok(there);
            }
            let path = format!("/repos/{repository}/issues/comments/{}", there.id);
            let sending = Sending {
                repository,
                what: &what,
                method: Method::PATCH,
                path,
                body: Some(text),
                fresh: false,
            };
            return self.api.put(&sending, read_new).await;
        }
        let path = format!("/repos/{repository}/issues/{number}/comments");
        let sending =
            Sending { repository, what: &what, method: Method::POST, path, body: Some(text), fresh: false };
        let look = || -> BoxFuture<'_, _> {
            Box::pin(async {
                Ok(self.comment_of(repository, number, marker).await?.map(|(comment, _)| comment))
            })
        };
        self.api.change_by(&sending, read_new, look).await.map(|(comment, _)| comment)
    }

    /// What a login may do. An account that is no collaborator has at most what everybody has; one that is none at all, nothing.
    pub(super) async fn permission_of(
        &self,
        repository: &Repository,
        login: &str,
    ) -> Result<Permission, ForgeError> {
        two_parts(repository)?;
        let path = format!("/repos/{repository}/collaborators/{}/permission", part(login));
        let what = format!("what {login} may do in {repository}");
        let found: Option<answers::Permission> = self.api.find(Scope::Of(repository), &what, &path).await?;
        let Some(found) = found else { return Ok(Permission::None) };
        // The answer must be about who was asked for: a login that was renamed meanwhile is another's.
        if !found.user.is_some_and(|user| user.login.eq_ignore_ascii_case(login)) {
            return Ok(Permission::None);
        }
        Ok(match found.permission.as_str() {
            "admin" => Permission::Admin,
            "write" => Permission::Write,
            "read" => Permission::Read,
            _ => Permission::None,
        })
    }

    /// Regreen's own comment of this marker, and its text.
    async fn comment_of(
        &self,
        repository: &Repository,
        number: u64,
        marker: &Marker,
    ) -> Result<Option<(Comment, String)>, ForgeError> {
        let own = self.api.actor().await?.login;
        let path = format!("/repos/{repository}/issues/{number}/comments?per_page=100");
        let what = format!("the comments on {number} of {repository}");
        let items = |page: Vec<answers::Comment>| -> Vec<(Comment, String)> {
            page.into_iter()
                .filter(|comment| comment.user.as_ref().is_some_and(|user| user.login == own))
                .filter_map(|comment| {
                    let text = comment.body.filter(|text| marker.is_in(text))?;
                    Some((Comment { id: comment.id, url: comment.html_url }, text))
                })
                .collect()
        };
        let found = self.api.all(Scope::Of(repository), &what, &path, items, |all| !all.is_empty()).await?;
        Ok(found.into_iter().next())
    }
}

fn labels(text: &IssueText) -> Vec<&str> {
    let more = text.labels.iter().map(String::as_str).filter(|label| *label != LABEL);
    std::iter::once(LABEL).chain(more).collect()
}

fn is_by(issue: &answers::Issue, own: &str) -> bool {
    issue.pull_request.is_none() && issue.user.as_ref().is_some_and(|user| user.login == own)
}

fn is_own(issue: &answers::Issue, own: &str, marker: &Marker) -> bool {
    is_by(issue, own) && issue.body.as_deref().is_some_and(|body| marker.is_in(body))
}

fn read(issue: answers::Issue) -> Issue {
    Issue {
        number: issue.number,
        open: issue.state == "open",
        title: issue.title,
        body: issue.body.unwrap_or_default(),
        url: issue.html_url,
    }
}
