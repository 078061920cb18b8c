//! Nodes that take webhooks into one ledger, at a fixed rate or as many as they can, and the account of every one afterwards.
//!
//! Each node has its own thread, runtime, socket and connections to the ledger: they share nothing but that. The deliveries
//! are signed, as large as GitHub's, and come over loopback on kept-alive connections, each at its moment, whether the one
//! before was answered or not; its time is counted from that moment, so that nodes which fall behind can't hide it. Of ten,
//! one is another's repetition under the same id, and one is another's under a new id; any node may get either.
//!
//! Afterwards all nodes at once take the work that came of it and end it: each piece must be handed out once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, Mac};
use regreen_forge::hook::{Secret, Secrets, Sender};
use regreen_ledger::{AsIs, Claim, Ledger};
use regreen_server::{Doors, Happening, Hooks, LedgerInbox, Limits, Log, serve};
use sha2::Sha256;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{Notify, oneshot},
};

const SECRET: &str = "a-secret-of-the-measurement";
/// Connections of the load, over all nodes.
const CONNECTIONS: u64 = 64;
/// Pieces of work that are taken at once afterwards.
const AT_ONCE: u32 = 64;
/// How long what was taken stays taken, in milliseconds: longer than it takes to count.
const LEASE: i64 = 3_600_000;

/// What is sent.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Deliveries a second; 0: as many as are answered.
    pub rate: u64,
    /// For so long.
    pub seconds: u64,
    /// To so many nodes.
    pub nodes: usize,
    /// One run of so many failed, and brings work.
    pub failed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Seen {
    /// Deliveries that were sent.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Seconds from the first moment to the last answer.
    pub took: f64,
    /// Milliseconds from each one's moment to its answer: the median, the 99th percentile, the longest.
    pub answered: [f64; 3],
    /// Acknowledged ones that are not in the ledger, or whose work nobody was given.
    pub lost: u64,
    /// Pieces of work that were handed out more than once.
    pub twice: u64,
    /// Pieces of work that were handed out and ended, and in how many seconds.
    pub worked: (u64, f64),
    /// Rows of deliveries, and bytes on disk for each with its work and indexes.
    pub rows: (u64, f64),
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { sent, acknowledged, took, answered: [median, p99, longest], .. } = self;
        let ((worked, worked_for), (rows, bytes)) = (self.worked, self.rows);
        writeln!(
            f,
            "sent {sent}, acknowledged {acknowledged} in {took:.1} s ({:.0}/s), refused {}; ms: p50 {median:.1}, p99 {p99:.1}, \
             longest {longest:.1}",
            *acknowledged as f64 / took,
            sent - acknowledged,
        )?;
        writeln!(f, "lost {}, twice {}", self.lost, self.twice)?;
        writeln!(
            f,
            "work: {worked} handed out and ended in {worked_for:.1} s ({:.0}/s)",
            worked as f64 / worked_for
        )?;
        write!(f, "kept: {rows} deliveries, {bytes:.0} bytes each with their work and indexes")
    }
}

/// Sends it into the empty ledger at `address`, and accounts for it. Blocks.
pub fn run(load: Load, address: &str) -> Seen {
    let mut nodes: Vec<Node> = (0..load.nodes).map(|n| Node::start(address.to_owned(), n)).collect();
    let sockets: Vec<SocketAddr> = nodes.iter().map(|node| node.socket).collect();
    let (acknowledged, sent, took) = runtime().block_on(send(load, &sockets));
    // No node counts before all have stopped taking in.
    nodes.iter_mut().for_each(Node::stop);
    let begun = Instant::now();
    nodes.iter().for_each(|node| node.count.send(()).unwrap());
    let handed_out: Vec<u64> = nodes.into_iter().flat_map(|node| node.thread.join().unwrap()).collect();
    let worked = (handed_out.len() as u64, begun.elapsed().as_secs_f64());
    let (kept, bytes) = runtime().block_on(kept(address));
    let (lost, twice) = account(load, &acknowledged, &kept, &handed_out);
    let mut times: Vec<Duration> = acknowledged.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    Seen {
        sent,
        acknowledged: acknowledged.len() as u64,
        took: took.as_secs_f64(),
        answered: [0.5, 0.99, 1.0].map(|share| at(share).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)),
        lost,
        twice,
        worked,
        rows: (kept.len() as u64, bytes as f64 / kept.len().max(1) as f64),
    }
}

