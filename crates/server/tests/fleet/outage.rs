//! A service is down: what failed there waits, costs nothing meanwhile, and goes when the service is back. By a clock of the
//! test's own: nothing sleeps.

use std::{
    cell::Cell,
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_domain::Mode;
use regreen_engine::{EndedRun, OutageConfig, Remotes};
use regreen_forge::{Conclusion, Repository, RunRef, hook::Sender};
use regreen_ledger::{BreakerState, Ledger, State};
use regreen_server::{Happening, Log, Task, Worker};
use regreen_tools::remote::{Answer, Stage as How};

use crate::{RUN, Stage, host::NETWORK, open, outcome};

pub const NPM: &str = "registry.npmjs.org";
pub const MINUTE: i64 = 60_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

fn now() -> i64 {
    NOW.get()
}

/// The services, as the nodes see them.
#[derive(Default)]
pub struct Registry {
    down: Mutex<BTreeSet<&'static str>>,
    cut_off: AtomicBool,
    limited: AtomicBool,
    asked: Mutex<Vec<String>>,
}

impl Registry {
    pub fn set(&self, host: &'static str, down: bool) {
        let mut all = self.down.lock().unwrap();
        if down {
            all.insert(host)
        } else {
            all.remove(host)
        };
    }

    fn asked(&self, host: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|url| url.contains(host)).count()
    }
}

impl Remotes for Registry {
    fn ask<'a>(&'a self, url: &'a str) -> regreen_forge::BoxFuture<'a, Answer> {
        self.asked.lock().unwrap().push(url.to_owned());
        let host = url.split('/').nth(2).unwrap_or_default();
        let silent = self.cut_off.load(Ordering::SeqCst) || self.down.lock().unwrap().contains(host);
        let answer = match silent {
            _ if self.limited.load(Ordering::SeqCst) => Answer::Unwell { status: 429, retry_after: None },
            true => Answer::Silent { stage: How::Connection, why: "refused".to_owned() },
            false => Answer::Serves { status: 200 },
        };
        Box::pin(async { answer })
    }
}

/// Keeps the happenings that are about outages, and work that failed or was given up.
#[derive(Default)]
struct Heard(Mutex<Vec<Happening>>);

impl Log for Heard {
    fn tell(&self, happening: &Happening) {
        if matches!(
            happening,
            Happening::OutageBegan(_)
                | Happening::OutageEnded(_)
                | Happening::WorkFailed { .. }
                | Happening::WorkGivenUp { .. }
                | Happening::CallsUsedUp { .. }
        ) {
            self.0.lock().unwrap().push(happening.clone());
        }
    }
}

/// Nodes on one ledger, and the clock in the test's hand.
pub struct Play {
    pub stage: Stage,
    pub nodes: Vec<Arc<Worker>>,
    heard: Arc<Heard>,
}

impl Play {
    pub async fn new(mode: Mode, nodes: usize) -> Play {
        NOW.set(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap());
        let mut stage = Stage::new(mode).await;
        stage.config.outage.services = OutageConfig::public();
        stage.config.look_ms = 5 * MINUTE;
        *stage.host.clock.lock().unwrap() = Some(now);
        let mut play = Play { stage, nodes: Vec::new(), heard: Arc::default() };
        for _ in 0..nodes {
            let ledger = open(play.stage.folder.path()).await;
            play.nodes.push(play.node(ledger));
        }
        play
    }

    pub fn node(&self, ledger: Ledger) -> Arc<Worker> {
        self.stage.worker_by(ledger, Duration::from_secs(60), now, self.heard.clone())
    }

    /// A run of this repository has failed.
    pub async fn fails(&self, repository: &str, run: u64, log: &'static str) {
        self.stage.host.fail(run, &[("build", log)]);
        let repository = Repository::parse(repository).unwrap();
        let id = format!("{run}-1");
        self.stage.hook_of(repository, &id, run, 1, Conclusion::Failure).await;
    }

    /// Everything that is ready is done, by all nodes at once.
    pub async fn settle(&self) {
        loop {
            let mut steps = tokio::task::JoinSet::new();
            for node in &self.nodes {
                let node = node.clone();
                steps.spawn_local(async move { node.step().await.unwrap() });
            }
            let done = steps.join_all().await;
            if !done.contains(&true) {
                break;
            }
        }
    }

    /// So much time goes by, second for second.
    pub async fn pass(&self, ms: i64) {
        for _ in 0..(ms / 1_000) {
            NOW.set(now() + 1_000);
            self.settle().await;
        }
    }

