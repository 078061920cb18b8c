//! Who works on an incident beside the fleet: the claim of a piece of work. Several pieces can be about one incident (the end
//! of an attempt and what was waited for, a run put on the list by hand), and only one of their claims may have it.

use sqlx::AssertSqlSafe;

use crate::{
    Claim, Ledger, LedgerError,
    audit::{self, Change},
    incident::{check_id, find, ours, set_owner, store},
    shape::Incident,
    work::{NewWork, insert},
};

impl Claim {
    /// The owner that an incident has while it is worked on under this claim. Another claim, also of the same work, has
    /// another one.
    pub fn token(&self) -> String {
        format!("w{}-{}", self.id, self.fence)
    }
}

/// Work and fence of a claim, by its token.
fn claim_of(token: &str) -> Option<(i64, i64)> {
    let (id, fence) = token.strip_prefix('w')?.split_once('-')?;
    Some((id.parse().ok()?, fence.parse().ok()?))
}

impl Ledger {
    /// As [`Ledger::take_over`], unless the claim of whoever owns it lasts: then the end of that lease is given, and nothing
    /// changed. A claim ends by its time, or when its owner gives the work back.
    ///
    /// # Errors
    /// As [`Ledger::take_over`].
    pub async fn take_over_from_the_gone(
        &self,
        id: &str,
        owner: &str,
        now: i64,
    ) -> Result<Option<i64>, LedgerError> {
        check_id(owner)?;
        let mut db = self.write().await?;
        let incident = ours(&mut db, id).await?;
        let holder = find(&mut db, id).await?.and_then(|(_, owner)| owner);
        if holder.as_deref() == Some(owner) {
            return Ok(None);
        }
        if let Some((work, fence)) = holder.as_deref().and_then(claim_of) {
            let sql = format!(
                "SELECT ready_at FROM work WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL {}",
                self.dialect().hold_row()
            );
            let until: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
                .bind(work)
                .bind(fence)
                .fetch_optional(&mut *db)
                .await?;
            if let Some(until) = until.filter(|until| *until > now) {
                return Ok(Some(until));
            }
        }
        let change = Change { at: now, kind: "incident-taken-over", details: &[("owner", owner)] };
        store(&mut db, &incident, &change).await?;
        set_owner(&mut db, id, owner).await?;
        self.commit(db).await?;
        Ok(None)
    }

    /// As [`Ledger::enqueue`] for what a person puts on the list: who did is in the audit log. Whether it is new.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn enqueue_by_hand(
        &self,
        item: &NewWork<'_>,
        actor: &str,
        now: i64,
    ) -> Result<bool, LedgerError> {
        let (actor, key) = (self.clean(actor), self.name(item.key));
        let mut db = self.write().await?;
        let fresh = !insert(self, &mut db, &[item]).await?.is_empty();
        if fresh {
            let details = [("actor", actor.as_str()), ("work", key.as_str())];
            audit::append(&mut db, &Change { at: now, kind: "work-listed-by-hand", details: &details })
                .await?;
        }
        self.commit(db).await?;
        if fresh {
            // Whoever lists it may end right after.
            self.ring().await;
        }
        Ok(fresh)
    }

    /// The work is done with, although it could not be done; that is in the audit log, once, however often it is said.
    ///
    /// # Errors
    /// `StaleClaim` where somebody else has taken it; or the ledger's own.
    pub async fn give_up(&self, claim: &Claim, why: &str, now: i64) -> Result<(), LedgerError> {
        let why = self.clean(why);
        let mut db = self.write().await?;
        let done: Option<i64> =
            sqlx::query_scalar("SELECT id FROM work WHERE id = $1 AND done_at IS NOT NULL")
                .bind(claim.id)
                .fetch_optional(&mut *db)
                .await?;
        if !self.end(&mut db, claim, "given-up", now).await? {
            return Err(claim.stale());
        }
        if done.is_some() {
            // What is repeated after a lost answer changes nothing.
            return Ok(());
        }
        let details = [("why", why.as_str()), ("work", claim.key.as_str())];
        audit::append(&mut db, &Change { at: now, kind: "work-given-up", details: &details }).await?;
        self.commit(db).await
    }
}

impl Ledger {
    /// Incidents of this ledger's own whose id begins with `prefix`, which ends in `-`, oldest first.
    ///
    /// # Errors
    /// Where the ledger, or a record, can't be read.
    pub async fn incidents_of(&self, prefix: &str) -> Result<Vec<Incident>, LedgerError> {
        // A range, so that the index is used: `.` comes after `-`.
        let end = format!("{}.", prefix.trim_end_matches('-'));
        let records: Vec<String> = sqlx::query_scalar(
            "SELECT record FROM incidents WHERE id >= $1 AND id < $2 AND owner IS NOT NULL ORDER BY opened_at, id",
        )
        .bind(prefix)
        .bind(end)
        .fetch_all(&mut *self.read().await?)
        .await?;
        records.iter().map(|record| Incident::parse(record)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_as_they_are_written() {
        let text = String::new;
        let claim = Claim {
            id: 7,
            fence: 3,
            kind: text(),
            key: text(),
            payload: text(),
            attempts: 1,
            lease_until: 0,
            created_at: 0,
            stumbles_since: None,
        };
        assert_eq!(claim_of(&claim.token()), Some((7, 3)));
        for other in ["p1", "w7", "w-", "wx-3", "r12-9f"] {
            assert_eq!(claim_of(other), None, "{other}");
        }
    }
}
