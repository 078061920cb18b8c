//! The HTTP side over loopback: what is refused, what is acknowledged, and when.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hmac::{Hmac, Mac};
use regreen_forge::hook::{Secret, Secrets, Sender};
use regreen_server::{
    Accepted, Doors, Drained, Happening, Hooks, Inbox, InboxFuture, Limits, Log, NewDelivery, Unavailable,
    serve,
};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

#[path = "http/strangers.rs"]
mod strangers;

const SECRET: &str = "a-secret-of-the-tests";

/// Keeps deliveries in memory, and can refuse or hold them back.
struct Memory {
    kept: Mutex<Vec<NewDelivery>>,
    known: Mutex<BTreeSet<String>>,
    /// Calls, and how many of them committed.
    asked: AtomicUsize,
    commits: AtomicUsize,
    refuses: AtomicBool,
    /// One permit a commit.
    may_commit: Semaphore,
}

impl Memory {
    fn new(commits: usize) -> Arc<Memory> {
        Arc::new(Memory {
            kept: Mutex::default(),
            known: Mutex::default(),
            asked: AtomicUsize::new(0),
            commits: AtomicUsize::new(0),
            refuses: AtomicBool::new(false),
            may_commit: Semaphore::new(commits),
        })
    }

    fn kept(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

impl Inbox for Memory {
    fn receive<'a>(&'a self, batch: &'a [NewDelivery]) -> InboxFuture<'a, Vec<Accepted>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.may_commit.acquire().await.unwrap().forget();
            if self.refuses.load(Ordering::SeqCst) {
                return Err(Unavailable("the disk is full".to_owned()));
            }
            self.commits.fetch_add(1, Ordering::SeqCst);
            let mut known = self.known.lock().unwrap();
            let mut kept = self.kept.lock().unwrap();
            let one = |new: &NewDelivery| {
                if known.insert(new.delivery.id.clone()) {
                    kept.push(new.clone());
                    Accepted::New
                } else {
                    Accepted::Duplicate
                }
            };
            Ok(batch.iter().map(one).collect())
        })
    }

    fn is_ready(&self) -> InboxFuture<'_, ()> {
        let refuses = self.refuses.load(Ordering::SeqCst);
        Box::pin(async move { if refuses { Err(Unavailable("no".to_owned())) } else { Ok(()) } })
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn tell(&self, happening: &Happening) {
        self.0.lock().unwrap().push(happening.line());
    }
}

struct Running {
    address: String,
    inbox: Arc<Memory>,
    lines: Arc<Lines>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Drained>,
}

async fn start(limits: Limits, inbox: Arc<Memory>) -> Running {
    let secrets = Secrets::new([Secret::new(SECRET).unwrap()]);
    let hooks = Hooks::default().with(Sender::GitHub, secrets.clone()).with(Sender::GitLab, secrets);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let lines = Arc::new(Lines::default());
    let (memory, log) = (inbox.clone(), lines.clone());
    let stopped = async move { drop(stopped.await) };
    let server =
        tokio::spawn(
            async move { serve(listener, hooks, memory, Doors::default(), limits, log, stopped).await },
        );
    Running { address, inbox, lines, stop, server }
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn push(id: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-GitHub-Event: push\r\nX-GitHub-Delivery: {id}\r\nX-Hub-Signature-256: sha256={}\r\n\
         Content-Length: {}\r\n\r\n",
        signature(body),
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _reset = stream.read_to_end(&mut text).await;
    String::from_utf8_lossy(&text).into_owned()
}

async fn send(running: &Running, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(&running.address).await.unwrap();
    stream.write_all(request).await.unwrap();
    answer(stream).await
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

impl Running {
    async fn end(self) -> (Drained, Arc<Memory>, Vec<String>) {
        self.stop.send(()).unwrap();
        let drained = self.server.await.unwrap();
        let lines = self.lines.0.lock().unwrap().clone();
        (drained, self.inbox, lines)
    }
}

#[tokio::test]
async fn a_proven_delivery_is_kept_once() {
    let running = start(Limits::default(), Memory::new(100)).await;
    let first = send(&running, &push("one", b"{}")).await;
    assert_eq!(status(&first), "202", "{first}");
    let again = send(&running, &push("one", b"{}")).await;
    assert_eq!(status(&again), "202");
    assert!(again.ends_with("known already\n"), "{again}");
    assert_eq!(status(&send(&running, &push("two", b"{}")).await), "202");
    let (drained, inbox, lines) = running.end().await;
    assert_eq!((drained.cut, inbox.kept()), (0, 2));
    assert_eq!(lines.len(), 6, "{lines:#?}");
    assert!(lines[2].contains("duplicate=true"), "{lines:#?}");
}

#[tokio::test]
async fn what_is_not_proven_is_refused_and_leaves_no_trace_of_itself() {
    let running = start(Limits { body: 1000, ..Limits::default() }, Memory::new(100)).await;
    let good = push("one", b"{\"a\":1}");
    let forged = String::from_utf8(good.clone()).unwrap().replace("\"a\":1", "\"a\":2");
    let twice = String::from_utf8(good.clone()).unwrap();
    let twice = twice.replace("X-GitHub-Event", "X-Hub-Signature-256: sha256=00\r\nX-GitHub-Event");
    let text = String::from_utf8(good.clone()).unwrap().replace("application/json", "text/html");
    let unnamed = String::from_utf8(good.clone()).unwrap().replace("X-GitHub-Event: push\r\n", "");
    let large = push("large", &[b' '; 1001]);
    let chunked = format!(
        "POST /hooks/github HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         X-Hub-Signature-256: sha256={}\r\n\r\n3e9\r\n{}\r\n0\r\n\r\n",
        "0".repeat(64),
        "x".repeat(1001)
    );
    let token = "POST /hooks/gitlab HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Gitlab-Token: no\r\n\
                 Content-Length: 2\r\n\r\n{}";
    let get = "GET /hooks/github HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let other = "POST /hooks/gitea HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (want, request) in [
        ("401", forged.as_bytes()),
        ("401", twice.as_bytes()),
        ("415", text.as_bytes()),
        ("400", unnamed.as_bytes()),
        ("413", &large),
        ("413", chunked.as_bytes()),
        ("401", token.as_bytes()),
        ("405", get.as_bytes()),
        ("404", other.as_bytes()),
    ] {
        let answer = send(&running, request).await;
        assert_eq!(status(&answer), want, "{}\n{answer}", String::from_utf8_lossy(request));
    }
    let (_, inbox, lines) = running.end().await;
    assert_eq!((inbox.kept(), inbox.commits.load(Ordering::SeqCst)), (0, 0));
    assert!(!lines.iter().any(|line| line.contains("one") || line.contains("\"a\"")), "{lines:#?}");
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let running = start(Limits::default(), Memory::new(100)).await;
    let head = "POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n";
    assert_eq!(status(&send(&running, head.as_bytes()).await), "413");
    running.end().await;
}

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_durable() {
    let running = start(Limits::default(), Memory::new(0)).await;
    let mut stream = TcpStream::connect(&running.address).await.unwrap();
    stream.write_all(&push("one", b"{}")).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut byte)).await;
    assert!(early.is_err(), "answered before the commit");
    running.inbox.may_commit.add_permits(1);
    assert_eq!(stream.read(&mut byte).await.unwrap(), 1);
    assert_eq!(running.inbox.kept(), 1);
    running.end().await;
}

