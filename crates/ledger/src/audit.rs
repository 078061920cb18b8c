//! The audit log: a hash chain with one entry for every change.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::{AnyConnection, FromRow, Row as _, any::AnyRow};

use crate::{
    Ledger, LedgerError,
    digest::{canonical, sha256_of},
    row::Row,
};

/// What comes before the first entry.
pub(crate) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// Counts from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: i64,
    /// What happened, a past participle in kebab-case.
    pub kind: String,
    /// Canonical JSON: the row that changed with its digest, and who or why.
    pub body: String,
    /// Hash of the entry before.
    pub prev: String,
    /// SHA-256 over `prev`, `seq`, `at`, `kind` and `body`, each ended by a newline.
    pub hash: String,
}

/// What happened, for the entry that goes with a changed row.
pub(crate) struct Change<'a> {
    /// When.
    pub(crate) at: i64,
    /// A past participle in kebab-case.
    pub(crate) kind: &'static str,
    /// Who, why and the like; already scrubbed.
    pub(crate) details: &'a [(&'static str, &'a str)],
}

impl AuditEntry {
    /// The hash that this entry must have.
    pub(crate) fn expected_hash(&self) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        sha256_of(&[&self.prev, &seq, &at, &self.kind, &self.body])
    }

    /// The row that changed and its digest, where the entry speaks of a row.
    pub fn row(&self) -> Option<(String, String)> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        Some((body.get("row")?.as_str()?.to_owned(), body.get("sha256")?.as_str()?.to_owned()))
    }
}

impl FromRow<'_, AnyRow> for AuditEntry {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(AuditEntry {
            seq: row.try_get("seq")?,
            at: row.try_get("at")?,
            kind: row.try_get("kind")?,
            body: row.try_get("body")?,
            prev: row.try_get("prev")?,
            hash: row.try_get("hash")?,
        })
    }
}

impl Ledger {
    /// Hash of the newest entry; 64 zeros while there is none.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn audit_head(&self) -> Result<String, LedgerError> {
        Ok(last(&mut *self.read().await?).await?.1)
    }

    /// At most `limit` entries after `seq`, oldest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn audit(&self, after_seq: i64, limit: u32) -> Result<Vec<AuditEntry>, LedgerError> {
        entries(&mut *self.read().await?, after_seq, limit).await
    }
}

impl Ledger {
    /// Every entry that speaks of this incident or of its journal, oldest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn audit_of(&self, incident: &str) -> Result<Vec<AuditEntry>, LedgerError> {
        Ok(sqlx::query_as(
            "SELECT seq, at, kind, body, prev, hash FROM audit
             WHERE about = $1 OR (about > $2 AND about < $3) ORDER BY seq",
        )
        .bind(format!("incident/{incident}"))
        .bind(format!("fact/{incident}/"))
        // The character that comes after the slash.
        .bind(format!("fact/{incident}0"))
        .fetch_all(&mut *self.read().await?)
        .await?)
    }
}

impl Ledger {
    /// The latest time at which anything of an incident or its journal was changed, in milliseconds since 1970, and the number
    /// of that entry: neither goes back, also where the nodes' clocks differ. Zeros where nothing was.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn latest_change(&self, incident: &str) -> Result<(i64, i64), LedgerError> {
        let (at, seq): (Option<i64>, Option<i64>) = sqlx::query_as(
            "SELECT max(at), max(seq) FROM audit WHERE about = $1 OR (about > $2 AND about < $3)",
        )
        .bind(format!("incident/{incident}"))
        .bind(format!("fact/{incident}/"))
        // The character that comes after the slash.
        .bind(format!("fact/{incident}0"))
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok((at.unwrap_or_default(), seq.unwrap_or_default()))
    }
}

/// The newest entries, and whether they hang together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditTail {
    /// Newest first.
    pub entries: Vec<AuditEntry>,
    /// Whether each has the hash of what it says, and names the one before it. Says nothing of what is older.
    pub holds: bool,
}

impl Ledger {
    /// At most `limit` entries before number `before`, the newest first.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn audit_tail(&self, before: i64, limit: u32) -> Result<AuditTail, LedgerError> {
        let entries: Vec<AuditEntry> = sqlx::query_as(
            "SELECT seq, at, kind, body, prev, hash FROM audit WHERE seq < $1 ORDER BY seq DESC LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let is_true = entries.iter().all(|entry| entry.hash == entry.expected_hash());
        let follows = |pair: &[AuditEntry]| match pair {
            [newer, older] => newer.prev == older.hash && newer.seq == older.seq + 1,
            _ => true,
        };
        Ok(AuditTail { holds: is_true && entries.windows(2).all(follows), entries })
    }

    /// Number of the newest entry; 0 while there is none.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub async fn audit_seq(&self) -> Result<i64, LedgerError> {
        Ok(last(&mut *self.read().await?).await?.0)
    }
}

/// Number and hash of the newest entry.
pub(crate) async fn last(db: &mut AnyConnection) -> Result<(i64, String), LedgerError> {
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetch_optional(db).await?;
    Ok(last.unwrap_or((0, GENESIS.to_owned())))
}

pub(crate) async fn entries(
    db: &mut AnyConnection,
    after_seq: i64,
    limit: u32,
) -> Result<Vec<AuditEntry>, LedgerError> {
    Ok(sqlx::query_as(
        "SELECT seq, at, kind, body, prev, hash FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after_seq)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?)
}

/// Appends the entry for a row that changes in the same transaction.
pub(crate) async fn append_row(
    db: &mut AnyConnection,
    change: &Change<'_>,
    row: &Row,
) -> Result<(), LedgerError> {
    let (name, digest) = (row.name(), row.digest());
    let mut details = change.details.to_vec();
    details.extend([("row", name.as_str()), ("sha256", digest.as_str())]);
    append(db, &Change { details: &details, ..*change }).await
}

/// Appends an entry that speaks of no single row.
pub(crate) async fn append(db: &mut AnyConnection, change: &Change<'_>) -> Result<(), LedgerError> {
    let body: Map<String, Value> =
        change.details.iter().map(|(key, text)| ((*key).to_owned(), Value::from(*text))).collect();
    let (seq, prev) = last(db).await?;
    let mut entry = AuditEntry {
        seq: seq + 1,
        at: change.at,
        kind: change.kind.to_owned(),
        body: canonical(Value::Object(body)),
        prev,
        hash: String::new(),
    };
    entry.hash = entry.expected_hash();
    insert(db, &entry).await
}

/// Stores an entry as it is.
pub(crate) async fn insert(db: &mut AnyConnection, entry: &AuditEntry) -> Result<(), LedgerError> {
    sqlx::query("INSERT INTO audit (seq, at, kind, body, prev, hash) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(entry.seq)
        .bind(entry.at)
        .bind(&entry.kind)
        .bind(&entry.body)
        .bind(&entry.prev)
        .bind(&entry.hash)
        .execute(db)
        .await?;
    Ok(())
}
