//! The schema and its forward-only migrations.

use sqlx::SqliteConnection;

use crate::LedgerError;

/// Each file once, in this order; a landed one never changes.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_start.sql")];

/// The newest version that this build knows.
pub(crate) const SUPPORTED: i64 = MIGRATIONS.len() as i64;

/// `RGRN`: SQLite's own mark of whose file it is.
const APPLICATION: i64 = 0x5247_524e;

/// The version on disk, 0 where the file is empty. Writes nothing. Within a transaction, so that its reads agree.
///
/// # Errors
/// `Corrupt` for somebody else's database, `Newer` for one that a later Regreen wrote.
pub(crate) async fn found(db: &mut SqliteConnection) -> Result<i64, LedgerError> {
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *db).await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&mut *db).await?;
    if tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION {
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

/// Brings the schema up to date, within a write transaction. Looks again: another process may have been faster.
pub(crate) async fn migrate(db: &mut SqliteConnection) -> Result<(), LedgerError> {
    let found = found(db).await?;
    if found == 0 {
        // The number is APPLICATION: a pragma takes no bound value.
        sqlx::raw_sql(
            "PRAGMA application_id = 1380405838;
             CREATE TABLE schema_version (version INTEGER PRIMARY KEY)",
        )
        .execute(&mut *db)
        .await?;
    }
    for (sql, version) in MIGRATIONS.iter().copied().zip(1i64..).filter(|(_, version)| *version > found) {
        sqlx::raw_sql(sql).execute(&mut *db).await?;
        sqlx::query("INSERT INTO schema_version (version) VALUES (?)")
            .bind(version)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::APPLICATION;

    #[test]
    fn the_mark_in_the_pragma_is_the_mark() {
        assert_eq!(APPLICATION, 1_380_405_838);
    }
}
