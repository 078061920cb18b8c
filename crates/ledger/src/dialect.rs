//! What SQLite and PostgreSQL say differently. All other SQL is written once, and runs on both.

use crate::LedgerError;

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One file, one machine.
    Sqlite,
    /// A server that many nodes share.
    Postgres,
}

impl Dialect {
    /// Each file once, in this order; a landed one never changes. Both engines have the same versions.
    pub(crate) const fn migrations(self) -> &'static [&'static str] {
        match self {
            Dialect::Sqlite => &[
                include_str!("../migrations/sqlite/0001_start.sql"),
                include_str!("../migrations/sqlite/0002_derived.sql"),
                include_str!("../migrations/sqlite/0003_fleet.sql"),
                include_str!("../migrations/sqlite/0004_logs.sql"),
                include_str!("../migrations/sqlite/0005_outages.sql"),
                include_str!("../migrations/sqlite/0006_listing.sql"),
                include_str!("../migrations/sqlite/0007_budgets.sql"),
                include_str!("../migrations/sqlite/0008_tokens.sql"),
                include_str!("../migrations/sqlite/0009_notices.sql"),
                include_str!("../migrations/sqlite/0010_log_folders.sql"),
                include_str!("../migrations/sqlite/0011_books_and_marks.sql"),
                include_str!("../migrations/sqlite/0012_probes.sql"),
                include_str!("../migrations/sqlite/0013_sinks.sql"),
                include_str!("../migrations/sqlite/0014_patterns.sql"),
            ],
            Dialect::Postgres => &[
                include_str!("../migrations/postgres/0001_start.sql"),
                include_str!("../migrations/postgres/0002_derived.sql"),
                include_str!("../migrations/postgres/0003_fleet.sql"),
                include_str!("../migrations/postgres/0004_logs.sql"),
                include_str!("../migrations/postgres/0005_outages.sql"),
                include_str!("../migrations/postgres/0006_listing.sql"),
                include_str!("../migrations/postgres/0007_budgets.sql"),
                include_str!("../migrations/postgres/0008_tokens.sql"),
                include_str!("../migrations/postgres/0009_notices.sql"),
                include_str!("../migrations/postgres/0010_log_folders.sql"),
                include_str!("../migrations/postgres/0011_books_and_marks.sql"),
                include_str!("../migrations/postgres/0012_probes.sql"),
                include_str!("../migrations/postgres/0013_sinks.sql"),
                include_str!("../migrations/postgres/0014_patterns.sql"),
            ],
        }
    }

    /// Said first on every connection.
    pub(crate) const fn greeting(self) -> &'static str {
        match self {
            // A damaged or hostile file is noticed when it is read, and its schema can run nothing.
            Dialect::Sqlite => {
                "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF"
            }
            // A commit returns once it is on disk, whatever the server's default. A node that stops in the middle of a
            // transaction does not hold up the others for ever.
            Dialect::Postgres => {
                "SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
                 SET idle_in_transaction_session_timeout = '30s'; SET standard_conforming_strings = on"
            }
        }
    }

    /// What an error means while a connection is sought.
    pub(crate) fn error(self, error: sqlx::Error) -> LedgerError {
        match (self, error) {
            (Dialect::Postgres, sqlx::Error::PoolTimedOut) => {
                LedgerError::Unreachable { place: None, why: "it gave no connection in time".to_owned() }
            }
            (_, error) => error.into(),
        }
    }

    /// Begins a consistent view.
    pub(crate) const fn begin_read(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }

    /// Begins a change.
    pub(crate) const fn begin_write(self) -> &'static str {
        match self {
            Dialect::Sqlite => "BEGIN IMMEDIATE",
            // Each statement sees what was committed before it: after the lock, all that the others wrote.
            Dialect::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    /// Takes the one right to write what the audit log records, until the transaction ends; SQLite has given it already.
    pub(crate) const fn lock(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            // The first number is `RGRN`. The second keeps ledgers in several schemas of one database apart. The commit does
            // not wait for the disk while it holds the lock: `flush` does, after it.
            Dialect::Postgres => Some(
                "SELECT set_config('synchronous_commit', 'off', true),
                        pg_advisory_xact_lock(1380405838, hashtext(current_schema()::text))",
            ),
        }
    }

    /// Waits until all that was committed before is on disk. PostgreSQL writes one log in one order, so a small commit that
    /// waits for the disk waits for every earlier one, those of other nodes included; many waits share one write. For the
    /// same reason nobody can make durable what follows from a change that is not durable itself.
    pub(crate) const fn flush(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some("SELECT pg_logical_emit_message(true, 'regreen', '')::text"),
        }
    }

    /// Tells who listens on the channel `$1` that there may be work in this schema. It waits for no disk: it changes nothing.
    pub(crate) const fn ring(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(
                "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, current_schema()::text)",
            ),
        }
    }

    /// Ends a choice of one row to take: among those that nobody else is taking. SQLite has one writer at a time.
    pub(crate) const fn unlocked_only(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// Ends a look at a row that must stay as it is until the transaction ends.
    pub(crate) const fn hold_row(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR SHARE",
        }
    }

    /// 32 random digits, as an expression.
    pub(crate) const fn random(self) -> &'static str {
        match self {
            Dialect::Sqlite => "lower(hex(randomblob(16)))",
            Dialect::Postgres => "replace(gen_random_uuid()::text, '-', '')",
        }
    }

    /// Counts what is in the file or schema, so that nothing is written over what is somebody else's.
    pub(crate) const fn count_tables(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT count(*) FROM sqlite_master",
            // An extension's own tables are nobody's data.
            Dialect::Postgres => {
                "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace
                 AND relkind IN ('r', 'p')
                 AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
            }
        }
    }

    /// 1 where it is marked as a ledger: by SQLite's own mark of whose file it is (`RGRN`), or by a remark.
    pub(crate) const fn is_ledger(self) -> &'static str {
        match self {
            Dialect::Sqlite => "SELECT count(*) FROM pragma_application_id WHERE application_id = 1380405838",
            Dialect::Postgres => {
                "SELECT count(*) FROM pg_description
                 WHERE objoid = to_regclass(quote_ident(current_schema()) || '.schema_version')
                   AND objsubid = 0 AND description = 'ledger of regreen'"
            }
        }
    }

    /// How the engine keeps what is written: names and values.
    pub(crate) const fn settings(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "SELECT 'journal_mode', journal_mode FROM pragma_journal_mode
                 UNION ALL SELECT 'synchronous', CAST(synchronous AS TEXT) FROM pragma_synchronous
                 UNION ALL SELECT 'foreign_keys', CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys"
            }
            Dialect::Postgres => {
                "SELECT name::text, current_setting(name)::text FROM pg_settings WHERE name IN
                 ('synchronous_commit', 'fsync', 'full_page_writes', 'idle_in_transaction_session_timeout')"
            }
        }
    }

    /// The settings without which an acknowledged change may be lost, and their good values.
    pub(crate) const fn durable(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Dialect::Sqlite => &[("synchronous", &["2", "3"])],
            Dialect::Postgres => &[
                ("synchronous_commit", &["on", "remote_apply"]),
                ("fsync", &["on"]),
                ("full_page_writes", &["on"]),
            ],
        }
    }

    /// Lets the engine look for damage of its own; says `ok`, or what is wrong. PostgreSQL's checks are its operator's.
    pub(crate) const fn integrity(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => Some("SELECT integrity_check FROM pragma_integrity_check"),
            Dialect::Postgres => None,
        }
    }

    /// Lets numbers go on after those that were restored.
    pub(crate) const fn count_on(self) -> Option<&'static str> {
        match self {
            Dialect::Sqlite => None,
            Dialect::Postgres => Some(
                "SELECT setval(pg_get_serial_sequence('work', 'id'),
                               (SELECT coalesce(max(id), 0) + 1 FROM work), false)",
            ),
        }
    }

    /// Makes an empty file or schema a ledger's.
    pub(crate) const fn make(self) -> &'static str {
        match self {
            Dialect::Sqlite => {
                "PRAGMA application_id = 1380405838; CREATE TABLE schema_version (version INTEGER PRIMARY KEY)"
            }
            Dialect::Postgres => {
                "CREATE TABLE schema_version (version BIGINT PRIMARY KEY);
                 COMMENT ON TABLE schema_version IS 'ledger of regreen'"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn both_engines_have_the_same_versions() {
        let names = |engine: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names("sqlite"), names("postgres"));
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            assert_eq!(names("sqlite").len(), dialect.migrations().len());
        }
    }

    #[test]
    fn the_mark_is_the_mark() {
        let (mark, remark) = (0x5247_524e.to_string(), "ledger of regreen");
        assert!(Dialect::Sqlite.make().contains(&mark) && Dialect::Sqlite.is_ledger().contains(&mark));
        assert!(Dialect::Postgres.lock().is_some_and(|lock| lock.contains(&mark)));
        assert!(Dialect::Postgres.make().contains(remark) && Dialect::Postgres.is_ledger().contains(remark));
    }
}
