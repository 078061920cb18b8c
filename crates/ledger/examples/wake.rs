//! How long work waits for an idle node: `cargo run -p regreen-ledger --example wake -- ADDRESS [TIMES]`.
//!
//! ADDRESS is a `postgres://…` ledger to throw away. One handle takes a delivery in, another one stands for an idle node that
//! looks every two seconds, first without and then with the bell: the time from the durable delivery to the claim.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for the workshop: it says what it measured, or stops"
)]

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_ledger::{AsIs, Ledger, NewDelivery, NewWork};
use tokio::{
    sync::{Notify, mpsc},
    time::sleep,
};

/// As `regreen serve` has it.
const IDLE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() {
    let mut args = env::args().skip(1);
    let address = args.next().expect("an address");
    let times: u32 = args.next().map_or(30, |n| n.parse().unwrap());
    for with_bell in [false, true] {
        let mut all = measure(&address, times, with_bell).await;
        all.sort();
        let at = |share: usize| all[(all.len() - 1) * share / 100].as_secs_f64() * 1e3;
        let how = if with_bell { "with the bell" } else { "polling alone" };
        println!("{how}: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, n {times}", at(50), at(99), at(100));
    }
}

async fn measure(address: &str, times: u32, with_bell: bool) -> Vec<Duration> {
    let taking = Ledger::connect(address, Arc::new(AsIs)).await.unwrap();
    let idle = Ledger::connect(address, Arc::new(AsIs)).await.unwrap();
    let bell = Arc::new(Notify::new());
    let (hearing, rung) = (idle.clone(), bell.clone());
    let hearing = with_bell.then(|| tokio::spawn(async move { hearing.hear(|| rung.notify_one()).await }));
    let (claimed, mut claims) = mpsc::unbounded_channel();
    let node = tokio::spawn(async move {
        loop {
            match idle.claim(&["wake"], "n", 60_000, now()).await.unwrap() {
                Some(claim) => {
                    claimed.send(Instant::now()).unwrap();
                    idle.finish(&claim, "done", now()).await.unwrap();
                }
                None => tokio::select! {
                    () = sleep(IDLE) => {}
                    () = bell.notified() => {}
                },
            }
        }
    });
    let mut all = Vec::new();
    for n in 0..times {
        // At another point of the interval each time.
        sleep(Duration::from_millis(u64::from(n * 397 % 1000) + 200)).await;
        let id = format!("{}-{n}-{with_bell}", now());
        let work = NewWork { kind: "wake", key: &id, payload: "{}", created_at: now(), due_at: now() };
        let (forge, at) = ("github", now());
        let delivery = NewDelivery {
            forge,
            id: &id,
            event: "e",
            kind: "k",
            received_at: at,
            body: None,
            work: Some(work),
        };
        taking.receive(&[delivery]).await.unwrap();
        let acknowledged = Instant::now();
        all.push(claims.recv().await.unwrap().saturating_duration_since(acknowledged));
    }
    node.abort();
    drop(hearing.inspect(tokio::task::JoinHandle::abort));
    all
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