/// The id of the `n`th delivery, and its run.
fn delivery(n: u64) -> (u64, u64) {
    match n % 10 {
        9 => (n - 9, n - 9),
        8 => (n, n - 8),
        _ => (n, n),
    }
}

fn account(load: Load, acknowledged: &[(u64, Duration)], kept: &[String], handed_out: &[u64]) -> (u64, u64) {
    let mut given: BTreeMap<u64, u64> = BTreeMap::new();
    for run in handed_out {
        *given.entry(*run).or_default() += 1;
    }
    let kept: BTreeSet<&str> = kept.iter().map(String::as_str).collect();
    let is_lost = |n: u64| {
        let (id, run) = delivery(n);
        !kept.contains(name(id).as_str()) || (run.is_multiple_of(load.failed) && !given.contains_key(&run))
    };
    let lost = acknowledged.iter().filter(|(n, _)| is_lost(*n)).count();
    let twice = given.values().filter(|times| **times > 1).count();
    (lost as u64, twice as u64)
}

/// As long as GitHub's, and in as little order.
fn name(id: u64) -> String {
    let mixed = (id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:08x}-{:04x}-11f0-8000-{:012x}", mixed >> 32, mixed >> 16 & 0xffff, mixed & 0xffff)
}

fn runtime() -> tokio::runtime::Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

struct Quiet;

impl Log for Quiet {
    fn tell(&self, _: &Happening) {}
}

/// A thread that takes webhooks until it is stopped, and then works.
struct Node {
    socket: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    stopped: mpsc::Receiver<()>,
    count: mpsc::Sender<()>,
    /// The runs that it was given.
    thread: thread::JoinHandle<Vec<u64>>,
}

impl Node {
    fn start(address: String, number: usize) -> Node {
        let (tell, told) = mpsc::channel();
        let (stop, until) = oneshot::channel::<()>();
        let (tell_stopped, stopped) = mpsc::channel();
        let (count, may_count) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = runtime();
            let ledger = runtime.block_on(async {
                let ledger = Ledger::at(&address, Arc::new(AsIs)).await.unwrap();
                let inbox = Arc::new(LedgerInbox::new(ledger.clone(), Arc::new(Notify::new())));
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let hooks =
                    Hooks::default().with(Sender::GitHub, Secrets::new([Secret::new(SECRET).unwrap()]));
                let until = async move { drop(until.await) };
                serve(listener, hooks, inbox, Doors::default(), Limits::default(), Arc::new(Quiet), until)
                    .await;
                ledger
            });
            tell_stopped.send(()).unwrap();
            may_count.recv().unwrap();
            runtime.block_on(work_off(&ledger, &format!("node-{number}")))
        });
        Node { socket: told.recv().unwrap(), stop: Some(stop), stopped, count, thread }
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.stopped.recv().unwrap();
    }
}

/// Takes what is on the list and ends it, until there is nothing left: the runs.
async fn work_off(ledger: &Ledger, owner: &str) -> Vec<u64> {
    let mut runs = Vec::new();
    loop {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let taken = ledger.claim_many(&[], owner, LEASE, now, AT_ONCE).await.unwrap();
        if taken.is_empty() {
            return runs;
        }
        let run = |claim: &Claim| {
            let payload: serde_json::Value = serde_json::from_str(&claim.payload).unwrap();
            // The host's ids begin with 1.
            payload["run"].as_u64().unwrap() - 1
        };
        runs.extend(taken.iter().map(run));
        let done: Vec<(&Claim, &str)> = taken.iter().map(|claim| (claim, "counted")).collect();
        assert!(ledger.finish_many(&done, now).await.unwrap().iter().all(|counts| *counts));
    }
}

