//! A plan at the CI host, begun or gone on with, to its end or to where it has to wait.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use regreen_domain::{Outcome, Plan, Verification, VerificationFactor};
use regreen_forge::{Diagnosed, RunRef, hook::Sender};
use regreen_ledger::{BreakerOutcome, Closing, Entry, JournalEntry, Ledger, LedgerError, SqlJournal};
use regreen_saga::{
    BoxFuture, Drive, Effect, Ended, Fact, Gate, Journal, JournalError, StepEvent, execute, roll_back,
};
use regreen_steps::{Host, may_be_lost, remote_kinds};
use tokio::time::timeout;

use crate::{
    error::EngineError,
    fleet::{Fleet, FleetConfig, Hand, Next, decided::breaker_key, paused::is_paused, settled},
    playbooks::prepare_plan,
};

/// How often the kill switch is looked at while something is under way.
const GLANCE: Duration = Duration::from_millis(500);
/// Longest that a look may take: together it is less than two seconds.
const LONGEST_GLANCE: Duration = Duration::from_millis(1_200);

/// What is acted upon.
pub(super) struct Case<'a> {
    pub(super) run: &'a RunRef,
    pub(super) attempt: u32,
    pub(super) commit: &'a str,
    pub(super) incident: &'a str,
    pub(super) plan: &'a Plan,
    /// Nothing more is sent: what was allowed when it was begun is not any more. It is only looked for.
    pub(super) only_looks: bool,
    /// It is taken back for the last time: a host that refuses that too does not make it wait any longer.
    pub(super) gives_up: bool,
}

/// The kill switch, as it was seen last.
#[derive(Default)]
struct Switch {
    paused: AtomicBool,
    /// It could not be read, or not in time: it may say no.
    unread: AtomicBool,
}

impl Gate for Switch {
    fn may_act(&self) -> Result<(), String> {
        if self.paused.load(Ordering::SeqCst) {
            return Err("healing was paused".to_owned());
        }
        if self.unread() { Err("the kill switch can't be read".to_owned()) } else { Ok(()) }
    }
}

impl Switch {
    fn unread(&self) -> bool {
        self.unread.load(Ordering::SeqCst)
    }

    async fn look(&self, ledger: &Ledger, host: Sender, repository: &str) -> Result<(), LedgerError> {
        let paused = is_paused(ledger, host, repository).await?;
        self.paused.store(paused, Ordering::SeqCst);
        Ok(())
    }

    async fn watch(&self, ledger: &Ledger, host: Sender, repository: &str) -> Infallible {
        loop {
            tokio::time::sleep(GLANCE).await;
            let read = timeout(LONGEST_GLANCE, self.look(ledger, host, repository)).await;
            self.unread.store(!matches!(read, Ok(Ok(()))), Ordering::SeqCst);
        }
    }
}

/// A journal that takes nothing more once the host can't be asked for now, or once it could not keep something itself: what
/// was begun then stands still as it is on record, and is gone on with later, instead of being taken back.
struct StandsStill {
    record: Box<SqlJournal>,
    host: Arc<Host>,
    switch: Arc<Switch>,
    /// Nothing stands still any more: what the host refuses is on record as refused.
    gives_up: bool,
    /// Something could not be kept.
    lost: bool,
    /// It came to nothing only because the kill switch could not be read: that is no end.
    unsure: bool,
}

impl Journal for StandsStill {
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if let Some(stumbled) = self.host.stumbled().filter(|_| !self.gives_up) {
                return Err(JournalError { doing: "write", source: Box::new(stumbled) });
            }
            if matches!(fact.event, StepEvent::Failed { effect: Effect::None, .. }) && self.switch.unread() {
                self.unsure = true;
            }
            if self.lost || self.unsure {
                let source = Box::from("what came before could not be kept");
                return Err(JournalError { doing: "write", source });
            }
            let kept = self.record.append(fact).await;
            self.lost = kept.is_err();
            kept
        })
    }

    fn read(&mut self) -> BoxFuture<'_, Result<Vec<Fact>, JournalError>> {
        self.record.read()
    }
}

