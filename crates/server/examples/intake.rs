//! How fast webhooks are acknowledged: `cargo run --release -p regreen-server --example intake [RATE] [SECONDS]`.
//!
//! The server takes signed `workflow_run` deliveries over loopback into a SQLite ledger in a temporary folder, on one thread;
//! the load comes from another, over kept-alive connections. Each delivery has its moment, whether the one before was answered
//! or not, and its time is counted from that moment: a server that falls behind can't hide it. Every one is accounted for
//! afterwards by the work that it brought.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program for the workshop")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hmac::{Hmac, Mac};
use regreen_forge::hook::{Secret, Secrets, Sender};
use regreen_ledger::{AsIs, Ledger};
use regreen_server::{Doors, Happening, Hooks, LedgerInbox, Limits, Log, serve};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{Notify, oneshot},
};

const SECRET: &str = "a-secret-of-the-measurement";
const CONNECTIONS: u64 = 64;

struct Quiet;

impl Log for Quiet {
    fn tell(&self, _: &Happening) {}
}

/// A failed run, as large as GitHub's are.
fn request(run: u64) -> Vec<u8> {
    let body = format!(
        "{{\"action\":\"completed\",\"repository\":{{\"full_name\":\"octo/shop\"}},\"padding\":\"{}\",\"workflow_run\":{{\
         \"id\":{run},\"run_attempt\":1,\"head_sha\":\"5779607b49aab1200488439f02372c57b4f75444\",\"status\":\"completed\",\
         \"conclusion\":\"failure\",\"head_repository\":{{\"full_name\":\"octo/shop\"}}}}}}",
        "x".repeat(12_000)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: workflow_run\r\n\
         X-GitHub-Delivery: d-{run}\r\nX-Hub-Signature-256: sha256={hex}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The status of one answer.
async fn answer(stream: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut part = [0; 512];
    loop {
        let read = stream.read(&mut part).await.unwrap();
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

fn main() {
    let number =
        |n: usize, otherwise: u64| std::env::args().nth(n).and_then(|a| a.parse().ok()).unwrap_or(otherwise);
    let (rate, seconds) = (number(1, 1000).max(1), number(2, 60).max(1));
    let total = rate * seconds;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let (tell, told) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let ledger = Ledger::open(&path, Arc::new(AsIs)).await.unwrap();
            let inbox = Arc::new(LedgerInbox::new(ledger.clone(), Arc::new(Notify::new())));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let hooks = Hooks::default().with(Sender::GitHub, Secrets::new([Secret::new(SECRET).unwrap()]));
            let stopped = async move { drop(stopped.await) };
            serve(listener, hooks, inbox, Doors::default(), Limits::default(), Arc::new(Quiet), stopped)
                .await;
            ledger.waiting(&[], i64::MAX - 1).await.unwrap()
        })
    });
    let address = told.recv().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (mut took, refused, elapsed) = runtime.block_on(async move {
        let next = Arc::new(AtomicU64::new(0));
        let begun = Instant::now();
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let next = next.clone();
            clients.push(tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut took, mut refused) = (Vec::new(), 0u64);
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        return (took, refused);
                    }
                    let request = request(n + 1);
                    let due = begun + Duration::from_micros(n * 1_000_000 / rate);
                    tokio::time::sleep_until(due.into()).await;
                    stream.write_all(&request).await.unwrap();
                    match answer(&mut stream).await {
                        202 => took.push(due.elapsed()),
                        _ => refused += 1,
                    }
                }
            }));
        }
        let (mut all, mut refused) = (Vec::new(), 0);
        for client in clients {
            let (took, no) = client.await.unwrap();
            all.extend(took);
            refused += no;
        }
        (all, refused, begun.elapsed())
    });
    stop.send(()).unwrap();
    let waiting = server.join().unwrap();
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1)));
    let ms = |share| at(share).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0);
    println!(
        "sent {total} at {rate}/s; acknowledged {} in {:.1} s ({:.0}/s), refused {refused}; ms: p50 {:.1}, p99 {:.1}, longest {:.1}",
        took.len(),
        elapsed.as_secs_f64(),
        took.len() as f64 / elapsed.as_secs_f64(),
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
    let kept = waiting.ready + waiting.later + waiting.taken;
    println!(
        "work on the list: {kept}; lost {}, twice {}",
        total.saturating_sub(kept),
        kept.saturating_sub(total)
    );
}
