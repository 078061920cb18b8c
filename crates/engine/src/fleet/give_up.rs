//! The end of what nobody can bring to its end: the host has not let it be done for so long, or does not know the run any more.
//!
//! What is open is closed as it stands, and never as healed: where nothing was begun, as what was decided; what was begun is
//! taken back, and where that can't be done either a person is called.

use regreen_domain::Outcome;
use regreen_forge::{ForgeError, RunRef};
use regreen_ledger::{BreakerOutcome, Closing, Incident, State};
use regreen_saga::Drive;

use crate::{
    error::EngineError,
    fleet::{
        EndedRun, Fleet, Hand, Next, act, approval::run_of, decided::breaker_key, heals, run_prefix, settled,
    },
};

/// An incident that was closed because its work can't be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// Its id.
    pub incident: String,
    /// How it ended.
    pub outcome: Outcome,
}

/// What came of giving work up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// It can be: this was closed.
    Now(Vec<Unfinished>),
    /// Something of it is under way, or in other hands: not before this time, in milliseconds since 1970.
    NotYet(i64),
}

impl Fleet {
    /// Closes what is open of a run whose work is given up for this reason, up to the attempt that it is about. What runs
    /// again is followed to the end of its time, and cancelled for as long again; an open question waits for its answer.
    ///
    /// # Errors
    /// [`EngineError`]: nothing more was done than what is on record; worth trying again.
    pub async fn give_up(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        why: &str,
    ) -> Result<GivenUp, EngineError> {
        self.close_all(hand, ended, why, true).await
    }

    async fn close_all(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        why: &str,
        follow: bool,
    ) -> Result<GivenUp, EngineError> {
        let run = RunRef { repository: ended.run.repository.folded(), run_id: ended.run.run_id };
        let mut closed = Vec::new();
        for incident in hand.ledger.incidents_of(&run_prefix(&run)).await? {
            let Some((sender, of, attempt)) = run_of(&incident) else { continue };
            let others = sender != self.sender || of.repository.folded() != run.repository;
            if others || ended.attempt.is_some_and(|last| attempt > last) {
                continue;
            }
            if incident.state == State::Closed {
                // Whoever closed it may have died before anybody was told; said again it is as once.
                self.tell(hand, self.sender.id(), &incident.id).await?;
                continue;
            }
            match self.end_unfinished(hand, (&run, attempt), &incident.id, why, follow).await? {
                Ok(None) => {}
                Ok(Some(outcome)) => {
                    // At once: where a later one has to wait, or this node dies, it is not met again.
                    self.tell(hand, self.sender.id(), &incident.id).await?;
                    closed.push(Unfinished { incident: incident.id, outcome });
                }
                Err(at) => return Ok(GivenUp::NotYet(at)),
            }
        }
        Ok(GivenUp::Now(closed))
    }

    /// A run of which the host does not even say at which attempt it is. Where it never will, what is open of it is closed.
    pub(super) async fn unseen(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        error: &ForgeError,
    ) -> Result<Next, EngineError> {
        let next = self.stumbled(error, (hand.now)());
        let Next::Done(settled_as) = &next else { return Ok(next) };
        Ok(match self.close_all(hand, ended, &settled_as.why, false).await? {
            GivenUp::Now(closed) => match closed.first() {
                Some(one) => settled(Some(&one.incident), Some(one.outcome), settled_as.why.clone()),
                None => next,
            },
            GivenUp::NotYet(at) => Next::Stumbled { at, why: settled_as.why.clone() },
        })
    }

    /// How the incident was closed, if it was open; or when to try again.
    async fn end_unfinished(
        &self,
        hand: &Hand<'_>,
        (run, attempt): (&RunRef, u32),
        id: &str,
        why: &str,
        follow: bool,
    ) -> Result<Result<Option<Outcome>, i64>, EngineError> {
        let (ledger, now) = (hand.ledger, (hand.now)());
        if let Some(at) = self.take(hand, id).await? {
            return Ok(Err(at));
        }
        let Some(incident) = ledger.incident(id).await? else { return Ok(Ok(None)) };
        match incident.state {
            State::Closed => return Ok(Ok(None)),
            State::AwaitingApproval | State::Approved => {
                return Ok(match incident.waits_until().filter(|until| now < *until) {
                    Some(until) => Err(until),
                    None if ledger.expire(id, hand.owner, now).await? => Ok(Some(Outcome::Suggested)),
                    None => Err(now.saturating_add(self.config.look_ms)),
                });
            }
            State::Open => {}
        }
        let facts = ledger.facts(id).await?;
        let Some(plan) = incident.plan().filter(|_| !facts.is_empty()) else {
            return self.close_unbegun(hand, &incident).await.map(|outcome| Ok(Some(outcome)));
        };
        if let Some(until) = self.followed_until(&facts).filter(|until| follow && now < *until) {
            return Ok(Err(until));
        }
        let commit = incident.place.commit.clone().unwrap_or_default();
        let case = act::Case {
            run,
            attempt,
            commit: &commit,
            incident: id,
            plan: &plan,
            only_looks: true,
            gives_up: true,
        };
        let why = format!("given up: {why}");
        Ok(match self.act(hand, &case, Drive::Resume, Some(&why)).await? {
            Next::Done(done) => Ok(done.outcome),
            Next::Later { at, .. } | Next::Taken { at } | Next::Stumbled { at, .. } => Err(at),
        })
    }

    /// The end of an incident of which nothing was begun.
    async fn close_unbegun(&self, hand: &Hand<'_>, incident: &Incident) -> Result<Outcome, EngineError> {
        let (ledger, id, now) = (hand.ledger, incident.id.as_str(), (hand.now)());
        let suggests = incident.decision.as_ref().is_some_and(|decision| decision.action == "suggest");
        let outcome = if suggests || heals(incident) { Outcome::Suggested } else { Outcome::LeftAlone };
        ledger.close(id, hand.owner, &Closing::new(outcome), now).await?;
        ledger.wait_over(id, now).await?;
        // It may have been let in as the probe.
        if let Some(diagnosis) = incident.diagnosis.to_domain().filter(|_| heals(incident)) {
            let key = breaker_key(&diagnosis, incident.place.repository.as_deref().unwrap_or_default());
            ledger.breaker_outcome(&key, id, BreakerOutcome::Abandoned, now).await?;
        }
        Ok(outcome)
    }
}
