//! The recovery journal: append-only facts; the state of a step is a fold over them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::step::BoxFuture;

/// One line of a run's journal. The shape is stored: fields may be added, never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Id of the step in its plan.
    pub step: String,
    /// What happened.
    pub event: StepEvent,
}

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StepEvent {
    /// Preflight passed; the world before is on record.
    Prepared {
        /// What `undo` needs.
        before: Value,
    },
    /// Written before the first effect can leave this process.
    Started,
    /// `apply` gave its answer.
    Applied {
        /// What was done.
        receipt: Value,
    },
    /// The effect is there.
    Verified,
    /// Applied, but the effect is not there or did not help.
    NotVerified {
        /// What was seen instead.
        why: String,
    },
    /// `apply` or `preflight` failed.
    Failed {
        /// Whether something may have happened outside.
        effect: Effect,
        /// What went wrong.
        why: String,
    },
    /// It is left out of this run: its condition does not hold.
    Skipped {
        /// Which condition.
        why: String,
    },
    /// It failed and is tried once more; where it may have had an effect, that is undone first.
    TryAgain,
    /// Written before the first effect of an undo.
    UndoStarted,
    /// The world is as before, as far as this step wrote it and could put it back.
    Undone {
        /// What the undo had to say for the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        says: Option<String>,
    },
    /// A person must look.
    UndoFailed {
        /// What went wrong.
        why: String,
    },
}

/// Whether a failed step may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Certainly nothing happened.
    None,
    /// Something may have happened; the step is undone.
    Unknown,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum StepState {
    /// Nothing on record.
    #[default]
    Waiting,
    /// Looked at; untouched.
    Prepared {
        /// What `undo` needs.
        before: Value,
    },
    /// May have had an effect.
    Started {
        /// What `undo` needs.
        before: Value,
    },
    /// Has had its effect.
    Applied {
        /// What `undo` needs.
        before: Value,
        /// What was done.
        receipt: Value,
    },
    /// Has had its effect, and it was seen.
    Verified {
        /// What `undo` needs.
        before: Value,
        /// What was done.
        receipt: Value,
    },
    /// Did not work out.
    Failed {
        /// What `undo` needs.
        before: Value,
        /// What was done, where `apply` gave an answer.
        receipt: Option<Value>,
        /// Whether there is something to undo.
        effect: Effect,
        /// What went wrong.
        why: String,
        /// Whether it had been started: only that is worth another try. A look that said no was an answer.
        acted: bool,
        /// Whether it is tried once more, after its undo.
        again: bool,
    },
    /// Left out.
    Skipped {
        /// Which condition does not hold.
        why: String,
    },
    /// Being taken back.
    Undoing {
        /// What `undo` needs.
        before: Value,
        /// What was done, where `apply` gave an answer.
        receipt: Option<Value>,
        /// Whether it is tried once more afterwards.
        again: bool,
    },
    /// Taken back.
    Undone,
    /// Could not be taken back; nothing is retried.
    Stuck {
        /// What went wrong.
        why: String,
    },
}

/// A journal that says what can't be: it was damaged, or two runs wrote to it.
#[derive(Debug, Error, PartialEq)]
#[error("journal of step `{step}` says `{event}` while it is `{state}`")]
pub struct IllegalTransition {
    /// The step.
    pub step: String,
    /// Its state.
    pub state: String,
    /// The event that can't follow.
    pub event: String,
}

