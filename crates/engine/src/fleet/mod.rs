//! The use-case beside the fleet: a run that ended at a CI host, from its logs to its outcome.
//!
//! The order is that of [`crate::Engine::handle`]: look, decide, act, verify; the decisions are `decide`'s, the plan is
//! executed by the same executor over the same journal. What differs: the failing workspace is gone, so a whole job runs
//! again or nothing does; and the last look comes when the host tells that the next attempt has ended, or at the latest
//! when the work is due again. No process waits in between: a run that waits is an open incident whose step is applied.

mod act;
mod answer;
mod approval;
mod calls;
mod command;
mod config;
mod control;
mod decided;
mod escalate;
mod examine;
mod foresee;
mod give_up;
mod hear;
mod issue_text;
mod jobs;
mod keep;
mod notice;
mod outage;
mod owners;
mod paused;
mod service;
mod told;

use std::sync::Arc;

use regreen_domain::{Decision, Mode, Outcome, Refusal};
use regreen_forge::{Forge, ForgeError, RunRef, hook::Sender};
use regreen_ledger::{APPROVAL_LASTS_MS, Closing, Incident, Ledger, NewIncident, Place, State};
use regreen_mask::Masker;
use regreen_saga::Drive;
use regreen_steps::sha256;

pub use answer::{Answer, Put};
pub use approval::{is_latest, run_of};
pub use calls::CallsUsedUp;
pub use command::{Obeyed, Order};
pub use config::{CallBudget, FleetConfig, Rule};
pub use escalate::{ESCALATION, EscalationConfig, Kept, escalation_of};
pub use foresee::{Foreseen, Prospect};
pub use give_up::{GivenUp, Unfinished};
pub use jobs::{JobPolicy, NotTold};
pub use notice::{Letter, NOTICE};
pub use outage::{OUTAGE, OutageTold, Tended, outage_of};
pub use paused::{ALL, is_paused, pause_scope};
pub use service::{KnownService, Lately, Network, OutageConfig, Remotes};
pub use told::{Said, Spot, TOLD, Telling, ToldConfig};

use self::{
    approval::Agreed,
    examine::{Examined, Found},
};
use crate::{LiveCatalog, error::EngineError};

/// The pipeline for runs of one CI host.
pub struct Fleet {
    /// Whose runs they are: the hosts share a ledger, and a repository may have the same path at another.
    pub sender: Sender,
    /// What is known of failures and cures, and what people have accepted.
    pub catalog: Arc<LiveCatalog>,
    /// What the operator wants.
    pub config: FleetConfig,
    /// Secrets out of everything.
    pub masker: Arc<Masker>,
    /// The host.
    pub forge: Arc<dyn Forge>,
    /// Asks the services that jobs depend on.
    pub remotes: Arc<dyn Remotes>,
    /// What it asked lately.
    pub lately: Lately,
}

/// A run that is said to have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedRun {
    /// Which.
    pub run: RunRef,
    /// Which attempt; the latest where nobody said.
    pub attempt: Option<u32>,
}

/// What comes next for a piece of work.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing.
    Done(Settled),
    /// The same again, not before this time.
    Later {
        /// In milliseconds since 1970.
        at: i64,
        /// Why.
        why: String,
    },
    /// Another node has the incident: the same again, not before this time.
    Taken {
        /// In milliseconds since 1970.
        at: i64,
    },
    /// The host can't be asked, or does not let it be done: the same again, not before this time, later the longer it lasts,
    /// and not for ever.
    Stumbled {
        /// In milliseconds since 1970.
        at: i64,
        /// What the host says.
        why: String,
    },
}

/// How a piece of work was settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The incident, where there is one.
    pub incident: Option<String>,
    /// Its outcome.
    pub outcome: Option<Outcome>,
    /// What was found or done, in a few words; masked.
    pub why: String,
}

/// Who works, under which token, and when.
pub struct Hand<'a> {
    /// The ledger, under the claim of the work.
    pub ledger: &'a Ledger,
    /// Names the claim: the incident's fence.
    pub owner: &'a str,
    /// The clock, in milliseconds since 1970.
    pub now: fn() -> i64,
}

