//! What can go wrong with the ledger, why, and what to do now.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A ledger that could not do what was asked. Nothing of a failed call is stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another process held the ledger for longer than the busy time-out.
    #[error("the ledger{} is locked by another process", at(.path))]
    Locked {
        /// Where it is.
        path: Option<PathBuf>,
    },
    /// The file is no ledger, or a damaged one. It is left as it was found.
    #[error("the ledger{} is damaged or is no ledger ({why}); it was left as it is", at(.path))]
    Corrupt {
        /// Where it is.
        path: Option<PathBuf>,
        /// What was seen.
        why: String,
    },
    /// The file, its folder or the file system can't be written to.
    #[error("the ledger{} is read-only", at(.path))]
    ReadOnly {
        /// Where it is.
        path: Option<PathBuf>,
    },
    /// The file or its folder belongs to somebody else.
    #[error("no permission to open the ledger{}", at(.path))]
    NoPermission {
        /// Where it is.
        path: Option<PathBuf>,
    },
    /// No room for another write.
    #[error("the disk that holds the ledger{} is full", at(.path))]
    DiskFull {
        /// Where it is.
        path: Option<PathBuf>,
    },
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
    #[error("there is no ledger{}", at(.path))]
    Absent {
        /// Where it would be.
        path: Option<PathBuf>,
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
    pub const fn help(&self) -> Option<&'static str> {
        Some(match self {
            LedgerError::Locked { .. } => "wait for the other regreen to end and try again",
            LedgerError::Corrupt { .. } => "move the file away to start afresh, or bring back a copy of it",
            LedgerError::ReadOnly { .. } | LedgerError::NoPermission { .. } => {
                "make the file and its folder writable for this user, or set another place for the state"
            }
            LedgerError::DiskFull { .. } => "free some space and try again",
            LedgerError::Newer { .. } => "use the newer regreen, or another place for the state",
            LedgerError::Older { .. } => "run a command that writes to the ledger, such as `regreen resume`",
            LedgerError::Absent { .. } => "it is made when `regreen run` sees the first failure",
            LedgerError::UnknownIncident { .. } => "`regreen incidents list` shows what there is",
            LedgerError::BadImport { .. } => "export again with `regreen state export`",
            _ => return None,
        })
    }

    /// The same error, with the place of the ledger.
    pub(crate) fn at(mut self, place: &Path) -> LedgerError {
        if let LedgerError::Locked { path }
        | LedgerError::Corrupt { path, .. }
        | LedgerError::ReadOnly { path }
        | LedgerError::NoPermission { path }
        | LedgerError::DiskFull { path }
        | LedgerError::Absent { path } = &mut self
        {
            path.get_or_insert_with(|| place.to_owned());
        }
        self
    }

    pub(crate) fn corrupt(why: impl Into<String>) -> LedgerError {
        LedgerError::Corrupt { path: None, why: why.into() }
    }

    pub(crate) fn from_io(doing: &'static str, place: &Path, source: std::io::Error) -> LedgerError {
        use std::io::ErrorKind as K;
        let path = Some(place.to_owned());
        match source.kind() {
            K::PermissionDenied => LedgerError::NoPermission { path },
            K::ReadOnlyFilesystem => LedgerError::ReadOnly { path },
            K::StorageFull | K::QuotaExceeded => LedgerError::DiskFull { path },
            _ => LedgerError::Io { doing, path: place.to_owned(), source },
        }
    }
}

impl From<sqlx::Error> for LedgerError {
    /// By SQLite's primary result code (the low byte of the extended one): <https://sqlite.org/rescode.html>.
    fn from(source: sqlx::Error) -> Self {
        match &source {
            sqlx::Error::PoolTimedOut => return LedgerError::Locked { path: None },
            // SQLite keeps any type in any column: a row that was not written by this crate.
            sqlx::Error::ColumnDecode { index, .. } => {
                return LedgerError::corrupt(format!("a value of another type in column {index}"));
            }
            _ => {}
        }
        let answer = source.as_database_error().map(|e| (e.code().and_then(|c| c.parse().ok()), e.message()));
        let Some((Some(code), message)) = answer else { return LedgerError::Database(source) };
        let (code, message): (i32, &str) = (code, message);
        match code & 0xff {
            5 | 6 => LedgerError::Locked { path: None },
            3 | 14 | 23 => LedgerError::NoPermission { path: None },
            8 => LedgerError::ReadOnly { path: None },
            11 | 26 => LedgerError::corrupt(message),
            13 => LedgerError::DiskFull { path: None },
            _ => LedgerError::Database(source),
        }
    }
}

fn at(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|p| format!(" `{}`", p.display())).unwrap_or_default()
}
