//! Many listeners of the dashboard's stream of news: `cargo run --release -p regreen-server --example listeners -- [LISTENERS]
//! [PER-SECOND] [SECONDS]`. Says how late news were heard and what it cost, and
//! fails where a listener lost something or heard it twice, or where it was not as much as was asked for.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for the workshop: it says what it measured, or stops"
)]

use std::{
    env,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use regreen_engine::LiveCatalog;
use regreen_ledger::{AsIs, BreakerPolicy, Ledger};
use regreen_server::{
    Doors, Happening, Hooks, LedgerInbox, Limits, Log, Pages, Settings, access::Access, serve, shape::Worth,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
};

#[path = "../tests/dashboard/listeners.rs"]
mod listeners;
#[path = "../tests/dashboard/seed.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod seed;

struct Quiet;

impl Log for Quiet {
    fn tell(&self, _: &Happening) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut args = env::args().skip(1).map(|n| n.parse::<u64>().unwrap());
    let mut next = |or: u64| args.next().unwrap_or(or);
    let trial =
        listeners::Trial { listeners: next(500), per_second: next(50), seconds: next(60), away_every: 200 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
    // The server has a thread of its own, as it has a machine of its own elsewhere.
    let (says, port) = oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serves(&path, says));
    });
    let port = port.await.unwrap();
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let heard = listeners::listen(&ledger, port, trial).await;
    let of = |share: usize| heard.late.get(heard.late.len() * share / 1000).copied().unwrap_or(0);
    println!(
        "{} listeners, {} news at {} a second: {} heard late by p50 {} ms, p99 {} ms, longest {} ms",
        trial.listeners,
        heard.written,
        trial.per_second,
        heard.late.len(),
        of(500),
        of(990),
        heard.late.last().copied().unwrap_or(0),
    );
    println!(
        "{} times one came back with Last-Event-ID; {} lost, {} twice or out of order; {:.0} s of processor time in {:.0} s, \
         listeners and writer in the same process",
        heard.returned,
        heard.lost,
        heard.out_of_order,
        cpu_seconds() - cpu,
        begun.elapsed().as_secs_f64(),
    );
    assert!(heard.lost == 0, "{} news were lost", heard.lost);
    assert!(heard.out_of_order == 0, "{} news were heard twice or out of order", heard.out_of_order);
    // Else nothing was shown: not as many news, not as fast, or nobody who came back.
    let asked = i64::try_from(trial.per_second * trial.seconds).unwrap();
    assert!(heard.written >= asked, "{} news were written, not {asked}", heard.written);
    let most = Duration::from_secs(trial.seconds).mul_f64(1.1);
    assert!(heard.writing <= most, "writing {asked} news took {:.1?}, more than {most:.1?}", heard.writing);
    assert!(heard.returned > 0, "nobody came back");
}

/// Serves the ledger's pages for good; says where.
async fn serves(path: &Path, says: oneshot::Sender<u16>) {
    let ledger = Ledger::open(path, Arc::new(AsIs)).await.unwrap();
    let pages = Pages {
        ledger: Ledger::open_read_only(path, Arc::new(AsIs)).await.unwrap(),
        writes: ledger.clone(),
        bell: Arc::default(),
        catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
        worth: Worth::default(),
        settings: Settings {
            breaker: BreakerPolicy { threshold: 3, cooldown_ms: 1_800_000, probe_ms: 1_800_000 },
            services: Vec::new(),
            values: Vec::new(),
            patience: Settings::PATIENCE,
            github: String::new(),
            gitlab: String::new(),
        },
        access: Access::new(ledger.clone(), Arc::new(Quiet)).reading_here(),
        clock: || 0,
        log: Arc::new(Quiet),
        sinks: Default::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    says.send(listener.local_addr().unwrap().port()).unwrap();
    let doors = Doors { pages: Some(pages), ..Doors::default() };
    let inbox = Arc::new(LedgerInbox::new(ledger, Arc::new(Notify::new())));
    let (limits, log) = (Limits::default(), Arc::new(Quiet));
    serve(listener, Hooks::default(), inbox, doors, limits, log, std::future::pending()).await;
}

/// Processor time of this process, user's and system's, in seconds; 0 where it can't be told. In `/proc/self/stat`, fields 14
/// and 15 in ticks of a hundredth (proc(5)).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = after.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
