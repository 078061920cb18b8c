//! Runs a plan, or goes on with it after a crash: the journal decides, there is one path.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;
use thiserror::Error;

use crate::{
    journal::{Effect, Fact, IllegalTransition, Journal, JournalError, StepEvent, StepState, fold},
    step::{AnyStep, ApplyError, Look, Receipts, Refused, Resume, Seen, Touch},
};

/// A planned step joined with the code of its kind.
#[derive(Clone)]
pub struct PreparedStep {
    /// Unique within the plan.
    pub id: String,
    /// The code.
    pub step: Arc<dyn AnyStep>,
    /// Its arguments.
    pub args: Value,
}

/// Whether this process began the run or found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// Began it.
    Fresh,
    /// Found it after a crash: a step that must not be repeated turns the run back.
    Resume,
}

/// How a run of a plan ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Every step had its effect and it was seen.
    Verified,
    /// A step failed; everything was taken back.
    RolledBack {
        /// The step that failed, and why.
        why: String,
    },
    /// A step could not be taken back; the others were.
    Stuck {
        /// What could not be undone, and why.
        why: String,
    },
}

/// The kill switch, asked before every effect (not before an undo: that only gives back).
pub trait Gate: Send + Sync {
    /// Whether effects are allowed now; the error is the reason to show.
    ///
    /// # Errors
    /// Why not.
    fn may_act(&self) -> Result<(), String>;
}

/// A gate that is always open.
pub struct OpenGate;

