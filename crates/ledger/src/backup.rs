//! The whole ledger in one file, which either engine can be filled from: gzipped JSON lines, as they were at one moment.
//!
//! Unlike an export it carries who owns what, and the work: what is restored goes on. Claims do not: each item can be taken
//! anew, and whoever still shows an old fence writes nothing.

mod logs;

use std::io::{BufRead, BufReader, Read, Write};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, FromRow, any::AnyRow};

use self::logs::{Log, LogOf, logs_of, next_log};
use crate::{
    Ledger, LedgerError,
    aside::{self, Aside},
    audit::{self, AuditEntry, GENESIS},
    check::shape,
    row::Row,
    rows::{self, Walk},
    verify::{AuditVerdict, Check},
};

/// The version that is written, and the newest that is read.
const VERSION: u32 = 2;
const PAGE: i64 = 512;
/// Longest line.
const LINE: u64 = 16 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    /// First.
    RegreenBackup {
        version: u32,
    },
    Audit(AuditEntry),
    Row(Row),
    /// Who may write to an incident; none of those that were imported.
    Owner {
        incident: String,
        owner: String,
    },
    Delivery(Delivery),
    Work(Work),
    Log(Log),
    LogOf(LogOf),
    Aside(Aside),
    /// Last: how many lines came before, and their digest.
    End {
        lines: u64,
        sha256: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delivery {
    forge: String,
    id: String,
    event: String,
    kind: String,
    received_at: i64,
    body: Option<String>,
    work: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    id: i64,
    kind: String,
    key: String,
    payload: String,
    created_at: i64,
    ready_at: i64,
    attempts: i64,
    fence: i64,
    done_at: Option<i64>,
    outcome: Option<String>,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Incidents, journal entries, labels, breaker events, pauses and accepted patterns.
    pub records: u64,
    /// Deliveries that were received.
    pub deliveries: u64,
    /// Work, done or not.
    pub work: u64,
    /// Masked logs.
    pub logs: u64,
    /// Those of them of which the backup has the names alone: they lie in a store outside the database.
    pub logs_outside: u64,
    /// Head of the audit chain.
    pub head: String,
}

impl Ledger {
    /// Writes all of it, as it is at one moment, while others go on.
    ///
    /// # Errors
    /// Where the ledger can't be read or `out` can't be written.
    pub async fn backup(&self, out: &mut (dyn Write + Send)) -> Result<BackedUp, LedgerError> {
        let mut db = self.read().await?;
        let mut file =
            Out { out: GzEncoder::new(out, Compression::default()), lines: 0, digest: Sha256::new() };
        let failed = |e| LedgerError::from_io("write the backup of", self.place().as_ref(), e);
        let mut done = BackedUp {
            records: 0,
            deliveries: 0,
            work: 0,
            logs: 0,
            logs_outside: 0,
            head: GENESIS.to_owned(),
        };
        file.line(&Line::RegreenBackup { version: VERSION }).map_err(failed)?;
        let mut after = i64::MIN;
        loop {
            let page = audit::entries(&mut db, after, 512).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            done.head.clone_from(&last.hash);
            for entry in page {
                file.line(&Line::Audit(entry)).map_err(failed)?;
            }
        }
        let mut walk = Walk::default();
        loop {
            let rows = walk.next(&mut db).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                done.records += 1;
                file.line(&Line::Row(row)).map_err(failed)?;
            }
        }
        let mut last = String::new();
        loop {
            let page = owners(&mut db, &last).await?;
            let Some((incident, _)) = page.last() else { break };
            last.clone_from(incident);
            for (incident, owner) in page {
                file.line(&Line::Owner { incident, owner }).map_err(failed)?;
            }
        }
        let mut last = (String::new(), String::new());
        loop {
            let page = deliveries(&mut db, &last).await?;
            let Some(end) = page.last() else { break };
            last = (end.forge.clone(), end.id.clone());
            for delivery in page {
                done.deliveries += 1;
                file.line(&Line::Delivery(delivery)).map_err(failed)?;
            }
        }
        let mut last = 0;
        loop {
            let page = work(&mut db, last).await?;
            let Some(end) = page.last() else { break };
            last = end.id;
            for item in page {
                done.work += 1;
                file.line(&Line::Work(item)).map_err(failed)?;
            }
        }
        let mut last = String::new();
        while let Some(log) = next_log(&mut db, &last).await? {
            last.clone_from(&log.hash);
            done.logs += 1;
            done.logs_outside += u64::from(log.body.is_empty());
            file.line(&Line::Log(log)).map_err(failed)?;
        }
        let mut last = (String::new(), String::new());
        loop {
            let page = logs_of(&mut db, &last).await?;
            let Some(end) = page.last() else { break };
            last = (end.incident.clone(), end.name.clone());
            for log in page {
                file.line(&Line::LogOf(log)).map_err(failed)?;
            }
        }
        aside::each(&mut db, &mut |row| file.line(&Line::Aside(row)).map_err(failed)).await?;
        file.end().map_err(failed)?;
        Ok(done)
    }

    /// Fills an empty ledger from a backup, all of it or nothing.
    ///
    /// # Errors
    /// `NotEmpty`; `BadBackup` for a file that is cut, was changed, is of a later version or does not add up; or the
    /// ledger's own.
    pub async fn restore(&self, input: &mut (dyn BufRead + Send)) -> Result<BackedUp, LedgerError> {
        let mut db = self.write().await?;
        let full: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM work) + (SELECT count(*) FROM deliveries)
                  + (SELECT count(*) FROM logs)",
        )
        .fetch_one(&mut *db)
        .await?;
        if full > 0 {
            return Err(LedgerError::NotEmpty { place: self.place().to_owned() });
        }
        let mut file = In {
            input: BufReader::new(GzDecoder::new(input)),
            number: 0,
            digest: Sha256::new(),
            text: Vec::new(),
        };
        let mut done = BackedUp {
            records: 0,
            deliveries: 0,
            work: 0,
            logs: 0,
            logs_outside: 0,
            head: GENESIS.to_owned(),
        };
        match file.line()? {
            Line::RegreenBackup { version: 1..=VERSION } => {}
            Line::RegreenBackup { version } => {
                return Err(
                    file.bad(&format!("it has version {version}, and this regreen reads up to {VERSION}"))
                );
            }
            _ => return Err(file.bad("it is no backup of regreen")),
        }
        let mut check = Check::new(None);
        loop {
            match file.line()? {
                Line::Audit(entry) if done.records == 0 => {
                    check.entry(&entry);
                    audit::insert(&mut db, &entry).await?;
                    done.head = entry.hash;
                }
                Line::Row(row) => {
                    shape(&row).map_err(|why| file.bad(&why))?;
                    check.row(&row);
                    rows::put_silently(&mut db, &row).await?;
                    done.records += 1;
                }
                Line::Owner { incident, owner } => {
                    sqlx::query("UPDATE incidents SET owner = $1 WHERE id = $2")
                        .bind(owner)
                        .bind(incident)
                        .execute(&mut *db)
                        .await?;
                }
                Line::Delivery(delivery) => {
                    delivery.insert(&mut db).await?;
                    done.deliveries += 1;
                }
                Line::Work(item) => {
                    item.insert(&mut db).await?;
                    done.work += 1;
                }
                Line::Log(log) => {
                    done.logs_outside += u64::from(log.body.is_empty());
                    log.insert(&mut db).await.map_err(|e| match e {
                        LedgerError::Corrupt { why, .. } => file.bad(&why),
                        e => e,
                    })?;
                    done.logs += 1;
                }
                Line::LogOf(log) => log.insert(&mut db).await?,
                Line::Aside(row) => row.insert(&mut db).await?,
                Line::End { .. } => break,
                _ => return Err(file.bad("it is not where it should be")),
            }
        }
        file.ends()?;
        let report = check.finish();
        if report.verdict != AuditVerdict::Sound {
            return Err(file.bad(&format!("its audit log does not add up: {:?}", report.verdict)));
        }
        if let Some(count_on) = self.dialect().count_on() {
            sqlx::query(count_on).execute(&mut *db).await?;
        }
        self.commit(db).await?;
        Ok(done)
    }
}