impl Fleet {
    /// Carries the plan out, or goes on with it; or takes it back, for this reason.
    pub(super) async fn act(
        &self,
        hand: &Hand<'_>,
        case: &Case<'_>,
        drive: Drive,
        back: Option<&str>,
    ) -> Result<Next, EngineError> {
        let &Case { run, attempt, commit, incident, plan, only_looks, gives_up } = case;
        let (ledger, repository) = (hand.ledger, run.repository.as_str());
        let on_record = ledger.incident(incident).await?;
        let on_record = on_record.ok_or_else(|| LedgerError::UnknownIncident { id: incident.to_owned() })?;
        let diagnosis = on_record.diagnosis.to_domain();
        let diagnosis = diagnosis.ok_or_else(|| {
            EngineError::Catalog("the diagnosis on record is of a later version".to_owned())
        })?;
        let key = breaker_key(&diagnosis, repository);
        let facts = ledger.facts(incident).await?;
        if facts.is_empty() {
            let entry = ledger.breaker_enter(&key, self.config.breaker, incident, (hand.now)()).await?;
            if let Entry::Refused { .. } = entry {
                let closing = Closing::new(Outcome::Suggested);
                ledger.close(incident, hand.owner, &closing, (hand.now)()).await?;
                return Ok(settled(Some(incident), Some(Outcome::Suggested), "breaker-open".to_owned()));
            }
        }
        let diagnosed = Diagnosed { run: run.clone(), head_sha: commit.to_owned(), attempt };
        let switch = Arc::new(Switch::default());
        let watched = switch.clone();
        let host = Host::new(self.forge.clone(), diagnosed)
            .only_while(move || !only_looks && watched.may_act().is_ok());
        let host = Arc::new(host);
        let steps = prepare_plan(plan, &remote_kinds(&host))?;
        let record = Box::new(ledger.journal(incident, hand.owner, hand.now));
        let mut journal = StandsStill {
            record,
            host: host.clone(),
            switch: switch.clone(),
            gives_up,
            lost: false,
            unsure: false,
        };
        switch.look(ledger, self.sender, repository).await?;
        let driven = async {
            match back {
                Some(why) => roll_back(incident, &steps, &mut journal, why).await,
                None => execute(incident, &steps, &mut journal, &*switch, drive).await,
            }
        };
        let ended = tokio::select! {
            biased;
            ended = driven => ended,
            never = switch.watch(ledger, self.sender, repository) => match never {},
        };
        let facts = ledger.facts(incident).await?;
        let applied = Applied::of(&facts);
        let in_vain = match &ended {
            Ok(Ended::Waits { .. }) => self.in_vain(applied.as_ref(), host.shows_no_trace(), (hand.now)()),
            _ => None,
        };
        let ended = match in_vain {
            Some(why) => roll_back(incident, &steps, &mut journal, why).await,
            None => ended,
        };
        let ended = match (ended, host.stumbled()) {
            (Err(_), Some(stumbled)) if !journal.lost => return Ok(self.stumbled(&stumbled, (hand.now)())),
            (Err(_), None) if journal.unsure => {
                let at = (hand.now)().saturating_add(self.config.stumble_ms);
                return Ok(Next::Later { at, why: "the kill switch can't be read".to_owned() });
            }
            (ended, _) => ended?,
        };
        let (outcome, why) = match ended {
            Ended::Waits { why } => {
                self.tell_there(hand, incident).await?;
                let now = (hand.now)();
                return Ok(Next::Later { at: now.saturating_add(self.patience(applied.as_ref(), now)), why });
            }
            Ended::Verified => {
                (Outcome::Healed, "every failed job ended well in the next attempt".to_owned())
            }
            Ended::RolledBack { why } => (Outcome::RolledBack, why),
            Ended::Stuck { why } => (Outcome::Stuck, why),
        };
        let facts = ledger.facts(incident).await?;
        let lowered = only_looks && !gives_up && Applied::of(&facts).is_none();
        let why = if lowered { LOWERED.to_owned() } else { self.masker.mask(&why).into_owned() };
        let closing = Closing {
            verification: Some(verification(outcome, &why)),
            command_ms: host.ran_ms(),
            ..timed(outcome, &facts)
        };
        let verdict = match outcome {
            Outcome::Healed => BreakerOutcome::Success,
            _ if lowered => BreakerOutcome::Abandoned,
            // A person's wish says nothing about the playbook.
            _ if back.is_some() => BreakerOutcome::Abandoned,
            _ if !has_acted(&facts) || in_vain == Some(NEVER_ARRIVED) => BreakerOutcome::Abandoned,
            _ => BreakerOutcome::Failure,
        };
        // Who closes it tells the breaker, and nobody else: of several hands only one can.
        ledger.close(incident, hand.owner, &closing, (hand.now)()).await?;
        ledger.breaker_outcome(&key, incident, verdict, (hand.now)()).await?;
        self.tell_there(hand, incident).await?;
        Ok(settled(Some(incident), Some(outcome), why))
    }

