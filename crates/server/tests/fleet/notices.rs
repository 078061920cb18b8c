//! People are told, away from the host: once, also when it takes several tries, and whoever can't be told holds up nothing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use regreen_domain::Mode;
use regreen_engine::NOTICE;
use regreen_forge::Conclusion;
use regreen_ledger::NewWork;
use regreen_notify::{Address, Kind, Recipient, Routes, Rule, Sink, Webhook};
use regreen_server::{Calm, Happening, Log, Teller};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{RUN, Stage, host::NETWORK, outcome, real_time};

const HOUR: i64 = 3_600_000;

/// Somebody who listens: what came, and how it is answered.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Value>>,
    status: AtomicU16,
}

impl Ear {
    async fn open() -> (Arc<Ear>, Sink) {
        let ear = Arc::new(Ear::default());
        ear.status.store(200, Ordering::SeqCst);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let listening = ear.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut request, mut piece) = (Vec::new(), [0; 4096]);
                let body = loop {
                    let length = stream.read(&mut piece).await.unwrap();
                    request.extend_from_slice(&piece[..length]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    if let Some((_, body)) = text.split_once("\r\n\r\n")
                        && let Ok(body) = serde_json::from_str(body)
                    {
                        break body;
                    }
                    assert!(length > 0, "{text}");
                };
                listening.heard.lock().unwrap().push(body);
                let status = listening.status.load(Ordering::SeqCst);
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (ear, Sink::Webhook(Webhook { address, secret: None }))
    }

    fn kinds(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|body| body["data"]["kind"].as_str().unwrap().to_owned()).collect()
    }
}

fn routes(per_hour: u32) -> Routes {
    let recipient =
        Recipient { name: "ops".to_owned(), quiet: None, per_hour, once_in: 0, digest: None, at_once: false };
    let rule = Rule { sinks: vec!["ops".to_owned()], kinds: Kind::ALL.to_vec(), ..Rule::default() };
    Routes { rules: vec![rule], recipients: vec![recipient] }
}

#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl Log for Names {
    fn tell(&self, happening: &Happening) {
        self.0.lock().unwrap().push(happening.name());
    }
}

impl Stage {
    fn teller(&self, sink: Sink, calm: Calm, log: Arc<dyn Log>) -> Arc<Teller> {
        Arc::new(Teller {
            ledger: self.ledger.clone(),
            sinks: BTreeMap::from([("ops".to_owned(), sink)]),
            node: "teller".to_owned(),
            calm,
            log,
        })
    }