#[tokio::test]
async fn a_ledger_that_refuses_makes_the_sender_try_again() {
    let running = start(Limits::default(), Memory::new(100)).await;
    running.inbox.refuses.store(true, Ordering::SeqCst);
    let refused = send(&running, &push("one", b"{}")).await;
    assert_eq!(status(&refused), "503");
    assert!(refused.to_lowercase().contains("retry-after: 5"), "{refused}");
    assert!(!refused.contains("disk"), "{refused}");
    let ready = "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&send(&running, ready.as_bytes()).await), "503");
    running.inbox.refuses.store(false, Ordering::SeqCst);
    assert_eq!(status(&send(&running, ready.as_bytes()).await), "200");
    assert_eq!(status(&send(&running, &push("one", b"{}")).await), "202");
    let alive = ready.replace("readyz", "healthz");
    assert_eq!(status(&send(&running, alive.as_bytes()).await), "200");
    let (_, inbox, lines) = running.end().await;
    assert_eq!(inbox.kept(), 1);
    assert!(lines.iter().any(|line| line.contains("the disk is full")), "{lines:#?}");
}

#[tokio::test]
async fn many_deliveries_share_commits() {
    let running = start(Limits::default(), Memory::new(1)).await;
    let mut waiting = Vec::new();
    for n in 0..50 {
        let mut stream = TcpStream::connect(&running.address).await.unwrap();
        stream.write_all(&push(&format!("d-{n}"), b"{}")).await.unwrap();
        waiting.push(stream);
    }
    let first = answer(waiting.remove(0)).await;
    assert_eq!(status(&first), "202");
    running.inbox.may_commit.add_permits(100);
    for stream in waiting {
        assert_eq!(status(&answer(stream).await), "202");
    }
    let (_, inbox, _) = running.end().await;
    assert_eq!(inbox.kept(), 50);
    assert!(inbox.commits.load(Ordering::SeqCst) < 50);
}

#[tokio::test]
async fn whoever_is_slow_is_let_go() {
    let limits = Limits {
        headers: Duration::from_millis(100),
        body_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let running = start(limits, Memory::new(100)).await;
    let mut header = TcpStream::connect(&running.address).await.unwrap();
    header.write_all(b"POST /hooks/github HTTP/1.1\r\nX-A").await.unwrap();
    let ended = answer(header).await;
    assert!(!ended.contains("202"), "{ended}");
    let request = push("one", b"{\"a\":1}");
    let mut body = TcpStream::connect(&running.address).await.unwrap();
    body.write_all(&request[..request.len() - 2]).await.unwrap();
    assert_eq!(status(&answer(body).await), "408");
    let (_, inbox, _) = running.end().await;
    assert_eq!(inbox.kept(), 0);
}

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_takes_nothing_new() {
    let running = start(Limits::default(), Memory::new(0)).await;
    let mut stream = TcpStream::connect(&running.address).await.unwrap();
    stream.write_all(&push("one", b"{}")).await.unwrap();
    // It waits for its commit.
    while running.inbox.asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    running.stop.send(()).unwrap();
    while !running.lines.0.lock().unwrap().iter().any(|line| line.contains("draining")) {
        tokio::task::yield_now().await;
    }
    assert!(TcpStream::connect(&running.address).await.is_err());
    running.inbox.may_commit.add_permits(1);
    assert_eq!(status(&answer(stream).await), "202");
    assert_eq!(running.server.await.unwrap().cut, 0);
    assert_eq!(running.inbox.kept(), 1);
}