impl Fleet {
    /// Brings a run as far as it can be brought now. May be called again at any time, by any process, also in the middle
    /// of where another one died: what is on record is gone on with, and nothing is done twice.
    ///
    /// # Errors
    /// [`EngineError`]: nothing more was done than what is on record; worth trying again.
    pub async fn handle(&self, hand: &Hand<'_>, ended: &EndedRun) -> Result<Next, EngineError> {
        self.catalog.look(hand.ledger).await?;
        let run = RunRef { repository: ended.run.repository.folded(), run_id: ended.run.run_id };
        let ended = &EndedRun { run, attempt: ended.attempt };
        let attempt = match ended.attempt {
            Some(attempt) => attempt,
            None => match self.forge.run(&ended.run).await {
                Ok(run) => run.attempt,
                Err(e) => return self.unseen(hand, ended, &e).await,
            },
        };
        // The end of an attempt is what the one before it may be waiting for.
        if let Some(before) = attempt.checked_sub(1).filter(|before| *before > 0) {
            let id = incident_id(self.sender, &ended.run, before);
            if let Some(waiting) = hand.ledger.incident(&id).await?
                && waiting.state == State::Open
            {
                let next = self.known(hand, ended, &waiting, before, attempt).await?;
                if !matches!(next, Next::Done(_)) {
                    return Ok(next);
                }
                // What its own work would tell at its next look.
                self.tell(hand, self.sender.id(), &id).await?;
            }
        }
        let id = incident_id(self.sender, &ended.run, attempt);
        match hand.ledger.incident(&id).await? {
            Some(incident) => self.known(hand, ended, &incident, attempt, attempt).await,
            None => self.begin(hand, ended, attempt, &id, false).await,
        }
    }

    /// Takes an incident over that is on record, and goes on with it as it is then: another may have gone on since it was seen.
    /// `latest` is the attempt that the run is known to be at.
    async fn known(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        seen: &Incident,
        attempt: u32,
        latest: u32,
    ) -> Result<Next, EngineError> {
        let id = seen.id.as_str();
        if seen.state == State::Closed {
            return Ok(already(seen));
        }
        if let Some(next) = self.still_asks(seen, (hand.now)()) {
            // Whoever asked may have died before anybody was told.
            self.tell(hand, self.sender.id(), id).await?;
            return Ok(next);
        }
        if let Some(at) = self.take(hand, id).await? {
            return Ok(Next::Taken { at });
        }
        match hand.ledger.incident(id).await? {
            Some(incident) if incident.state == State::Closed => Ok(already(&incident)),
            Some(incident) if incident.state != State::Open => {
                self.with_a_word(hand, ended, attempt, &incident).await
            }
            Some(incident) if incident.decision.is_some() && Agreed::of(&incident).is_none() => {
                self.go_on(hand, ended, &incident, attempt, latest).await
            }
            // Nothing is asked of the host while it has to wait.
            known => {
                // A run that somebody else has sent off again meanwhile waits for nothing.
                if latest <= attempt
                    && let Some(next) = self.held_back(hand, id).await?
                {
                    return Ok(next);
                }
                self.begin(hand, ended, attempt, id, known.is_some()).await
            }
        }
    }

    /// Goes on with what another process, or this one some time ago, left.
    async fn go_on(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        incident: &Incident,
        attempt: u32,
        latest: u32,
    ) -> Result<Next, EngineError> {
        let run = &ended.run;
        if let Some(plan) = incident.plan().filter(|_| heals(incident)) {
            // What was allowed before this program was started may not be any more, and nothing has happened yet.
            let mode = self.mode_by_now(hand, &run.repository, incident, &plan.playbook).await?;
            let agreed = incident.approval.as_ref().is_some_and(|approval| approval.granted);
            let diagnosis = incident.diagnosis.to_domain();
            let denied = diagnosis.is_some_and(|diagnosis| self.config.denies(&diagnosis, &plan.playbook));
            let may = !denied && (mode == Mode::Auto || (agreed && mode == Mode::Approve));
            let facts = hand.ledger.facts(&incident.id).await?;
            if !may && facts.is_empty() {
                let because = if denied { Refusal::Denied } else { Refusal::ModeSuggest };
                return self.close_undone(hand, &incident.id, true, Some(because)).await;
            }
            // A run that somebody else has sent off again meanwhile waits for nothing.
            if latest <= attempt
                && facts.is_empty()
                && let Some(next) = self.held_back(hand, &incident.id).await?
            {
                return Ok(next);
            }
            let commit = incident.place.commit.clone().unwrap_or_default();
            let only_looks = !may && !act::is_applied(&facts);
            let case = act::Case {
                run,
                attempt,
                commit: &commit,
                incident: &incident.id,
                plan: &plan,
                only_looks,
                gives_up: false,
            };
            return self.act(hand, &case, Drive::Resume, None).await;
        }
        let because = incident.decision.as_ref().and_then(|decision| decision.because.as_deref());
        let because = because.and_then(Refusal::parse);
        match incident.decision.as_ref() {
            None => self.begin(hand, ended, attempt, &incident.id, true).await,
            Some(decision) => {
                self.close_undone(hand, &incident.id, decision.action == "suggest", because).await
            }
        }
    }