    /// Until so many notices are on the list.
    async fn listed(&self, count: u64) {
        let begun = Instant::now();
        loop {
            let waiting = self.ledger.waiting(&[NOTICE], real_time()).await.unwrap();
            if waiting.ready + waiting.later == count {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{waiting:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn who_is_told_that_a_run_was_healed_is_told_once_however_often_it_takes() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.routes = routes(100);
    let (ear, sink) = Ear::open().await;
    ear.status.store(503, Ordering::SeqCst);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    stage.hook("two", RUN, 2, Conclusion::Success).await;
    // Whoever is to be told is not there, and that holds up nothing.
    assert_eq!(outcome(&stage.closed().await).0, "healed");
    stage.listed(1).await;
    let log = Arc::new(Names::default());
    let calm = Calm { again: Duration::ZERO, ..Calm::default() };
    let teller = stage.teller(sink, calm, log.clone());
    assert!(teller.step().await.unwrap());
    let sink = async || stage.ledger.sinks(&["ops"]).await.unwrap().remove(0);
    let failing = sink().await;
    assert_eq!((failing.is_failing(), failing.waiting, failing.why.as_deref()), (true, 1, Some("503 ")));
    ear.status.store(200, Ordering::SeqCst);
    assert!(teller.step().await.unwrap());
    assert!(!teller.step().await.unwrap(), "it is told");
    assert_eq!(ear.kinds(), ["healed", "healed"], "once in vain");
    assert_eq!(*log.0.lock().unwrap(), ["notice-delayed", "notice-sent"]);
    let well = sink().await;
    assert_eq!((well.is_failing(), well.waiting, well.sent, well.given_up), (false, 0, 1, 0));
    let body = ear.heard.lock().unwrap()[1].clone();
    assert_eq!(body["data"]["repository"], "octo/shop");
    assert!(body["data"]["evidence"].as_str().unwrap().contains("ECONNRESET"), "{body}");
    assert_eq!(body["data"]["link"], "https://ci.example/octo/shop/77");
    // Heard of again, it is told no second time.
    stage.hook("three", RUN, 1, Conclusion::Failure).await;
    let begun = Instant::now();
    while stage.ledger.waiting(&[], real_time()).await.unwrap() != regreen_ledger::Waiting::default() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!teller.step().await.unwrap());
    node.abort();
}

#[tokio::test]
async fn a_question_is_told_and_what_is_refused_is_given_up() {
    let mut stage = Stage::new(Mode::Approve).await;
    stage.config.routes = routes(100);
    let (ear, sink) = Ear::open().await;
    ear.status.store(404, Ordering::SeqCst);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    let incident = stage.closed().await;
    stage.listed(1).await;
    let log = Arc::new(Names::default());
    let teller = stage.teller(sink, Calm::default(), log.clone());
    assert!(teller.step().await.unwrap());
    assert!(!teller.step().await.unwrap());
    assert_eq!(ear.kinds(), ["awaiting-approval"]);
    assert_eq!(*log.0.lock().unwrap(), ["notice-refused"]);
    let sink = stage.ledger.sinks(&["ops"]).await.unwrap().remove(0);
    assert_eq!((sink.is_failing(), sink.waiting, sink.given_up), (true, 0, 1));
    let lines = ear.heard.lock().unwrap()[0]["data"]["lines"].to_string();
    assert!(lines.contains(&format!("regreen approve {}", incident.id)), "{lines}");
    node.abort();
}

#[tokio::test]
async fn a_node_takes_what_its_own_sinks_are_to_have_and_gives_up_what_nobody_has_taken_for_a_day() {
    let stage = Stage::new(Mode::Auto).await;
    let now = real_time();
    let letter = |sink: &str| {
        let notice = json!({
            "id": "healed/i", "kind": "healed", "at": now, "title": "healed", "lines": [], "evidence": null,
            "repository": null, "class": null, "confidence": null, "incident": null, "subject": "s", "link": null,
        });
        json!({ "version": 1, "sink": sink, "in_summary": false, "due": now, "notice": notice }).to_string()
    };
    let (theirs, gone, own) = (letter("pager"), letter("gone"), letter("ops"));
    let work = |key, payload, due_at| NewWork { kind: NOTICE, key, payload, created_at: due_at, due_at };
    let old = work("notice/gone/1", &gone, now - 25 * HOUR);
    stage.ledger.enqueue(&[work("notice/pager/1", &theirs, now - 23 * HOUR), old]).await.unwrap();
    let (ear, sink) = Ear::open().await;
    let log = Arc::new(Names::default());
    let teller = stage.teller(sink, Calm::default(), log.clone());
    assert!(teller.step().await.unwrap());
    assert!(!teller.step().await.unwrap(), "the other one is another node's");
    let ended = async |key| stage.ledger.outcome(key).await.unwrap();
    assert_eq!(ended("notice/gone/1").await.as_deref(), Some("given-up"));
    assert_eq!(*log.0.lock().unwrap(), ["notice-refused"]);
    // Nothing was heard of the other node's sink, so nobody is shown that it fails.
    let all = stage.ledger.sinks(&["ops", "pager"]).await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.is_failing(), one.waiting)).collect();
    assert_eq!(told, [("ops", false, 0), ("pager", false, 1)]);
    stage.ledger.enqueue(&[work("notice/ops/1", &own, now)]).await.unwrap();
    assert!(teller.step().await.unwrap());
    assert_eq!(
        (ear.kinds().as_slice(), ended("notice/ops/1").await.as_deref()),
        (&["healed".to_owned()][..], Some("sent"))
    );
    assert_eq!(ended("notice/pager/1").await, None);
}

#[tokio::test]
async fn what_is_too_much_comes_in_one_summary() {
    let mut stage = Stage::new(Mode::Suggest).await;
    stage.config.routes = routes(1);
    // By the hour in which it happens: the first is told, the others wait for its end.
    let (ear, sink) = Ear::open().await;
    let node = stage.start_one();
    for run in 1..=4 {
        stage.host.fail(run, &[("build", NETWORK)]);
        stage.hook(&format!("hook {run}"), run, 1, Conclusion::Failure).await;
        stage.listed(run).await;
    }
    node.abort();
    let _killed = node.await;
    let log = Arc::new(Names::default());
    let teller = stage.teller(sink, Calm::default(), log.clone());
    assert!(teller.step().await.unwrap());
    assert_eq!(ear.kinds(), ["needs-person"]);
    assert!(!teller.step().await.unwrap(), "the others wait");
    let waiting = stage.ledger.waiting(&[NOTICE], real_time()).await.unwrap();
    assert_eq!((waiting.ready, waiting.later), (0, 3));
    // The hour is over.
    for claim in stage.ledger.claim_many(&[NOTICE], "clock", 0, real_time() + HOUR, 9).await.unwrap() {
        stage.ledger.retry_at(&claim, real_time() - 1).await.unwrap();
    }
    assert!(teller.step().await.unwrap());
    assert_eq!(ear.kinds(), ["needs-person", "digest"]);
    assert_eq!(ear.heard.lock().unwrap()[1]["data"]["title"], "3 × needs a person");
    assert!(!teller.step().await.unwrap());
}

#[tokio::test]
async fn of_what_a_fork_met_nobody_is_told() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.routes = routes(100);
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.make_fork(RUN);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    assert_eq!(outcome(&stage.closed().await), ("left-alone", "untrusted-fork"));
    let begun = Instant::now();
    while stage.ledger.waiting(&[], real_time()).await.unwrap() != regreen_ledger::Waiting::default() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    node.abort();
}

#[tokio::test]
async fn a_question_that_nobody_was_told_of_is_told_by_whoever_looks_next() {
    let mut stage = Stage::new(Mode::Approve).await;
    stage.config.ask_ms = 20;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    // As a node that died before it could tell anybody.
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    assert_eq!(outcome(&stage.closed().await).0, "awaiting-approval");
    stage.listed(0).await;
    node.abort();
    let _killed = node.await;
    stage.config.routes = routes(100);
    let node = stage.start(crate::open(stage.folder.path()).await, Duration::from_millis(400));
    stage.listed(1).await;
    node.abort();
}
