//! Beside the fleet, against a CI host in memory and a real ledger: what is done, what is left alone, and that nothing is
//! done twice, wherever a node dies.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that can't go on should stop, and says what it saw"
)]

mod accepted;
mod approvals;
mod asked;
mod budgets;
mod calls;
mod clock;
mod commands;
mod control;
mod earned;
mod gitlab;
mod given_up;
mod heard;
mod host;
mod issues;
mod kept;
mod latency;
mod leftovers;
mod notices;
mod outage;
mod reopened;
mod replayed;
mod simulated;
mod simulation;
mod told;
mod trouble;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_domain::Mode;
use regreen_engine::{EndedRun, Fleet, FleetConfig, Lately, LiveCatalog, Rule};
use regreen_forge::{
    Conclusion, Repository, RunRef,
    hook::{Delivery, Event, RunEnded, Sender},
};
use regreen_ledger::{AsIs, Incident, IncidentFilter, Ledger, State};
use regreen_mask::Masker;
use regreen_server::{Accepted, Happening, Inbox as _, LedgerInbox, Log, NewDelivery, Pace, Task, Worker};
use tokio::{sync::Notify, task::JoinHandle};

use crate::host::{CODE, Host, NETWORK, Silence, commit};

const RUN: u64 = 77;

struct Quiet;

impl Log for Quiet {
    fn tell(&self, _: &Happening) {}
}

fn real_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

fn octo() -> Repository {
    Repository::parse("octo/shop").unwrap()
}

/// A ledger in a folder, and the host beside it.
struct Stage {
    folder: tempfile::TempDir,
    host: Arc<Host>,
    ledger: Ledger,
    bell: Arc<Notify>,
    config: FleetConfig,
    remotes: Arc<outage::Registry>,
    /// Where GitLab is another host.
    gitlab: Option<Arc<Host>>,
}