    /// Takes the incident over from whoever is gone; where somebody has it, when to look again.
    async fn take(&self, hand: &Hand<'_>, id: &str) -> Result<Option<i64>, EngineError> {
        /// Longest until the next look, in milliseconds: most of the time it is given back soon.
        const SOON: i64 = 2_000;
        let now = (hand.now)();
        let held = hand.ledger.take_over_from_the_gone(id, hand.owner, now).await?;
        Ok(held.map(|until| until.min(now + SOON)))
    }

    /// Looks and decides. An incident that is opened already is this hand's.
    async fn begin(
        &self,
        hand: &Hand<'_>,
        ended: &EndedRun,
        attempt: u32,
        id: &str,
        opened: bool,
    ) -> Result<Next, EngineError> {
        let (run, begun) = (&ended.run, (hand.now)());
        let found = match self.examine(hand, id, run, attempt, ended.attempt.is_some()).await? {
            Examined::Found(found) => {
                self.follow_up(hand, run, attempt, false).await?;
                found
            }
            Examined::Nothing { why, ended_well } => {
                if ended_well {
                    self.follow_up(hand, run, attempt, true).await?;
                }
                if opened {
                    hand.ledger.close(id, hand.owner, &Closing::new(Outcome::LeftAlone), begun).await?;
                    hand.ledger.wait_over(id, begun).await?;
                }
                return Ok(settled(None, None, why));
            }
            Examined::Later(e) => return Ok(self.stumbled(&e, begun)),
            Examined::Lags(why) => return Ok(Next::Stumbled { at: begun + self.config.stumble_ms, why }),
        };
        let place = place(&found);
        let now = (hand.now)();
        if !opened {
            let new = NewIncident {
                id,
                owner: hand.owner,
                opened_at: now,
                command_ended_at: found.ended_at(),
                place: place.clone(),
                command: found.job_names().iter().map(|name| self.masker.mask(name).into_owned()).collect(),
                exit_code: None,
                diagnosis: &found.decisive().diagnosis,
                run_marker: None,
                attempt,
                // What it waited before it was looked at is part of it; a host's clock may be ahead of this one.
                detect_ms: found
                    .ended_at()
                    .map(|ended| u64::try_from(now.saturating_sub(ended)).unwrap_or(0)),
            };
            hand.ledger.open_incident(&new).await?;
        }
        self.sight(hand, &found, id).await?;
        let agreed = match opened {
            true => hand.ledger.incident(id).await?.as_ref().and_then(Agreed::of),
            false => None,
        };
        // A word is on what was seen then; without one it is taken for what it looks like now.
        if opened && agreed.is_none() {
            hand.ledger.diagnosed_anew(id, hand.owner, &found.decisive().diagnosis, now).await?;
        }
        let (decision, inputs) = self.decide(hand, &found, &place, id, agreed.is_some()).await?;
        let fingerprint = found.decisive().diagnosis.fingerprint.to_string();
        let decision = match &agreed {
            Some(agreed) => agreed.holds_for(decision, &fingerprint),
            None => decision,
        };
        // What is drawn to be left alone is so after every gate.
        let would_heal =
            matches!(decision, Decision::Heal(_) | Decision::Nothing { because: Refusal::ControlGroup });
        if would_heal && let Some(next) = self.held_back(hand, id).await? {
            return Ok(next);
        }
        hand.ledger.decided(id, hand.owner, &decision, Some(&inputs), None, (hand.now)()).await?;
        match decision {
            Decision::Heal(plan) => {
                let case = act::Case {
                    run,
                    attempt,
                    commit: &found.run.head_sha,
                    incident: id,
                    plan: &plan,
                    only_looks: false,
                    gives_up: false,
                };
                self.act(hand, &case, Drive::Fresh, None).await
            }
            Decision::Suggest { plan, because: because @ (Refusal::ModeApprove | Refusal::Demoted) } => {
                self.tell_the_question(&found, id, &plan).await;
                self.close_undone(hand, id, true, Some(because)).await
            }
            Decision::Suggest { because, .. } => self.close_undone(hand, id, true, Some(because)).await,
            Decision::Nothing { because } => self.close_undone(hand, id, false, Some(because)).await,
        }
    }

