//! Masked logs, kept by their content: compressed, capped, and once, however many incidents refer to them.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use crate::{Ledger, LedgerError};

/// Most bytes of a log that are kept: its end, where jobs say why they failed.
pub const LOG_CAP: usize = 4 << 20;

/// A log that is kept for an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRef {
    /// What it is of, such as a job's name.
    pub name: String,
    /// SHA-256 of its masked text.
    pub hash: String,
    /// Bytes of that text.
    pub size: u64,
    /// Bytes that were left out before it.
    pub omitted: u64,
    /// When it was kept.
    pub at: i64,
}

impl Ledger {
    /// Keeps the end of a log for an incident under a name, masked; one that has this name already is replaced. Gives the
    /// SHA-256 of what is kept.
    ///
    /// # Errors
    /// The ledger's own.
    pub async fn keep_log(
        &self,
        incident: &str,
        name: &str,
        text: &str,
        now: i64,
    ) -> Result<String, LedgerError> {
        let masked = self.scrubber().scrub(text);
        let kept = end(&masked);
        let hash = digest(kept.as_bytes());
        let mut db = self.write_aside().await?;
        sqlx::query(
            "INSERT INTO logs (hash, size, omitted, at, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(&hash)
        .bind(kept.len() as i64)
        .bind((masked.len() - kept.len()) as i64)
        .bind(now)
        .bind(pack(kept.as_bytes()))
        .execute(&mut *db)
        .await?;
        sqlx::query(
            "INSERT INTO incident_logs (incident, name, hash, at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (incident, name) DO UPDATE SET hash = excluded.hash, at = excluded.at",
        )
        .bind(self.name(incident))
        .bind(self.name(name))
        .bind(&hash)
        .bind(now)
        .execute(&mut *db)
        .await?;
        self.commit_aside(db).await?;
        Ok(hash)
    }

    /// The logs that are kept for an incident, by name.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn logs_of(&self, incident: &str) -> Result<Vec<LogRef>, LedgerError> {
        let rows: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(
            "SELECT name, logs.hash, size, omitted, incident_logs.at FROM incident_logs
             JOIN logs ON logs.hash = incident_logs.hash WHERE incident = $1 ORDER BY name",
        )
        .bind(self.name(incident))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let whole = |n: i64| n.unsigned_abs();
        Ok(rows
            .into_iter()
            .map(|(name, hash, size, omitted, at)| LogRef {
                name,
                hash,
                size: whole(size),
                omitted: whole(omitted),
                at,
            })
            .collect())
    }

    /// The text of a log; `None` where it is not kept, or no longer.
    ///
    /// # Errors
    /// `Corrupt` where it is not what its name says; or the ledger's own.
    pub async fn log(&self, hash: &str) -> Result<Option<String>, LedgerError> {
        let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM logs WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&mut *self.read().await?)
            .await?;
        body.map(|body| unpack(hash, &body)).transpose()
    }
}

/// Takes out what no incident refers to any more.
pub(crate) async fn drop_unused(db: &mut AnyConnection) -> Result<u64, LedgerError> {
    let gone = sqlx::query("DELETE FROM logs WHERE NOT EXISTS (SELECT 1 FROM incident_logs WHERE incident_logs.hash = logs.hash)")
        .execute(db)
        .await?;
    Ok(gone.rows_affected())
}

/// The text of a stored log, which must be what its name says.
pub(crate) fn unpack(hash: &str, body: &[u8]) -> Result<String, LedgerError> {
    let wrong = || LedgerError::corrupt(format!("log {hash} is not what its name says"));
    let mut text = Vec::new();
    // However well it was packed, no more comes out than could have gone in.
    GzDecoder::new(body).take(LOG_CAP as u64 + 1).read_to_end(&mut text).map_err(|_| wrong())?;
    if text.len() > LOG_CAP || digest(&text) != hash {
        return Err(wrong());
    }
    String::from_utf8(text).map_err(|_| wrong())
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    // Memory takes all that it is given.
    _ = out.write_all(text);
    out.finish().unwrap_or_default()
}

/// The last lines that fit.
fn end(text: &str) -> &str {
    if text.len() <= LOG_CAP {
        return text;
    }
    let mut at = text.len() - LOG_CAP;
    while !text.is_char_boundary(at) {
        at += 1;
    }
    let rest = &text[at..];
    rest.split_once('\n').map_or(rest, |(_, whole)| if whole.is_empty() { rest } else { whole })
}

fn digest(text: &[u8]) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