impl Stage {
    async fn new(mode: Mode) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path()).await;
        let mut config = FleetConfig { look_ms: 30, stumble_ms: 30, ..FleetConfig::default() };
        config.policy.mode = mode;
        Stage {
            folder,
            host: Arc::new(Host::default()),
            ledger,
            bell: Arc::new(Notify::new()),
            config,
            remotes: Arc::default(),
            gitlab: None,
        }
    }

    fn worker(&self, ledger: Ledger, lease: Duration) -> Arc<Worker> {
        self.worker_by(ledger, lease, real_time, Arc::new(Quiet))
    }

    fn worker_at(&self, ledger: Ledger, pace: Pace) -> Arc<Worker> {
        self.worker_with(ledger, pace, real_time, Arc::new(Quiet))
    }

    fn worker_by(
        &self,
        ledger: Ledger,
        lease: Duration,
        clock: fn() -> i64,
        log: Arc<dyn Log>,
    ) -> Arc<Worker> {
        let pace = Pace { lease, idle: Duration::from_millis(10), ..Pace::default() };
        self.worker_with(ledger, pace, clock, log)
    }

    fn worker_with(&self, ledger: Ledger, pace: Pace, clock: fn() -> i64, log: Arc<dyn Log>) -> Arc<Worker> {
        let fleets = [Sender::GitHub, Sender::GitLab].map(|sender| (sender, Arc::new(self.fleet(sender))));
        Worker::by_clock(
            ledger,
            BTreeMap::from(fleets),
            "node".to_owned(),
            pace,
            log,
            self.bell.clone(),
            clock,
        )
    }

    /// Both hosts are the same one here, unless there is another.
    fn fleet(&self, sender: Sender) -> Fleet {
        let host = self.gitlab.as_ref().filter(|_| sender == Sender::GitLab).unwrap_or(&self.host);
        Fleet {
            sender,
            catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
            config: self.config.clone(),
            masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
            forge: host.clone(),
            remotes: self.remotes.clone(),
            lately: Lately::default(),
        }
    }

    /// A node that works until it is killed.
    fn start(&self, ledger: Ledger, lease: Duration) -> JoinHandle<()> {
        tokio::spawn(self.worker(ledger, lease).run(std::future::pending()))
    }

    fn start_one(&self) -> JoinHandle<()> {
        self.start(self.ledger.clone(), Duration::from_secs(5))
    }

    /// A webhook comes in.
    async fn hook(&self, id: &str, run: u64, attempt: u32, conclusion: Conclusion) -> Accepted {
        self.hook_of(octo(), id, run, attempt, conclusion).await
    }

    async fn hook_of(
        &self,
        repository: Repository,
        id: &str,
        run: u64,
        attempt: u32,
        conclusion: Conclusion,
    ) -> Accepted {
        let event = Event::RunEnded(RunEnded {
            repository,
            run,
            attempt: Some(attempt),
            ended_at: None,
            commit: commit(run),
            branch: None,
            workflow: None,
            conclusion,
            foreign: false,
        });
        let delivery =
            Delivery { sender: Sender::GitHub, id: id.to_owned(), name: "workflow_run".to_owned(), event };
        let inbox = LedgerInbox::new(self.ledger.clone(), self.bell.clone());
        inbox.receive(&[NewDelivery { delivery, at: 1 }]).await.unwrap()[0]
    }

    async fn incidents(&self) -> Vec<Incident> {
        self.ledger.incidents(&IncidentFilter::default()).await.unwrap()
    }

    /// The only incident, once it is closed.
    async fn closed(&self) -> Incident {
        let begun = Instant::now();
        loop {
            let mut all = self.incidents().await;
            if let [one] = all.as_mut_slice()
                && one.state != State::Open
            {
                return all.remove(0);
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "still open: {all:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until(&self, what: &str, holds: impl Fn(&Host) -> bool) {
        let begun = Instant::now();
        while !holds(&self.host) {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn open(folder: &Path) -> Ledger {
    Ledger::open(&folder.join("ledger.db"), Arc::new(AsIs)).await.unwrap()
}

fn outcome(incident: &Incident) -> (&str, &str) {
    let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
    (incident.outcome.as_deref().unwrap_or("none"), because.unwrap_or(""))
}

#[tokio::test]
async fn a_run_that_the_network_failed_runs_again_once_and_is_healed_when_it_ends_well() {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK), ("lint", "")]);
    let node = stage.start_one();
    assert_eq!(stage.hook("one", RUN, 1, Conclusion::Failure).await, Accepted::New);
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    // It waits, on record, and nobody holds it.
    let waiting = loop {
        let all = stage.incidents().await;
        if all.first().is_some_and(|one| one.decision.is_some()) {
            break all;
        }
    };
    assert_eq!((waiting.len(), waiting[0].state, waiting[0].outcome.as_deref()), (1, State::Open, None));
    stage.host.end(RUN, Conclusion::Success);
    stage.hook("two", RUN, 2, Conclusion::Success).await;
    let incident = stage.closed().await;
    assert_eq!(outcome(&incident), ("healed", ""));
    assert_eq!(incident.place.repository.as_deref(), Some("octo/shop"));
    assert_eq!((incident.command, stage.host.reruns(RUN)), (vec!["build".to_owned()], 1));
    // Told again, by the same id and by another: it is known.
    assert_eq!(stage.hook("one", RUN, 1, Conclusion::Failure).await, Accepted::Duplicate);
    stage.hook("three", RUN, 1, Conclusion::Failure).await;
    let again = Task::Run {
        sender: Sender::GitHub,
        ended: EndedRun { run: RunRef { repository: octo(), run_id: RUN }, attempt: Some(1) },
    };
    let again = again.listed(1).once_more("by-hand");
    stage.ledger.enqueue(&[again.work()]).await.unwrap();
    let begun = Instant::now();
    while stage.ledger.outcome(again.key()).await.unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((stage.host.reruns(RUN), stage.incidents().await.len()), (1, 1));
    assert!(stage.ledger.audit_verify(None).await.unwrap().is_sound());
    node.abort();
}

#[tokio::test]
async fn what_may_not_run_again_is_left_alone() {
    type Make = fn(&Host);
    let cases: [(&str, Mode, Make, (&str, &str)); 10] = [
        ("code", Mode::Auto, |h| h.fail(RUN, &[("test", CODE)]), ("left-alone", "code-failure")),
        (
            "one of two is code",
            Mode::Auto,
            |h| h.fail(RUN, &[("build", NETWORK), ("test", CODE)]),
            ("left-alone", "code-failure"),
        ),
        (
            "one of two is unknown",
            Mode::Auto,
            |h| h.fail(RUN, &[("build", NETWORK), ("odd", "it is what it is\n")]),
            ("left-alone", "unknown-cause"),
        ),
        ("observe", Mode::Observe, |h| h.fail(RUN, &[("build", NETWORK)]), ("suggested", "mode-observe")),
        ("suggest", Mode::Suggest, |h| h.fail(RUN, &[("build", NETWORK)]), ("suggested", "mode-suggest")),
        (
            "approve",
            Mode::Approve,
            |h| h.fail(RUN, &[("build", NETWORK)]),
            ("awaiting-approval", "mode-approve"),
        ),
        (
            "a deploy would follow",
            Mode::Auto,
            |h| {
                h.fail(RUN, &[("build", NETWORK)]);
                h.skip(RUN, "deploy to production");
            },
            ("left-alone", "deploy-job"),
        ),
        (
            "a release that went well, and may depend on what failed",
            Mode::Auto,
            |h| h.fail(RUN, &[("build", NETWORK), ("release", "")]),
            ("left-alone", "deploy-job"),
        ),
        (
            "a step that publishes, in a job with a harmless name",
            Mode::Auto,
            |h| {
                h.fail(RUN, &[("ci", NETWORK)]);
                h.step(RUN, "Run npm publish");
            },
            ("left-alone", "deploy-job"),
        ),
        (
            "a fork",
            Mode::Auto,
            |h| {
                h.fail(RUN, &[("build", NETWORK)]);
                h.make_fork(RUN);
            },
            ("left-alone", "untrusted-fork"),
        ),
    ];
    for (name, mode, make, want) in cases {
        let stage = Stage::new(mode).await;
        make(&stage.host);
        let node = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        let incident = stage.closed().await;
        assert_eq!(outcome(&incident), want, "{name}");
        assert_eq!(stage.host.reruns(RUN), 0, "{name}");
        node.abort();
    }
}

#[tokio::test]
async fn a_pause_is_obeyed() {
    for scope in ["fleet", "host:github", "repository:octo/shop", "repository:github:octo/shop"] {
        let stage = Stage::new(Mode::Auto).await;
        stage.host.fail(RUN, &[("build", NETWORK)]);
        stage.ledger.pause(scope, "ann", "not now", 1).await.unwrap();
        let node = stage.start_one();
        stage.hook("one", RUN, 1, Conclusion::Failure).await;
        assert_eq!(outcome(&stage.closed().await), ("suggested", "paused"));
        assert_eq!(stage.host.reruns(RUN), 0);
        node.abort();
    }
}

#[tokio::test]
async fn a_pause_and_a_rule_of_another_host_hold_nothing_up() {
    let mut stage = Stage::new(Mode::Auto).await;
    let rule = |host, mode| Rule { host: Some(host), repository: None, class: None, playbook: None, mode };
    stage.config.rules = vec![rule(Sender::GitLab, Mode::Observe)];
    for scope in ["host:gitlab", "repository:gitlab:octo/shop", "repository:github:octo/other"] {
        stage.ledger.pause(scope, "ann", "not there", 1).await.unwrap();
    }
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    node.abort();
}

#[tokio::test]
async fn a_second_failure_is_no_healing_and_attempts_are_counted_by_commit() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.policy.max_attempts = 1;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Failure);
    stage.hook("two", RUN, 2, Conclusion::Failure).await;
    let begun = Instant::now();
    let all = loop {
        let all = stage.incidents().await;
        if all.len() == 2 && all.iter().all(|one| one.state == State::Closed) {
            break all;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{all:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let mut outcomes: Vec<_> = all.iter().map(outcome).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, [("rolled-back", ""), ("suggested", "attempts-used-up")]);
    // What has ended is not cancelled.
    assert_eq!((stage.host.reruns(RUN), stage.host.cancels(RUN)), (1, 0));
    node.abort();
}

#[tokio::test]
async fn an_attempt_that_never_ends_is_cancelled() {
    let mut stage = Stage::new(Mode::Auto).await;
    stage.config.wait_ms = 50;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    let node = stage.start_one();
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    assert_eq!(outcome(&stage.closed().await), ("rolled-back", ""));
    assert_eq!((stage.host.reruns(RUN), stage.host.cancels(RUN)), (1, 1));
    node.abort();
}

#[tokio::test]
async fn a_node_that_dies_at_any_call_leaves_one_effect_and_an_end() {
    // Counted where nobody dies: from the first look at the run to the last.
    let whole = Stage::new(Mode::Auto).await;
    whole.host.fail(RUN, &[("build", NETWORK)]);
    let node = whole.start_one();
    whole.hook("one", RUN, 1, Conclusion::Failure).await;
    whole.until("it never ran again", |host| host.reruns(RUN) == 1).await;
    whole.host.end(RUN, Conclusion::Success);
    whole.closed().await;
    node.abort();
    let calls = whole.host.calls.load(Ordering::SeqCst);
    assert!((8..40).contains(&calls), "{calls}");
    let mut dying = tokio::task::JoinSet::new();
    for call in 0..8 {
        for after in [false, true] {
            dying.spawn(dies_at(Silence { call, after }));
        }
    }
    while let Some(done) = dying.join_next().await {
        done.unwrap();
    }
}

async fn dies_at(silence: Silence) {
    let stage = Stage::new(Mode::Auto).await;
    stage.host.fail(RUN, &[("build", NETWORK)]);
    stage.host.silence(Some(silence));
    let lease = Duration::from_millis(400);
    let first = stage.start(open(stage.folder.path()).await, lease);
    stage.hook("one", RUN, 1, Conclusion::Failure).await;
    stage.until("it never fell silent", |host| host.calls.load(Ordering::SeqCst) > silence.call).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    // Killed: nothing of it goes on, and nothing is given back.
    first.abort();
    let _killed = first.await;
    stage.host.silence(None);
    let second = stage.start(stage.ledger.clone(), lease);
    stage.until(&format!("{silence:?}: it never ran again"), |host| host.reruns(RUN) == 1).await;
    stage.host.end(RUN, Conclusion::Success);
    assert_eq!(outcome(&stage.closed().await), ("healed", ""), "{silence:?}");
    assert_eq!(stage.host.reruns(RUN), 1, "{silence:?}");
    second.abort();
}

#[tokio::test]
async fn nodes_that_share_a_ledger_do_each_thing_once() {
    const RUNS: u64 = 15;
    let stage = Stage::new(Mode::Auto).await;
    for run in 1..=RUNS {
        stage.host.fail(run, &[("build", NETWORK)]);
    }
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(stage.start(open(stage.folder.path()).await, Duration::from_secs(5)));
    }
    for run in 1..=RUNS {
        stage.hook(&format!("a{run}"), run, 1, Conclusion::Failure).await;
        stage.hook(&format!("b{run}"), run, 1, Conclusion::Failure).await;
    }
    stage.until("not all ran again", |host| (1..=RUNS).all(|run| host.reruns(run) == 1)).await;
    for run in 1..=RUNS {
        stage.host.end(run, Conclusion::Success);
        stage.hook(&format!("c{run}"), run, 2, Conclusion::Success).await;
    }
    let begun = Instant::now();
    loop {
        let all = stage.incidents().await;
        if all.len() as u64 == RUNS && all.iter().all(|one| outcome(one).0 == "healed") {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{:#?}",
            all.iter().map(outcome).collect::<Vec<_>>()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!((1..=RUNS).all(|run| stage.host.reruns(run) == 1));
    for node in nodes {
        node.abort();
    }
}
