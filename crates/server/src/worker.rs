//! The worker: takes work on a lease, keeps the lease while it works, and says how it ended.

mod calls;
mod command;
mod job;
mod part;
mod prune;
mod settle;
mod stumbling;
mod sweep;
mod told;
mod upkeep;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicI64},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_engine::{ESCALATION, EndedRun, EngineError, Fleet, Hand, Next, OUTAGE, Settled};
use regreen_forge::hook::Sender;
use regreen_ledger::{Claim, Ledger, LedgerError};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};

pub use self::part::Part;
use crate::{
    happening::{Happening, Log},
    memory::chain,
    task::{Listed, Task},
};

/// How work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Which work.
    pub part: Part,
    /// Pieces of work at once.
    pub at_once: usize,
    /// How long a lease lasts: so long it takes until another node goes on with what a dead one had.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again, where no bell rings: that of its own process, or on PostgreSQL that
    /// of all nodes.
    pub idle: Duration,
    /// Longest wait before something that failed is tried again.
    pub again: Duration,
    /// Longest wait before work is tried again that a host does not let be done.
    pub stumble: Duration,
    /// Work that a host has not let be done for so long is given up.
    pub give_up: Duration,
    /// Longest that a stop waits for work under way.
    pub drain: Duration,
    /// Longest that a request to a host can be under way after whoever sent it has let go of it.
    pub request: Duration,
    /// How far a sweep looks back.
    pub look_back: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            part: Part::All,
            at_once: 4,
            lease: Duration::from_secs(60),
            idle: Duration::from_secs(2),
            again: Duration::from_secs(60),
            stumble: Duration::from_secs(3600),
            give_up: Duration::from_secs(24 * 3600),
            drain: Duration::from_secs(20),
            request: Duration::from_secs(40),
            look_back: Duration::from_secs(24 * 3600),
        }
    }
}

/// Time until work is looked at again for which another node may have the credential, in milliseconds.
const LONGEST_WAIT: i64 = 60_000;
/// A day, in milliseconds.
pub(crate) const DAY: i64 = 24 * 3_600_000;
/// Until the list of work is asked again after that failed.
const FAILED: Duration = Duration::from_secs(1);
/// Longest that a stop waits for what was claimed unheard to be given back, where the ledger does not answer.
const GIVE_BACK: Duration = Duration::from_secs(2);
/// So often something may be begun, waits included, before it is given up.
const MOST_ATTEMPTS: u32 = 2_000;

/// Does work.
pub struct Worker {
    ledger: Ledger,
    fleets: BTreeMap<Sender, Arc<Fleet>>,
    /// Unique for each start of the program.
    node: String,
    pace: Pace,
    log: Arc<dyn Log>,
    bell: Arc<Notify>,
    clock: fn() -> i64,
    /// What is under way, by the work's number.
    held: Mutex<BTreeMap<i64, Claim>>,
    /// When what was asked of the hosts was last added to what all nodes asked, in milliseconds since 1970.
    calls_kept: AtomicI64,
    /// How often in a row something failed here, by the work's number.
    failures: Mutex<BTreeMap<i64, u32>>,
}

/// How a piece of work ended.
enum Ended {
    /// For good, in these words; and what is to be done next.
    Done(String, Vec<Listed>),
    /// It can't be done, for this reason.
    GivenUp(String),
    /// It is to be tried again at this time.
    Again(i64),
    /// It waits for something that comes, and is looked at again at this time.
    Waits(i64),
    /// The host does not let it be done, for this reason: it is tried again, not before this time, and not for ever.
    Stumbled(i64, String),
}

impl Worker {
    /// A worker on this ledger, for these hosts.
    pub fn new(
        ledger: Ledger,
        fleets: BTreeMap<Sender, Arc<Fleet>>,
        node: String,
        pace: Pace,
        log: Arc<dyn Log>,
        bell: Arc<Notify>,
    ) -> Arc<Worker> {
        Worker::by_clock(ledger, fleets, node, pace, log, bell, now)
    }

    /// As [`Worker::new`], by another clock than the machine's, in milliseconds since 1970: for simulations.
    pub fn by_clock(
        ledger: Ledger,
        fleets: BTreeMap<Sender, Arc<Fleet>>,
        node: String,
        pace: Pace,
        log: Arc<dyn Log>,
        bell: Arc<Notify>,
        clock: fn() -> i64,
    ) -> Arc<Worker> {
        Arc::new(Worker {
            ledger,
            fleets,
            node,
            pace,
            log,
            bell,
            clock,
            held: Mutex::default(),
            calls_kept: AtomicI64::new(0),
            failures: Mutex::default(),
        })
    }

    /// Takes one piece of work that is ready and brings it as far as it can be brought now; `false` where there is none.
    ///
    /// # Errors
    /// Where the list of work can't be asked.
    pub async fn step(&self) -> Result<bool, LedgerError> {
        let Some(claim) = self.claim().await? else { return Ok(false) };
        self.work(claim).await;
        Ok(true)
    }

