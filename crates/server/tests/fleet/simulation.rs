//! A registry is down for ten minutes, and so many repositories build meanwhile: what is sent off again before it is back, and
//! how long it takes until all are green. The same failures with naive retries beside it.
//!
//! The pipeline, its ledger and the client of the CI host are the real ones, the host is the stand-in of `regreen-lab`; the
//! clock is the simulation's own, so that an hour takes as long as what is done in it, and nothing sleeps.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_domain::{Mode, Outcome};
use regreen_engine::{EscalationConfig, Fleet, FleetConfig, Lately, LiveCatalog, OutageConfig, Remotes};
use regreen_forge::{
    Conclusion, Credential, GitHub, Repository,
    hook::{Delivery, Event, RunEnded, Sender},
};
use regreen_lab::forge::{GitHub as Host, World};
use regreen_ledger::{AsIs, IncidentFilter, Ledger};
use regreen_mask::Masker;
use regreen_server::{Happening, Inbox as _, LedgerInbox, Log, NewDelivery, Pace, Worker};
use regreen_tools::remote::Answer;
use tokio::sync::Notify;

/// For how long the registry is down.
const DOWN: i64 = 600_000;
/// How long an attempt of a job takes.
const JOB: i64 = 20_000;
/// Naive retries: so many, so long after the failure.
const RETRIES: u32 = 3;
const BACKOFF: i64 = 60_000;

const LOG: &str = regreen_lab::forge::NETWORK_LOSS;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
    static BACK: Cell<i64> = const { Cell::new(0) };
}

fn now() -> i64 {
    NOW.get()
}

fn at(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs())
}

/// The registry, as the nodes see it; how often it was asked.
#[derive(Default)]
struct Registry(Mutex<usize>);

impl Remotes for Registry {
    fn ask<'a>(&'a self, url: &'a str) -> regreen_forge::BoxFuture<'a, Answer> {
        let up = !url.contains("registry.npmjs.org") || now() >= BACK.get();
        if url.contains("registry.npmjs.org") {
            *self.0.lock().unwrap() += 1;
        }
        let answer = if up {
            Answer::Serves { status: 200 }
        } else {
            Answer::Unwell { status: 503, retry_after: None }
        };
        Box::pin(async { answer })
    }
}

#[derive(Default)]
struct Heard(Mutex<(usize, usize)>);

impl Log for Heard {
    fn tell(&self, happening: &Happening) {
        let mut heard = self.0.lock().unwrap();
        match happening {
            Happening::OutageBegan(_) => heard.0 += 1,
            Happening::OutageEnded(_) => heard.1 += 1,
            _ => {}
        }
    }
}

/// One way of dealing with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Attempts that were sent off before the registry was back.
    pub before: usize,
    /// All that were sent off.
    pub reruns: usize,
    /// Runs that were green in the end.
    pub healed: usize,
    /// When the last one was, in milliseconds after the registry was back.
    pub last_ms: i64,
    /// Most that were sent off within a minute.
    pub peak: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Simulated {
    /// Repositories, one failure each.
    pub repositories: usize,
    /// Nodes that shared the ledger.
    pub nodes: usize,
    /// How often one died in the middle of what it did.
    pub deaths: usize,
    /// With outage mode.
    pub regreen: Figures,
    /// With naive retries.
    pub naive: Figures,
    /// Questions to the registry.
    pub asked: usize,
    /// Outages that were told to have begun, and to have ended.
    pub told: (usize, usize),
    /// Issues at the host, and how many of them are open in the end.
    pub issues: (usize, usize),
    /// Incidents that were opened; more than one for a run where an attempt of it failed again.
    pub incidents: usize,
}

impl fmt::Display for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Simulated { repositories, nodes, deaths, asked, told, incidents, issues, .. } = self;
        writeln!(
            f,
            "{repositories} repositories, {nodes} nodes, {deaths} deaths, a registry that is down for {} s",
            DOWN / 1000
        )?;
        writeln!(f, "| | outage mode | {RETRIES} retries, {} s apart |\n|---|---|---|", BACKOFF / 1000)?;
        let (r, n) = (self.regreen, self.naive);
        writeln!(f, "| sent off again before it was back | {} | {} |", r.before, n.before)?;
        writeln!(f, "| sent off again in all | {} | {} |", r.reruns, n.reruns)?;
        writeln!(f, "| green in the end | {} | {} |", r.healed, n.healed)?;
        writeln!(f, "| the last one, after it was back | {} s | {} s |", r.last_ms / 1000, n.last_ms / 1000)?;
        writeln!(f, "| most within a minute | {} | {} |", r.peak, n.peak)?;
        writeln!(f, "the registry was asked {asked} times; {} outages began, {} ended", told.0, told.1)?;
        write!(f, "{incidents} incidents; {} issues, {} of them open", issues.0, issues.1)
    }
}

