//! How much is asked of the CI hosts, by the hour: every node adds what it sent, and all of them together have one budget.

use sqlx::AssertSqlSafe;

use crate::{
    Ledger, LedgerError,
    delivery::{chunk, values},
};

const HOUR_MS: i64 = 3_600_000;
/// Hours are kept for so many milliseconds.
const KEPT_MS: i64 = 48 * HOUR_MS;

/// On whose behalf a host is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallsOf<'a> {
    /// The host, such as `github`.
    pub forge: &'a str,
    /// The first part of the repository's name.
    pub organisation: &'a str,
    /// The repository, in lower case.
    pub repository: &'a str,
}

/// Names what is added, so that it is added once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booking<'a> {
    /// Unique for whoever counts, as long as it counts.
    pub book: &'a str,
    /// Grows from one to the next.
    pub number: i64,
    /// When it was counted, in milliseconds since 1970.
    pub at: i64,
}

/// Whose calls are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// The repository's own.
    Repository,
    /// Those of its whole organisation.
    Organisation,
}

/// When the hour ends in which this moment is, in milliseconds since 1970.
pub const fn end_of_hour(now: i64) -> i64 {
    now.div_euclid(HOUR_MS).saturating_add(1).saturating_mul(HOUR_MS)
}

impl Ledger {
    /// Adds requests that were sent in the hour of the booking, and forgets those of the days before yesterday. The same
    /// booking twice is as once; so is one of the same book that comes after a later one.
    ///
    /// # Errors
    /// The ledger's own; then either none is added or all of them are: the same booking is to be tried again.
    pub async fn add_calls(
        &self,
        sent: &[(CallsOf<'_>, u64)],
        as_of: &Booking<'_>,
    ) -> Result<(), LedgerError> {
        if sent.is_empty() {
            return Ok(());
        }
        let now = as_of.at;
        // In one order on every node, so that two can't wait for each other.
        let mut sent = sent.to_vec();
        sent.sort_unstable_by_key(|(of, _)| *of);
        let hour = now.div_euclid(HOUR_MS);
        let mut db = self.write_aside().await?;
        let fresh = sqlx::query(
            "INSERT INTO call_books (book, booking, at) VALUES ($1, $2, $3)
             ON CONFLICT (book) DO UPDATE SET booking = excluded.booking, at = excluded.at
             WHERE call_books.booking < excluded.booking",
        )
        .bind(self.name(as_of.book))
        .bind(as_of.number)
        .bind(now)
        .execute(&mut *db)
        .await?;
        if fresh.rows_affected() == 0 {
            return Ok(());
        }
        let mut rest = sent.as_slice();
        while !rest.is_empty() {
            let (rows, more) = rest.split_at(chunk(rest.len()));
            rest = more;
            let sql = format!(
                "INSERT INTO host_calls (forge, organisation, hour, repository, calls) VALUES {}
                 ON CONFLICT (forge, organisation, hour, repository)
                 DO UPDATE SET calls = host_calls.calls + excluded.calls",
                values(rows.len(), 5)
            );
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for (of, calls) in rows {
                query = query
                    .bind(self.clean(of.forge))
                    .bind(self.clean(of.organisation))
                    .bind(hour)
                    .bind(self.clean(of.repository))
                    .bind(i64::try_from(*calls).unwrap_or(i64::MAX));
            }
            query.execute(&mut *db).await?;
        }
        sqlx::query("DELETE FROM host_calls WHERE hour < $1")
            .bind(now.saturating_sub(KEPT_MS).div_euclid(HOUR_MS))
            .execute(&mut *db)
            .await?;
        sqlx::query("DELETE FROM call_books WHERE at < $1")
            .bind(now.saturating_sub(KEPT_MS))
            .execute(&mut *db)
            .await?;
        self.commit_aside(db).await
    }

    /// Requests that were added in this hour: for the repository, and for all of its organisation together.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn calls(&self, of: CallsOf<'_>, now: i64) -> Result<(u64, u64), LedgerError> {
        let (own, all): (i64, i64) = sqlx::query_as(
            "SELECT CAST(coalesce(sum(CASE WHEN repository = $4 THEN calls ELSE 0 END), 0) AS BIGINT),
                    CAST(coalesce(sum(calls), 0) AS BIGINT)
             FROM host_calls WHERE forge = $1 AND organisation = $2 AND hour = $3",
        )
        .bind(self.clean(of.forge))
        .bind(self.clean(of.organisation))
        .bind(now.div_euclid(HOUR_MS))
        .bind(self.clean(of.repository))
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok((own.unsigned_abs(), all.unsigned_abs()))
    }

    /// Requests that were added in this hour, by host.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn calls_by_host(&self, now: i64) -> Result<Vec<(String, u64)>, LedgerError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT forge, CAST(sum(calls) AS BIGINT) FROM host_calls WHERE hour = $1 GROUP BY forge ORDER BY forge",
        )
        .bind(now.div_euclid(HOUR_MS))
        .fetch_all(&mut *self.read().await?)
        .await?;
        Ok(rows.into_iter().map(|(forge, calls)| (forge, calls.unsigned_abs())).collect())
    }

    /// Whether it falls to whoever asks to tell that this hour's requests are used up: it does once.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn tells_of_calls(&self, of: CallsOf<'_>, whose: Share, now: i64) -> Result<bool, LedgerError> {
        let repository = match whose {
            Share::Repository => self.clean(of.repository),
            Share::Organisation => String::new(),
        };
        let mut db = self.write_aside().await?;
        let told = sqlx::query(
            "INSERT INTO host_calls (forge, organisation, hour, repository, calls, told) VALUES ($1, $2, $3, $4, 0, 1)
             ON CONFLICT (forge, organisation, hour, repository)
             DO UPDATE SET told = 1 WHERE host_calls.told = 0",
        )
        .bind(self.clean(of.forge))
        .bind(self.clean(of.organisation))
        .bind(now.div_euclid(HOUR_MS))
        .bind(repository)
        .execute(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        Ok(told.rows_affected() > 0)
    }
}
