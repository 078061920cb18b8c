//! Opening the ledger: whose file it is, who may read it, how it is kept, and what is refused.

use std::{fs, io::Read, path::Path, sync::Arc, time::Duration};

use sqlx::{
    Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{LedgerError, Scrub, schema};

/// How long a second process waits for the first one to end its write.
const BUSY: Duration = Duration::from_secs(2);
/// Between two tries to switch a new file to write-ahead logging.
const SWITCH_PAUSE: Duration = Duration::from_millis(10);

/// An open ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    pool: SqlitePool,
    path: Arc<Path>,
    scrub: Arc<dyn Scrub>,
}

impl Ledger {
    /// Opens the ledger, making it (0600, in a 0700 folder) where there is none. Needs a tokio runtime with time.
    ///
    /// # Errors
    /// `Locked`, `Corrupt`, `ReadOnly`, `NoPermission`, `DiskFull`, `Newer`; the file is then as it was.
    pub async fn open(path: &Path, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        Ledger::open_with(path, scrub, BUSY).await
    }

    /// As [`Ledger::open`], waiting at most `busy` for another process.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub async fn open_with(
        path: &Path,
        scrub: Arc<dyn Scrub>,
        busy: Duration,
    ) -> Result<Ledger, LedgerError> {
        make_file(path)?;
        check_file(path)?;
        let ledger = Ledger::connect(path, scrub, busy, options(path, busy)).await?;
        ledger.prepare(busy).await.map_err(|e| e.at(path))?;
        Ok(ledger)
    }

    /// Opens an existing ledger to read it. Every write is refused with `ReadOnly`.
    ///
    /// # Errors
    /// `Absent`, and as [`Ledger::open`].
    pub async fn open_read_only(path: &Path, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        match fs::metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(LedgerError::Absent { path: Some(path.to_owned()) });
            }
            Err(e) => return Err(LedgerError::from_io("open the ledger", path, e)),
            Ok(_) => check_file(path)?,
        }
        let options = options(path, BUSY).read_only(true);
        let ledger = match Ledger::connect(path, Arc::clone(&scrub), BUSY, options.clone()).await {
            // A log can't be shared on a read-only disk; but then nobody writes to it either.
            Err(LedgerError::NoPermission { .. } | LedgerError::ReadOnly { .. }) => {
                Ledger::connect(path, scrub, BUSY, options.immutable(true)).await?
            }
            other => other?,
        };
        let found = ledger.version().await?;
        match found {
            0 => Err(LedgerError::Absent { path: Some(path.to_owned()) }),
            found if found < schema::SUPPORTED => {
                Err(LedgerError::Older { found, supported: schema::SUPPORTED })
            }
            _ => Ok(ledger),
        }
    }

    /// Where the ledger is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of the file. Not needed for durability: every write is on disk when its call returns.
    pub async fn close_file(&self) {
        self.pool.close().await;
    }

    /// The text as it may be stored.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.scrub.scrub(text)
    }

    pub(crate) fn scrubber(&self) -> &dyn Scrub {
        &*self.scrub
    }

    /// A consistent view.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        self.pool.begin().await.map_err(|e| LedgerError::from(e).at(&self.path))
    }

    /// The right to write, taken at once, so that what is read within it stays true until it is committed.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| LedgerError::from(e).at(&self.path))
    }

    /// Makes what was written durable.
    pub(crate) async fn commit(&self, work: Transaction<'static, Sqlite>) -> Result<(), LedgerError> {
        work.commit().await.map_err(|e| LedgerError::from(e).at(&self.path))
    }

    async fn connect(
        path: &Path,
        scrub: Arc<dyn Scrub>,
        busy: Duration,
        options: SqliteConnectOptions,
    ) -> Result<Ledger, LedgerError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // Longer than the wait for another process, so that a queue within this one is no error.
            .acquire_timeout(busy * 4 + Duration::from_secs(10))
            .connect_with(options)
            .await
            .map_err(|e| LedgerError::from(e).at(path))?;
        let ledger = Ledger { pool, path: path.into(), scrub };
        // The first look at the file: this is where garbage shows.
        ledger.version().await?;
        Ok(ledger)
    }

    /// The schema's version, looked at in one view: another process may be making the ledger right now.
    async fn version(&self) -> Result<i64, LedgerError> {
        schema::found(&mut *self.read().await?).await.map_err(|e| e.at(&self.path))
    }

    async fn prepare(&self, busy: Duration) -> Result<(), LedgerError> {
        write_ahead(&mut *self.pool.acquire().await?, busy).await?;
        if self.version().await? < schema::SUPPORTED {
            let mut work = self.write().await?;
            schema::migrate(&mut work).await?;
            self.commit(work).await?;
        }
        Ok(())
    }
}