/// Numbers and times of what was acknowledged, how many were sent, and for how long.
async fn send(load: Load, sockets: &[SocketAddr]) -> (Vec<(u64, Duration)>, u64, Duration) {
    let next = Arc::new(AtomicU64::new(0));
    let mut lines = Vec::new();
    for n in 0..CONNECTIONS {
        let stream = TcpStream::connect(sockets[n as usize % sockets.len()]).await.unwrap();
        stream.set_nodelay(true).unwrap();
        lines.push(stream);
    }
    let begun = Instant::now();
    let clients: Vec<_> =
        lines.into_iter().map(|line| tokio::spawn(client(load, line, next.clone(), begun))).collect();
    let (mut acknowledged, mut sent) = (Vec::new(), 0);
    for client in clients {
        let (took, refused) = client.await.unwrap();
        sent += took.len() as u64 + refused;
        acknowledged.extend(took);
    }
    (acknowledged, sent, begun.elapsed())
}

async fn client(
    load: Load,
    mut line: TcpStream,
    next: Arc<AtomicU64>,
    begun: Instant,
) -> (Vec<(u64, Duration)>, u64) {
    let (mut took, mut refused) = (Vec::new(), 0u64);
    let lasts = Duration::from_secs(load.seconds);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let is_over = if load.rate == 0 { begun.elapsed() >= lasts } else { n >= load.rate * load.seconds };
        if is_over {
            return (took, refused);
        }
        let request = request(load, n);
        let due = match load.rate {
            0 => Instant::now(),
            rate => begun + Duration::from_micros(n * 1_000_000 / rate),
        };
        tokio::time::sleep_until(due.into()).await;
        line.write_all(&request).await.unwrap();
        match answer(&mut line).await {
            202 => took.push((n, due.elapsed())),
            _ => refused += 1,
        }
    }
}

/// The end of a run, as large as GitHub's are.
fn request(load: Load, n: u64) -> Vec<u8> {
    let (id, run) = delivery(n);
    let conclusion = if run.is_multiple_of(load.failed) { "failure" } else { "success" };
    let body = format!(
        "{{\"action\":\"completed\",\"repository\":{{\"full_name\":\"octo/shop\"}},\"padding\":\"{}\",\"workflow_run\":{{\
         \"id\":{},\"run_attempt\":1,\"head_sha\":\"5779607b49aab1200488439f02372c57b4f75444\",\"status\":\"completed\",\
         \"conclusion\":\"{conclusion}\",\"head_repository\":{{\"full_name\":\"octo/shop\"}}}}}}",
        "x".repeat(12_000),
        run + 1,
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: workflow_run\r\n\
         X-GitHub-Delivery: {}\r\nX-Hub-Signature-256: sha256={hex}\r\nContent-Length: {}\r\n\r\n{body}",
        name(id),
        body.len()
    )
    .into_bytes()
}

/// The status of one answer.
async fn answer(line: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut part = [0; 512];
    loop {
        let read = line.read(&mut part).await.unwrap();
        assert!(read > 0, "the server hung up");
        text.extend_from_slice(&part[..read]);
        let shown = String::from_utf8_lossy(&text);
        if let Some((head, body)) = shown.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
            if body.len() >= length.parse::<usize>().unwrap() {
                return head[9..12].parse().unwrap();
            }
        }
    }
}

/// An empty place in a PostgreSQL database, on the server at `address`. Blocks.
pub fn schema(address: &str) -> String {
    sqlx::any::install_default_drivers();
    let name = format!("load{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos());
    runtime().block_on(async {
        let mut db = AnyConnection::connect(address).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    });
    let and = if address.contains('?') { '&' } else { '?' };
    format!("{address}{and}options=-csearch_path%3D{name}")
}

/// The ids of the deliveries in the ledger, and the bytes on disk of them, their work and the indexes.
async fn kept(address: &str) -> (Vec<String>, u64) {
    sqlx::any::install_default_drivers();
    let is_file = Path::new(address).exists();
    let place = if is_file { format!("sqlite://{address}") } else { address.to_owned() };
    let mut db = AnyConnection::connect(&place).await.unwrap();
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM deliveries").fetch_all(&mut db).await.unwrap();
    let bytes = if is_file {
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await.unwrap();
        fs::metadata(address).unwrap().len()
    } else {
        let bytes: i64 = sqlx::query_scalar(
            "SELECT pg_total_relation_size('deliveries'::regclass) + pg_total_relation_size('work'::regclass)",
        )
        .fetch_one(&mut db)
        .await
        .unwrap();
        bytes.unsigned_abs()
    };
    db.close().await.unwrap();
    (ids, bytes)
}