    pub fn now(&self) -> i64 {
        now()
    }

    /// It is this long after the full hour.
    pub fn past_the_hour(&self, ms: i64) {
        const HOUR: i64 = 60 * MINUTE;
        NOW.set(now().div_euclid(HOUR) * HOUR + HOUR + ms);
    }

    /// So much time goes by at one go.
    pub async fn skip(&self, ms: i64) {
        NOW.set(now() + ms);
        self.settle().await;
    }

    /// Whose requests were told to be used up.
    pub fn used_up(&self) -> Vec<String> {
        let heard = self.heard.0.lock().unwrap();
        let whose = heard.iter().filter_map(|one| match one {
            Happening::CallsUsedUp { whose, .. } => Some(whose.clone()),
            _ => None,
        });
        whose.collect()
    }

    /// What was told of work that was given up.
    pub fn given_up(&self) -> Vec<String> {
        let heard = self.heard.0.lock().unwrap();
        let why = heard.iter().filter_map(|one| match one {
            Happening::WorkGivenUp { why, .. } => Some(why.clone()),
            _ => None,
        });
        why.collect()
    }

    fn began_and_ended(&self) -> (usize, usize) {
        let heard = self.heard.0.lock().unwrap();
        let began = heard.iter().filter(|one| matches!(one, Happening::OutageBegan(_))).count();
        (began, heard.iter().filter(|one| matches!(one, Happening::OutageEnded(_))).count())
    }

    /// What an operator was told of work that failed.
    pub fn troubles(&self) -> Vec<String> {
        let heard = self.heard.0.lock().unwrap();
        let why = heard.iter().filter_map(|one| match one {
            Happening::WorkFailed { why, .. } => Some(why.clone()),
            _ => None,
        });
        why.collect()
    }
}

/// Steps of a node are not to be sent to another thread: the clock is this one's.
pub async fn here<T>(play: impl Future<Output = T>) -> T {
    tokio::task::LocalSet::new().run_until(play).await
}

#[tokio::test]
async fn a_run_whose_service_is_down_waits_and_the_wait_costs_nothing() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let (host, registry) = (play.stage.host.clone(), play.stage.remotes.clone());
        registry.set(NPM, true);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        let calls = host.calls.load(Ordering::SeqCst);
        play.pass(20 * MINUTE).await;
        let waiting = play.stage.incidents().await.remove(0);
        assert_eq!((host.reruns(RUN), waiting.state, waiting.decision), (0, State::Open, None));
        assert_eq!(host.calls.load(Ordering::SeqCst), calls, "the host is not asked meanwhile");
        assert!(play.stage.ledger.facts(&waiting.id).await.unwrap().is_empty());
        assert_eq!(play.stage.ledger.attempts(&waiting.place).await.unwrap(), 0);
        // Asked now and then: at first every 15 s, later a twentieth of the time that it has been down.
        let asked = registry.asked(NPM);
        assert!((30..70).contains(&asked), "{asked}");
        // Each question is known with what came of it.
        let known = async || play.stage.ledger.latency(NPM, i64::MIN, i64::MAX).await.unwrap().unwrap();
        let silent = known().await;
        // Two of the same moment are one.
        assert!((asked as u64 - 3..=asked as u64).contains(&silent.asked), "{asked}: {silent:?}");
        assert_eq!((silent.last, silent.took), (None, None));
        registry.set(NPM, false);
        play.pass(70_000).await;
        assert_eq!(host.reruns(RUN), 1);
        host.end(RUN, Conclusion::Success);
        play.pass(5 * MINUTE).await;
        let healed = play.stage.closed().await;
        assert_eq!(outcome(&healed), ("healed", ""));
        let well = known().await;
        assert!(well.last.is_some() && well.took.is_some_and(|took| took.n >= 2), "{well:?}");
        let breakers = play.stage.ledger.breakers(play.stage.config.breaker, now()).await.unwrap();
        assert!(breakers.iter().all(|one| one.state == BreakerState::Closed && one.failures == 0));
        // One repository's trouble is no outage to be told.
        assert_eq!(play.began_and_ended(), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn the_same_at_several_repositories_is_one_outage_that_one_node_looks_after() {
    here(async {
        let play = Play::new(Mode::Auto, 3).await;
        let (host, registry) = (play.stage.host.clone(), play.stage.remotes.clone());
        registry.set(NPM, true);
        for run in 1..=9 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        play.pass(5 * MINUTE).await;
        assert_eq!(play.began_and_ended(), (1, 0));
        let asked = registry.asked(NPM);
        assert!(asked <= 9 + 20, "{asked}: three nodes ask no more than one");
        assert!((1..=9).all(|run| host.reruns(run) == 0));
        registry.set(NPM, false);
        play.pass(MINUTE).await;
        assert_eq!(play.began_and_ended(), (1, 1));
        assert!((1..=9).all(|run| host.reruns(run) == 1));
        // The next one's trouble is its own.
        play.fails("octo/r10", 10, NETWORK).await;
        play.settle().await;
        assert_eq!((host.reruns(10), play.began_and_ended()), (1, (1, 1)));
        let over = play.stage.ledger.outages(9).await.unwrap();
        assert!(matches!(over.as_slice(), [one] if one.service == NPM && one.ended_at.is_some()), "{over:?}");
        assert!(play.stage.ledger.audit_verify(None).await.unwrap().is_sound());
    })
    .await;
}

#[tokio::test]
async fn where_the_service_answers_here_and_not_there_the_jobs_word_counts_once_there_are_enough() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let host = play.stage.host.clone();
        for run in 1..=3 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
            play.settle().await;
        }
        // The third makes it an outage, before anything runs again of it.
        assert_eq!([host.reruns(1), host.reruns(2), host.reruns(3)], [1, 1, 0]);
        play.pass(MINUTE).await;
        assert_eq!((host.reruns(3), play.began_and_ended()), (1, (1, 1)));
    })
    .await;
}

