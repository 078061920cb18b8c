//! What a person does at a CI host by Regreen: it changes no row, and is in the audit log.

use crate::{
    Ledger, LedgerError,
    audit::{Change, append},
};

/// A cache that a CI host is to forget, by a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgetting<'a> {
    /// Which host, such as `github`, at which address.
    pub host: &'a str,
    /// The repository, or project.
    pub repository: &'a str,
    /// What exactly: the whole key and its ref, or the variable and its step.
    pub what: &'a str,
}

impl Ledger {
    /// A person has the host forget a cache. Said before the host is asked.
    ///
    /// # Errors
    /// The ledger's own; then the host is not to be asked.
    pub async fn forgetting(&self, of: &Forgetting<'_>, actor: &str, now: i64) -> Result<(), LedgerError> {
        self.put_forgetting(of, "cache-forgetting-asked", None, actor, now).await
    }

    /// What came of it.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn forgotten(
        &self,
        of: &Forgetting<'_>,
        came_of_it: &str,
        actor: &str,
        now: i64,
    ) -> Result<(), LedgerError> {
        self.put_forgetting(of, "cache-forgetting-ended", Some(came_of_it), actor, now).await
    }

    async fn put_forgetting(
        &self,
        of: &Forgetting<'_>,
        kind: &'static str,
        came_of_it: Option<&str>,
        actor: &str,
        now: i64,
    ) -> Result<(), LedgerError> {
        let texts = [of.host, of.repository, of.what, actor].map(|text| self.clean(text));
        let [host, repository, what, actor] = texts;
        let came_of_it = came_of_it.map(|text| self.clean(text));
        let mut details = vec![
            ("actor", actor.as_str()),
            ("host", host.as_str()),
            ("repository", repository.as_str()),
            ("what", what.as_str()),
        ];
        details.extend(came_of_it.as_deref().map(|text| ("came-of-it", text)));
        let mut work = self.write().await?;
        append(&mut work, &Change { at: now, kind, details: &details }).await?;
        self.commit(work).await
    }
}
