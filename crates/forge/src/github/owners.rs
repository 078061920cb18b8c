//! Whose which files are, and who is assigned.
//!
//! Where the file lies: <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>.
//! Who can't be assigned is passed over by GitHub: <https://docs.github.com/en/rest/issues/assignees>.

use serde_json::json;
use ureq::http::Method;

use super::{answers::Text, api::Scope, client::GitHub, runs::two_parts, sending::Sending};
use crate::{ForgeError, Repository, wire::base::decoded};

const PLACES: [&str; 3] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

impl GitHub {
    pub(super) async fn owners_of(&self, repository: &Repository) -> Result<Option<String>, ForgeError> {
        two_parts(repository)?;
        for file in PLACES {
            let at = format!("/repos/{repository}/contents/{file}");
            let what = format!("{file} of {repository}");
            let found: Option<Text> = self.api.find(Scope::Of(repository), &what, &at).await?;
            if let Some(text) = found {
                // A folder, and what is too large to be shown, is nobody's.
                return Ok(text.content.as_deref().and_then(decoded));
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
        two_parts(repository)?;
        let what = format!("the assignees of issue {number} of {repository}");
        let path = format!("/repos/{repository}/issues/{number}/assignees");
        let body = Some(json!({ "assignees": people }));
        let sending = Sending { repository, what: &what, method: Method::POST, path, body, fresh: false };
        self.api.put(&sending, |_| Ok(())).await
    }
}