/// A piece of work whose node dies in the middle of it.
struct Dying<F> {
    work: Pin<Box<F>>,
    /// After being looked at so often.
    left: u64,
}

impl<F: Future> Future for Dying<F> {
    /// `None` where it died.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.left.checked_sub(1) {
            None => Poll::Ready(None),
            Some(left) => {
                self.left = left;
                self.work.as_mut().poll(cx).map(Some)
            }
        }
    }
}

/// Whose work dies when, drawn from a seed: one in eight, after up to forty looks. Without a seed nobody dies.
struct Fate(Option<u64>);

impl Fate {
    /// After how many looks the next piece of work dies.
    fn next(&mut self) -> u64 {
        let Some(seed) = &mut self.0 else { return u64::MAX };
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let drawn = *seed >> 33;
        if drawn % 8 == 0 { drawn / 8 % 40 } else { u64::MAX }
    }
}

/// When each run fails, in milliseconds after the beginning: spread over the outage, the same each time.
fn failures(repositories: usize) -> Vec<i64> {
    let step = (DOWN - 1_000) / i64::try_from(repositories).unwrap_or(1);
    (0..).map(|i| i * step / 1_000 * 1_000).take(repositories).collect()
}

fn peak(times: &[i64]) -> usize {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let within = |i: usize| sorted[i..].iter().take_while(|at| **at - sorted[i] < 60_000).count();
    (0..sorted.len()).map(within).max().unwrap_or(0)
}

/// Each failed run is sent off again a fixed time after it failed, so often.
fn naive(repositories: usize) -> Figures {
    let (mut times, mut healed, mut last) = (Vec::new(), 0, 0);
    for failed in failures(repositories) {
        let mut from = failed;
        for _ in 0..RETRIES {
            let begun = from + BACKOFF;
            times.push(begun);
            from = begun + JOB;
            if begun >= DOWN {
                healed += 1;
                last = last.max(from - DOWN);
                break;
            }
        }
    }
    let before = times.iter().filter(|at| **at < DOWN).count();
    Figures { before, reruns: times.len(), healed, last_ms: last, peak: peak(&times) }
}

async fn hook(inbox: &LedgerInbox, name: &str, run: u64, attempt: u32, conclusion: Conclusion) {
    let event = Event::RunEnded(RunEnded {
        repository: Repository::parse(name).unwrap(),
        run,
        attempt: Some(attempt),
        ended_at: None,
        commit: String::new(),
        branch: None,
        workflow: None,
        conclusion,
        foreign: false,
    });
    let id = format!("{run}-{attempt}");
    let delivery = Delivery { sender: Sender::GitHub, id, name: "workflow_run".to_owned(), event };
    inbox.receive(&[NewDelivery { delivery, at: now() }]).await.unwrap();
}

/// Attempts that run at the host, and that nobody has seen yet.
fn under_way(world: &World) -> Vec<(String, u64, u32)> {
    let all = world.repositories.iter();
    all.flat_map(|(name, repository)| {
        let running = repository.runs.iter().filter(|run| run.status != "completed");
        running.map(|run| (name.clone(), run.id, run.attempt))
    })
    .collect()
}

/// Issues at the host, and how many of them are open.
fn issues(world: &World) -> (usize, usize) {
    let all = world.repositories.values().flat_map(|one| &one.issues);
    let open = all.clone().filter(|issue| issue.open).count();
    (all.count(), open)
}

