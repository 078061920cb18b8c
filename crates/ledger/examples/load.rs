//! How much a ledger takes: `cargo run --release -p regreen-ledger --example load -- ADDRESS [NODES] [SECONDS]`.
//!
//! ADDRESS is a path (SQLite) or `postgres://…`; it must be a ledger to throw away. NODES handles stand for as many nodes.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for the workshop: it says what it measured, or stops"
)]

use std::{
    env,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{AsIs, BreakerKey, BreakerOutcome, Ledger, NewDelivery, NewWork};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{interval, sleep},
};

/// Webhooks a second that must be taken.
const RATE: u64 = 1000;
/// Most deliveries of one transaction.
const BATCH: usize = 64;

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "target/load.db".to_owned());
    let nodes: u64 = args.next().map_or(1, |n| n.parse().unwrap());
    let seconds: u64 = args.next().map_or(10, |n| n.parse().unwrap());
    let mut ledgers = Vec::new();
    for _ in 0..nodes {
        ledgers.push(open(&address).await);
    }
    println!("{address}: {nodes} node(s), {seconds} s each");
    records(&ledgers, seconds).await;
    webhooks(&ledgers, seconds, Some(RATE)).await;
    webhooks(&ledgers, seconds, None).await;
    work(&ledgers, seconds, 1).await;
    work(&ledgers, seconds, 32).await;
}

async fn open(address: &str) -> Ledger {
    if address.starts_with("postgres") {
        return Ledger::connect(address, Arc::new(AsIs)).await.unwrap();
    }
    Ledger::open_with(Path::new(address), Arc::new(AsIs), Duration::from_secs(10)).await.unwrap()
}

/// Records with their audit entries: each node writes four at a time.
async fn records(ledgers: &[Ledger], seconds: u64) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for (node, ledger) in ledgers.iter().enumerate() {
        for task in 0..4 {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                let key = BreakerKey {
                    class: "network-timeout".to_owned(),
                    service: format!("s{node}-{task}"),
                    repository: String::new(),
                };
                let mut took = Vec::new();
                while Instant::now() < end {
                    let began = Instant::now();
                    ledger.breaker_outcome(&key, "i", BreakerOutcome::Success, now()).await.unwrap();
                    took.push(began.elapsed());
                }
                took
            });
        }
    }
    let took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    say("records with audit entry", took, seconds);
}

/// Deliveries with work, as a server takes them: whatever came while the last commit ran goes into the next one.
async fn webhooks(ledgers: &[Ledger], seconds: u64, rate: Option<u64>) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut clients = JoinSet::new();
    let run = now();
    for (node, ledger) in ledgers.iter().enumerate() {
        let (sender, mut waiting) = mpsc::channel::<(String, oneshot::Sender<()>)>(10_000);
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while waiting.recv_many(&mut taken, BATCH).await > 0 {
                let at = now();
                let deliveries: Vec<_> = taken.iter().map(|(id, _)| delivery(id, at)).collect();
                let answers = ledger.receive(&deliveries).await.unwrap();
                assert!(answers.iter().all(|answer| *answer != regreen_ledger::Received::Duplicate));
                taken.drain(..).for_each(|(_, answer)| _ = answer.send(()));
            }
        });
        let one = move |sender: mpsc::Sender<(String, oneshot::Sender<()>)>| async move {
            let began = Instant::now();
            let (answer, answered) = oneshot::channel();
            let id = format!("{run}-{node}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
            sender.send((id, answer)).await.unwrap();
            answered.await.unwrap();
            began.elapsed()
        };
        match rate {
            // Not waiting for answers: what is slow makes a queue.
            Some(rate) => {
                let (ticks, nodes) = (seconds * 100, ledgers.len() as u64);
                clients.spawn(async move {
                    let (mut tick, mut sent) = (interval(Duration::from_millis(10)), JoinSet::new());
                    for n in 1..=ticks {
                        tick.tick().await;
                        let due = |n: u64| n * rate / 100 / nodes;
                        (due(n - 1)..due(n)).for_each(|_| _ = sent.spawn(one(sender.clone())));
                    }
                    sent.join_all().await
                });
            }
            None => {
                let end = Instant::now() + Duration::from_secs(seconds);
                for _ in 0..256 {
                    let sender = sender.clone();
                    clients.spawn(async move {
                        let mut took = Vec::new();
                        while Instant::now() < end {
                            took.push(one(sender.clone()).await);
                        }
                        took
                    });
                }
            }
        }
    }
    let took: Vec<_> = clients.join_all().await.into_iter().flatten().collect();
    match rate {
        Some(rate) => say(&format!("webhooks with work, {rate}/s sent"), took, seconds),
        None => say("webhooks with work, 256 clients a node", took, seconds),
    }
}

/// Items claimed and finished, up to `most` at once: four workers a node.
async fn work(ledgers: &[Ledger], seconds: u64, most: u32) {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut tasks = JoinSet::new();
    for (node, ledger) in ledgers.iter().enumerate() {
        for worker in 0..4 {
            let ledger = ledger.clone();
            tasks.spawn(async move {
                let (owner, mut took) = (format!("n{node}-{worker}"), Vec::new());
                while Instant::now() < end {
                    let began = Instant::now();
                    let claims = ledger.claim_many(&[], &owner, 60_000, now(), most).await.unwrap();
                    if claims.is_empty() {
                        sleep(Duration::from_millis(5)).await;
                        continue;
                    }
                    let done: Vec<_> = claims.iter().map(|claim| (claim, "done")).collect();
                    assert!(!ledger.finish_many(&done, now()).await.unwrap().contains(&false));
                    took.extend(claims.iter().map(|_| began.elapsed()));
                }
                took
            });
        }
    }
    let took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    say(&format!("items claimed and finished, {most} at once"), took, seconds);
}

fn delivery(id: &str, at: i64) -> NewDelivery<'_> {
    let payload = r#"{"repository":"org/repo","run":123456789,"attempt":1}"#;
    NewDelivery {
        forge: "github",
        id,
        event: "workflow_run",
        kind: "run-ended",
        received_at: at,
        body: None,
        work: Some(NewWork { kind: "run-ended", key: id, payload, created_at: at, due_at: at }),
    }
}

fn say(what: &str, mut took: Vec<Duration>, seconds: u64) {
    took.sort();
    let at = |share: f64| {
        took.get((took.len() as f64 * share) as usize).or(took.last()).copied().unwrap_or_default()
    };
    println!(
        "{what}: {} ({:.0}/s), p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        took.len(),
        took.len() as f64 / seconds as f64,
        at(0.5).as_secs_f64() * 1e3,
        at(0.99).as_secs_f64() * 1e3,
        at(1.0).as_secs_f64() * 1e3,
    );
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}