    /// The end of an incident in which nothing is done.
    async fn close_undone(
        &self,
        hand: &Hand<'_>,
        id: &str,
        suggested: bool,
        because: Option<Refusal>,
    ) -> Result<Next, EngineError> {
        let outcome = match because {
            Some(Refusal::ModeApprove | Refusal::Demoted) => {
                let now = (hand.now)();
                hand.ledger.await_approval(id, hand.owner, now).await?;
                self.tell(hand, self.sender.id(), id).await?;
                return Ok(self.asks_until(now.saturating_add(APPROVAL_LASTS_MS), now));
            }
            _ => {
                let outcome = if suggested { Outcome::Suggested } else { Outcome::LeftAlone };
                hand.ledger.close(id, hand.owner, &Closing::new(outcome), (hand.now)()).await?;
                outcome
            }
        };
        let why = because.map_or_else(|| "nothing was decided".to_owned(), |because| because.id().to_owned());
        Ok(settled(Some(id), Some(outcome), why))
    }

    /// What comes of a host that could not be asked.
    fn stumbled(&self, error: &ForgeError, now: i64) -> Next {
        let why = self.masker.mask(&error.to_string()).into_owned();
        match error {
            ForgeError::RateLimited { until, .. } => {
                let until = until.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
                let at = i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
                Next::Stumbled { at: at.max(now + 1_000), why }
            }
            error if error.is_passing() => Next::Stumbled { at: now + self.config.stumble_ms, why },
            // A credential that is being changed: the run is not forgotten meanwhile.
            ForgeError::Denied { .. } => Next::Stumbled { at: now + self.config.look_ms, why },
            _ => settled(None, None, why),
        }
    }
}

/// Names the incident of an attempt at a host: the same for whoever hears of it.
fn incident_id(sender: Sender, run: &RunRef, attempt: u32) -> String {
    let digest = sha256(format!("{}:{}", sender.id(), run.repository.as_str()).as_bytes());
    format!("{}{attempt}-{}", run_prefix(run), digest.get(..8).unwrap_or_default())
}

/// What the names of a run's incidents begin with, and those of runs with the same number elsewhere.
fn run_prefix(run: &RunRef) -> String {
    format!("{:x}-", run.run_id)
}

/// Where it happened. The attempts of a commit are counted by workflow, which is stricter than by job: whichever of its jobs
/// fails, and whatever it is called.
fn place(found: &Found) -> Place {
    let run = &found.run;
    let repository = run.reference.repository.as_str().to_owned();
    let workflow = if run.workflow.is_empty() { &run.name } else { &run.workflow };
    Place {
        workspace: repository.clone(),
        repository: Some(repository),
        commit: Some(run.head_sha.clone()),
        job: Some(workflow.clone()),
    }
}

fn already(incident: &Incident) -> Next {
    let outcome = incident.outcome.as_deref().unwrap_or("on record");
    settled(Some(&incident.id), incident.outcome(), format!("already {outcome}"))
}

fn heals(incident: &Incident) -> bool {
    incident.decision.as_ref().is_some_and(|decision| decision.action == "heal")
}

fn settled(incident: Option<&str>, outcome: Option<Outcome>, why: String) -> Next {
    Next::Done(Settled { incident: incident.map(str::to_owned), outcome, why })
}