/// Lets it happen, to so many repositories, with so many nodes on the ledger at this path or address; with a seed they die
/// now and then, and what they had is gone on with when their leases have ended.
pub async fn simulate(repositories: usize, nodes: usize, place: &str, seed: Option<u64>) -> Simulated {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    // An hour ago, so that nothing is in the future by the client's own clock.
    let begin = i64::try_from(since).unwrap() - 3_600_000;
    NOW.set(begin);
    BACK.set(begin + DOWN);
    let host = Host::start().unwrap();
    {
        let mut world = host.world();
        world.quota.limit = 1_000_000;
        world.quota.remaining = 1_000_000;
        world.add("octo/ops", &[]);
        for i in 0..repositories {
            world.add(&format!("octo/r{i}"), &[]);
        }
    }
    let (registry, heard, bell) =
        (Arc::new(Registry::default()), Arc::new(Heard::default()), Arc::new(Notify::new()));
    let mut workers = Vec::new();
    for node in 0..nodes {
        let mut config = FleetConfig::default();
        config.policy.mode = Mode::Auto;
        config.outage.services = OutageConfig::public();
        config.escalation = EscalationConfig {
            issues: true,
            outages_in: Repository::parse("octo/ops"),
            ..EscalationConfig::default()
        };
        let fleet = Fleet {
            sender: Sender::GitHub,
            catalog: LiveCatalog::new(regreen_builtin::catalog().unwrap()),
            config,
            masker: Arc::new(Masker::new(Vec::<&[u8]>::new())),
            forge: Arc::new(GitHub::new(&host.url(), Credential::None, Default::default()).unwrap()),
            remotes: registry.clone(),
            lately: Lately::default(),
        };
        let fleets = BTreeMap::from([(Sender::GitHub, Arc::new(fleet))]);
        let ledger = Ledger::at(place, Arc::new(AsIs)).await.unwrap();
        let name = format!("n{node}");
        workers.push(Worker::by_clock(
            ledger,
            fleets,
            name,
            Pace::default(),
            heard.clone(),
            bell.clone(),
            now,
        ));
    }
    let ledger = Ledger::at(place, Arc::new(AsIs)).await.unwrap();
    let inbox = LedgerInbox::new(ledger.clone(), bell);
    let mut to_fail: Vec<(usize, i64)> = failures(repositories).into_iter().enumerate().rev().collect();
    let (mut running, mut sent, mut healed, mut last) = (BTreeMap::new(), Vec::new(), 0, 0);
    let (mut fate, mut deaths) = (Fate(seed), 0);
    // Until all are green and nobody is called any more, or for as long as would be worth a word.
    while (healed < repositories || issues(&host.world()).1 > 0) && now() < BACK.get() + 600_000 {
        while to_fail.last().is_some_and(|(_, when)| begin + when <= now()) {
            let Some((i, _)) = to_fail.pop() else { break };
            let name = format!("octo/r{i}");
            let run = {
                let mut world = host.world();
                let (id, _) = world.add_failed(&name, LOG.as_bytes());
                let repository = world.repositories.get_mut(&name).unwrap();
                let run = repository.runs.iter_mut().find(|run| run.id == id).unwrap();
                // It ends now.
                run.created_at = at(now() - 90_000);
                id
            };
            hook(&inbox, &name, run, 1, Conclusion::Failure).await;
        }
        loop {
            let mut steps = tokio::task::JoinSet::new();
            for worker in &workers {
                let worker = worker.clone();
                let work = Box::pin(async move { worker.step().await.unwrap() });
                steps.spawn_local(Dying { work, left: fate.next() });
            }
            let done = steps.join_all().await;
            deaths += done.iter().filter(|one| one.is_none()).count();
            if done.iter().all(|one| *one == Some(false)) {
                break;
            }
        }
        for key in under_way(&host.world()) {
            running.entry(key).or_insert_with(|| {
                sent.push(now() - begin);
                now()
            });
        }
        let over: Vec<_> =
            running.iter().filter(|(_, since)| *since + JOB <= now()).map(|(k, v)| (k.clone(), *v)).collect();
        for (key, since) in over {
            running.remove(&key);
            let (name, run, attempt) = key;
            // It fails where the registry was down when it began.
            let good = since >= BACK.get();
            let word = if good { "success" } else { "failure" };
            host.world().repositories.get_mut(&name).unwrap().finish(run, word);
            let conclusion = if good { Conclusion::Success } else { Conclusion::Failure };
            hook(&inbox, &name, run, attempt, conclusion).await;
        }
        // Nothing is seen to go wrong faster than in these steps; what follows the end is.
        NOW.set(now() + if now() < BACK.get() { 5_000 } else { 1_000 });
        let filter =
            IncidentFilter { outcome: Some(Outcome::Healed), limit: 1_000, ..IncidentFilter::default() };
        if now() > BACK.get() && now() % 5_000 < 1_000 {
            let all = ledger.incidents(&filter).await.unwrap();
            healed = all.len();
            last = all.iter().filter_map(|one| one.closed_at).max().unwrap_or(0) - BACK.get();
        }
    }
    let all = ledger.incidents(&IncidentFilter { limit: 1_000, ..IncidentFilter::default() }).await.unwrap();
    let before = sent.iter().filter(|when| **when < DOWN).count();
    let regreen = Figures { before, reruns: sent.len(), healed, last_ms: last, peak: peak(&sent) };
    let issues = issues(&host.world());
    let asked = *registry.0.lock().unwrap();
    let told = *heard.0.lock().unwrap();
    Simulated {
        repositories,
        nodes,
        deaths,
        regreen,
        naive: naive(repositories),
        asked,
        told,
        issues,
        incidents: all.len(),
    }
}
