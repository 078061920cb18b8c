//! Masked logs in a backup, and which incident has which.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

use super::PAGE;
use crate::{LedgerError, kept_log::unpack};

/// A masked log; `body` is what is stored, in base64, and empty where that lies outside the database.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) hash: String,
    size: i64,
    omitted: i64,
    at: i64,
    pub(super) body: String,
    /// Where it lies in the store; empty where that does not matter, or is the store itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    folder: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogOf {
    pub(super) incident: String,
    pub(super) name: String,
    hash: String,
    at: i64,
}

pub(super) async fn next_log(db: &mut AnyConnection, after: &str) -> Result<Option<Log>, LedgerError> {
    let found: Option<(String, i64, i64, i64, Vec<u8>, String)> = sqlx::query_as(
        "SELECT hash, size, omitted, at, body, folder FROM logs WHERE hash > $1 ORDER BY hash LIMIT 1",
    )
    .bind(after)
    .fetch_optional(db)
    .await?;
    Ok(found.map(|(hash, size, omitted, at, body, folder)| Log {
        hash,
        size,
        omitted,
        at,
        body: BASE64.encode(body),
        folder,
    }))
}

pub(super) async fn logs_of(
    db: &mut AnyConnection,
    after: &(String, String),
) -> Result<Vec<LogOf>, LedgerError> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT incident, name, hash, at FROM incident_logs WHERE (incident, name) > ($1, $2)
         ORDER BY incident, name LIMIT $3",
    )
    .bind(&after.0)
    .bind(&after.1)
    .bind(PAGE)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(incident, name, hash, at)| LogOf { incident, name, hash, at }).collect())
}

impl Log {
    pub(super) async fn insert(self, db: &mut AnyConnection) -> Result<(), LedgerError> {
        let wrong = |_| LedgerError::corrupt(format!("log {} is not what its name says", self.hash));
        let body = BASE64.decode(&self.body).map_err(wrong)?;
        // Without a body it lies in a store outside the database.
        if !body.is_empty() {
            unpack(&self.hash, &body)?;
        }
        sqlx::query(
            "INSERT INTO logs (hash, size, omitted, at, body, folder) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.hash)
        .bind(self.size)
        .bind(self.omitted)
        .bind(self.at)
        .bind(body)
        .bind(self.folder)
        .execute(db)
        .await?;
        Ok(())
    }
}

impl LogOf {
    pub(super) async fn insert(self, db: &mut AnyConnection) -> Result<(), LedgerError> {
        sqlx::query("INSERT INTO incident_logs (incident, name, hash, at) VALUES ($1, $2, $3, $4)")
            .bind(self.incident)
            .bind(self.name)
            .bind(self.hash)
            .bind(self.at)
            .execute(db)
            .await?;
        Ok(())
    }
}
