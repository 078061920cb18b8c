//! How fast the services answer that are asked whether they serve: what people look at, and no record.

use crate::{Ledger, LedgerError, statistics::Spread};

/// So long it is kept, in milliseconds.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// So many of the latest are looked at.
const MOST: i64 = 1_000;

/// How fast a service answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// When it was asked last.
    pub at: i64,
    /// How long it took then, in milliseconds; `None` where nothing came back.
    pub last: Option<u64>,
    /// How often it was asked, of the last thousand times.
    pub asked: u64,
    /// Of those that were answered: how long that took.
    pub took: Option<Spread>,
}

impl Ledger {
    /// A service was asked, and answered after so many milliseconds or not at all.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn asked(&self, service: &str, took: Option<u64>, now: i64) -> Result<(), LedgerError> {
        let service = self.name(service);
        let mut db = self.write_aside().await?;
        sqlx::query("INSERT INTO probes (service, at, took_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&service)
            .bind(now)
            .bind(took.map(|took| i64::try_from(took).unwrap_or(i64::MAX)))
            .execute(&mut *db)
            .await?;
        sqlx::query("DELETE FROM probes WHERE service = $1 AND at < $2")
            .bind(&service)
            .bind(now.saturating_sub(KEPT_MS))
            .execute(&mut *db)
            .await?;
        self.commit_aside(db).await
    }

    /// How fast a service answered from `since` until `until`, in milliseconds since 1970; `None` where nobody asked it.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn latency(
        &self,
        service: &str,
        since: i64,
        until: i64,
    ) -> Result<Option<Latency>, LedgerError> {
        let rows: Vec<(i64, Option<i64>)> = sqlx::query_as(
            "SELECT at, took_ms FROM probes WHERE service = $1 AND at >= $2 AND at <= $3 ORDER BY at DESC LIMIT $4",
        )
        .bind(self.name(service))
        .bind(since)
        .bind(until)
        .bind(MOST)
        .fetch_all(&mut *self.read().await?)
        .await?;
        let took = |took: &Option<i64>| took.map(i64::unsigned_abs);
        let latency = |(at, last): &(i64, Option<i64>)| Latency {
            at: *at,
            last: took(last),
            asked: rows.len() as u64,
            took: Spread::of(rows.iter().filter_map(|(_, one)| took(one)).collect()),
        };
        Ok(rows.first().map(latency))
    }
}
