//! Issues. Only what Regreen's own account wrote is Regreen's: anybody may copy a marker.

use serde_json::{Value, json};
use ureq::http::Method;

use super::{answers, client::GitLab, notes::harmless, pipelines::at};
use crate::{
    BoxFuture, ForgeError, Issue, IssueText, Marker, Repository,
    calls::{
        api::{Scope, parsed},
        sending::Sending,
    },
    wire::base::part,
};

/// What all of Regreen's issues are labelled with: by it they are listed.
const LABEL: &str = "regreen";

impl GitLab {
    pub(super) async fn issue_of(
        &self,
        repository: &Repository,
        marker: &Marker,
    ) -> Result<Option<Issue>, ForgeError> {
        let own = self.api.actor().await?.login;
        let rest = format!(
            "/issues?labels={LABEL}&scope=all&author_username={}&order_by=created_at&sort=asc&per_page=100",
            part(&own)
        );
        let what = format!("the issues of {repository}");
        let items = |page: Vec<answers::Issue>| -> Vec<answers::Issue> {
            page.into_iter().filter(|issue| is_own(issue, &own, marker)).collect()
        };
        let path = at(repository, &rest);
        let found = self.api.all(Scope::Of(repository), &what, &path, items, |all| !all.is_empty()).await?;
        Ok(found.into_iter().next().map(read))
    }

    pub(super) async fn issue_by(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Option<Issue>, ForgeError> {
        let own = self.api.actor().await?.login;
        let what = format!("issue {number} of {repository}");
        let path = at(repository, &format!("/issues/{number}"));
        let found: Option<answers::Issue> = self.api.find(Scope::Of(repository), &what, &path).await?;
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
        let path = at(repository, "/issues");
        let body = Some(said(text));
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
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
        let mut body = said(text);
        body["state_event"] = json!("reopen");
        self.put_issue(repository, number, body).await
    }

    pub(super) async fn end_issue(&self, repository: &Repository, number: u64) -> Result<(), ForgeError> {
        self.put_issue(repository, number, json!({ "state_event": "close" })).await.map(drop)
    }

    pub(super) async fn put_issue(
        &self,
        repository: &Repository,
        number: u64,
        body: Value,
    ) -> Result<Issue, ForgeError> {
        let what = format!("issue {number} of {repository}");
        let path = at(repository, &format!("/issues/{number}"));
        let body = Some(body);
        let sending = Sending { repository, what: &what, method: Method::PUT, path, body, fresh: false };
        self.api.put(&sending, |body| parsed::<answers::Issue>(body).map(read)).await
    }
}

fn said(text: &IssueText) -> Value {
    let more = text.labels.iter().map(String::as_str).filter(|label| *label != LABEL);
    // Names are divided by commas.
    let labels: Vec<String> =
        std::iter::once(LABEL).chain(more).map(|label| label.replace(',', " ")).collect();
    let description = text.marker.mark(&harmless(&text.body));
    json!({ "title": text.title, "description": description, "labels": labels.join(",") })
}

fn is_by(issue: &answers::Issue, own: &str) -> bool {
    issue.author.as_ref().is_some_and(|author| author.username == own)
}

fn is_own(issue: &answers::Issue, own: &str, marker: &Marker) -> bool {
    is_by(issue, own) && issue.description.as_deref().is_some_and(|text| marker.is_in(text))
}

fn read(issue: answers::Issue) -> Issue {
    Issue {
        number: issue.iid,
        open: issue.state == "opened",
        title: issue.title,
        body: issue.description.unwrap_or_default(),
        url: issue.web_url,
    }
}
