//! Caches of actions.

use ureq::http::Method;

use super::{answers, api::Scope, api::parsed, client::GitHub, runs::two_parts, sending::Sending};
use crate::{Cache, ForgeError, Repository, wire::base::part};

impl GitHub {
    pub(super) async fn caches_of(
        &self,
        repository: &Repository,
        key: Option<&str>,
        reference: Option<&str>,
    ) -> Result<Vec<Cache>, ForgeError> {
        two_parts(repository)?;
        let mut path = format!("/repos/{repository}/actions/caches?per_page=100");
        for (name, value) in [("key", key), ("ref", reference)] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", part(value)));
            }
        }
        let what = format!("the caches of {repository}");
        let items = |page: answers::Caches| page.actions_caches;
        let all = self.api.all(Scope::Of(repository), &what, &path, items, |_| false).await?;
        let read = |cache: answers::Cache| Cache {
            id: cache.id,
            key: cache.key,
            reference: cache.reference,
            bytes: cache.size_in_bytes,
            created_at: cache.created_at.map(|at| at.0),
            used_at: cache.last_accessed_at.map(|at| at.0),
        };
        Ok(all.into_iter().map(read).collect())
    }

    /// GitHub deletes by the complete key; without a ref it would delete those of all branches.
    pub(super) async fn delete_caches(
        &self,
        repository: &Repository,
        key: &str,
        reference: &str,
    ) -> Result<u64, ForgeError> {
        two_parts(repository)?;
        let what = format!("deleting a cache of {repository}");
        if key.trim().is_empty() || !reference.starts_with("refs/") {
            let why = "name the whole key, and the ref as `refs/…`".to_owned();
            return Err(ForgeError::Invalid { what, why });
        }
        let path = format!("/repos/{repository}/actions/caches?key={}&ref={}", part(key), part(reference));
        let sending =
            Sending { repository, what: &what, method: Method::DELETE, path, body: None, fresh: false };
        match self.api.put(&sending, parsed::<answers::Deleted>).await {
            Ok(deleted) => Ok(deleted.total_count),
            Err(ForgeError::NotFound { .. }) => Ok(0),
            Err(e) => Err(e),
        }
    }
}
