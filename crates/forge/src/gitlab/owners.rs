//! Whose which files are, and who is assigned.
//!
//! Where the file lies: <https://docs.gitlab.com/user/project/codeowners/>. Assignees are named by their numbers, and take the place
//! of those who were: <https://docs.gitlab.com/api/issues/#update-an-issue>.

use serde_json::{Value, json};

use super::{
    answers::{Account, Text},
    client::GitLab,
    pipelines::at,
};
use crate::{
    ForgeError, Repository,
    calls::api::Scope,
    wire::base::{decoded, part},
};

const PLACES: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

impl GitLab {
    pub(super) async fn owners_of(&self, repository: &Repository) -> Result<Option<String>, ForgeError> {
        for file in PLACES {
            let path = at(repository, &format!("/repository/files/{}?ref=HEAD", part(file)));
            let what = format!("{file} of {repository}");
            let found: Option<Text> = self.api.find(Scope::Of(repository), &what, &path).await?;
            if let Some(text) = found {
                return Ok(decoded(&text.content));
            }
        }
        Ok(None)
    }

    pub(super) async fn assign_to(
        &self,
        repository: &Repository,
        number: u64,
        people: &[String],
    ) -> Result<(), ForgeError> {
        let mut ids: Vec<Value> = Vec::new();
        for person in people {
            let what = format!("the account {person}");
            let path = format!("/users?username={}", part(person));
            let named: Vec<Account> = self.api.get(Scope::Of(repository), &what, &path).await?;
            let known = named.into_iter().find(|account| account.is(person) && account.state == "active");
            ids.extend(known.map(|account| json!(account.id)));
        }
        if ids.is_empty() {
            return Ok(());
        }
        self.put_issue(repository, number, json!({ "assignee_ids": ids })).await.map(drop)
    }
}
