//! The schema and its forward-only migrations.

use sqlx::{AnyConnection, AssertSqlSafe};

use crate::{LedgerError, dialect::Dialect};

/// The newest version that this build knows.
pub(crate) const SUPPORTED: i64 = Dialect::Sqlite.migrations().len() as i64;

/// The version there, 0 where there is nothing. Writes nothing. Within a transaction, so that its reads agree.
///
/// # Errors
/// `Corrupt` for somebody else's database, `Newer` for one that a later Regreen wrote.
pub(crate) async fn found(db: &mut AnyConnection, dialect: Dialect) -> Result<i64, LedgerError> {
    let ledger: i64 = sqlx::query_scalar(dialect.is_ledger()).fetch_one(&mut *db).await?;
    let tables: i64 = sqlx::query_scalar(dialect.count_tables()).fetch_one(&mut *db).await?;
    if tables == 0 {
        return Ok(0);
    }
    if ledger == 0 {
        return Err(LedgerError::corrupt("it is another program's database"));
    }
    let found: Option<i64> =
        sqlx::query_scalar("SELECT max(version) FROM schema_version").fetch_one(&mut *db).await?;
    match found {
        Some(found) if found > SUPPORTED => Err(LedgerError::Newer { found, supported: SUPPORTED }),
        Some(found) if found > 0 => Ok(found),
        _ => Err(LedgerError::corrupt("its schema version is missing")),
    }
}

/// Brings the schema up to date, within a write transaction that holds the lock. Looks again: another process may have
/// been faster.
pub(crate) async fn migrate(db: &mut AnyConnection, dialect: Dialect) -> Result<(), LedgerError> {
    let found = found(db, dialect).await?;
    if found == 0 {
        sqlx::raw_sql(AssertSqlSafe(dialect.make())).execute(&mut *db).await?;
    }
    for (sql, version) in dialect.migrations().iter().zip(1i64..).filter(|(_, version)| *version > found) {
        sqlx::raw_sql(AssertSqlSafe(*sql)).execute(&mut *db).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(version)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}
