//! Runs a plan, or goes on with it after a crash: the journal decides, there is one path.

use std::sync::Arc;

use regreen_domain::Flow;
use serde_json::Value;
use thiserror::Error;

use crate::{
    gate::Gate,
    journal::{IllegalTransition, Journal, JournalError},
    run::{Run, Went},
    step::AnyStep,
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
    /// When it runs, and how often and how long it is tried.
    pub flow: Flow,
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
    /// It has not ended: whether a step had its effect can't be told yet. Executing it again, by whatever process, asks.
    Waits {
        /// The step, and what it waits for.
        why: String,
    },
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

/// Runs `plan` for `incident` to its end: verified, rolled back or stuck; or to where it has to wait.
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
    let together =
        |a: &PreparedStep, b: &PreparedStep| a.flow.group.is_some() && a.flow.group == b.flow.group;
    for group in plan.chunk_by(together) {
        match run.forward(group, gate).await {
            Ok(Went::On) => {}
            Ok(Went::Wrong(why)) => return run.back(plan, why).await,
            Ok(Went::Waits(why)) => return Ok(Ended::Waits { why }),
            // A receipt that could not be kept must not leave the work half done: it is taken back now, if the journal
            // takes that. If it still refuses, the run stands still.
            Err(SagaError::Journal(refused)) if run.has_effects() => {
                let ids: Vec<&str> = group.iter().map(|step| step.id.as_str()).collect();
                let why = format!("{}: the journal refused: {refused}", ids.join(", "));
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
