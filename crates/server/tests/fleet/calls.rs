//! How many calls of the host's API a failed run costs: by them, and not by the machine, a fleet's size is bounded
//! (docs/scale.md counts with these).

#![allow(clippy::print_stdout, reason = "shown where it fails")]

use std::{collections::BTreeMap, sync::Arc};

use regreen_domain::Mode;
use regreen_engine::{EndedRun, Fleet, FleetConfig, Lately, LiveCatalog};
use regreen_forge::{Credential, Forge, GitHub, GitLab, Options, Repository, RunRef, Secret, hook::Sender};
use regreen_lab::forge;
use regreen_ledger::{IncidentFilter, Ledger};
use regreen_mask::Masker;
use regreen_server::{Pace, Task, Worker};
use tokio::sync::Notify;

use crate::{
    Quiet,
    host::{CODE, NETWORK},
    open, outcome, real_time,
};

const NAME: &str = "octo-org/shop";

/// A node on a ledger of its own.
struct Node {
    sender: Sender,
    ledger: Ledger,
    worker: Arc<Worker>,
    _folder: tempfile::TempDir,
}

impl Node {
    async fn new(sender: Sender, client: Arc<dyn Forge>) -> Node {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path()).await;
        let mut config = FleetConfig::default();
        config.policy.mode = Mode::Auto;
        let fleet = Fleet {
            sender,
            catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
            config,
            masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
            forge: client,
            remotes: Arc::<crate::outage::Registry>::default(),
            lately: Lately::default(),
        };
        let fleets = BTreeMap::from([(sender, Arc::new(fleet))]);
        let bell = Arc::new(Notify::new());
        let worker =
            Worker::new(ledger.clone(), fleets, "n".to_owned(), Pace::default(), Arc::new(Quiet), bell);
        Node { sender, ledger, worker, _folder: folder }
    }

    /// A hook tells that an attempt has ended, and what can be done about it now is.
    async fn told(&self, run: u64, attempt: u32) {
        let run = RunRef { repository: Repository::parse(NAME).unwrap(), run_id: run };
        let task = Task::Run { sender: self.sender, ended: EndedRun { run, attempt: Some(attempt) } };
        self.ledger.enqueue(&[task.listed(real_time()).work()]).await.unwrap();
        while self.worker.step().await.unwrap() {}
    }

    /// How many entries the audit log has: each is a record that takes its turn.
    async fn records(&self) -> usize {
        self.ledger.audit(0, 1_000).await.unwrap().len()
    }

    async fn ended(&self) -> String {
        let all = self.ledger.incidents(&IncidentFilter::default()).await.unwrap();
        outcome(&all[0]).0.to_owned()
    }
}

/// How many count, and what they were where a test fails.
fn made(calls: &[forge::Call]) -> usize {
    // Where logs lie is no part of the API, and GitHub does not count what has not changed.
    let counts = |call: &&forge::Call| !call.path.starts_with("/_logs") && call.status != 304;
    let calls: Vec<_> = calls.iter().filter(counts).collect();
    for call in &calls {
        println!("{} {} {}", call.method, call.path, call.status);
    }
    calls.len()
}

#[tokio::test]
async fn calls_at_github() {
    let client = |host: &forge::GitHub| {
        let token = Credential::Token(Secret::new("ghp_test"));
        Arc::new(GitHub::new(&host.url(), token, Options::default()).unwrap())
    };
    let host = forge::GitHub::start().unwrap();
    host.world().add(NAME, &[("a", b"1\n")]);
    let (broken, _) = host.world().add_failed(NAME, CODE.as_bytes());
    let node = Node::new(Sender::GitHub, client(&host)).await;
    node.told(broken, 1).await;
    assert_eq!((node.ended().await.as_str(), node.records().await), ("left-alone", 3));
    assert_eq!(made(&host.world().calls), 4);

    let (run, _) = host.world().add_failed(NAME, NETWORK.as_bytes());
    let node = Node::new(Sender::GitHub, client(&host)).await;
    host.world().calls.clear();
    node.told(run, 1).await;
    host.world().repositories.get_mut(NAME).unwrap().finish(run, "success");
    node.told(run, 2).await;
    assert_eq!((node.ended().await.as_str(), node.records().await), ("healed", 9));
    assert_eq!(made(&host.world().calls), 8);
}

#[tokio::test]
async fn calls_at_gitlab() {
    let client = |host: &forge::gitlab::GitLab| {
        Arc::new(GitLab::new(&host.url(), Some(Secret::new("glpat-test")), Options::default()).unwrap())
    };
    let host = forge::gitlab::GitLab::start().unwrap();
    host.world().add(NAME, &[("a", b"1\n")]);
    let (broken, _) = host.world().add_failed(NAME, &[("build", CODE.as_bytes())]);
    let node = Node::new(Sender::GitLab, client(&host)).await;
    node.told(broken, 1).await;
    assert_eq!((node.ended().await.as_str(), node.records().await), ("left-alone", 3));
    assert_eq!(made(&host.world().calls), 6);

    let (pipeline, _) = host.world().add_failed(NAME, &[("build", NETWORK.as_bytes())]);
    let node = Node::new(Sender::GitLab, client(&host)).await;
    host.world().calls.clear();
    node.told(pipeline, 1).await;
    host.world().pipeline(NAME, pipeline).unwrap().finish("success");
    node.told(pipeline, 2).await;
    assert_eq!((node.ended().await.as_str(), node.records().await), ("healed", 9));
    assert_eq!(made(&host.world().calls), 21);
}