struct Out<W: Write> {
    out: GzEncoder<W>,
    lines: u64,
    digest: Sha256,
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &Line) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.lines += 1;
        self.digest.update(&text);
        self.out.write_all(&text)
    }

    fn end(mut self) -> std::io::Result<()> {
        let end = Line::End { lines: self.lines, sha256: hex(&self.digest.finalize_reset()) };
        self.line(&end)?;
        self.out.finish()?.flush()
    }
}

struct In<R: BufRead> {
    input: R,
    number: usize,
    digest: Sha256,
    text: Vec<u8>,
}

impl<R: BufRead> In<R> {
    fn line(&mut self) -> Result<Line, LedgerError> {
        self.number += 1;
        self.text.clear();
        let read = (&mut self.input).take(LINE).read_until(b'\n', &mut self.text);
        match read {
            Err(e) => return Err(self.bad(&format!("it can't be read: {e}"))),
            Ok(0) => return Err(self.bad("it was cut short")),
            Ok(_) if !self.text.ends_with(b"\n") => return Err(self.bad("it is too long, or cut short")),
            Ok(_) => {}
        }
        let line: Line =
            serde_json::from_slice(&self.text).map_err(|e| self.bad(&format!("it can't be parsed: {e}")))?;
        if let Line::End { lines, sha256 } = &line {
            if *lines != self.number as u64 - 1 || *sha256 != hex(&self.digest.finalize_reset()) {
                return Err(self.bad("what came before it was changed"));
            }
        } else {
            self.digest.update(&self.text);
        }
        Ok(line)
    }

