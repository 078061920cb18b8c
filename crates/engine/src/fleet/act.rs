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
use regreen_forge::{Diagnosed, RunRef};
use regreen_ledger::{BreakerOutcome, Closing, Entry, JournalEntry, Ledger, LedgerError, SqlJournal};
use regreen_saga::{
    BoxFuture, Drive, Ended, Fact, Gate, Journal, JournalError, StepEvent, execute, roll_back,
};
use regreen_steps::{Host, remote_kinds};

use crate::{
    error::EngineError,
    fleet::{
        Fleet, Hand, Next,
        decided::{ALL, breaker_key, scope},
        settled,
    },
    playbooks::prepare_plan,
};

/// How often the kill switch is looked at while something is under way.
const GLANCE: Duration = Duration::from_millis(500);

/// What is acted upon.
pub(super) struct Case<'a> {
    pub(super) run: &'a RunRef,
    pub(super) attempt: u32,
    pub(super) commit: &'a str,
    pub(super) incident: &'a str,
    pub(super) plan: &'a Plan,
}

/// The kill switch, as it was seen last.
struct Switch {
    paused: AtomicBool,
}

impl Gate for Switch {
    fn may_act(&self) -> Result<(), String> {
        if self.paused.load(Ordering::SeqCst) { Err("healing was paused".to_owned()) } else { Ok(()) }
    }
}

impl Switch {
    async fn look(&self, ledger: &Ledger, repository: &str) {
        let paused = match (ledger.paused(ALL).await, ledger.paused(&scope(repository)).await) {
            (Ok(all), Ok(one)) => all.is_some() || one.is_some(),
            // What can't be read may say no.
            _ => true,
        };
        self.paused.store(paused, Ordering::SeqCst);
    }

    async fn watch(&self, ledger: &Ledger, repository: &str) -> Infallible {
        loop {
            tokio::time::sleep(GLANCE).await;
            self.look(ledger, repository).await;
        }
    }
}

/// A journal that takes nothing more once the host can't be asked for now, or once it could not keep something itself: what
/// was begun then stands still as it is on record, and is gone on with later, instead of being taken back.
struct StandsStill {
    record: Box<SqlJournal>,
    host: Arc<Host>,
    /// Something could not be kept.
    lost: bool,
}

impl Journal for StandsStill {
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>> {
        Box::pin(async move {
            if let Some(stumbled) = self.host.stumbled() {
                return Err(JournalError { doing: "write", source: Box::new(stumbled) });
            }
            if self.lost {
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
    /// Carries the plan out, or goes on with it.
    pub(super) async fn act(
        &self,
        hand: &Hand<'_>,
        case: &Case<'_>,
        drive: Drive,
    ) -> Result<Next, EngineError> {
        let &Case { run, attempt, commit, incident, plan } = case;
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
        let host = Arc::new(Host::new(self.forge.clone(), diagnosed));
        let steps = prepare_plan(plan, &remote_kinds(&host))?;
        let record = Box::new(ledger.journal(incident, hand.owner, hand.now));
        let mut journal = StandsStill { record, host: host.clone(), lost: false };
        let switch = Switch { paused: AtomicBool::new(true) };
        switch.look(ledger, repository).await;
        let ended = tokio::select! {
            biased;
            ended = execute(incident, &steps, &mut journal, &switch, drive) => ended,
            never = switch.watch(ledger, repository) => match never {},
        };
        let ended = match (ended, host.stumbled()) {
            (Err(_), Some(stumbled)) if !journal.lost => return Ok(self.stumbled(&stumbled, (hand.now)())),
            (Ok(Ended::Waits { .. }), _) if self.took_too_long(&facts, (hand.now)()) => {
                let mut journal = ledger.journal(incident, hand.owner, hand.now);
                roll_back(incident, &steps, &mut journal, "the next attempt did not end in time").await?
            }
            (ended, _) => ended?,
        };
        let (outcome, why) = match ended {
            Ended::Waits { why } => {
                let at = (hand.now)().saturating_add(self.config.look_ms);
                return Ok(Next::Later { at, why });
            }
            Ended::Verified => {
                (Outcome::Healed, "every failed job ended well in the next attempt".to_owned())
            }
            Ended::RolledBack { why } => (Outcome::RolledBack, why),
            Ended::Stuck { why } => (Outcome::Stuck, why),
        };
        let why = self.masker.mask(&why).into_owned();
        let facts = ledger.facts(incident).await?;
        let closing = Closing { verification: Some(verification(outcome, &why)), ..timed(outcome, &facts) };
        let verdict = match outcome {
            Outcome::Healed => BreakerOutcome::Success,
            _ if !has_acted(&facts) => BreakerOutcome::Abandoned,
            _ => BreakerOutcome::Failure,
        };
        // Who closes it tells the breaker, and nobody else: of several hands only one can.
        ledger.close(incident, hand.owner, &closing, (hand.now)()).await?;
        ledger.breaker_outcome(&key, incident, verdict, (hand.now)()).await?;
        Ok(settled(Some(incident), Some(outcome), why))
    }

    fn took_too_long(&self, facts: &[JournalEntry], now: i64) -> bool {
        let applied = |entry: &&JournalEntry| matches!(entry.fact.event, StepEvent::Applied { .. });
        let since = facts.iter().rev().find(applied).map(|entry| entry.at);
        since.is_some_and(|since| now.saturating_sub(since) > self.config.wait_ms)
    }
}

fn has_acted(facts: &[JournalEntry]) -> bool {
    facts.iter().any(|entry| entry.fact.event == StepEvent::Started)
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
