//! Retention: what is old and over is taken out. The audit chain stays whole, with the digest of all that ever was; an
//! entry names what was taken out, so that a row that is gone without one is still seen.

use serde_json::Value;
use sqlx::AnyConnection;

use crate::{
    Ledger, LedgerError,
    audit::{self, AuditEntry, Change},
    kept_log::drop_unused,
    shape::Incident,
};

/// Entries of this kind name rows that are gone.
const PRUNED: &str = "rows-pruned";
/// So many incidents, or other rows, go in one transaction: nobody waits long for it.
const PAGE: i64 = 50;

/// What was taken out, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Incidents, with their journals and labels.
    pub incidents: u64,
    /// Events of circuit breakers.
    pub breaker_events: u64,
    /// Pauses that were lifted.
    pub pauses: u64,
    /// Bodies of deliveries; that they came is kept for good.
    pub bodies: u64,
    /// Work that is done.
    pub work: u64,
    /// Logs of incidents that are gone.
    pub logs: u64,
}

impl AuditEntry {
    /// The rows that this entry says were taken out.
    pub(crate) fn pruned(&self) -> Vec<String> {
        if self.kind != PRUNED {
            return Vec::new();
        }
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let names = body.get("rows").and_then(Value::as_str).unwrap_or_default();
        names.split_whitespace().map(str::to_owned).collect()
    }
}

impl Ledger {
    /// Takes out what was over before `before`: closed and imported incidents, breaker events, lifted pauses, done work,
    /// the bodies of deliveries. In pieces: what was done when an error comes stays done.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn prune(&self, before: i64, actor: &str, now: i64) -> Result<Pruned, LedgerError> {
        let actor = self.clean(actor);
        let mut done = Pruned::default();
        let mut after = (i64::MIN, String::new());
        loop {
            let mut db = self.write().await?;
            let page = old(&mut db, before, &after).await?;
            let Some(last) = page.last() else { break };
            after = (last.opened_at, last.id.clone());
            let mut rows = Vec::new();
            for incident in page.iter().filter(|incident| incident.changed_at < before) {
                take_out(&mut db, &incident.id, &mut rows).await?;
                done.incidents += 1;
            }
            self.say(&mut db, &rows, &actor, now).await?;
            self.commit(db).await?;
        }
        done.breaker_events = self.prune_rows("breaker-event", BREAKER_EVENTS, before, &actor, now).await?;
        done.pauses = self.prune_rows("pause", PAUSES, before, &actor, now).await?;
        done.bodies = self.prune_aside(BODIES, before).await?;
        done.work = self.prune_aside(WORK, before).await?;
        // Sightings and waits are no matter of record: nobody is told how many there were.
        for sql in SEEN {
            self.prune_aside(sql, before).await?;
        }
        let mut db = self.write_aside().await?;
        sqlx::query(LOGS).bind(before).execute(&mut *db).await?;
        done.logs = drop_unused(&mut db).await?;
        self.commit_aside(db).await?;
        Ok(done)
    }

    async fn prune_rows(
        &self,
        table: &str,
        sql: &'static str,
        before: i64,
        actor: &str,
        now: i64,
    ) -> Result<u64, LedgerError> {
        let mut count = 0;
        loop {
            let mut db = self.write().await?;
            let gone: Vec<String> =
                sqlx::query_scalar(sql).bind(before).bind(PAGE).fetch_all(&mut *db).await?;
            if gone.is_empty() {
                return Ok(count);
            }
            count += gone.len() as u64;
            let rows: Vec<String> = gone.iter().map(|id| format!("{table}/{id}")).collect();
            self.say(&mut db, &rows, actor, now).await?;
            self.commit(db).await?;
        }
    }

    async fn prune_aside(&self, sql: &'static str, before: i64) -> Result<u64, LedgerError> {
        let mut count = 0;
        loop {
            let mut db = self.write_aside().await?;
            let gone = sqlx::query(sql).bind(before).bind(PAGE * 20).execute(&mut *db).await?.rows_affected();
            if gone == 0 {
                return Ok(count);
            }
            count += gone;
            self.commit_aside(db).await?;
        }
    }

    async fn say(
        &self,
        db: &mut AnyConnection,
        rows: &[String],
        actor: &str,
        now: i64,
    ) -> Result<(), LedgerError> {
        if rows.is_empty() {
            return Ok(());
        }
        let names = rows.join(" ");
        let details = [("actor", actor), ("rows", names.as_str())];
        audit::append(db, &Change { at: now, kind: PRUNED, details: &details }).await
    }
}

const BREAKER_EVENTS: &str = "DELETE FROM breaker_events WHERE seq IN
     (SELECT seq FROM breaker_events WHERE at < $1 ORDER BY at, seq LIMIT $2) RETURNING id";
const PAUSES: &str = "DELETE FROM pauses WHERE id IN
     (SELECT id FROM pauses WHERE ended_at < $1 ORDER BY id LIMIT $2) RETURNING id";
const BODIES: &str = "UPDATE deliveries SET body = NULL WHERE (forge, id) IN
     (SELECT forge, id FROM deliveries WHERE received_at < $1 AND body IS NOT NULL LIMIT $2)";
const LOGS: &str = "DELETE FROM incident_logs WHERE at < $1
     AND NOT EXISTS (SELECT 1 FROM incidents WHERE incidents.id = incident_logs.incident)";
const SEEN: [&str; 4] = [
    "DELETE FROM sightings WHERE (incident, service, class) IN
     (SELECT incident, service, class FROM sightings WHERE at < $1 LIMIT $2)",
    "DELETE FROM waits WHERE incident IN (SELECT incident FROM waits WHERE since < $1 LIMIT $2)",
    "DELETE FROM outages WHERE id IN (SELECT id FROM outages WHERE ended_at < $1 LIMIT $2)",
    "DELETE FROM escalations WHERE id IN (SELECT id FROM escalations WHERE closed_at < $1 LIMIT $2)",
];
const WORK: &str = "DELETE FROM work WHERE id IN (SELECT id FROM work WHERE done_at < $1 LIMIT $2)";

/// Incidents that are over, or that nobody here will ever act upon.
async fn old(
    db: &mut AnyConnection,
    before: i64,
    after: &(i64, String),
) -> Result<Vec<Incident>, LedgerError> {
    let records: Vec<String> = sqlx::query_scalar(
        "SELECT record FROM incidents WHERE opened_at < $1 AND (opened_at, id) > ($2, $3)
           AND (state = 'closed' OR owner IS NULL) ORDER BY opened_at, id LIMIT $4",
    )
    .bind(before)
    .bind(after.0)
    .bind(&after.1)
    .bind(PAGE)
    .fetch_all(db)
    .await?;
    records.iter().map(|record| Incident::parse(record)).collect()
}

async fn take_out(db: &mut AnyConnection, id: &str, rows: &mut Vec<String>) -> Result<(), LedgerError> {
    let facts: Vec<i64> = sqlx::query_scalar("DELETE FROM facts WHERE incident = $1 RETURNING seq")
        .bind(id)
        .fetch_all(&mut *db)
        .await?;
    rows.extend(facts.iter().map(|seq| format!("fact/{id}/{seq}")));
    let labels: Vec<String> = sqlx::query_scalar("DELETE FROM feedback WHERE incident = $1 RETURNING id")
        .bind(id)
        .fetch_all(&mut *db)
        .await?;
    rows.extend(labels.iter().map(|label| format!("feedback/{label}")));
    sqlx::query("DELETE FROM incidents WHERE id = $1").bind(id).execute(db).await?;
    rows.push(format!("incident/{id}"));
    Ok(())
}