impl StepState {
    /// The state after one more event; `None` where the event can't follow.
    pub fn next(&self, event: &StepEvent) -> Option<StepState> {
        use StepEvent as E;
        use StepState as S;
        let failed = |before, receipt, effect, why, acted| S::Failed {
            before,
            receipt,
            effect,
            why,
            acted,
            again: false,
        };
        Some(match (self.clone(), event.clone()) {
            (S::Waiting, E::Prepared { before }) => S::Prepared { before },
            (S::Waiting, E::Skipped { why }) => S::Skipped { why },
            (S::Waiting, E::Failed { effect: Effect::None, why }) => {
                failed(Value::Null, None, Effect::None, why, false)
            }
            // A gate that closes between the look and the act.
            (S::Prepared { before }, E::Failed { effect: Effect::None, why }) => {
                failed(before, None, Effect::None, why, false)
            }
            // A second `Started` is what recovery writes when it runs `apply` again.
            (S::Prepared { before } | S::Started { before }, E::Started) => S::Started { before },
            (S::Started { before }, E::Applied { receipt }) => S::Applied { before, receipt },
            (S::Started { before }, E::Failed { effect, why }) => failed(before, None, effect, why, true),
            (S::Applied { before, receipt }, E::Verified) => S::Verified { before, receipt },
            (S::Applied { before, receipt }, E::NotVerified { why }) => {
                failed(before, Some(receipt), Effect::Unknown, why, true)
            }
            (S::Failed { effect: Effect::None, acted: true, .. }, E::TryAgain) => S::Waiting,
            (
                S::Failed { before, receipt, effect: Effect::Unknown, why, acted: true, again: false },
                E::TryAgain,
            ) => S::Failed { before, receipt, effect: Effect::Unknown, why, acted: true, again: true },
            (S::Applied { before, receipt } | S::Verified { before, receipt }, E::UndoStarted) => {
                S::Undoing { before, receipt: Some(receipt), again: false }
            }
            // A run that went away with the step in flight is taken back without an answer.
            (S::Started { before }, E::UndoStarted) => S::Undoing { before, receipt: None, again: false },
            (S::Failed { before, receipt, effect: Effect::Unknown, again, .. }, E::UndoStarted) => {
                S::Undoing { before, receipt, again }
            }
            (S::Undoing { before, receipt, again }, E::UndoStarted) => S::Undoing { before, receipt, again },
            (S::Undoing { again: true, .. }, E::Undone { .. }) => S::Waiting,
            (S::Undoing { again: false, .. }, E::Undone { .. }) => S::Undone,
            (S::Undoing { .. }, E::UndoFailed { why }) => S::Stuck { why },
            _ => return None,
        })
    }

    /// The state's stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            StepState::Waiting => "waiting",
            StepState::Prepared { .. } => "prepared",
            StepState::Started { .. } => "started",
            StepState::Applied { .. } => "applied",
            StepState::Verified { .. } => "verified",
            StepState::Failed { .. } => "failed",
            StepState::Skipped { .. } => "skipped",
            StepState::Undoing { .. } => "undoing",
            StepState::Undone => "undone",
            StepState::Stuck { .. } => "stuck",
        }
    }
}

impl StepEvent {
    /// The event's stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            StepEvent::Prepared { .. } => "prepared",
            StepEvent::Started => "started",
            StepEvent::Applied { .. } => "applied",
            StepEvent::Verified => "verified",
            StepEvent::NotVerified { .. } => "not-verified",
            StepEvent::Failed { .. } => "failed",
            StepEvent::Skipped { .. } => "skipped",
            StepEvent::TryAgain => "try-again",
            StepEvent::UndoStarted => "undo-started",
            StepEvent::Undone { .. } => "undone",
            StepEvent::UndoFailed { .. } => "undo-failed",
        }
    }
}

/// The state of every step that has a fact.
///
/// # Errors
/// [`IllegalTransition`] for the first fact that can't follow those before it.
pub fn fold<'a>(
    facts: impl IntoIterator<Item = &'a Fact>,
) -> Result<BTreeMap<String, StepState>, IllegalTransition> {
    let mut states: BTreeMap<String, StepState> = BTreeMap::new();
    for fact in facts {
        let state = states.entry(fact.step.clone()).or_default();
        *state = state.next(&fact.event).ok_or_else(|| IllegalTransition {
            step: fact.step.clone(),
            state: state.name().to_owned(),
            event: fact.event.name().to_owned(),
        })?;
    }
    Ok(states)
}

/// What was done and not taken back, in the order of doing: each step with its latest receipt.
pub fn applied<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Vec<(&'a str, &'a Value)> {
    let mut standing: Vec<(&str, &Value)> = Vec::new();
    for fact in facts {
        match &fact.event {
            StepEvent::Applied { receipt } => standing.push((&fact.step, receipt)),
            StepEvent::Undone { .. } => standing.retain(|(step, _)| *step != fact.step),
            _ => {}
        }
    }
    standing
}

/// The journal could not be read or written. The run stops before its next effect.
#[derive(Debug, Error)]
#[error("failed to {doing} the recovery journal")]
pub struct JournalError {
    /// `read` or `write`.
    pub doing: &'static str,
    /// What went wrong below.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Port to the memory of one run.
pub trait Journal: Send {
    /// Appends a fact. It is durable when this returns; an error stops the run before its next effect.
    fn append<'a>(&'a mut self, fact: &'a Fact) -> BoxFuture<'a, Result<(), JournalError>>;

    /// Every fact of this run, oldest first.
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<Fact>, JournalError>>;
}
