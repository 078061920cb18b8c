//! Whether a ledger can be believed and used: its schema, its audit chain, every document in it, and how it is kept.

use regreen_domain::FailureClass;
use regreen_saga::Fact;
use sqlx::AnyConnection;

use crate::{
    AuditReport, Ledger, LedgerError, dialect::Dialect, kept_log::unpack, row::Row, schema, shape::Incident,
};

/// Most problems that are named.
const MOST: usize = 100;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Version of its schema.
    pub schema: i64,
    /// Incidents, journal entries, labels, breaker events, pauses and accepted patterns.
    pub records: u64,
    /// The audit chain, and every row against it.
    pub audit: AuditReport,
    /// What is wrong apart from that; the first hundred.
    pub problems: Vec<String>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.audit.is_sound() && self.problems.is_empty()
    }
}

impl Ledger {
    /// Checks all of it, in one view: others go on.
    ///
    /// # Errors
    /// Where the ledger can't be read; what is wrong in it is an answer, not an error.
    pub async fn check(&self, expected_head: Option<&str>) -> Result<CheckReport, LedgerError> {
        let (mut problems, mut records) = (Vec::new(), 0);
        let audit = self
            .verify_rows(expected_head, &mut |row| {
                records += 1;
                if let Err(why) = shape(row)
                    && problems.len() < MOST
                {
                    problems.push(format!("{}: {why}", row.name()));
                }
            })
            .await?;
        let mut db = self.read().await?;
        let schema = schema::found(&mut db, self.dialect()).await?;
        if let Some(sql) = self.dialect().integrity() {
            let said: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut *db).await?;
            problems.extend(said.into_iter().filter(|line| line != "ok").take(MOST));
        }
        problems.extend(wrong_logs(&mut db).await?);
        drop(db);
        problems.extend(self.wrong_logs_in_store(MOST).await?);
        let kept = self.settings().await?;
        for (name, good) in self.dialect().durable() {
            let is = kept.get(*name).map_or("unknown", String::as_str);
            if !good.contains(&is) {
                problems.push(format!("`{name}` is {is}: what was acknowledged may be lost with the power"));
            }
        }
        let engine = match self.dialect() {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        };
        Ok(CheckReport { engine, schema, records, audit, problems })
    }
}

/// Kept logs that are not what their names say.
async fn wrong_logs(db: &mut AnyConnection) -> Result<Vec<String>, LedgerError> {
    let (mut last, mut problems) = (String::new(), Vec::new());
    loop {
        let next: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT hash, body FROM logs WHERE hash > $1 ORDER BY hash LIMIT 1")
                .bind(&last)
                .fetch_optional(&mut *db)
                .await?;
        let Some((hash, body)) = next else { return Ok(problems) };
        // Without a body it lies elsewhere.
        if !body.is_empty() && unpack(&hash, &body).is_err() && problems.len() < MOST {
            problems.push(format!("log {hash} is not what its name says"));
        }
        last = hash;
    }
}

/// Whether this version can read what a row holds.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn shape(row: &Row) -> Result<(), String> {
    match row {
        Row::Incident { id, record } => {
            let incident = Incident::parse(record).map_err(|e| match std::error::Error::source(&e) {
                Some(source) => format!("{e}: {source}"),
                None => e.to_string(),
            })?;
            (incident.id == *id).then_some(()).ok_or_else(|| "its record is another incident's".to_owned())
        }
        Row::Fact { fact, .. } => serde_json::from_str::<Fact>(fact)
            .map(|_| ())
            .map_err(|e| format!("its fact can't be parsed: {e}")),
        Row::Feedback { class, .. } => {
            FailureClass::parse(class).map(|_| ()).ok_or_else(|| "its class is not known".to_owned())
        }
        Row::BreakerEvent { .. } | Row::Pause { .. } | Row::Pattern { .. } => Ok(()),
    }
}
