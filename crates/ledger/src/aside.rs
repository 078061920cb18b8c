//! What lies beside the records, for a backup: sightings, outages, waits, escalations and
//! tokens (by their digests), each row as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use crate::LedgerError;

/// Tables, their columns of text and of numbers, and by which they are walked through.
const TABLES: [(&str, &[&str], &[&str], &str); 5] = [
    ("sightings", &["incident", "service", "class", "repository"], &["at"], "incident, service, class"),
    (
        "outages",
        &["id", "service", "class"],
        &["began_at", "known_at", "told_at", "probed_at", "answers", "ended_at"],
        "id",
    ),
    ("waits", &["incident", "outage"], &["work", "since", "go_at"], "incident"),
    (
        "escalations",
        &["id", "forge", "repository", "subject", "incident"],
        &["opened_at", "changed_at", "issue", "green_at", "closed_at"],
        "id",
    ),
    (
        "tokens",
        &["id", "name", "role", "digest", "repository"],
        &["created_at", "expires_at", "last_used_at", "revoked_at"],
        "id",
    ),
];
const PAGE: usize = 512;

/// A row: its table, and its cells in the order of [`TABLES`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aside {
    table: String,
    cells: Vec<Value>,
}

/// Every row, to be taken one by one; within one view, so that an offset stays what it is.
///
/// # Errors
/// Where the ledger can't be read, or what `take` says.
pub(crate) async fn each(
    db: &mut AnyConnection,
    take: &mut (dyn FnMut(Aside) -> Result<(), LedgerError> + Send),
) -> Result<(), LedgerError> {
    for (table, texts, numbers, order) in TABLES {
        let columns = [texts, numbers].concat().join(", ");
        let mut offset = 0;
        loop {
            let sql = format!("SELECT {columns} FROM {table} ORDER BY {order} LIMIT {PAGE} OFFSET {offset}");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *db).await?;
            offset += rows.len();
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let mut cells = Vec::with_capacity(texts.len() + numbers.len());
                for i in 0..texts.len() {
                    cells.push(Value::from(row.try_get::<String, _>(i)?));
                }
                for i in 0..numbers.len() {
                    cells.push(Value::from(row.try_get::<Option<i64>, _>(texts.len() + i)?));
                }
                take(Aside { table: table.to_owned(), cells })?;
            }
        }
    }
    Ok(())
}

impl Aside {
    /// Puts the row back.
    ///
    /// # Errors
    /// `Corrupt` for a row of no such table or shape; or the ledger's own.
    pub(crate) async fn insert(mut self, db: &mut AnyConnection) -> Result<(), LedgerError> {
        let wrong = || LedgerError::corrupt("a row is of no table that is known");
        let (table, texts, numbers, _) =
            TABLES.iter().find(|(table, ..)| *table == self.table).ok_or_else(wrong)?;
        // As they were before tokens had a repository.
        if self.table == "tokens" && self.cells.len() + 1 == texts.len() + numbers.len() {
            self.cells.insert(texts.len() - 1, Value::from(""));
        }
        if self.cells.len() != texts.len() + numbers.len() {
            return Err(wrong());
        }
        let columns = [*texts, *numbers].concat().join(", ");
        let places: Vec<String> = (1..=self.cells.len()).map(|n| format!("${n}")).collect();
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        let (text, number) = self.cells.split_at(texts.len());
        for cell in text {
            query = query.bind(cell.as_str().ok_or_else(wrong)?.to_owned());
        }
        for cell in number {
            query = query.bind(if cell.is_null() { None } else { Some(cell.as_i64().ok_or_else(wrong)?) });
        }
        query.execute(db).await?;
        Ok(())
    }
}
