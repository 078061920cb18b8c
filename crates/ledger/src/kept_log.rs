//! Masked logs, kept by their content: compressed, capped, and once, however many incidents refer to them; in the database, or
//! in a store outside it, of which the database keeps the names.

use std::io::{Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use crate::{Ledger, LedgerError, log_store::SWEEP_MS};

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

/// What a sweep of the store took out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Objects in this ledger's folder that are logs.
    pub found: u64,
    /// Those of them that nothing on record refers to any more, and that are gone now.
    pub gone: u64,
}

/// A log as it is kept.
struct Packed {
    hash: String,
    size: usize,
    omitted: usize,
    body: Vec<u8>,
}

impl Ledger {
    /// Keeps the end of a log for an incident under a name, masked; one that has this name already is replaced. Gives the
    /// SHA-256 of what is kept.
    ///
    /// # Errors
    /// `LogStore` where the logs are kept in a store that fails: the log is not kept then, and nothing else is amiss
    /// ([`Ledger::log_trouble`] says so once). Or the ledger's own.
    pub async fn keep_log(
        &self,
        incident: &str,
        name: &str,
        text: &str,
        now: i64,
    ) -> Result<String, LedgerError> {
        let (scrub, text) = (self.shared_scrubber(), text.to_owned());
        // A long log takes a while, and webhooks are answered meanwhile.
        let packing = tokio::task::spawn_blocking(move || {
            let masked = scrub.scrub(&text);
            let kept = end(&masked);
            Packed {
                hash: digest(kept.as_bytes()),
                size: kept.len(),
                omitted: masked.len() - kept.len(),
                body: pack(kept.as_bytes()),
            }
        });
        let packed = packing.await.map_err(|_| LedgerError::corrupt("a log could not be masked"))?;
        let Packed { hash, size, omitted, mut body } = packed;
        let mut folder = String::new();
        if let Some(store) = self.log_store()
            && !self.is_in_database(&hash).await?
        {
            (folder, _) = self.own_folder(store, now, false).await?;
            // The object first: what the ledger names is there.
            store.put(&folder, &hash, std::mem::take(&mut body), now).await?;
        }
        let mut db = self.write_aside().await?;
        // A row without a body says that it lies in the store.
        sqlx::query(
            "INSERT INTO logs (hash, size, omitted, at, body, folder) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (hash) DO UPDATE SET body = excluded.body, folder = excluded.folder
             WHERE length(logs.body) = 0",
        )
        .bind(&hash)
        .bind(size as i64)
        .bind(omitted as i64)
        .bind(now)
        .bind(body)
        .bind(folder)
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

    /// What went wrong with the store of logs and was not asked for yet: said once, until it has gone well again.
    pub fn log_trouble(&self) -> Option<String> {
        self.log_store().and_then(|store| store.untold())
    }

    async fn is_in_database(&self, hash: &str) -> Result<bool, LedgerError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT size FROM logs WHERE hash = $1 AND length(body) > 0")
                .bind(hash)
                .fetch_optional(&mut *self.read().await?)
                .await?;
        Ok(found.is_some())
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

    /// The text of a log, wherever it is kept; `None` where it is not, or no longer.
    ///
    /// # Errors
    /// `Corrupt` where it is not what its name says; `LogStore` where the store can't be asked, is not named, or has lost it;
    /// or the ledger's own.
    pub async fn log(&self, hash: &str) -> Result<Option<String>, LedgerError> {
        let found: Option<(Vec<u8>, String)> =
            sqlx::query_as("SELECT body, folder FROM logs WHERE hash = $1")
                .bind(hash)
                .fetch_optional(&mut *self.read().await?)
                .await?;
        match found {
            Some((body, folder)) if body.is_empty() => self.log_in_store(&folder, hash).await.map(Some),
            found => found.map(|(body, _)| unpack(hash, &body)).transpose(),
        }
    }

    async fn log_in_store(&self, folder: &str, hash: &str) -> Result<String, LedgerError> {
        let Some(store) = self.log_store() else {
            let why = format!("log {hash} lies in a store outside the database, and none is named");
            return Err(LedgerError::LogStore { place: String::new(), why });
        };
        let missing = || LedgerError::LogStore {
            place: store.place().to_owned(),
            why: format!("log {hash} is not there any more"),
        };
        unpack(hash, &store.get(folder, hash).await?.ok_or_else(missing)?)
    }

    /// Logs in the store that are missing or not what their names say, as far as one is named; what is wrong is an answer.
    ///
    /// # Errors
    /// Where the ledger can't be read, or the store does not answer.
    pub(crate) async fn wrong_logs_in_store(&self, most: usize) -> Result<Vec<String>, LedgerError> {
        let count = "SELECT count(*) FROM logs WHERE length(body) = 0";
        let outside: i64 = sqlx::query_scalar(count).fetch_one(&mut *self.read().await?).await?;
        if outside > 0 && self.log_store().is_none() {
            return Ok(vec![format!(
                "{outside} log(s) lie in a store outside the database and were not looked at: name it by REGREEN_LOG_STORE"
            )]);
        }
        let (mut after, mut problems) = (String::new(), Vec::new());
        loop {
            // No view is held while the store is asked: that may take long.
            let page: Vec<(String, String)> = sqlx::query_as(
                "SELECT hash, folder FROM logs WHERE hash > $1 AND length(body) = 0 ORDER BY hash LIMIT 500",
            )
            .bind(&after)
            .fetch_all(&mut *self.read().await?)
            .await?;
            let Some((last, _)) = page.last() else { return Ok(problems) };
            after.clone_from(last);
            for (hash, folder) in page {
                let wrong = match self.log_in_store(&folder, &hash).await {
                    Ok(_) => continue,
                    Err(LedgerError::Corrupt { why, .. }) => why,
                    Err(LedgerError::LogStore { why, .. }) if why.contains(&hash) => why,
                    Err(e) => return Err(e),
                };
                if problems.len() < most {
                    problems.push(wrong);
                }
            }
        }
    }

    /// Takes out of this ledger's folder of the store what nothing on record refers to: logs of incidents that were taken out, and
    /// what was written by somebody who died before the ledger named it. Nothing that was written within a day, and nothing of
    /// another ledger's. `None` where no store is named.
    ///
    /// # Errors
    /// The store's and the ledger's own; what was done stays done.
    pub async fn sweep_logs(&self, now: i64) -> Result<Option<Swept>, LedgerError> {
        let Some(store) = self.log_store() else { return Ok(None) };
        let ((folder, is_own), mut swept) = (self.own_folder(store, now, true).await?, Swept::default());
        if !is_own {
            return Ok(Some(swept));
        }
        let is_old = |changed_at: i64| now.saturating_sub(changed_at) >= SWEEP_MS;
        for shard in store.shards(&folder).await? {
            for object in store.logs_in(&folder, &shard).await? {
                swept.found += 1;
                // What a long listing says of its age may be long ago.
                if !is_old(object.changed_at)
                    || !store.changed_at(&folder, &object.hash).await?.is_some_and(is_old)
                {
                    continue;
                }
                // Asked right before: who is about to refer to it has written it anew first.
                let sql = "SELECT size FROM logs WHERE hash = $1 AND folder = $2 AND length(body) = 0";
                let kept: Option<i64> = sqlx::query_scalar(sql)
                    .bind(&object.hash)
                    .bind(&folder)
                    .fetch_optional(&mut *self.read().await?)
                    .await?;
                if kept.is_none() {
                    store.delete(&folder, &object.hash).await?;
                    swept.gone += 1;
                }
            }
        }
        Ok(Some(swept))
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
