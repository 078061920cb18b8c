//! The dashboard over a ledger in which much happened: `cargo run -p regreen-server --example dashboard -- [INCIDENTS] [PORT]`.
//!
//! Past 2,000 incidents the rest are copies, put into the file past the ledger. With `measure` as third word it asks for the
//! first pages itself, says how long they took and how long they are, and fails where what is promised of them does not hold.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for the workshop: it says what it measured, or stops"
)]

use std::{
    collections::BTreeSet,
    env,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_engine::LiveCatalog;
use regreen_ledger::{AsIs, BreakerPolicy, Ledger};
use regreen_server::{
    Doors, Happening, Hooks, LedgerInbox, Limits, Log, Pages, Settings, Value, Values, access::Access, serve,
    shape::Worth,
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

#[path = "../tests/dashboard/seed.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod seed;

/// Longest that the server may take for a first page.
const PROMISED_TIME: Duration = Duration::from_millis(100);
/// Most bytes of one, headers included.
const PROMISED_BYTES: usize = 60_000;
/// The pages of which that is promised, each with what a browser that comes for the first time fetches for it.
const PROMISED: [&str; 2] = ["/", "/incidents"];

/// So many are made by the ledger's own means.
const MADE: u64 = 2_000;

struct Says;

impl Log for Says {
    fn tell(&self, happening: &Happening) {
        println!("{}", happening.line());
    }
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = env::args().skip(1);
    let count: u64 = args.next().map_or(400, |n| n.parse().unwrap());
    let port: u16 = args.next().map_or(8787, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
    if count > 0 {
        seed::fill(&ledger, count.min(MADE), now()).await;
    }
    if count > MADE {
        copies(&path.display().to_string(), count - MADE).await;
    }
    println!("{count} incidents in {}", path.display());
    let pages = Pages {
        ledger: Ledger::open_read_only(&path, Arc::new(AsIs)).await.unwrap(),
        writes: ledger.clone(),
        bell: Arc::default(),
        catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
        worth: Worth::default(),
        settings: Settings {
            breaker: BreakerPolicy { threshold: 3, cooldown_ms: 1_800_000, probe_ms: 1_800_000 },
            services: vec!["registry.npmjs.org".to_owned(), "pypi.org".to_owned(), "crates.io".to_owned()],
            values: vec![Values {
                about: "How far it goes".to_owned(),
                values: vec![Value {
                    name: "serve.mode".to_owned(),
                    value: "auto".to_owned(),
                    source: "/etc/regreen/config.toml:3".to_owned(),
                }],
            }],
            patience: Settings::PATIENCE,
            github: "https://github.com".to_owned(),
            gitlab: "https://gitlab.com".to_owned(),
        },
        access: Access::new(ledger.clone(), Arc::new(Says)).reading_here(),
        clock: now,
        log: Arc::new(Says),
        sinks: Default::default(),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let doors = Doors { pages: Some(pages), ..Doors::default() };
    let inbox = Arc::new(LedgerInbox::new(ledger.clone(), Arc::new(Notify::new())));
    let stop = async { tokio::signal::ctrl_c().await.unwrap() };
    let server = tokio::spawn(serve(
        listener,
        Hooks::default(),
        inbox,
        doors,
        Limits::default(),
        Arc::new(Says),
        stop,
    ));
    if args.next().as_deref() == Some("measure") {
        let mut broken = Vec::new();
        for path in [
            "/",
            "/incidents",
            "/incidents/5eed0000-1-00000000",
            "/trends?days=7",
            "/trends",
            "/trends?days=90",
            "/settings",
            "/services",
            "/patterns",
            "/incidents?class=rate-limited",
            "/incidents?q=billing",
            "/incidents?q=nowhere",
        ] {
            let measured = measure(port, path).await;
            if PROMISED.contains(&path) {
                broken.extend(measured.breaks(path));
            }
        }
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        return;
    }
    server.await.unwrap();
}

/// Copies of what is there, each with an id and a moment of its own.
async fn copies(path: &str, count: u64) {
    sqlx::any::install_default_drivers();
    let mut db = AnyConnection::connect(&format!("sqlite://{path}")).await.unwrap();
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT id, record FROM incidents WHERE state = 'closed'")
            .fetch_all(&mut db)
            .await
            .unwrap();
    sqlx::query("BEGIN").execute(&mut db).await.unwrap();
    let numbers: Vec<u64> = (0..count).collect();
    for some in numbers.chunks(200) {
        let row = |n: &u64| {
            let (id, record) = &rows[usize::try_from(*n).unwrap() % rows.len()];
            let new = format!("{id}-{n}");
            let mut record: serde_json::Value = serde_json::from_str(record).unwrap();
            record["id"] = new.clone().into();
            record["opened_at"] = (now() - 86_400_000 - i64::try_from(*n).unwrap() * 20_000).into();
            format!("('{new}', '{}', 'o')", record.to_string().replace('\'', "''"))
        };
        let rows: Vec<String> = some.iter().map(row).collect();
        let sql = format!("INSERT INTO incidents (id, record, owner) VALUES {}", rows.join(", "));
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    sqlx::query("COMMIT").execute(&mut db).await.unwrap();
}

/// What a page took.
struct Measured {
    first: Duration,
    median: Duration,
    longest: Duration,
    /// With its headers, and what else a browser has to fetch for it.
    bytes: usize,
}

impl Measured {
    /// What is promised of this page and does not hold. One answer of many may be late on a machine that does other things too.
    fn breaks(&self, path: &str) -> Vec<String> {
        let late = |what, took: Duration| {
            (took > PROMISED_TIME)
                .then(|| format!("{path}: {what} took {took:.1?}, more than {PROMISED_TIME:?}"))
        };
        let long = self.bytes > PROMISED_BYTES;
        let long = long.then(|| format!("{path}: {} bytes, more than {PROMISED_BYTES}", self.bytes));
        [late("the first", self.first), late("the median", self.median), long].into_iter().flatten().collect()
    }
}

/// The first answer, the middle of 21 more, and the bytes of one.
async fn measure(port: u16, path: &str) -> Measured {
    let (mut took, mut page) = (Vec::new(), Vec::new());
    for _ in 0..22 {
        let began = Instant::now();
        page = ask(port, path).await;
        took.push(began.elapsed());
        // Past what is kept for a second.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut bytes = page.len();
    // A browser that comes for the first time has none of these, and fetches each once.
    let text = String::from_utf8_lossy(&page);
    let assets: BTreeSet<&str> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    for asset in assets {
        bytes += ask(port, asset).await.len();
    }
    // What is counted is counted by the first, and kept for a while.
    let first = took.remove(0);
    took.sort();
    let measured = Measured { first, median: took[10], longest: took[20], bytes };
    println!(
        "{path}: the first {:.1?}, then median {:.1?}, longest {:.1?}, {} bytes with headers, {bytes} with what comes with it",
        measured.first,
        measured.median,
        measured.longest,
        page.len(),
    );
    measured
}

/// The whole answer to what a browser asks.
async fn ask(port: u16, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    answer
}
