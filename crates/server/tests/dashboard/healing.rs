//! A real healing in a real browser: a worker takes a failed run of the host's stand-in, has it run again and sees it end well,
//! while *Now* and *Incident* are open and show it as it happens.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_domain::Mode;
use regreen_engine::{Fleet, FleetConfig, Lately, LiveCatalog, Remotes};
use regreen_forge::{
    Conclusion, Credential, GitHub, Options, Repository, Secret,
    hook::{Delivery, Event, RunEnded, Sender},
};
use regreen_lab::forge;
use regreen_ledger::{Incident, IncidentFilter, Ledger, State};
use regreen_mask::Masker;
use regreen_server::{Inbox as _, LedgerInbox, NewDelivery, Pace, Worker};
use regreen_tools::remote::Answer;
use serde_json::json;
use tokio::{io::AsyncWriteExt, sync::Notify, time::sleep};

use super::{Quiet, World, browser, now, top};

const NAME: &str = "octo/shop";

const NETWORK: &[u8] = forge::NETWORK_LOSS.as_bytes();

/// Every service serves.
struct Serves;

impl Remotes for Serves {
    fn ask<'a>(&'a self, _: &'a str) -> regreen_forge::BoxFuture<'a, Answer> {
        Box::pin(async { Answer::Serves { status: 200 } })
    }
}

/// A node that works on runs of this host.
fn worker(host: &forge::GitHub, ledger: &Ledger, bell: &Arc<Notify>) -> Arc<Worker> {
    let client = GitHub::new(&host.url(), Credential::Token(Secret::new("ghp_test")), Options::default());
    let mut config = FleetConfig { look_ms: 50, ..FleetConfig::default() };
    config.policy.mode = Mode::Auto;
    let fleet = Fleet {
        sender: Sender::GitHub,
        catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
        config,
        masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
        forge: Arc::new(client.unwrap()),
        remotes: Arc::new(Serves),
        lately: Lately::default(),
    };
    let fleets = BTreeMap::from([(Sender::GitHub, Arc::new(fleet))]);
    let pace = Pace { idle: Duration::from_millis(20), ..Pace::default() };
    Worker::new(ledger.clone(), fleets, "node".to_owned(), pace, Arc::new(Quiet), bell.clone())
}

/// The host tells of the run.
async fn tell(ledger: &Ledger, bell: &Arc<Notify>, run: u64, attempt: u32, conclusion: Conclusion) {
    let event = Event::RunEnded(RunEnded {
        repository: Repository::parse(NAME).unwrap(),
        run,
        attempt: Some(attempt),
        ended_at: None,
        commit: format!("{run:040x}"),
        branch: None,
        workflow: None,
        conclusion,
        foreign: false,
    });
    let (sender, id, name) = (Sender::GitHub, format!("hook-{attempt}"), "workflow_run".to_owned());
    let delivery = Delivery { sender, id, name, event };
    let inbox = LedgerInbox::new(ledger.clone(), bell.clone());
    inbox.receive(&[NewDelivery { delivery, at: now() }]).await.unwrap();
}

/// The incident, as soon as it is on record like this; and when that was seen.
async fn seen(ledger: &Ledger, like: impl Fn(&Incident) -> bool) -> (Incident, i64) {
    let begun = Instant::now();
    loop {
        let all = ledger.incidents(&IncidentFilter::default()).await.unwrap();
        if let Some(one) = all.into_iter().find(&like) {
            return (one, now());
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came to that");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_healing_is_shown_as_it_happens() {
    let driver = top().join("target/tools/playwright/lib/node_modules/playwright-core");
    assert!(driver.exists(), "playwright-core is not there: run scripts/test once");
    let world = World::new().await;
    let (ledger, bell) = (&world.ledger, Arc::new(Notify::new()));
    let host = forge::GitHub::start().unwrap();
    let run = {
        let mut at_host = host.world();
        at_host.add(NAME, &[("a", b"1\n")]);
        let (run, _) = at_host.add_failed(NAME, NETWORK);
        let runs = &mut at_host.repositories.get_mut(NAME).unwrap().runs;
        runs.iter_mut().find(|one| one.id == run).unwrap().head_sha = format!("{run:040x}");
        run
    };
    let working = tokio::spawn(worker(&host, ledger, &bell).run(std::future::pending()));
    let address = format!("http://localhost:{}", world.port);
    let (mut driven, mut told, mut says) = browser("healing.cjs", &[driver.as_os_str(), address.as_ref()]);
    let mut complaints = Vec::new();
    while let Some(line) = says.next_line().await.unwrap() {
        let (incident, at) = match line.as_str() {
            "fail" => {
                tell(ledger, &bell, run, 1, Conclusion::Failure).await;
                seen(ledger, |one| one.state == State::Open).await
            }
            "end" => {
                let is_under_way = || {
                    let at_host = host.world();
                    at_host.repositories[NAME].runs.iter().any(|one| one.id == run && one.attempt == 2)
                };
                let begun = Instant::now();
                while !is_under_way() {
                    assert!(begun.elapsed() < Duration::from_secs(20), "it never ran again");
                    sleep(Duration::from_millis(5)).await;
                }
                host.world().repositories.get_mut(NAME).unwrap().finish(run, "success");
                tell(ledger, &bell, run, 2, Conclusion::Success).await;
                seen(ledger, |one| one.outcome.as_deref() == Some("healed")).await
            }
            other => {
                complaints.push(other.to_owned());
                continue;
            }
        };
        let line = format!("{}\n", json!({ "incident": incident.id, "at": at }));
        told.write_all(line.as_bytes()).await.unwrap();
    }
    assert!(driven.wait().await.unwrap().success(), "{}", complaints.join("\n"));
    assert_eq!(complaints.join("\n"), "");
    working.abort();
}
