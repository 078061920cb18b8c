//! Opening the ledger, as a file or on a server, and its transactions.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Connection as _, FromRow, Transaction,
    any::{AnyPoolOptions, AnyRow},
};

use crate::{
    LedgerError, Scrub,
    bell::Ringing,
    dialect::Dialect,
    log_store::{self, LogStore},
    postgres, schema,
    scrub::scrub_value,
    sqlite,
    work::{Fence, Query},
};

/// How long a second process waits for the first one to end its write.
const BUSY: Duration = Duration::from_secs(2);
/// How long a node waits for all the others: they queue for one lock.
const SHARED_BUSY: Duration = Duration::from_secs(10);
/// How long a server may take to answer, or to come back.
const REACH: Duration = Duration::from_secs(10);
/// Connections to a server.
const CONNECTIONS: u32 = 8;

/// An open ledger. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    pool: AnyPool,
    dialect: Dialect,
    place: Arc<str>,
    scrub: Arc<dyn Scrub>,
    ringing: Arc<Ringing>,
    log_store: log_store::Shared,
    /// The claim on a piece of work under which this handle writes.
    fence: Option<Fence>,
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
        sqlite::make_file(path)?;
        sqlite::check_file(path)?;
        let ledger = Ledger::file(path, scrub, busy, "mode=rw").await?;
        ledger.prepare(busy).await.map_err(|e| e.at(&ledger.place))?;
        Ok(ledger)
    }

    /// Opens an existing ledger to read it. Every write is refused with `ReadOnly`.
    ///
    /// # Errors
    /// `Absent`, and as [`Ledger::open`].
    pub async fn open_read_only(path: &Path, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        match fs::metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(LedgerError::Absent { place: Some(path.display().to_string()) });
            }
            Err(e) => return Err(LedgerError::from_io("open the ledger", path, e)),
            Ok(_) => sqlite::check_file(path)?,
        }
        let ledger = match Ledger::file(path, Arc::clone(&scrub), BUSY, "mode=ro").await {
            // A log can't be shared on a read-only disk; but then nobody writes to it either.
            Err(LedgerError::NoPermission { .. } | LedgerError::ReadOnly { .. }) => {
                Ledger::file(path, scrub, BUSY, "mode=ro&immutable=true").await?
            }
            other => other?,
        };
        ledger.present().await?;
        Ok(ledger)
    }

    /// Opens the ledger on a PostgreSQL server, making its tables in the (empty) schema where there are none. The address
    /// is `postgres://USER@HOST:PORT/DATABASE`, with libpq's parameters; the environment (`PGPASSWORD`, …) and `~/.pgpass`
    /// fill in what it leaves out.
    ///
    /// # Errors
    /// `BadAddress`, `Unreachable`, `Refused`, `NoPermission`, `Corrupt` for somebody else's schema, `Newer`. None of them
    /// shows the password.
    pub async fn connect(address: &str, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        Ledger::connect_with(address, scrub, SHARED_BUSY).await
    }

    /// As [`Ledger::connect`], waiting at most `busy` for the writes of the other nodes.
    ///
    /// # Errors
    /// As [`Ledger::connect`].
    pub async fn connect_with(
        address: &str,
        scrub: Arc<dyn Scrub>,
        busy: Duration,
    ) -> Result<Ledger, LedgerError> {
        let ledger = Ledger::server(address, scrub, busy, "").await?;
        ledger.prepare(busy).await.map_err(|e| e.at(&ledger.place))?;
        Ok(ledger)
    }

    /// Opens an existing ledger on a PostgreSQL server to read it. Every write is refused with `ReadOnly`.
    ///
    /// # Errors
    /// `Absent`, and as [`Ledger::connect`].
    pub async fn connect_read_only(address: &str, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        let read_only = "; SET default_transaction_read_only = on";
        let ledger = Ledger::server(address, scrub, SHARED_BUSY, read_only).await?;
        ledger.present().await?;
        Ok(ledger)
    }

    /// [`Ledger::connect`] for an address of a server, else [`Ledger::open`] for a path.
    ///
    /// # Errors
    /// As those.
    pub async fn at(address: &str, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        match postgres::is_address(address) {
            true => Ledger::connect(address, scrub).await,
            false => Ledger::open(Path::new(address), scrub).await,
        }
    }

    /// [`Ledger::connect_read_only`] for an address of a server, else [`Ledger::open_read_only`] for a path.
    ///
    /// # Errors
    /// As those.
    pub async fn at_read_only(address: &str, scrub: Arc<dyn Scrub>) -> Result<Ledger, LedgerError> {
        match postgres::is_address(address) {
            true => Ledger::connect_read_only(address, scrub).await,
            false => Ledger::open_read_only(Path::new(address), scrub).await,
        }
    }

    /// The same ledger, whose logs are kept in this store from now on; those in the database are read there as before.
    #[must_use]
    pub fn with_log_store(self, store: Arc<LogStore>) -> Ledger {
        Ledger { log_store: Some(store), ..self }
    }

    /// Where the ledger is: its path, or its address without user, password and parameters.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// How the engine keeps what is written, as it says itself: for a check, and for the tests.
    ///
    /// # Errors
    /// Where it can't be asked.
    pub async fn settings(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        let rows: Vec<(String, String)> =
            sqlx::query_as(self.dialect.settings()).fetch_all(&mut *self.read().await?).await?;
        Ok(rows.into_iter().collect())
    }

    /// Lets go of the file or server. Not needed for durability: every write is on disk when its call returns.
    pub async fn close_file(&self) {
        self.pool.close().await;
    }

    /// The text as it may be stored. PostgreSQL can hold no NUL in text.
    pub(crate) fn clean(&self, text: &str) -> String {
        without_nul(self.scrub.scrub(text))
    }

    /// A document as it may be stored.
    pub(crate) fn clean_document(&self, text: &str) -> String {
        match serde_json::from_str(text) {
            Ok(value) => scrub_value(self.scrubber(), value).to_string(),
            Err(_) => self.clean(text),
        }
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    pub(crate) fn ringing(&self) -> &Ringing {
        &self.ringing
    }

    pub(crate) fn log_store(&self) -> Option<&Arc<LogStore>> {
        self.log_store.as_ref()
    }

    pub(crate) fn shared_scrubber(&self) -> Arc<dyn Scrub> {
        self.scrub.clone()
    }

    pub(crate) fn with_fence(&self, fence: Option<Fence>) -> Ledger {
        Ledger { fence, ..self.clone() }
    }

    pub(crate) const fn fence(&self) -> Option<Fence> {
        self.fence
    }

    pub(crate) fn scrubber(&self) -> &dyn Scrub {
        &*self.scrub
    }

    /// A consistent view.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        self.begin(self.dialect.begin_read()).await
    }

    /// The right to write, taken at once, so that what is read within it stays true until it is committed.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        let mut work = self.begin(self.dialect.begin_write()).await?;
        if let Some(lock) = self.dialect.lock() {
            sqlx::query(lock).execute(&mut *work).await.map_err(|e| LedgerError::from(e).at(&self.place))?;
        }
        self.check_fence(work).await
    }

    /// A change that the audit log does not record: on PostgreSQL it waits for nobody who writes something else.
    pub(crate) async fn write_aside(&self) -> Result<Transaction<'static, Any>, LedgerError> {
        let work = self.begin(self.dialect.begin_write()).await?;
        self.check_fence(work).await
    }

    async fn check_fence(
        &self,
        mut work: Transaction<'static, Any>,
    ) -> Result<Transaction<'static, Any>, LedgerError> {
        if let Some(fence) = self.fence {
            fence.check(&mut work, self.dialect.hold_row()).await?;
        }
        Ok(work)
    }

    /// A change that is one statement, by itself durable.
    pub(crate) async fn at_once<T>(&self, query: Query<'_, T>) -> Result<Vec<T>, LedgerError>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        query.fetch_all(&self.pool).await.map_err(|e| self.dialect.error(e).at(&self.place))
    }

    /// Makes what was recorded durable.
    pub(crate) async fn commit(&self, work: Transaction<'static, Any>) -> Result<(), LedgerError> {
        self.commit_aside(work).await?;
        if let Some(flush) = self.dialect.flush() {
            let flushed = sqlx::query(flush).execute(&self.pool).await;
            flushed.map_err(|e| self.in_doubt(self.dialect.error(e)))?;
        }
        Ok(())
    }

    /// The same for what was written aside, which waits for the disk by itself.
    pub(crate) async fn commit_aside(&self, work: Transaction<'static, Any>) -> Result<(), LedgerError> {
        work.commit().await.map_err(|e| self.in_doubt(e.into()))
    }

    /// The server may have done it and died before it could say so.
    fn in_doubt(&self, error: LedgerError) -> LedgerError {
        match error {
            LedgerError::Unreachable { why, .. } => LedgerError::CommitUnknown { place: None, why },
            other => other,
        }
        .at(&self.place)
    }

    async fn begin(&self, how: &'static str) -> Result<Transaction<'static, Any>, LedgerError> {
        let begun = match self.pool.begin_with(how).await {
            // SQLite takes a change back by itself where the disk is full, and the connection does not know it.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                let spoilt = self.pool.acquire().await.map_err(|e| self.dialect.error(e).at(&self.place))?;
                let _closed = spoilt.close().await;
                self.pool.begin_with(how).await
            }
            begun => begun,
        };
        begun.map_err(|e| self.dialect.error(e).at(&self.place))
    }

    async fn file(
        path: &Path,
        scrub: Arc<dyn Scrub>,
        busy: Duration,
        how: &str,
    ) -> Result<Ledger, LedgerError> {
        let address = format!("{}?{how}", sqlite::address(path)?);
        let options = AnyPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            // Longer than the wait for another process, so that a queue within this one is no error.
            .acquire_timeout(busy * 4 + Duration::from_secs(10));
        let greeting = format!("PRAGMA busy_timeout = {}; {}", busy.as_millis(), Dialect::Sqlite.greeting());
        let place = path.display().to_string();
        Ledger::with(Dialect::Sqlite, place, &address, options, greeting, scrub).await
    }

    async fn server(
        address: &str,
        scrub: Arc<dyn Scrub>,
        busy: Duration,
        more: &str,
    ) -> Result<Ledger, LedgerError> {
        let place = postgres::shown(address)?;
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(busy + REACH);
        let greeting =
            format!("{}; SET lock_timeout = {}{more}", Dialect::Postgres.greeting(), busy.as_millis());
        Ledger::with(Dialect::Postgres, place, address, options, greeting, scrub).await
    }

    async fn with(
        dialect: Dialect,
        place: String,
        address: &str,
        options: AnyPoolOptions,
        greeting: String,
        scrub: Arc<dyn Scrub>,
    ) -> Result<Ledger, LedgerError> {
        sqlx::any::install_default_drivers();
        let wrong = |e| dialect.error(e).at(&place);
        // The pool tries again and again where a greeting fails; the first one is done by hand, so that it says why.
        let (first, again): (_, Arc<str>) = (AtomicBool::new(true), greeting.as_str().into());
        let options = options.after_connect(move |db, _| {
            let again = (!first.swap(false, Ordering::Relaxed)).then(|| Arc::clone(&again));
            Box::pin(async move {
                if let Some(greeting) = again {
                    sqlx::raw_sql(AssertSqlSafe(greeting)).execute(db).await?;
                }
                Ok(())
            })
        });
        if dialect == Dialect::Postgres {
            // Nor does the pool say at once that nobody is there.
            AnyConnection::connect(address).await.map_err(wrong)?.close().await.map_err(wrong)?;
        }
        let pool = options.connect(address).await.map_err(wrong)?;
        let mut db = pool.acquire().await.map_err(wrong)?;
        sqlx::raw_sql(AssertSqlSafe(greeting)).execute(&mut *db).await.map_err(wrong)?;
        drop(db);
        let (place, ringing) = (place.into(), Arc::default());
        let ledger = Ledger { pool, dialect, place, scrub, ringing, log_store: None, fence: None };
        // The first look at the file: this is where garbage shows.
        ledger.version().await?;
        Ok(ledger)
    }

    /// The schema's version, looked at in one view: another process may be making the ledger right now.
    async fn version(&self) -> Result<i64, LedgerError> {
        schema::found(&mut *self.read().await?, self.dialect).await.map_err(|e| e.at(&self.place))
    }

    /// There is a ledger, of the version that this build reads.
    async fn present(&self) -> Result<(), LedgerError> {
        match self.version().await? {
            0 => Err(LedgerError::Absent { place: Some(self.place.to_string()) }),
            found if found < schema::SUPPORTED => {
                Err(LedgerError::Older { found, supported: schema::SUPPORTED })
            }
            _ => Ok(()),
        }
    }

    async fn prepare(&self, busy: Duration) -> Result<(), LedgerError> {
        if self.dialect == Dialect::Sqlite {
            sqlite::write_ahead(&mut *self.pool.acquire().await?, busy).await?;
        }
        if self.version().await? < schema::SUPPORTED {
            let mut work = self.write().await?;
            schema::migrate(&mut work, self.dialect).await?;
            self.commit(work).await?;
        }
        Ok(())
    }
}

/// NUL shown as what can't be shown.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AsIs;

    #[tokio::test]
    async fn every_commit_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("l.db"), Arc::new(AsIs)).await.unwrap();
        let settings = ledger.settings().await.unwrap();
        // 2 is FULL: <https://sqlite.org/pragma.html#pragma_synchronous>.
        for (name, value) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
            assert_eq!(settings[name], value);
        }
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
        // Once there is room again, so are writes.
        ledger.pause("v", "ann", &long, 3).await.unwrap();
        assert!(ledger.audit_verify(None).await.unwrap().is_sound());
    }
}