    /// Until when what was applied is followed although the host does not let it be seen or cancelled: for as long as an attempt
    /// may take, and for as long again as work is kept. `None` where nothing was applied.
    pub(super) fn followed_until(&self, facts: &[JournalEntry]) -> Option<i64> {
        let at = Applied::of(facts)?.at;
        Some(at.saturating_add(self.config.wait_ms).saturating_add(self.config.give_up_ms))
    }

    /// Why it is waited for no longer.
    fn in_vain(&self, applied: Option<&Applied>, no_trace: bool, now: i64) -> Option<&'static str> {
        let age = now.saturating_sub(applied?.at);
        match age {
            _ if no_trace && age > self.config.lost_ms => Some(NEVER_ARRIVED),
            _ if age > self.config.wait_ms => Some("the next attempt did not end in time"),
            _ => None,
        }
    }

    /// How long until the next look: what may have been lost is looked for soon, and less often as time goes by.
    fn patience(&self, applied: Option<&Applied>, now: i64) -> i64 {
        let FleetConfig { look_ms, stumble_ms, .. } = self.config;
        match applied.filter(|applied| applied.may_be_lost) {
            Some(applied) => now.saturating_sub(applied.at).clamp(stumble_ms.min(look_ms), look_ms),
            None => look_ms,
        }
    }
}

/// What is said of a request of which the host has no trace.
const NEVER_ARRIVED: &str = "the request to the host was lost; it was not sent again";

/// What is said of a request that was begun under a mode or a deny list which holds no longer.
const LOWERED: &str = "the mode or the deny list does not allow it any more; nothing was sent";

/// The act, as it is on record.
struct Applied {
    at: i64,
    /// Its answer was lost.
    may_be_lost: bool,
}

/// Whether what was wanted is done, or may be: then it is brought to its end.
pub(super) fn is_applied(facts: &[JournalEntry]) -> bool {
    Applied::of(facts).is_some()
}

impl Applied {
    fn of(facts: &[JournalEntry]) -> Option<Applied> {
        facts.iter().rev().find_map(|entry| match &entry.fact.event {
            StepEvent::Applied { receipt } => {
                Some(Applied { at: entry.at, may_be_lost: may_be_lost(receipt) })
            }
            _ => None,
        })
    }
}

/// Whether anything may have been done at the host.
fn has_acted(facts: &[JournalEntry]) -> bool {
    let mut acted = false;
    for entry in facts {
        match &entry.fact.event {
            StepEvent::Applied { .. } => return true,
            StepEvent::Started => acted = true,
            StepEvent::Failed { effect: Effect::None, .. } => acted = false,
            _ => {}
        }
    }
    acted
}

fn verification(outcome: Outcome, why: &str) -> Verification {
    let factor = VerificationFactor {
        name: "jobs-green".to_owned(),
        held: Some(outcome == Outcome::Healed),
        says: why.to_owned(),
    };
    Verification { factors: vec![factor] }
}

/// The end, with how long acting and waiting for the next attempt took.
fn timed(outcome: Outcome, facts: &[JournalEntry]) -> Closing {
    let at = |event: fn(&StepEvent) -> bool| facts.iter().find(|e| event(&e.fact.event)).map(|e| e.at);
    let prepared = facts.first().map(|entry| entry.at);
    let applied = at(|event| matches!(event, StepEvent::Applied { .. }));
    let last = facts.last().map(|entry| entry.at);
    let between = |from: Option<i64>, to: Option<i64>| u64::try_from(to?.saturating_sub(from?)).ok();
    Closing { act_ms: between(prepared, applied), verify_ms: between(applied, last), ..Closing::new(outcome) }
}
