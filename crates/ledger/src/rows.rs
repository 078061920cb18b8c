//! Rows into and out of the tables. A row that this Regreen writes goes through [`put`], which tells the audit log.

use sqlx::AnyConnection;

use crate::{
    LedgerError,
    audit::{self, Change},
    row::Row,
};

const PAGE: i64 = 256;

/// Writes a row and its audit entry. An existing row with the same key is replaced.
pub(crate) async fn put(db: &mut AnyConnection, row: &Row, change: &Change<'_>) -> Result<(), LedgerError> {
    put_silently(db, row).await?;
    audit::append_row(db, change, row).await
}

/// Writes a row whose audit entry is already there. Facts, feedback and breaker events are never replaced.
pub(crate) async fn put_silently(db: &mut AnyConnection, row: &Row) -> Result<(), LedgerError> {
    let query = match row {
        Row::Incident { id, record } => sqlx::query(
            "INSERT INTO incidents (id, record) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record",
        )
        .bind(id)
        .bind(record),
        Row::Fact { incident, seq, at, fact } => {
            sqlx::query("INSERT INTO facts (incident, seq, at, fact) VALUES ($1, $2, $3, $4)")
                .bind(incident)
                .bind(seq)
                .bind(at)
                .bind(fact)
        }
        Row::Feedback { id, incident, class, actor, note, at } => sqlx::query(
            "INSERT INTO feedback (id, incident, class, actor, note, at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(incident)
        .bind(class)
        .bind(actor)
        .bind(note)
        .bind(at),
        Row::BreakerEvent { id, class, service, repository, incident, at, event } => sqlx::query(
            "INSERT INTO breaker_events (id, class, service, repository, incident, at, event)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(class)
        .bind(service)
        .bind(repository)
        .bind(incident)
        .bind(at)
        .bind(event),
        Row::Pause { id, scope, at, actor, reason, ended_at, ended_by } => sqlx::query(
            "INSERT INTO pauses (id, scope, at, actor, reason, ended_at, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_by = excluded.ended_by",
        )
        .bind(id)
        .bind(scope)
        .bind(at)
        .bind(actor)
        .bind(reason)
        .bind(ended_at)
        .bind(ended_by),
        Row::Pattern { id, name, text, at, actor, ended_at, ended_by } => sqlx::query(
            "INSERT INTO patterns (id, name, text, at, actor, ended_at, ended_by) VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at, ended_by = excluded.ended_by",
        )
        .bind(id)
        .bind(name)
        .bind(text)
        .bind(at)
        .bind(actor)
        .bind(ended_at)
        .bind(ended_by),
    };
    query.execute(db).await?;
    Ok(())
}

/// The stored row with the same key.
pub(crate) async fn same_key(db: &mut AnyConnection, row: &Row) -> Result<Option<Row>, LedgerError> {
    Ok(match row {
        Row::Incident { id, .. } => sqlx::query_as("SELECT id, record FROM incidents WHERE id = $1")
            .bind(id)
            .fetch_optional(db)
            .await?
            .map(incident),
        Row::Fact { incident, seq, .. } => {
            sqlx::query_as("SELECT incident, seq, at, fact FROM facts WHERE incident = $1 AND seq = $2")
                .bind(incident)
                .bind(seq)
                .fetch_optional(db)
                .await?
                .map(fact)
        }
        Row::Feedback { id, .. } => {
            sqlx::query_as("SELECT id, incident, class, actor, note, at FROM feedback WHERE id = $1")
                .bind(id)
                .fetch_optional(db)
                .await?
                .map(feedback)
        }
        Row::BreakerEvent { id, .. } => sqlx::query_as(
            "SELECT id, class, service, repository, incident, at, event FROM breaker_events WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(breaker_event),
        Row::Pause { id, .. } => sqlx::query_as(
            "SELECT id, scope, at, actor, reason, ended_at, ended_by FROM pauses WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(db)
        .await?
        .map(pause),
        Row::Pattern { id, .. } => {
            sqlx::query_as("SELECT id, name, text, at, actor, ended_at, ended_by FROM patterns WHERE id = $1")
                .bind(id)
                .fetch_optional(db)
                .await?
                .map(pattern)
        }
    })
}

/// Where a walk over all rows stands.
#[derive(Default)]
pub(crate) struct Walk {
    table: usize,
    text: String,
    first: i64,
    second: i64,
}

impl Walk {
    /// The next rows: table by table, those that others refer to first, each in a fixed order; empty at the end.
    pub(crate) async fn next(&mut self, db: &mut AnyConnection) -> Result<Vec<Row>, LedgerError> {
        loop {
            let rows = self.page(db).await?;
            if !rows.is_empty() || self.table > 5 {
                return Ok(rows);
            }
            *self = Walk { table: self.table + 1, first: i64::MIN, ..Walk::default() };
        }
    }

    async fn page(&mut self, db: &mut AnyConnection) -> Result<Vec<Row>, LedgerError> {
        let rows: Vec<Row> = match self.table {
            0 => sqlx::query_as("SELECT id, record FROM incidents WHERE id > $1 ORDER BY id LIMIT $2")
                .bind(&self.text)
                .bind(PAGE)
                .fetch_all(db)
                .await?
                .into_iter()
                .map(incident)
                .collect(),
            1 => sqlx::query_as(
                "SELECT incident, seq, at, fact FROM facts WHERE (incident, seq) > ($1, $2)
                 ORDER BY incident, seq LIMIT $3",
            )
            .bind(&self.text)
            .bind(self.first)
            .bind(PAGE)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(fact)
            .collect(),
            2 => sqlx::query_as(
                "SELECT id, incident, class, actor, note, at FROM feedback WHERE id > $1 ORDER BY id LIMIT $2",
            )
            .bind(&self.text)
            .bind(PAGE)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(feedback)
            .collect(),
            3 => {
                let rows: Vec<(i64, BreakerEventRow)> = self.breaker_events(db).await?;
                self.second = rows.last().map_or(self.second, |(seq, _)| *seq);
                rows.into_iter().map(|(_, row)| breaker_event(row)).collect()
            }
            4 => sqlx::query_as(
                "SELECT id, scope, at, actor, reason, ended_at, ended_by FROM pauses WHERE id > $1
                 ORDER BY id LIMIT $2",
            )
            .bind(&self.text)
            .bind(PAGE)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(pause)
            .collect(),
            5 => sqlx::query_as(
                "SELECT id, name, text, at, actor, ended_at, ended_by FROM patterns WHERE id > $1
                 ORDER BY id LIMIT $2",
            )
            .bind(&self.text)
            .bind(PAGE)
            .fetch_all(db)
            .await?
            .into_iter()
            .map(pattern)
            .collect(),
            _ => Vec::new(),
        };
        match rows.last() {
            Some(
                Row::Incident { id, .. }
                | Row::Feedback { id, .. }
                | Row::Pause { id, .. }
                | Row::Pattern { id, .. },
            ) => {
                self.text.clone_from(id);
            }
            Some(Row::Fact { incident, seq, .. }) => {
                self.text.clone_from(incident);
                self.first = *seq;
            }
            Some(Row::BreakerEvent { at, .. }) => self.first = *at,
            None => {}
        }
        Ok(rows)
    }

    /// In the order in which they count, so that an import can keep it.
    async fn breaker_events(
        &self,
        db: &mut AnyConnection,
    ) -> Result<Vec<(i64, BreakerEventRow)>, LedgerError> {
        type Numbered = (String, String, String, String, String, i64, String, i64);
        let rows: Vec<Numbered> = sqlx::query_as(
            "SELECT id, class, service, repository, incident, at, event, seq FROM breaker_events
             WHERE (at, seq) > ($1, $2) ORDER BY at, seq LIMIT $3",
        )
        .bind(self.first)
        .bind(self.second)
        .bind(PAGE)
        .fetch_all(db)
        .await?;
        Ok(rows.into_iter().map(|r| (r.7, (r.0, r.1, r.2, r.3, r.4, r.5, r.6))).collect())
    }
}

type BreakerEventRow = (String, String, String, String, String, i64, String);

fn incident((id, record): (String, String)) -> Row {
    Row::Incident { id, record }
}

fn fact((incident, seq, at, fact): (String, i64, i64, String)) -> Row {
    Row::Fact { incident, seq, at, fact }
}

fn feedback(
    (id, incident, class, actor, note, at): (String, String, String, String, Option<String>, i64),
) -> Row {
    Row::Feedback { id, incident, class, actor, note, at }
}

fn breaker_event((id, class, service, repository, incident, at, event): BreakerEventRow) -> Row {
    Row::BreakerEvent { id, class, service, repository, incident, at, event }
}

fn pause(
    (id, scope, at, actor, reason, ended_at, ended_by): (
        String,
        String,
        i64,
        String,
        String,
        Option<i64>,
        Option<String>,
    ),
) -> Row {
    Row::Pause { id, scope, at, actor, reason, ended_at, ended_by }
}

fn pattern(
    (id, name, text, at, actor, ended_at, ended_by): (
        String,
        String,
        String,
        i64,
        String,
        Option<i64>,
        Option<String>,
    ),
) -> Row {
    Row::Pattern { id, name, text, at, actor, ended_at, ended_by }
}