    /// Takes what is ready, one piece after the other, until there is none.
    ///
    /// # Errors
    /// Where the list of work can't be asked.
    pub async fn drain(&self) -> Result<(), LedgerError> {
        while self.step().await? {}
        self.keep_calls(true).await;
        Ok(())
    }

    async fn claim(&self) -> Result<Option<Claim>, LedgerError> {
        let kinds = self.pace.part.kinds();
        self.ledger.claim(kinds, &self.node, millis(self.pace.lease), (self.clock)()).await
    }

    /// Works until `stop` is ready; then ends what is under way. What does not end in time is let go, and its leases run out.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let room = Arc::new(Semaphore::new(self.pace.at_once.max(1)));
        let mut working = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        // Whether a claim may have been made of which nothing was heard.
        let mut unheard = false;
        // On a task of its own, so that it is heard while this one is busy; it ends with this one.
        let mut hearing = JoinSet::new();
        let (ledger, bell) = (self.ledger.clone(), self.bell.clone());
        hearing.spawn(async move { ledger.hear(|| bell.notify_one()).await });
        loop {
            while working.try_join_next().is_some() {}
            let next = async {
                let permit = room.clone().acquire_owned().await;
                if unheard && let Err(e) = self.give_back_unheard().await {
                    return (permit, Err(e));
                }
                (permit, self.claim().await)
            };
            let (permit, claim) = tokio::select! {
                biased;
                () = &mut stop => break,
                next = next => next,
            };
            unheard = claim.is_err();
            match claim {
                Ok(Some(claim)) => {
                    let worker = self.clone();
                    worker.held().insert(claim.id, claim.clone());
                    working.spawn(async move {
                        let id = claim.id;
                        worker.work(claim).await;
                        worker.held().remove(&id);
                        drop(permit);
                    });
                }
                Ok(None) => {
                    self.keep_calls(false).await;
                    tokio::select! {
                        () = &mut stop => break,
                        () = self.bell.notified() => {}
                        () = sleep(self.pace.idle) => {}
                    }
                }
                Err(e) => {
                    self.log.tell(&Happening::WorkUnavailable { why: chain(&e) });
                    tokio::select! {
                        () = &mut stop => break,
                        () = sleep(FAILED) => {}
                    }
                }
            }
        }
        // The stop may have come between a claim and its answer.
        drop(hearing);
        let _later = timeout(GIVE_BACK, self.give_back_unheard()).await;
        let all = async { while working.join_next().await.is_some() {} };
        let ended = timeout(self.pace.drain, all).await;
        self.keep_calls(true).await;
        if ended.is_err() {
            // Dropped where they are: what was begun is on record, and whoever takes it next goes on from there. Not at once: a
            // request to the host may be under way, and its claim lasts longer than that can.
            working.shutdown().await;
            let held = std::mem::take(&mut *self.held());
            for mut claim in held.into_values() {
                let at_least = millis(self.pace.lease.max(self.pace.request));
                // Where that fails the lease ends by itself.
                let _later = self.ledger.renew(&mut claim, at_least, (self.clock)()).await;
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<i64, Claim>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one piece of work under its claim. A lease that is lost ends it where it is.
    async fn work(&self, claim: Claim) {
        self.work_and_tell(claim).await;
        self.keep_calls(false).await;
    }

    async fn work_and_tell(&self, claim: Claim) {
        let mut lease = claim.clone();
        let ended = tokio::select! {
            ended = self.attempt(&claim) => ended,
            lost = self.hold(&mut lease) => {
                self.log.tell(&Happening::LeaseLost { key: claim.key.clone(), why: lost });
                return;
            }
        };
        self.settle(&lease, ended).await;
    }

    /// Keeps the lease; ready with the reason when it is lost.
    async fn hold(&self, claim: &mut Claim) -> String {
        loop {
            sleep(self.pace.lease / 3).await;
            // A ledger that does not answer must not make this wait past the end of its own lease.
            let renewed = timeout(
                self.pace.lease / 3,
                self.ledger.renew(claim, millis(self.pace.lease), (self.clock)()),
            );
            match renewed.await {
                Ok(Ok(())) => {}
                Ok(Err(e @ LedgerError::StaleClaim { .. })) => return chain(&e),
                // It may still be held; the fence decides.
                Ok(Err(e)) if (self.clock)() >= claim.lease_until => return chain(&e),
                Err(_) if (self.clock)() >= claim.lease_until => {
                    return "the ledger does not answer".to_owned();
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    async fn attempt(&self, claim: &Claim) -> Ended {
        let Some(task) = Task::read(&claim.kind, &claim.payload) else {
            return Ended::Done("unreadable".to_owned(), Vec::new());
        };
        match self.waits_for_calls(claim, &task).await {
            Ok(Some(ended)) => return ended,
            Ok(None) => {}
            Err(e) => return self.failed(claim, &e),
        }
        let done = match &task {
            Task::Run { sender, ended } => self.bring(claim, *sender, ended).await,
            Task::Job { sender, of } => self.hear(claim, *sender, of).await,
            Task::Command { sender, spoken } => self.obey(claim, *sender, spoken).await,
            Task::Answer { sender, reply } => Ok(self.answer(claim, *sender, reply).await),
            Task::Asked { sender, asked } => self.asked(claim, *sender, asked).await,
            Task::Sweep { sender, repository, .. } => self.sweep(*sender, repository).await,
            Task::Outage { id } => self.tend(claim, id).await,
            Task::Issue { sender, id } => self.keep_issue(claim, *sender, id).await,
            Task::Prune { keep_days, .. } => self.prune(*keep_days).await,
            Task::Told(telling) => self.tell_there(claim, telling).await,
            Task::Green { sender, ended } => self.green(claim, *sender, ended).await,
        };
        match done {
            Ok(ended) => {
                self.went_well(claim);
                ended
            }
            Err(e) => self.failed(claim, &e),
        }
    }

    async fn bring(&self, claim: &Claim, sender: Sender, ended: &EndedRun) -> Result<Ended, EngineError> {
        let Some(fleet) = self.fleets.get(&sender) else {
            return Ok(Ended::Done("no-credential".to_owned(), Vec::new()));
        };
        let ledger = self.ledger.under(claim);
        // The incident's fence: another claim of the same work has another one.
        let owner = claim.token();
        let hand = Hand { ledger: &ledger, owner: &owner, now: self.clock };
        let next = fleet.handle(&hand, ended).await?;
        match &next {
            Next::Done(Settled { incident: Some(incident), .. }) => {
                fleet.tell(&hand, sender.id(), incident).await?;
            }
            // It may have ended well.
            Next::Done(Settled { incident: None, .. }) => {
                if let Some((at, why)) = fleet.green(&hand, sender.id(), &ended.run, ended.attempt).await? {
                    return Ok(Ended::Stumbled(at, why));
                }
            }
            Next::Later { .. } | Next::Taken { .. } | Next::Stumbled { .. } => {}
        }
        Ok(match next {
            Next::Done(Settled { incident, outcome, why }) => {
                let word = outcome.map_or("nothing", regreen_domain::Outcome::id);
                self.log.tell(&Happening::RunSettled {
                    key: claim.key.clone(),
                    incident,
                    outcome: word,
                    why,
                });
                Ended::Done(word.to_owned(), Vec::new())
            }
            Next::Later { at, why } => {
                self.log.tell(&Happening::RunWaits { key: claim.key.clone(), why });
                Ended::Waits(at)
            }
            Next::Taken { at } => {
                let why = "another node works on this incident".to_owned();
                self.log.tell(&Happening::RunWaits { key: claim.key.clone(), why });
                Ended::Again(at)
            }
            Next::Stumbled { at, why } => {
                let ended = self.run_stumbled(claim, fleet, &hand, ended, (at, why)).await?;
                if let Ended::Stumbled(_, why) = &ended {
                    self.log.tell(&Happening::RunWaits { key: claim.key.clone(), why: why.clone() });
                }
                ended
            }
        })
    }

    fn failed(&self, claim: &Claim, error: &EngineError) -> Ended {
        // Somebody else goes on with the same incident: what comes of that is seen in a moment.
        if is_anothers(error) {
            return Ended::Again((self.clock)().saturating_add(millis(self.pace.idle).max(50)));
        }
        self.log.tell(&Happening::WorkFailed { key: claim.key.clone(), why: chain(error) });
        // An outage or an issue is looked after to its end, however long that takes.
        if claim.attempts >= MOST_ATTEMPTS && ![OUTAGE, ESCALATION].contains(&claim.kind.as_str()) {
            return Ended::GivenUp(chain(error));
        }
        // The ledger or the host comes back: soon at first, then less often.
        let wait = 1_000i64.saturating_mul(1 << self.failed_again(claim)).min(millis(self.pace.again));
        Ended::Again((self.clock)().saturating_add(wait))
    }
}

/// Whether the incident or the work is in other hands.
fn is_anothers(error: &EngineError) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let ledger = error.downcast_ref::<LedgerError>();
        if ledger.is_some_and(|error| {
            matches!(
                error,
                LedgerError::StaleOwner { .. }
                    | LedgerError::Conflict { .. }
                    | LedgerError::WrongState { .. }
            )
        }) {
            return true;
        }
        next = error.source();
    }
    false
}

pub(crate) fn now() -> i64 {
    since_1970(SystemTime::now())
}

fn since_1970(at: SystemTime) -> i64 {
    millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
