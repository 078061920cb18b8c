//! Notices among the work: whose they are stands in their keys, `notice/SINK/…`, so that a node takes those that it can send.

use crate::{Claim, Ledger, LedgerError};

/// Whose notices are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressed<'a> {
    /// Those to these sinks, that are due.
    To(&'a [&'a str]),
    /// Those to any other sink than these, that nobody has taken for so many milliseconds since they were due.
    ToNone {
        /// The sinks of whoever takes them.
        but: &'a [&'a str],
        /// For how long.
        untaken_ms: i64,
    },
}

impl Ledger {
    /// As [`Ledger::claim_many`], notices (work of the kind `notice`) to some sinks alone.
    ///
    /// # Errors
    /// As [`Ledger::claim_many`].
    pub async fn claim_notices(
        &self,
        which: Addressed<'_>,
        owner: &str,
        lease_ms: i64,
        now: i64,
        most: u32,
    ) -> Result<Vec<Claim>, LedgerError> {
        let (sinks, ready_by) = match which {
            Addressed::To([]) => return Ok(Vec::new()),
            Addressed::To(sinks) => (sinks, now),
            Addressed::ToNone { but, untaken_ms } => (but, now.saturating_sub(untaken_ms)),
        };
        // A range, so that the index is used: `0` comes after `/`. The kind stands there as the index has it.
        let one = |i: usize| format!("(key >= ${} AND key < ${})", 5 + 2 * i, 6 + 2 * i);
        let any = (0..sinks.len()).map(one).collect::<Vec<_>>().join(" OR ");
        let among = match which {
            Addressed::ToNone { but: [], .. } => "AND kind = 'notice'".to_owned(),
            Addressed::ToNone { .. } => format!("AND kind = 'notice' AND NOT ({any})"),
            Addressed::To(_) => format!("AND kind = 'notice' AND ({any})"),
        };
        let ends = |name: String| [format!("notice/{name}/"), format!("notice/{name}0")];
        let names = sinks.iter().flat_map(|sink| ends(self.name(sink))).collect();
        self.take((&among, names), (owner, now.saturating_add(lease_ms)), ready_by, most).await
    }

    /// How many notices (work of the kind `notice`), sent or not, have come onto the list since a moment, of those whose key
    /// begins so.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn notices_since(&self, key: &str, since: i64) -> Result<u32, LedgerError> {
        // What sorts right behind every key that begins so.
        let end = format!("{key}\u{10ffff}");
        // The kind stands there as the index has it.
        let sql =
            "SELECT count(*) FROM work WHERE kind = 'notice' AND created_at >= $1 AND key >= $2 AND key < $3";
        let count: i64 = sqlx::query_scalar(sql)
            .bind(since)
            .bind(self.name(key))
            .bind(self.name(&end))
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}
