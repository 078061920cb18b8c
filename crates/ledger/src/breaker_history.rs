//! What happened to a circuit breaker, newest first, a page at a time.

use std::collections::HashMap;

use serde::Deserialize;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{BreakerKey, Ledger, LedgerError, circuit::Event};

/// Events whose actors are looked up at once.
const AT_ONCE: usize = 200;

/// Something that happened to a breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerEvent {
    /// Where it stands among them.
    pub place: EventPlace,
    /// The incident; empty where it was a person.
    pub incident: String,
    /// `success`, `failure`, `abandoned`, `probe` or `reset`; of a later version perhaps another word.
    pub event: String,
    /// Who closed it, as the audit log has it; `None` where it was no person, or that came from another ledger.
    pub actor: Option<String>,
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
        let mut db = self.read().await?;
        let rows: Vec<(String, i64, i64, String, String)> = sqlx::query_as(
            "SELECT id, at, seq, incident, event FROM breaker_events
             WHERE class = $1 AND service = $2 AND repository = $3 AND (at, seq) < ($4, $5)
             ORDER BY at DESC, seq DESC LIMIT $6",
        )
        .bind(&key.class)
        .bind(&key.service)
        .bind(&key.repository)
        .bind(before.at)
        .bind(before.seq)
        .bind(i64::from(limit))
        .fetch_all(&mut *db)
        .await?;
        let resets = rows.iter().filter(|(.., event)| event == Event::Reset.id()).map(|(id, ..)| id.as_str());
        let mut actors = actors(&mut db, &resets.collect::<Vec<_>>()).await?;
        let event = |(id, at, seq, incident, event): (String, i64, i64, String, String)| BreakerEvent {
            place: EventPlace { at, seq },
            incident,
            event,
            actor: actors.remove(&about(&id)),
        };
        Ok(rows.into_iter().map(event).collect())
    }
}

/// How the audit log names an event.
fn about(id: &str) -> String {
    format!("breaker-event/{id}")
}

/// Whose word these events were, by how the audit log names them. It alone keeps that.
async fn actors(db: &mut AnyConnection, events: &[&str]) -> Result<HashMap<String, String>, LedgerError> {
    #[derive(Deserialize)]
    struct Body {
        row: String,
        #[serde(default)]
        actor: String,
    }
    let mut found = HashMap::new();
    for some in events.chunks(AT_ONCE) {
        let places = (1..=some.len()).map(|i| format!("${i}")).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT body FROM audit WHERE kind = 'breaker-reset' AND about IN ({places})");
        let mut query = sqlx::query_scalar::<_, String>(AssertSqlSafe(sql));
        for id in some {
            query = query.bind(about(id));
        }
        for body in query.fetch_all(&mut *db).await? {
            let body: Body = serde_json::from_str(&body).map_err(|source| LedgerError::Shape {
                what: "an entry of the audit log".to_owned(),
                source,
            })?;
            if !body.actor.is_empty() {
                found.insert(body.row, body.actor);
            }
        }
    }
    Ok(found)
}
