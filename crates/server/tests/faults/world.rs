//! A host with runs that failed, nodes that work on them, and what is true of them in the end.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_domain::Mode;
use regreen_engine::{Fleet, FleetConfig, LiveCatalog};
use regreen_forge::{
    Backoff, Conclusion, Credential, GitHub, Options, Repository, Secret,
    hook::{Delivery, Event, RunEnded, Sender},
};
use regreen_lab::forge;
use regreen_ledger::{Incident, IncidentFilter, Ledger, State};
use regreen_mask::Masker;
use regreen_server::{Happening, Inbox as _, LedgerInbox, Log, NewDelivery, Pace, Worker};
use tokio::{sync::Notify, task::JoinHandle, time::sleep};

use crate::random::Random;

pub const NAME: &str = "octo/shop";

const NETWORK: &[u8] = forge::NETWORK_LOSS.as_bytes();

const CODE: &[u8] = b"\
2026-11-29T09:00:01.0000000Z ##[group]Run npm test
2026-11-29T09:00:01.1000000Z npm test
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:00:02.0000000Z FAIL src/cart.test.js
2026-11-29T09:00:02.2000000Z     expect(received).toBe(expected) // Object.is equality
2026-11-29T09:00:02.3000000Z     Expected: 2
2026-11-29T09:00:02.4000000Z     Received: 1
2026-11-29T09:00:02.5000000Z       at Object.<anonymous> (src/cart.test.js:14:20)
2026-11-29T09:00:02.6000000Z Tests:       1 failed, 3 passed, 4 total
2026-11-29T09:00:02.7000000Z ##[error]Process completed with exit code 1.
";

/// What a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The network failed it.
    Network,
    /// Its code did.
    Code,
    /// The network one of its jobs, its code another.
    Both,
    /// The network, in a fork.
    Fork,
    /// The network, before a deployment.
    Deploys,
}

/// Nodes at most.
pub const NODES: usize = 3;
static OFFSETS: [AtomicI64; NODES] = [const { AtomicI64::new(0) }; NODES];
/// Clocks that can be made to jump, one a node.
const CLOCKS: [fn() -> i64; NODES] = [|| clock(0), || clock(1), || clock(2)];

fn clock(node: usize) -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap() + OFFSETS[node].load(Ordering::SeqCst)
}

/// A node's clock is this much off from now on, in milliseconds.
pub fn jump(node: usize, by: i64) {
    OFFSETS[node].store(by, Ordering::SeqCst);
}

struct Quiet;

impl Log for Quiet {
    fn tell(&self, happening: &Happening) {
        if std::env::var_os("REGREEN_FAULTS_TELL").is_some() {
            println!("{}", happening.line());
        }
    }
}

/// The host, and what its runs are.
pub struct World {
    pub host: forge::GitHub,
    pub runs: BTreeMap<u64, Kind>,
    bell: Arc<Notify>,
}

impl World {
    pub fn new() -> World {
        let host = forge::GitHub::start().unwrap();
        {
            let mut world = host.world();
            world.add(NAME, &[("a", b"1\n")]);
            (world.quota.limit, world.quota.remaining) = (10_000_000, 10_000_000);
        }
        World { host, runs: BTreeMap::new(), bell: Arc::new(Notify::new()) }
    }

    /// A run of this kind that has failed, of a commit of its own.
    pub fn fail(&mut self, kind: Kind) -> u64 {
        let mut world = self.host.world();
        let log = if kind == Kind::Code { CODE } else { NETWORK };
        let (id, _) = world.add_failed(NAME, log);
        let other = world.new_id();
        let runs = &mut world.repositories.get_mut(NAME).unwrap().runs;
        let run = runs.iter_mut().find(|run| run.id == id).unwrap();
        run.head_sha = format!("{id:040x}");
        run.from_fork = kind == Kind::Fork;
        let more = match kind {
            Kind::Both => Some(("test", "failure", CODE)),
            Kind::Deploys => Some(("deploy to production", "skipped", &b""[..])),
            _ => None,
        };
        if let Some((name, conclusion, log)) = more {
            let job = forge::Job {
                id: other,
                name: name.to_owned(),
                conclusion: Some(conclusion.to_owned()),
                log: Some(log.to_vec()),
                ..run.jobs[0].clone()
            };
            run.jobs.push(job);
        }
        drop(world);
        self.runs.insert(id, kind);
        id
    }

    /// A node with a clock of its own, until it is killed.
    pub fn node(&self, ledger: Ledger, number: usize, pace: Pace) -> JoinHandle<()> {
        let options = Options {
            backoff: Backoff { base: Duration::from_millis(3), most: Duration::from_millis(20), tries: 3 },
            limit: Duration::from_millis(500),
            reserve: 0.0,
            ..Options::default()
        };
        let client = GitHub::new(&self.host.url(), Credential::Token(Secret::new("ghp_test")), options);
        let mut config =
            FleetConfig { look_ms: 80, stumble_ms: 40, lost_ms: 1_500, ..FleetConfig::default() };
        (config.policy.mode, config.policy.max_attempts) = (Mode::Auto, 1);
        config.breaker.threshold = 1_000_000;
        let fleet = Fleet {
            sender: Sender::GitHub,
            catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
            config,
            masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
            forge: Arc::new(client.unwrap()),
            remotes: Arc::new(regreen_engine::Network),
            lately: regreen_engine::Lately::default(),
        };
        let fleets = BTreeMap::from([(Sender::GitHub, Arc::new(fleet))]);
        let (node, log) = (format!("n{number}"), Arc::new(Quiet));
        let worker =
            Worker::by_clock(ledger, fleets, node, pace, log, self.bell.clone(), CLOCKS[number % NODES]);
        tokio::spawn(worker.run(std::future::pending()))
    }

