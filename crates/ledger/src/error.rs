//! What can go wrong with the ledger, why, and what to do now.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgDatabaseError;
use thiserror::Error;

use crate::{postgres, sqlite};

/// A ledger that could not do what was asked. Nothing of a failed call is stored, but for `CommitUnknown`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another process held the ledger for longer than the busy time-out.
    #[error("the ledger{} is locked by another process", at(.place))]
    Locked {
        /// Where it is.
        place: Option<String>,
    },
    /// The file is no ledger, or a damaged one. It is left as it was found.
    #[error("the ledger{} is damaged or is no ledger ({why}); it was left as it is", at(.place))]
    Corrupt {
        /// Where it is.
        place: Option<String>,
        /// What was seen.
        why: String,
    },
    /// The file, its folder or the file system can't be written to.
    #[error("the ledger{} is read-only", at(.place))]
    ReadOnly {
        /// Where it is.
        place: Option<String>,
    },
    /// The file or its folder belongs to somebody else.
    #[error("no permission to open the ledger{}", at(.place))]
    NoPermission {
        /// Where it is.
        place: Option<String>,
    },
    /// No room for another write.
    #[error("the disk that holds the ledger{} is full", at(.place))]
    DiskFull {
        /// Where it is.
        place: Option<String>,
    },
    /// The server can't be reached, or ended the connection.
    #[error("the ledger{} can't be reached ({why})", at(.place))]
    Unreachable {
        /// Where it is.
        place: Option<String>,
        /// What was seen.
        why: String,
    },
    /// The server does not let this user in, or has no such database.
    #[error("the server of the ledger{} refuses: {why}", at(.place))]
    Refused {
        /// Where it is.
        place: Option<String>,
        /// Its answer.
        why: String,
    },
    /// The connection was cut while a change was made durable.
    #[error("the ledger{} was cut off while a change was stored ({why}): it may be there or not", at(.place))]
    CommitUnknown {
        /// Where it is.
        place: Option<String>,
        /// What was seen.
        why: String,
    },
    /// What was given as the server's address is none. It may hold a password, so it is not shown.
    #[error("the ledger's address is no address of a PostgreSQL server")]
    BadAddress,
    /// A newer Regreen has written to it.
    #[error("the ledger has schema version {found}, and this version of regreen reads up to {supported}")]
    Newer {
        /// The version on disk.
        found: i64,
        /// The newest that this build knows.
        supported: i64,
    },
    /// Opened for reading only, and an older Regreen has written it.
    #[error("the ledger has schema version {found}; it must be brought up to {supported} before it is read")]
    Older {
        /// The version on disk.
        found: i64,
        /// The version that this build reads.
        supported: i64,
    },
    /// Opened for reading only, and there is none.
    #[error("there is no ledger{}", at(.place))]
    Absent {
        /// Where it would be.
        place: Option<String>,
    },
    /// The store of logs outside the database did not do what it was asked.
    #[error("logs can't be kept or read{}: {why}", at_store(.place))]
    LogStore {
        /// Its address, without a secret; empty where there is none.
        place: String,
        /// What it said.
        why: String,
    },
    /// No incident has this id.
    #[error("there is no incident `{id}`")]
    UnknownIncident {
        /// The id.
        id: String,
    },
    /// Another process has taken the incident over since.
    #[error("incident `{incident}` was taken over by another process; `{owner}` may no longer write to it")]
    StaleOwner {
        /// The incident.
        incident: String,
        /// The token that no longer counts.
        owner: String,
    },
    /// Somebody else has taken the work since, or it is done.
    #[error("claim {fence} on work {work} no longer holds; whoever shows it may write nothing")]
    StaleClaim {
        /// The work's number.
        work: i64,
        /// The fence that no longer counts.
        fence: i64,
    },
    /// Two writers appended to one journal.
    #[error("another writer has appended entry {seq} to the journal of incident `{incident}`")]
    Conflict {
        /// The incident.
        incident: String,
        /// The entry that both wanted to write.
        seq: i64,
    },
    /// The incident's state does not allow it.
    #[error("incident `{id}` is {state}, so it can't be {doing}")]
    WrongState {
        /// The incident.
        id: String,
        /// Its state's stable name.
        state: &'static str,
        /// What was asked, as a past participle.
        doing: &'static str,
    },
    /// The incident came from another ledger.
    #[error("incident `{id}` was imported; it can be read, not acted upon")]
    Imported {
        /// The incident.
        id: String,
    },
    /// An id or token of the caller that could be mistaken for something else.
    #[error("`{id}` is no id: 1 to 64 letters, digits, `.`, `_` or `-`")]
    BadId {
        /// The id.
        id: String,
    },
    /// Something that must be kept byte for byte holds what looks like a secret.
    #[error("{what} holds what looks like a secret, so it is not stored")]
    Unmasked {
        /// What it is.
        what: String,
    },
    /// A file that can't be imported. Nothing of it was.
    #[error("line {line} can't be imported: {why}")]
    BadImport {
        /// Counted from 1; 0 for the file as a whole.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A report of another machine that can't be taken in.
    #[error("the report can't be taken in: {why}")]
    BadReport {
        /// What is wrong with it.
        why: String,
    },
    /// A backup that can't be restored. Nothing of it was.
    #[error("line {line} of the backup can't be restored: {why}")]
    BadBackup {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A backup goes into an empty ledger only.
    #[error("the ledger `{place}` is not empty")]
    NotEmpty {
        /// Where it is.
        place: String,
    },
    /// A stored document that this version can't read.
    #[error("failed to read {what}")]
    Shape {
        /// What it is.
        what: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// The file system said no.
    #[error("failed to {doing} `{}`", .path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: std::io::Error,
    },
    /// Anything else the database said.
    #[error("the ledger's database failed")]
    Database(#[source] sqlx::Error),
}

impl LedgerError {
    /// What to do now, where there is something to do.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            LedgerError::Locked { .. } => "wait for the other regreen to end and try again",
            LedgerError::Corrupt { place: Some(place), .. } if place.starts_with("postgres:") => {
                "give the ledger a database of its own: CREATE DATABASE regreen"
            }
            LedgerError::Corrupt { .. } => "move the file away to start afresh, or bring back a copy of it",
            LedgerError::ReadOnly { place: Some(place) }
            | LedgerError::NoPermission { place: Some(place) }
                if place.starts_with("postgres:") =>
            {
                "give the role the right to read and write there (and to create tables at the first start)"
            }
            LedgerError::ReadOnly { .. } | LedgerError::NoPermission { .. } => {
                "make the file and its folder writable for this user, or set another place for the state"
            }
            LedgerError::DiskFull { .. } => "free some space and try again",
            LedgerError::Unreachable { .. } => {
                "see that the server runs and can be reached from here, and try again"
            }
            LedgerError::Refused { .. } => {
                "check user, database and password (which PGPASSWORD or ~/.pgpass may hold as well)"
            }
            LedgerError::LogStore { place, .. } if place.is_empty() => {
                "name the store by REGREEN_LOG_STORE, or by `store` below [serve.logs] in the operator's configuration"
            }
            LedgerError::LogStore { .. } => {
                "see that the store is there and that the credentials in the environment may read and write it"
            }
            LedgerError::CommitUnknown { .. } => "look whether it is there before trying again",
            LedgerError::BadAddress => "write it as postgres://USER@HOST:PORT/DATABASE",
            LedgerError::Newer { .. } => "use the newer regreen, or another place for the state",
            LedgerError::Older { .. } => "run a command that writes to the ledger, such as `regreen resume`",
            LedgerError::Absent { .. } => "it is made when `regreen run` sees the first failure",
            LedgerError::UnknownIncident { .. } => "`regreen incidents list` shows what there is",
            LedgerError::NotEmpty { .. } => "restore into a new file, or a new database or schema",
            LedgerError::BadBackup { .. } => "take another backup of it; this file was cut short or changed",
            LedgerError::BadImport { .. } => "export again with `regreen state export`",
            _ => return None,
        })
    }

    /// The same error, with the place of the ledger.
    pub(crate) fn at(mut self, where_it_is: &str) -> LedgerError {
        if let LedgerError::Locked { place }
        | LedgerError::Corrupt { place, .. }
        | LedgerError::ReadOnly { place }
        | LedgerError::NoPermission { place }
        | LedgerError::DiskFull { place }
        | LedgerError::Unreachable { place, .. }
        | LedgerError::Refused { place, .. }
        | LedgerError::CommitUnknown { place, .. }
        | LedgerError::Absent { place } = &mut self
        {
            place.get_or_insert_with(|| where_it_is.to_owned());
        }
        self
    }

    pub(crate) fn corrupt(why: impl Into<String>) -> LedgerError {
        LedgerError::Corrupt { place: None, why: why.into() }
    }

    pub(crate) fn from_io(doing: &'static str, path: &Path, source: std::io::Error) -> LedgerError {
        use std::io::ErrorKind as K;
        let place = Some(path.display().to_string());
        match source.kind() {
            K::PermissionDenied => LedgerError::NoPermission { place },
            K::ReadOnlyFilesystem => LedgerError::ReadOnly { place },
            K::StorageFull | K::QuotaExceeded => LedgerError::DiskFull { place },
            _ => LedgerError::Io { doing, path: path.to_owned(), source },
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    fn from(source: sqlx::Error) -> Self {
        let (place, why) = (None, source.to_string());
        match &source {
            sqlx::Error::PoolTimedOut => LedgerError::Locked { place },
            // SQLite keeps any type in any column: a row that was not written by this crate.
            sqlx::Error::ColumnDecode { index, .. } => {
                LedgerError::corrupt(format!("a value of another type in column {index}"))
            }
            sqlx::Error::Decode(_) => LedgerError::corrupt("a value that is no text"),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) => LedgerError::Unreachable { place, why },
            // Its text may quote the address.
            sqlx::Error::Configuration(_) => LedgerError::BadAddress,
            sqlx::Error::Database(answer) => {
                let code = answer.code().unwrap_or_default();
                let meaning = match answer.try_downcast_ref::<PgDatabaseError>() {
                    Some(_) => postgres::meaning(&code, answer.message()),
                    None => sqlite::meaning(&code, answer.message()),
                };
                meaning.unwrap_or(LedgerError::Database(source))
            }
            _ => LedgerError::Database(source),
        }
    }
}

fn at_store(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" in `{place}`") }
}

fn at(place: &Option<String>) -> String {
    place.as_ref().map(|place| format!(" `{place}`")).unwrap_or_default()
}
