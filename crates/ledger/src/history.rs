//! What was tried before: the attempts and last tries that a decision reads.

use crate::{Ledger, LedgerError, shape::Place};

impl Ledger {
    /// How many incidents of this repository, commit and job have acted (a step was started). Without a commit:
    /// of this workspace and job.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn attempts(&self, place: &Place) -> Result<u32, LedgerError> {
        let mut place = place.clone();
        place.scrub(self.scrubber());
        let workspace = place.commit.is_none().then_some(&place.workspace);
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM incidents
             WHERE repository IS NOT DISTINCT FROM ? AND commit_id IS NOT DISTINCT FROM ?
               AND job IS NOT DISTINCT FROM ? AND workspace = coalesce(?, workspace)
               AND EXISTS (SELECT 1 FROM facts WHERE facts.incident = incidents.id AND facts.event = 'started')",
        )
        .bind(&place.repository)
        .bind(&place.commit)
        .bind(&place.job)
        .bind(workspace)
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// When a step of this playbook was last started in this workspace.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn last_try(&self, playbook: &str, workspace: &str) -> Result<Option<i64>, LedgerError> {
        Ok(sqlx::query_scalar(
            "SELECT max(facts.at) FROM facts JOIN incidents ON incidents.id = facts.incident
             WHERE facts.event = 'started' AND incidents.playbook = ? AND incidents.workspace = ?",
        )
        .bind(self.clean(playbook))
        .bind(self.clean(workspace))
        .fetch_one(&mut *self.read().await?)
        .await?)
    }
}
