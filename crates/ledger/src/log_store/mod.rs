//! Kept logs outside the database: in a folder, or in S3, Google Cloud Storage or Azure Blob Storage.
//!
//! A log is one object, named by the digest of what it holds, so that writing it again changes nothing and reading can tell
//! whether it is what its name says. Each ledger has a folder of its own, so that several can share a store. The ledger's row comes after the object: what was begun and not ended has no row, is no
//! log, and goes with the next sweep.

mod http;

use std::{
    collections::BTreeMap,
    fs,
    path::Path as FilePath,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use object_store::{
    BackoffConfig, Error, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder,
    local::LocalFileSystem,
    path::Path,
};

use tokio::time::timeout;

use crate::{LedgerError, kept_log::LOG_CAP};

/// So long a store that failed is not tried again: who heals does not wait for it each time.
const REST: Duration = Duration::from_secs(60);
/// Longest that writing a log may take, tries and all.
const LONGEST: Duration = Duration::from_secs(20);
/// An object that is older is written anew when it is wanted again, in milliseconds.
const REFRESH_MS: i64 = 12 * 3_600_000;
/// Only what is older is swept: nobody is about to refer to it, as it would have been written anew. In milliseconds.
pub(crate) const SWEEP_MS: i64 = 24 * 3_600_000;
/// Longest mark, in bytes.
const MARK: u64 = 256;
/// How the name of every object ends.
const END: &str = ".gz";

/// Where logs are kept, if not in the database.
#[derive(Debug)]
pub struct LogStore {
    store: Box<dyn ObjectStore>,
    /// Begins the name of every object.
    prefix: Path,
    place: String,
    trouble: Mutex<Trouble>,
}

#[derive(Debug, Default)]
struct Trouble {
    /// Until then it is not tried.
    until: Option<Instant>,
    /// What is to be told, once.
    untold: Option<String>,
}

/// An object that may be a log.
pub(crate) struct Found {
    pub(crate) hash: String,
    pub(crate) changed_at: i64,
}

impl LogStore {
    /// The store at `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX` or `file:///FOLDER`. Who is asking is said
    /// by `variables`, those of the environment that begin with `AWS_`, `GOOGLE_` or `AZURE_`. Nothing is asked yet.
    ///
    /// # Errors
    /// `LogStore`, which shows no secret: for another address, one that holds a password, or variables that are not enough.
    pub fn at(address: &str, variables: &BTreeMap<String, String>) -> Result<LogStore, LedgerError> {
        let bad = |why: &str| LedgerError::LogStore { place: String::new(), why: why.to_owned() };
        let (scheme, rest) = address.split_once("://").ok_or_else(|| {
            bad("its address is none of s3://BUCKET/…, gs://BUCKET/…, az://CONTAINER/…, file:///FOLDER")
        })?;
        if rest.contains(['@', '?', '#']) {
            return Err(bad(
                "its address holds more than a bucket and a path; credentials come from the environment",
            ));
        }
        if scheme == "file" {
            return LogStore::folder(rest);
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(bad("its address names no bucket"));
        }
        let (place, url) = (format!("{scheme}://{rest}"), format!("{scheme}://{bucket}"));
        let failed = |e: Error| LedgerError::LogStore { place: place.clone(), why: chain(&e) };
        // Soon: whoever heals waits for it.
        let retry = RetryConfig {
            backoff: BackoffConfig { init_backoff: Duration::from_millis(200), ..BackoffConfig::default() },
            max_retries: 2,
            retry_timeout: Duration::from_secs(20),
        };
        let named = |start: &'static str| {
            variables
                .iter()
                .filter(move |(name, _)| name.starts_with(start))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        };
        macro_rules! build {
            ($builder:ty, $start:literal) => {{
                let mut builder = <$builder>::new();
                for (name, value) in named($start) {
                    if let Ok(key) = name.parse() {
                        builder = builder.with_config(key, value);
                    }
                }
                builder.with_url(url.clone()).with_retry(retry).with_http_connector(http::ByUreq)
            }};
        }
        let store: Box<dyn ObjectStore> = match scheme {
            "s3" => Box::new(
                build!(AmazonS3Builder, "AWS_")
                    // Not every server that speaks S3 can delete many at once.
                    .with_config(AmazonS3ConfigKey::DisableBulkDelete, "true")
                    .build()
                    .map_err(failed)?,
            ),
            "gs" => Box::new(build!(GoogleCloudStorageBuilder, "GOOGLE_").build().map_err(failed)?),
            "az" => Box::new(build!(MicrosoftAzureBuilder, "AZURE_").build().map_err(failed)?),
            _ => return Err(bad("its address begins with none of s3://, gs://, az://, file://")),
        };
        let prefix = Path::parse(prefix.trim_matches('/'))
            .map_err(|e| LedgerError::LogStore { place: place.clone(), why: e.to_string() })?;
        Ok(LogStore { store, prefix, place, trouble: Mutex::default() })
    }

    /// A folder, which is made (0700) where there is none.
    fn folder(path: &str) -> Result<LogStore, LedgerError> {
        let place = format!("file://{path}");
        let failed = |why: String| LedgerError::LogStore { place: place.clone(), why };
        let folder = FilePath::new(path);
        if !folder.is_absolute() {
            return Err(failed("it is no absolute path: file:///FOLDER".to_owned()));
        }
        make(folder).map_err(|e| failed(e.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|e| failed(chain(&e)))?;
        let store = Box::new(store.with_fsync(true));
        Ok(LogStore { store, prefix: Path::default(), place, trouble: Mutex::default() })
    }

    /// Its address.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What went wrong since this was asked last; told once until it goes well again.
    pub(crate) fn untold(&self) -> Option<String> {
        self.trouble().untold.take()
    }

    /// Writes a log, if it is not there; durable when this returns.
    pub(crate) async fn put(
        &self,
        folder: &str,
        hash: &str,
        body: Vec<u8>,
        now: i64,
    ) -> Result<(), LedgerError> {
        if self.rests() {
            return Err(self.failed("it failed a moment ago, and is not tried again yet"));
        }
        let written = timeout(LONGEST, self.write(&self.name(folder, hash), body, now)).await;
        match written
            .map_err(|_| "it does not answer".to_owned())
            .and_then(|done| done.map_err(|e| chain(&e)))
        {
            Ok(()) => {
                self.trouble().until = None;
                Ok(())
            }
            Err(why) => Err(self.stumbled(&why)),
        }
    }

    /// It is not tried again for a while, and that is told once.
    fn stumbled(&self, why: &str) -> LedgerError {
        let mut trouble = self.trouble();
        if trouble.until.replace(Instant::now() + REST).is_none() {
            trouble.untold = Some(format!("{}: {why}", self.place));
        }
        drop(trouble);
        self.failed(why)
    }

    async fn write(&self, name: &Path, body: Vec<u8>, now: i64) -> Result<(), Error> {
        match self.store.head(name).await {
            // As it would be written, and so young that no sweep takes it before the ledger names it.
            Ok(there)
                if there.size == body.len() as u64
                    && now - there.last_modified.timestamp_millis() < REFRESH_MS =>
            {
                return Ok(());
            }
            Ok(_) | Err(Error::NotFound { .. }) => {}
            Err(e) => return Err(e),
        }
        // Two that write it write the same, and each as a whole.
        self.store.put(name, PutPayload::from(body)).await.map(drop)
    }

    /// What is stored under this name; `None` where nothing is.
    pub(crate) async fn get(&self, folder: &str, hash: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let found = match self.store.get(&self.name(folder, hash)).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(self.failed(&chain(&e))),
        };
        if found.meta.size > 2 * LOG_CAP as u64 {
            return Err(LedgerError::corrupt(format!("log {hash} is larger than any log")));
        }
        let bytes = found.bytes().await.map_err(|e| self.failed(&chain(&e)))?;
        Ok(Some(bytes.to_vec()))
    }

    /// The folders in which the logs of this one lie.
    pub(crate) async fn shards(&self, folder: &str) -> Result<Vec<Path>, LedgerError> {
        let all = self.store.list_with_delimiter(Some(&self.below(folder))).await;
        Ok(all.map_err(|e| self.failed(&chain(&e)))?.common_prefixes)
    }

    /// The logs of one of them; what has no name of a log is nobody's business here.
    pub(crate) async fn logs_in(&self, folder: &str, shard: &Path) -> Result<Vec<Found>, LedgerError> {
        let all = self.store.list_with_delimiter(Some(shard)).await.map_err(|e| self.failed(&chain(&e)))?;
        let found = all.objects.into_iter().filter_map(|object| {
            let hash = object.location.filename()?.strip_suffix(END)?;
            let is_ours = hash.len() == 64
                && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
                && self.name(folder, hash) == object.location;
            let changed_at = object.last_modified.timestamp_millis();
            is_ours.then(|| Found { hash: hash.to_owned(), changed_at })
        });
        Ok(found.collect())
    }

    /// What stands in a ledger's folder to say whose it is; `None` where nothing does.
    pub(crate) async fn mark(&self, folder: &str, name: &str) -> Result<Option<String>, LedgerError> {
        let asked = timeout(LONGEST, self.store.get(&self.below(folder).join(name))).await;
        let found = match asked.map_err(|_| self.stumbled("it does not answer"))? {
            Ok(found) if found.meta.size > MARK => return Ok(Some(String::new())),
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(e) => return Err(self.stumbled(&chain(&e))),
        };
        let bytes = found.bytes().await.map_err(|e| self.stumbled(&chain(&e)))?;
        Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
    }

    /// Says whose a ledger's folder is.
    pub(crate) async fn put_mark(&self, folder: &str, name: &str, mark: &str) -> Result<(), LedgerError> {
        let mark = PutPayload::from(mark.as_bytes().to_vec());
        let put = timeout(LONGEST, self.store.put(&self.below(folder).join(name), mark)).await;
        let put = put.map_err(|_| self.stumbled("it does not answer"))?;
        put.map(drop).map_err(|e| self.stumbled(&chain(&e)))
    }

    /// Whether it failed a moment ago, and is not tried again yet.
    pub(crate) fn rests(&self) -> bool {
        self.trouble().until.is_some_and(|until| Instant::now() < until)
    }

    /// Something is to be told, once.
    pub(crate) fn tells(&self, what: String) {
        self.trouble().untold = Some(what);
    }

    /// When a log was last written; `None` where it is not there.
    pub(crate) async fn changed_at(&self, folder: &str, hash: &str) -> Result<Option<i64>, LedgerError> {
        match self.store.head(&self.name(folder, hash)).await {
            Ok(there) => Ok(Some(there.last_modified.timestamp_millis())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.failed(&chain(&e))),
        }
    }

    /// Takes a log out.
    pub(crate) async fn delete(&self, folder: &str, hash: &str) -> Result<(), LedgerError> {
        match self.store.delete(&self.name(folder, hash)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.failed(&chain(&e))),
        }
    }

    /// A ledger's folder; that without a name is the store itself.
    fn below(&self, name: &str) -> Path {
        if name.is_empty() { self.prefix.clone() } else { self.prefix.clone().join(name) }
    }

    fn name(&self, folder: &str, hash: &str) -> Path {
        let shard = hash.get(..2).unwrap_or_default().to_owned();
        self.below(folder).join(shard).join(format!("{hash}{END}"))
    }

    fn failed(&self, why: &str) -> LedgerError {
        LedgerError::LogStore { place: self.place.clone(), why: why.to_owned() }
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For nobody else to read.
fn make(folder: &FilePath) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// An error in one line, with what is behind it where that says more.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = error.source();
    }
    words.replace('\n', " ")
}

/// Shared by every handle on a ledger.
pub(crate) type Shared = Option<Arc<LogStore>>;