    fn ends(&mut self) -> Result<(), LedgerError> {
        match self.input.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(self.bad("the file goes on after it")),
            Err(e) => Err(self.bad(&format!("the file can't be read to its end: {e}"))),
        }
    }

    fn bad(&self, why: &str) -> LedgerError {
        LedgerError::BadBackup { line: self.number, why: why.to_owned() }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn owners(db: &mut AnyConnection, after: &str) -> Result<Vec<(String, String)>, LedgerError> {
    let sql = "SELECT id, owner FROM incidents WHERE owner IS NOT NULL AND id > $1 ORDER BY id LIMIT $2";
    Ok(sqlx::query_as(sql).bind(after).bind(PAGE).fetch_all(db).await?)
}

async fn deliveries(db: &mut AnyConnection, after: &(String, String)) -> Result<Vec<Delivery>, LedgerError> {
    Ok(sqlx::query_as(
        "SELECT forge, id, event, kind, received_at, body, work FROM deliveries WHERE (forge, id) > ($1, $2)
         ORDER BY forge, id LIMIT $3",
    )
    .bind(&after.0)
    .bind(&after.1)
    .bind(PAGE)
    .fetch_all(db)
    .await?)
}

async fn work(db: &mut AnyConnection, after: i64) -> Result<Vec<Work>, LedgerError> {
    Ok(sqlx::query_as(
        "SELECT id, kind, key, payload, created_at, ready_at, attempts, fence, done_at, outcome FROM work
         WHERE id > $1 ORDER BY id LIMIT $2",
    )
    .bind(after)
    .bind(PAGE)
    .fetch_all(db)
    .await?)
}

impl FromRow<'_, AnyRow> for Delivery {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let (forge, id, event, kind, received_at, body, work) = FromRow::from_row(row)?;
        Ok(Delivery { forge, id, event, kind, received_at, body, work })
    }
}

impl FromRow<'_, AnyRow> for Work {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let (id, kind, key, payload, created_at, ready_at, attempts, fence, done_at, outcome) =
            FromRow::from_row(row)?;
        Ok(Work { id, kind, key, payload, created_at, ready_at, attempts, fence, done_at, outcome })
    }
}

impl Delivery {
    async fn insert(self, db: &mut AnyConnection) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO deliveries (forge, id, event, kind, received_at, body, work)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(self.forge)
        .bind(self.id)
        .bind(self.event)
        .bind(self.kind)
        .bind(self.received_at)
        .bind(self.body)
        .bind(self.work)
        .execute(db)
        .await?;
        Ok(())
    }
}

impl Work {
    /// Free to be taken, under a fence that nobody can show yet.
    async fn insert(self, db: &mut AnyConnection) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO work (id, kind, key, payload, created_at, ready_at, attempts, fence, done_at, outcome)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(self.id)
        .bind(self.kind)
        .bind(self.key)
        .bind(self.payload)
        .bind(self.created_at)
        .bind(self.ready_at)
        .bind(self.attempts)
        .bind(self.fence.saturating_add(1))
        .bind(self.done_at)
        .bind(self.outcome)
        .execute(db)
        .await?;
        Ok(())
    }
}
