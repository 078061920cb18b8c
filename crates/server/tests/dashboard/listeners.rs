//! Many listeners of the stream of news at once, some of which go away and come back all the time: whether one loses
//! anything, and how late it hears. Used by a test, and by the example `listeners` for the figures in docs/dashboard.md.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use regreen_ledger::Ledger;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use super::seed::Draw;

/// What is tried.
#[derive(Clone, Copy)]
pub struct Trial {
    /// Listeners at once.
    pub listeners: u64,
    /// News a second, and for how long.
    pub per_second: u64,
    pub seconds: u64,
    /// Every so many news on average a listener goes away, and comes back with what it heard last.
    pub away_every: u64,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Heard {
    /// News that were written.
    pub written: i64,
    /// How long that took.
    pub writing: Duration,
    /// How often listeners came back.
    pub returned: u64,
    /// News that a listener did not hear, or heard twice or out of order.
    pub lost: u64,
    pub out_of_order: u64,
    /// From the moment at which one is durable until a listener that was there hears it, in milliseconds.
    pub late: Vec<u64>,
}

/// When each news was durable, by its number.
type Written = Arc<Mutex<Vec<Option<Instant>>>>;

/// Tries it against the server at `port`, whose ledger this is.
pub async fn listen(ledger: &Ledger, port: u16, trial: Trial) -> Heard {
    let begin = ledger.audit_seq().await.unwrap();
    let written = Written::default();
    let (end, ended) = watch::channel(None);
    let listeners: Vec<_> = (0..trial.listeners)
        .map(|n| tokio::spawn(one(n, port, begin, trial.away_every, written.clone(), ended.clone())))
        .collect();
    // All of them are there before anything happens.
    tokio::time::sleep(Duration::from_millis(500 + 4 * trial.listeners)).await;
    let mut tick = interval(Duration::from_secs(1) / u32::try_from(trial.per_second).unwrap());
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let begun = Instant::now();
    for n in 0..trial.per_second * trial.seconds {
        tick.tick().await;
        let (scope, now) = ("repository:octo-org/drill", i64::try_from(n).unwrap());
        match n % 2 {
            0 => ledger.pause(scope, "ann", "a drill", now).await.unwrap(),
            _ => assert!(ledger.unpause(scope, "ann", now).await.unwrap()),
        }
        let at = usize::try_from(n).unwrap();
        let mut written = written.lock().unwrap();
        written.resize(at, None);
        written.push(Some(Instant::now()));
    }
    let writing = begun.elapsed();
    let last = ledger.audit_seq().await.unwrap();
    end.send_replace(Some(last));
    let mut heard = Heard { written: last - begin, writing, ..Heard::default() };
    for listener in listeners {
        let (ids, returned, late) = listener.await.unwrap();
        heard.returned += returned;
        heard.late.extend(late);
        heard.out_of_order += ids.windows(2).filter(|pair| pair[1] <= pair[0]).count() as u64;
        let mut own = ids;
        own.sort_unstable();
        own.dedup();
        heard.lost +=
            u64::try_from(last - begin).unwrap() - own.iter().filter(|id| **id > begin).count() as u64;
    }
    heard.late.sort_unstable();
    heard
}

/// A listener: what it heard, how often it came back, and how late it heard what happened while it was there.
async fn one(
    n: u64,
    port: u16,
    begin: i64,
    away_every: u64,
    written: Written,
    ended: watch::Receiver<Option<i64>>,
) -> (Vec<i64>, u64, Vec<u64>) {
    let mut draw = Draw::new(n + 1);
    let (mut ids, mut last, mut returned, mut late) = (Vec::new(), begin, 0, Vec::new());
    loop {
        let mut lines = BufReader::new(stream(n, port, last).await).lines();
        let stays = 1 + draw.of(2 * away_every);
        let (mut id, mut heard, caught_up) = (None, 0, written.lock().unwrap().len());
        while heard < stays {
            let wait = timeout(Duration::from_millis(200), lines.next_line()).await;
            let Ok(line) = wait else {
                if *ended.borrow() == Some(last) {
                    return (ids, returned, late);
                }
                continue;
            };
            let Ok(Some(line)) = line else { break };
            match line.split_once(": ") {
                Some(("id", number)) => id = number.parse::<i64>().ok(),
                // It says where it begins; that is no news.
                Some(("event", "open")) => id = None,
                None if line.is_empty() => {
                    let Some(seq) = id.take() else { continue };
                    let at = usize::try_from(seq - begin - 1).unwrap();
                    let durable = written.lock().unwrap().get(at).copied().flatten();
                    if let Some(durable) = durable.filter(|_| at >= caught_up) {
                        late.push(u64::try_from(durable.elapsed().as_millis()).unwrap());
                    }
                    ids.push(seq);
                    last = seq;
                    heard += 1;
                }
                _ => {}
            }
        }
        if *ended.borrow() == Some(last) {
            return (ids, returned, late);
        }
        returned += 1;
    }
}

/// A stream that begins after `last`, from one of many addresses of this machine: no address may have all of them.
async fn stream(n: u64, port: u16, last: i64) -> TcpStream {
    loop {
        let socket = TcpSocket::new_v4().unwrap();
        let from = Ipv4Addr::new(127, 0, 0, u8::try_from(10 + n % 16).unwrap());
        socket.bind((from, 0).into()).unwrap();
        let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap();
        let request = format!("GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {last}\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_ok() {
            return stream;
        }
    }
}
