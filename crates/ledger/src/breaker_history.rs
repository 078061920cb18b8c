//! What happened to a circuit breaker, newest first, a page at a time.

use crate::{BreakerKey, Ledger, LedgerError};

/// Something that happened to a breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEvent {
    /// Where it stands among them.
    pub place: EventPlace,
    /// The incident; empty where it was a person.
    pub incident: String,
    /// `success`, `failure`, `abandoned`, `probe` or `reset`; of a later version perhaps another word.
    pub event: String,
}

/// The place of an event in its breaker's history. New events do not move it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// Which one of that moment.
    pub seq: i64,
}

impl Ledger {
    /// At most `limit` events of this breaker, newest first, before that one.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn breaker_history(
        &self,
        key: &BreakerKey,
        before: Option<EventPlace>,
        limit: u32,
    ) -> Result<Vec<BreakerEvent>, LedgerError> {
        let before = before.unwrap_or(EventPlace { at: i64::MAX, seq: i64::MAX });
        let key = self.clean_key(key);
        let rows: Vec<(i64, i64, String, String)> = sqlx::query_as(
            "SELECT at, seq, incident, event FROM breaker_events
             WHERE class = $1 AND service = $2 AND repository = $3 AND (at, seq) < ($4, $5)
             ORDER BY at DESC, seq DESC LIMIT $6",
        )
        .bind(&key.class)
        .bind(&key.service)
        .bind(&key.repository)
        .bind(before.at)
        .bind(before.seq)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let event =
            |(at, seq, incident, event)| BreakerEvent { place: EventPlace { at, seq }, incident, event };
        Ok(rows.into_iter().map(event).collect())
    }
}
