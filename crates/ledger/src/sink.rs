//! How each way to people does: when it took a notice, when and why it did not, and how many wait for it. What people look at,
//! and no record.

use sqlx::{AnyConnection, FromRow, any::AnyRow};

use crate::{Claim, Ledger, LedgerError};

/// Most characters of a reason that are kept.
const REASON: usize = 300;

/// What came of notices to one sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard<'a> {
    /// It took them.
    Sent,
    /// They are given up, for this reason.
    GivenUp {
        /// How they ended: `refused` or `given-up`.
        outcome: &'a str,
        /// Why.
        why: &'a str,
    },
    /// They are tried again at `when`, in milliseconds since 1970.
    Delayed {
        /// Why.
        why: &'a str,
        /// Not before.
        when: i64,
    },
}

/// How a sink does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SinkRecord {
    /// Its name.
    pub name: String,
    /// Notices that it took.
    pub sent: u64,
    /// Notices that were given up.
    pub given_up: u64,
    /// Notices that are on the list for it.
    pub waiting: u64,
    /// When it last took one, in milliseconds since 1970.
    pub sent_at: Option<i64>,
    /// When one last failed.
    pub failed_at: Option<i64>,
    /// Since when none was taken; `None` where the last one was.
    pub failing_since: Option<i64>,
    /// Why the last one that failed did.
    pub why: Option<String>,
}

impl Ledger {
    /// What came of notices (work of the kind `notice`) to the sink of this name: their work ends or goes on, and how the
    /// sink does is kept, in one transaction.
    ///
    /// # Errors
    /// The ledger's own; a claim that somebody else has taken counts for nothing.
    pub async fn heard_of_sink(
        &self,
        sink: &str,
        claims: &[Claim],
        heard: Heard<'_>,
        now: i64,
    ) -> Result<(), LedgerError> {
        // In one order on every node, so that two can't wait for each other; the sink's own row comes last.
        let mut claims: Vec<&Claim> = claims.iter().collect();
        claims.sort_by_key(|claim| claim.id);
        let mut db = self.write_aside().await?;
        let mut held = 0;
        for claim in claims {
            held += i64::from(match heard {
                Heard::Sent => self.end(&mut db, claim, "sent", now).await?,
                Heard::GivenUp { outcome, .. } => self.end(&mut db, claim, outcome, now).await?,
                Heard::Delayed { when, .. } => put_off(&mut db, claim, when).await?,
            });
        }
        if held > 0 {
            let (sent, given_up, why) = match heard {
                Heard::Sent => (held, 0, None),
                Heard::GivenUp { why, .. } => (0, held, Some(why)),
                Heard::Delayed { why, .. } => (0, 0, Some(why)),
            };
            let why = why.map(|why| self.clean(why).chars().take(REASON).collect::<String>());
            let (sent_at, failed_at) = if why.is_some() { (None, Some(now)) } else { (Some(now), None) };
            sqlx::query(
                "INSERT INTO sinks (name, sent, given_up, sent_at, failed_at, failing_since, why)
                 VALUES ($1, $2, $3, $4, $5, $5, $6)
                 ON CONFLICT (name) DO UPDATE SET
                   sent = sinks.sent + excluded.sent,
                   given_up = sinks.given_up + excluded.given_up,
                   sent_at = coalesce(excluded.sent_at, sinks.sent_at),
                   failed_at = coalesce(excluded.failed_at, sinks.failed_at),
                   failing_since = CASE WHEN excluded.failed_at IS NULL THEN NULL
                                        ELSE coalesce(sinks.failing_since, excluded.failed_at) END,
                   why = coalesce(excluded.why, sinks.why)",
            )
            .bind(self.name(sink))
            .bind(sent)
            .bind(given_up)
            .bind(sent_at)
            .bind(failed_at)
            .bind(why)
            .execute(&mut *db)
            .await?;
        }
        self.commit_aside(db).await
    }

    /// How sinks do, by name: these, whatever is on record of them, and any other for which notices wait.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn sinks(&self, configured: &[&str]) -> Result<Vec<SinkRecord>, LedgerError> {
        let mut db = self.read().await?;
        let found: Vec<SinkRecord> =
            sqlx::query_as("SELECT name, sent, given_up, sent_at, failed_at, failing_since, why FROM sinks")
                .fetch_all(&mut *db)
                .await?;
        let fresh: Vec<SinkRecord> = configured
            .iter()
            .map(|name| self.name(name))
            .filter(|name| found.iter().all(|one| one.name != *name))
            .map(|name| SinkRecord { name, ..SinkRecord::default() })
            .collect();
        let mut all = Vec::new();
        for mut one in found.into_iter().chain(fresh) {
            one.waiting = waiting(&mut db, &one.name).await?;
            if one.waiting > 0 || configured.iter().any(|name| self.name(name) == one.name) {
                all.push(one);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }
}

impl SinkRecord {
    /// Whether people are not told by it as they should be: the last notice failed.
    pub const fn is_failing(&self) -> bool {
        self.failing_since.is_some()
    }
}

async fn put_off(db: &mut AnyConnection, claim: &Claim, when: i64) -> Result<bool, LedgerError> {
    let put_off = sqlx::query(
        "UPDATE work SET owner = NULL, woken_at = NULL,
                         ready_at = CASE WHEN woken_at < $3 THEN woken_at ELSE $3 END
         WHERE id = $1 AND fence = $2 AND owner IS NOT NULL AND done_at IS NULL",
    )
    .bind(claim.id)
    .bind(claim.fence)
    .bind(when)
    .execute(db)
    .await?;
    Ok(put_off.rows_affected() > 0)
}

/// Notices on the list whose key names this sink.
async fn waiting(db: &mut AnyConnection, name: &str) -> Result<u64, LedgerError> {
    // A range, so that the index is used: `0` comes after `/`. The kind stands there as the index has it.
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM work WHERE kind = 'notice' AND done_at IS NULL AND key >= $1 AND key < $2",
    )
    .bind(format!("notice/{name}/"))
    .bind(format!("notice/{name}0"))
    .fetch_one(db)
    .await?;
    Ok(count.unsigned_abs())
}

impl FromRow<'_, AnyRow> for SinkRecord {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        type Cells = (String, i64, i64, Option<i64>, Option<i64>, Option<i64>, Option<String>);
        let (name, sent, given_up, sent_at, failed_at, failing_since, why): Cells = FromRow::from_row(row)?;
        let (sent, given_up) = (sent.unsigned_abs(), given_up.unsigned_abs());
        Ok(SinkRecord { name, sent, given_up, waiting: 0, sent_at, failed_at, failing_since, why })
    }
}