    /// Runs that are under way.
    pub fn running(&self) -> Vec<u64> {
        let world = self.host.world();
        world.repositories[NAME]
            .runs
            .iter()
            .filter(|run| run.status != "completed")
            .map(|run| run.id)
            .collect()
    }

    /// The attempt of a run that is under way ends.
    pub fn end(&self, run: u64, conclusion: &str) {
        self.host.world().repositories.get_mut(NAME).unwrap().finish(run, conclusion);
    }

    /// What the host would tell of a run that has ended.
    pub fn webhook(&self, run: u64, id: &str) -> Option<NewDelivery> {
        let world = self.host.world();
        let found = world.repositories[NAME].runs.iter().find(|one| one.id == run)?;
        let conclusion = match found.conclusion.as_deref()? {
            "success" => Conclusion::Success,
            _ => Conclusion::Failure,
        };
        let event = Event::RunEnded(RunEnded {
            repository: Repository::parse(NAME)?,
            run,
            attempt: Some(found.attempt),
            ended_at: None,
            commit: found.head_sha.clone(),
            branch: None,
            workflow: None,
            conclusion,
            foreign: false,
        });
        let delivery =
            Delivery { sender: Sender::GitHub, id: id.to_owned(), name: "workflow_run".to_owned(), event };
        Some(NewDelivery { delivery, at: clock(0) })
    }

    /// Told until it is acknowledged.
    pub async fn tell(&self, ledger: &Ledger, delivery: NewDelivery) {
        let inbox = LedgerInbox::new(ledger.clone(), self.bell.clone());
        while inbox.receive(std::slice::from_ref(&delivery)).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until there is nothing left to do; runs that are under way end meanwhile.
    pub async fn drained(&self, ledger: &Ledger, random: &mut Random, patience: Duration) {
        let begun = Instant::now();
        loop {
            for run in self.running() {
                self.end(run, if random.chance(70) { "success" } else { "failure" });
            }
            let left = ledger.waiting(&[], clock(0)).await.unwrap();
            if left.ready + left.later + left.taken == 0 && self.running().is_empty() {
                return;
            }
            assert!(begun.elapsed() < patience, "it does not drain: {left:?}\n{}", self.shown(ledger).await);
            sleep(Duration::from_millis(30)).await;
        }
    }

    async fn shown(&self, ledger: &Ledger) -> String {
        let open: Vec<_> =
            incidents(ledger).await.into_iter().filter(|one| one.state == State::Open).collect();
        format!("{open:#?}")
    }

    /// The laws.
    pub async fn judge(&self, ledger: &Ledger) -> BTreeMap<String, u32> {
        let all = incidents(ledger).await;
        let mut outcomes = BTreeMap::<String, u32>::new();
        for (run, kind) in &self.runs {
            let (attempt, sent) = {
                let world = self.host.world();
                let attempt =
                    world.repositories[NAME].runs.iter().find(|one| one.id == *run).unwrap().attempt;
                (attempt, world.count("POST", &format!("/runs/{run}/")))
            };
            let own: Vec<&Incident> = all
                .iter()
                .filter(|one| one.place.commit.as_deref() == Some(&format!("{run:040x}")))
                .collect();
            let said = || format!("run {run}, {kind:?}, attempt {attempt}, {sent} request(s): {own:#?}");
            assert!(!own.is_empty() && own.iter().all(|one| one.state == State::Closed), "lost: {}", said());
            let first = own.iter().find(|one| one.attempt == 1).unwrap_or_else(|| panic!("{}", said()));
            let outcome = first.outcome.as_deref().unwrap_or_default();
            *outcomes.entry(format!("{kind:?} {outcome}")).or_default() += 1;
            if *kind == Kind::Network {
                assert!(attempt <= 2, "twice: {}", said());
                assert!(matches!(outcome, "healed" | "rolled-back"), "{}", said());
                assert!(outcome != "healed" || attempt == 2, "{}", said());
                assert!(own.iter().filter(|one| one.attempt == 1).count() == 1, "{}", said());
            } else {
                assert_eq!((attempt, sent, outcome), (1, 0, "left-alone"), "touched: {}", said());
            }
        }
        let report = ledger.audit_verify(None).await.unwrap();
        assert!(report.is_sound(), "{report:?}");
        outcomes
    }
}

async fn incidents(ledger: &Ledger) -> Vec<Incident> {
    ledger.incidents(&IncidentFilter { limit: 100_000, ..IncidentFilter::default() }).await.unwrap()
}