fn options(path: &Path, busy: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        // A damaged or hostile file is noticed when it is read, and its schema can run nothing.
        .pragma("cell_size_check", "ON")
        .pragma("trusted_schema", "OFF")
}

/// Switches to write-ahead logging. SQLite does not wait by itself here, so this does.
async fn write_ahead(db: &mut SqliteConnection, busy: Duration) -> Result<(), LedgerError> {
    let mut left = busy;
    loop {
        let answer = sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL").fetch_one(&mut *db).await;
        match answer.map_err(LedgerError::from) {
            Ok(_) => return Ok(()),
            Err(LedgerError::Locked { .. }) if left > SWITCH_PAUSE => {
                tokio::time::sleep(SWITCH_PAUSE).await;
                left -= SWITCH_PAUSE;
            }
            Err(other) => return Err(other),
        }
    }
}

/// SQLite takes a file shorter than its smallest page for an empty one, and would write over it.
fn check_file(path: &Path) -> Result<(), LedgerError> {
    const MARK: &[u8] = b"SQLite format 3\0";
    const SMALLEST: u64 = 512;
    let failed = |e| LedgerError::from_io("read the ledger", path, e);
    let file = fs::File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let mut start = Vec::new();
    file.take(MARK.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if length == 0 || (length >= SMALLEST && start == MARK) {
        return Ok(());
    }
    Err(LedgerError::corrupt("it is no SQLite database").at(path))
}

/// Makes the folder and an empty file that nobody else can read, before SQLite could make one that others can.
fn make_file(path: &Path) -> Result<(), LedgerError> {
    #[cfg(unix)]
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        builder.mode(0o700);
        builder.create(folder).map_err(|e| LedgerError::from_io("make the folder", folder, e))?;
    }
    let mut file = fs::OpenOptions::new();
    file.write(true).create_new(true);
    #[cfg(unix)]
    file.mode(0o600);
    match file.open(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(LedgerError::from_io("make the ledger", path, e))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AsIs;

    #[tokio::test]
    async fn every_commit_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("l.db"), Arc::new(AsIs)).await.unwrap();
        let mut db = ledger.pool.acquire().await.unwrap();
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *db).await.unwrap();
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *db).await.unwrap();
        let foreign: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *db).await.unwrap();
        // 2 is FULL: <https://sqlite.org/pragma.html#pragma_synchronous>.
        assert_eq!((journal.as_str(), synchronous, foreign), ("wal", 2, 1));
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_spoils_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("l.db"), Arc::new(AsIs)).await.unwrap();
        ledger.pause("w", "ann", "before", 1).await.unwrap();
        // SQLite's own limit gives the same result code as a disk without room.
        let mut db = ledger.pool.acquire().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *db).await.unwrap();
        drop(db);
        let long = "x".repeat(1 << 20);
        let refused = ledger.pause("v", "ann", &long, 2).await.unwrap_err();
        assert!(matches!(refused, LedgerError::DiskFull { .. }), "{refused:?}");
        assert!(ledger.paused("w").await.unwrap().is_some());
        assert!(ledger.paused("v").await.unwrap().is_none());
        assert!(ledger.audit_verify(None).await.unwrap().is_sound());
    }
}