impl Gate for OpenGate {
    fn may_act(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The run could not go on. What is on record can be resumed.
#[derive(Debug, Error)]
pub enum SagaError {
    /// The journal refused; nothing was done after its last fact.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal does not add up.
    #[error("the journal of this run does not add up")]
    Corrupt(#[from] IllegalTransition),
}

/// Runs `plan` for `incident` to its end: verified, rolled back or stuck.
///
/// # Errors
/// [`SagaError`] where the journal refuses or contradicts itself; the run stands still and can be resumed.
pub async fn execute(
    incident: &str,
    plan: &[PreparedStep],
    journal: &mut dyn Journal,
    gate: &dyn Gate,
    drive: Drive,
) -> Result<Ended, SagaError> {
    let mut run = Run::open(incident, journal).await?;
    // Nothing is begun that can't be finished: a step that must not be repeated turns the run back at once.
    if drive == Drive::Resume
        && let Some(step) = plan.iter().find(|s| run.is_lost(s))
    {
        let why = format!("{}: was not finished when the process died, and must not be repeated", step.id);
        return run.back(plan, why).await;
    }
    for step in plan {
        match run.forward(step, gate).await {
            Ok(None) => {}
            Ok(Some(why)) => return run.back(plan, why).await,
            // A receipt that could not be kept must not leave the work half done: it is taken back now, if the journal
            // takes that. If it still refuses, the run stands still.
            Err(SagaError::Journal(refused)) if run.has_effects() => {
                let why = format!("{}: the journal refused: {refused}", step.id);
                return run.back(plan, why).await.map_err(|_| SagaError::Journal(refused));
            }
            Err(stopped) => return Err(stopped),
        }
    }
    Ok(Ended::Verified)
}

/// Takes back everything that `plan` has on record, because the whole did not hold (or a person said so).
///
/// # Errors
/// As [`execute`].
pub async fn roll_back(
    incident: &str,
    plan: &[PreparedStep],
    journal: &mut dyn Journal,
    why: &str,
) -> Result<Ended, SagaError> {
    Run::open(incident, journal).await?.back(plan, why.to_owned()).await
}

/// Every preflight and nothing else: what each step would find, up to the first refusal.
pub async fn dry_run(incident: &str, plan: &[PreparedStep]) -> Vec<(String, Result<Value, Refused>)> {
    let mut answers = Vec::new();
    for step in plan {
        let look = Look { incident: incident.to_owned(), step: step.id.clone(), receipts: Receipts::new() };
        let answer = step.step.preflight(&look, &step.args).await;
        let refused = answer.is_err();
        answers.push((step.id.clone(), answer));
        if refused {
            break;
        }
    }
    answers
}

/// One run in progress: the journal and the fold of what it says.
struct Run<'a> {
    incident: &'a str,
    journal: &'a mut dyn Journal,
    states: BTreeMap<String, StepState>,
    /// Of the steps that were verified, for the steps behind them.
    receipts: Receipts,
    /// Of all steps that ever gave one, for every undo.
    all_receipts: Receipts,
}

impl<'a> Run<'a> {
    async fn open(incident: &'a str, journal: &'a mut dyn Journal) -> Result<Run<'a>, SagaError> {
        let facts = journal.read().await?;
        let states = fold(&facts)?;
        let all_receipts = facts.into_iter().filter_map(|fact| match fact.event {
            StepEvent::Applied { receipt } => Some((fact.step, receipt)),
            _ => None,
        });
        let all_receipts = all_receipts.collect();
        Ok(Run { incident, journal, states, receipts: Receipts::new(), all_receipts })
    }

    fn look(&self, step: &PreparedStep) -> Look {
        Look { incident: self.incident.to_owned(), step: step.id.clone(), receipts: self.receipts.clone() }
    }

    fn state(&self, step: &PreparedStep) -> StepState {
        self.states.get(&step.id).cloned().unwrap_or_default()
    }

    /// The fact first: durable, then folded, then acted upon.
    async fn record(&mut self, step: &PreparedStep, event: StepEvent) -> Result<(), SagaError> {
        let state = self.state(step);
        let next = state.next(&event).ok_or_else(|| IllegalTransition {
            step: step.id.clone(),
            state: state.name().to_owned(),
            event: event.name().to_owned(),
        })?;
        let receipt = match &event {
            StepEvent::Applied { receipt } => Some(receipt.clone()),
            _ => None,
        };
        self.journal.append(&Fact { step: step.id.clone(), event }).await?;
        self.all_receipts.extend(receipt.map(|receipt| (step.id.clone(), receipt)));
        self.states.insert(step.id.clone(), next);
        Ok(())
    }

    /// Whether anything is on record as begun that was not taken back.
    fn has_effects(&self) -> bool {
        self.states.values().any(|state| {
            matches!(
                state,
                StepState::Started { .. }
                    | StepState::Applied { .. }
                    | StepState::Verified { .. }
                    | StepState::Undoing { .. }
                    | StepState::Failed { effect: Effect::Unknown, .. }
            )
        })
    }

    /// Whether a later process can't bring this step to its end.
    fn is_lost(&self, step: &PreparedStep) -> bool {
        let unfinished = matches!(
            self.state(step),
            StepState::Waiting | StepState::Prepared { .. } | StepState::Started { .. }
        );
        unfinished && step.step.resume_kind() == Resume::Never
    }

    /// Drives one step to `Verified`; `Some(why)` where the run has to turn back.
    async fn forward(&mut self, step: &PreparedStep, gate: &dyn Gate) -> Result<Option<String>, SagaError> {
        let say = |why: &str| Some(format!("{}: {why}", step.id));
        loop {
            match self.state(step) {
                StepState::Waiting => match step.step.preflight(&self.look(step), &step.args).await {
                    Ok(before) => self.record(step, StepEvent::Prepared { before }).await?,
                    Err(Refused(why)) => {
                        self.record(step, StepEvent::Failed { effect: Effect::None, why }).await?;
                    }
                },
                StepState::Prepared { before } | StepState::Started { before } => {
                    let started = matches!(self.state(step), StepState::Started { .. });
                    if let Err(why) = gate.may_act() {
                        if started {
                            return Ok(say(&why));
                        }
                        self.record(step, StepEvent::Failed { effect: Effect::None, why }).await?;
                        continue;
                    }
                    self.record(step, StepEvent::Started).await?;
                    let touch = Touch::new(self.look(step));
                    let event = match step.step.apply(&touch, &step.args, &before).await {
                        Ok(receipt) => StepEvent::Applied { receipt },
                        Err(ApplyError::NoEffect(why)) if !started => {
                            StepEvent::Failed { effect: Effect::None, why }
                        }
                        // A repeated `apply` can't know what the first one did.
                        Err(ApplyError::NoEffect(why) | ApplyError::Unknown(why)) => {
                            StepEvent::Failed { effect: Effect::Unknown, why }
                        }
                    };
                    self.record(step, event).await?;
                }
                StepState::Applied { receipt, .. } => {
                    let event = match step.step.verify(&self.look(step), &step.args, &receipt).await {
                        Ok(Seen::There) => StepEvent::Verified,
                        Ok(Seen::NotThere(why)) | Err(Refused(why)) => StepEvent::NotVerified { why },
                    };
                    self.record(step, event).await?;
                }
                StepState::Verified { receipt, .. } => {
                    self.receipts.insert(step.id.clone(), receipt);
                    return Ok(None);
                }
                StepState::Failed { why, .. } => return Ok(say(&why)),
                StepState::Undoing { .. } | StepState::Undone => return Ok(say("was being taken back")),
                StepState::Stuck { why } => return Ok(say(&why)),
            }
        }
    }

    /// Takes back every step with an effect, last first. One that fails does not stop the others.
    async fn back(&mut self, plan: &[PreparedStep], why: String) -> Result<Ended, SagaError> {
        let mut stuck = Vec::new();
        for step in plan.iter().rev() {
            if let Some(why) = self.undo(step).await? {
                stuck.push(format!("{}: {why}", step.id));
            }
        }
        Ok(if stuck.is_empty() {
            Ended::RolledBack { why }
        } else {
            Ended::Stuck { why: format!("{why}; could not be undone: {}", stuck.join("; ")) }
        })
    }

    async fn undo(&mut self, step: &PreparedStep) -> Result<Option<String>, SagaError> {
        let (before, receipt) = match self.state(step) {
            StepState::Applied { before, receipt } | StepState::Verified { before, receipt } => {
                (before, Some(receipt))
            }
            StepState::Started { before } => (before, None),
            StepState::Failed { before, receipt, effect: Effect::Unknown, .. }
            | StepState::Undoing { before, receipt } => (before, receipt),
            StepState::Stuck { why } => return Ok(Some(why)),
            StepState::Waiting
            | StepState::Prepared { .. }
            | StepState::Undone
            | StepState::Failed { effect: Effect::None, .. } => return Ok(None),
        };
        self.record(step, StepEvent::UndoStarted).await?;
        let touch = Touch::new(Look { receipts: self.all_receipts.clone(), ..self.look(step) });
        match step.step.undo(&touch, &step.args, &before, receipt.as_ref()).await {
            Ok(()) => {
                self.record(step, StepEvent::Undone).await?;
                Ok(None)
            }
            Err(why) => {
                self.record(step, StepEvent::UndoFailed { why: why.0.clone() }).await?;
                Ok(Some(why.0))
            }
        }
    }
}