#[tokio::test]
async fn observed_repositories_count_and_nothing_is_done_in_them() {
    here(async {
        let play = Play::new(Mode::Observe, 1).await;
        play.stage.remotes.set(NPM, true);
        for run in 1..=3 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        assert_eq!(play.began_and_ended(), (1, 0));
        let all = play.stage.incidents().await;
        assert!(all.iter().all(|one| outcome(one) == ("suggested", "mode-observe")), "{all:#?}");
        // The same repository again and again is no outage, and a fork's word is none.
        let other = Play::new(Mode::Observe, 1).await;
        for run in 1..=5 {
            other.fails("octo/r1", run, NETWORK).await;
        }
        for run in 6..=9 {
            other.stage.host.fail(run, &[("build", NETWORK)]);
            other.stage.host.make_fork(run);
            let repository = Repository::parse(&format!("octo/f{run}")).unwrap();
            other.stage.hook_of(repository, &run.to_string(), run, 1, Conclusion::Failure).await;
        }
        other.settle().await;
        assert_eq!(other.began_and_ended(), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn who_waits_too_long_is_given_back_to_people() {
    here(async {
        let mut play = Play::new(Mode::Auto, 0).await;
        play.stage.config.outage.wait_ms = 10 * MINUTE;
        play.nodes.push(play.node(play.stage.ledger.clone()));
        play.stage.remotes.set(NPM, true);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        play.pass(9 * MINUTE).await;
        assert_eq!(play.stage.incidents().await[0].state, State::Open);
        play.pass(MINUTE + 1_000).await;
        assert_eq!(outcome(&play.stage.closed().await), ("suggested", "service-down"));
        assert_eq!(play.stage.host.reruns(RUN), 0);
        // Nobody waits and nobody meets it any more: the service is no longer looked after.
        play.pass(15 * MINUTE).await;
        assert_eq!(play.stage.ledger.outage_at(NPM).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_a_person_sent_off_again_waits_for_nothing() {
    // Told with its attempt, and without, as GitLab tells.
    for attempt in [Some(2), None] {
        here(async {
            let play = Play::new(Mode::Auto, 1).await;
            let host = play.stage.host.clone();
            play.stage.remotes.set(NPM, true);
            play.fails("octo/shop", RUN, NETWORK).await;
            play.settle().await;
            host.again_by_hand(RUN);
            host.end(RUN, Conclusion::Success);
            let run = RunRef { repository: Repository::parse("octo/shop").unwrap(), run_id: RUN };
            let told = Task::Run { sender: Sender::GitHub, ended: EndedRun { run, attempt } };
            let told = told.listed(1).once_more("again");
            play.stage.ledger.enqueue(&[told.work()]).await.unwrap();
            play.settle().await;
            let all = play.stage.incidents().await;
            assert_eq!(all[0].outcome.as_deref(), Some("left-alone"), "{attempt:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_node_that_is_cut_off_holds_nobody_up() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.stage.remotes.cut_off.store(true, Ordering::SeqCst);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        assert_eq!(play.stage.host.reruns(RUN), 1);
        // Known by the jobs alone, it is over when no job meets it any more.
        for run in 1..=3 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        play.pass(9 * MINUTE).await;
        assert_eq!(play.began_and_ended(), (1, 0));
        play.pass(4 * MINUTE).await;
        assert_eq!(play.began_and_ended(), (1, 1));
        assert!((1..=3).all(|run| play.stage.host.reruns(run) <= 1));
        assert_eq!(play.stage.host.reruns(3), 1);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_refuses_this_node_alone_holds_nobody_up() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        play.stage.remotes.limited.store(true, Ordering::SeqCst);
        play.fails("octo/shop", RUN, NETWORK).await;
        play.settle().await;
        assert_eq!(play.stage.host.reruns(RUN), 1);
    })
    .await;
}

#[tokio::test]
async fn when_the_service_falls_again_in_the_middle_of_the_drain_the_rest_waits_on() {
    here(async {
        let mut play = Play::new(Mode::Auto, 0).await;
        play.stage.config.outage.policy.per_minute = 6;
        for _ in 0..2 {
            play.nodes.push(play.node(open(play.stage.folder.path()).await));
        }
        let (host, registry) = (play.stage.host.clone(), play.stage.remotes.clone());
        let gone = || (1..=12).filter(|run| host.reruns(*run) > 0).count();
        registry.set(NPM, true);
        for run in 1..=12 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        play.pass(MINUTE).await;
        registry.set(NPM, false);
        play.pass(MINUTE).await;
        let before = gone();
        assert!((1..=9).contains(&before), "{before}");
        registry.set(NPM, true);
        // What was seen lately counts for ten seconds.
        play.pass(11_000).await;
        let fallen = gone();
        play.pass(3 * MINUTE).await;
        assert!(fallen <= before + 2 && gone() == fallen, "{before} {fallen} {}", gone());
        registry.set(NPM, false);
        play.pass(4 * MINUTE).await;
        assert!((1..=12).all(|run| host.reruns(run) == 1));
    })
    .await;
}

/// As [`NETWORK`], with hosts that an attacker may choose.
const HOSTILE: &str = "\
2026-11-29T09:00:01.0000000Z ##[group]Run npm ci
2026-11-29T09:00:01.1000000Z npm ci
2026-11-29T09:00:01.3000000Z ##[endgroup]
2026-11-29T09:03:20.0000000Z npm error code ECONNRESET
2026-11-29T09:03:20.1000000Z npm error network request to https://169.254.169.254/latest/meta-data failed, reason: read ECONNRESET
2026-11-29T09:03:20.2000000Z npm error network request to https://registry.npmjs.org@evil.example/x failed, reason: read ECONNRESET
2026-11-29T09:03:20.5000000Z ##[error]Process completed with exit code 1.
";

#[tokio::test]
async fn a_log_makes_nobody_ask_a_host_of_its_choosing() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        for run in 1..=4 {
            play.fails(&format!("octo/r{run}"), run, HOSTILE).await;
        }
        play.settle().await;
        let asked = play.stage.remotes.asked.lock().unwrap().clone();
        assert!(asked.is_empty(), "{asked:?}");
        // Nor is it an outage of anybody's: they run again.
        assert!((1..=4).all(|run| play.stage.host.reruns(run) == 1));
    })
    .await;
}

#[tokio::test]
async fn a_node_that_dies_over_an_outage_is_followed_by_another() {
    here(async {
        let play = Play::new(Mode::Auto, 1).await;
        let (ledger, registry) = (&play.stage.ledger, play.stage.remotes.clone());
        registry.set(NPM, true);
        for run in 1..=4 {
            play.fails(&format!("octo/r{run}"), run, NETWORK).await;
        }
        play.settle().await;
        // Another node takes the outage, and is never heard of again.
        NOW.set(now() + 20_000);
        let dead = ledger.claim(&["outage"], "dead", MINUTE, now()).await.unwrap().unwrap();
        registry.set(NPM, false);
        play.pass(50_000).await;
        assert!((1..=4).all(|run| play.stage.host.reruns(run) == 0));
        play.pass(MINUTE).await;
        assert!((1..=4).all(|run| play.stage.host.reruns(run) == 1));
        assert_eq!(play.began_and_ended(), (1, 1));
        // It wakes, and can write nothing.
        let outage = ledger.outages(1).await.unwrap().remove(0).id;
        assert!(ledger.under(&dead).end_outage(&outage, |_| Vec::new(), now()).await.is_err());
    })
    .await;
}
