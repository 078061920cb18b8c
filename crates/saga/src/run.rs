//! One run in progress: the journal and the fold of what it says.

use std::collections::BTreeMap;

use regreen_domain::{Condition, Settled, Test};
use serde_json::Value;

use crate::{
    executor::{Ended, PreparedStep, SagaError},
    gate::Gate,
    journal::{Effect, Fact, IllegalTransition, Journal, StepEvent, StepState, fold},
    race::{Cut, first, within},
    step::{ApplyError, Look, Receipts, Refused, Resume, Seen, Touch},
};

/// One run in progress.
pub(crate) struct Run<'a> {
    incident: &'a str,
    journal: &'a mut dyn Journal,
    states: BTreeMap<String, StepState>,
    /// How often each step is tried again. Counted from the facts, so that a crash forgets nothing.
    again: BTreeMap<String, u32>,
    /// Of the steps that were verified, for the steps behind them.
    receipts: Receipts,
    /// Of all steps that ever gave one, for every undo.
    all_receipts: Receipts,
}

/// How far a group came.
pub(crate) enum Went {
    /// Every step of it is verified, or left out.
    On,
    /// The run has to turn back.
    Wrong(String),
    /// The run has to stand still.
    Waits(String),
}

/// What comes next for a step.
enum Next {
    /// Nothing: it is verified, or left out.
    Done,
    /// The run has to turn back.
    Back(String),
    /// Nothing now: its check can't tell yet.
    Wait(String),
    /// Its act.
    Act {
        before: Value,
        /// Whether an act of a process that died may have had an effect already.
        repeated: bool,
    },
}

impl<'a> Run<'a> {
    pub(crate) async fn open(incident: &'a str, journal: &'a mut dyn Journal) -> Result<Run<'a>, SagaError> {
        let facts = journal.read().await?;
        let states = fold(&facts)?;
        let (mut again, mut all_receipts) = (BTreeMap::new(), Receipts::new());
        for fact in facts {
            match fact.event {
                StepEvent::TryAgain => *again.entry(fact.step).or_default() += 1,
                StepEvent::Applied { receipt } => drop(all_receipts.insert(fact.step, receipt)),
                _ => {}
            }
        }
        Ok(Run { incident, journal, states, again, receipts: Receipts::new(), all_receipts })
    }

    fn look(&self, step: &PreparedStep) -> Look {
        Look { incident: self.incident.to_owned(), step: step.id.clone(), receipts: self.receipts.clone() }
    }

    fn state(&self, step: &PreparedStep) -> StepState {
        self.states.get(&step.id).cloned().unwrap_or_default()
    }

    fn tried_again(&self, step: &PreparedStep) -> u32 {
        self.again.get(&step.id).copied().unwrap_or_default()
    }

    /// The fact first: durable, then folded, then acted upon.
    async fn record(&mut self, step: &PreparedStep, event: StepEvent) -> Result<(), SagaError> {
        let state = self.state(step);
        let next = state.next(&event).ok_or_else(|| IllegalTransition {
            step: step.id.clone(),
            state: state.name().to_owned(),
            event: event.name().to_owned(),
        })?;
        let fact = Fact { step: step.id.clone(), event };
        self.journal.append(&fact).await?;
        match fact.event {
            StepEvent::TryAgain => *self.again.entry(step.id.clone()).or_default() += 1,
            StepEvent::Applied { receipt } => drop(self.all_receipts.insert(step.id.clone(), receipt)),
            _ => {}
        }
        self.states.insert(step.id.clone(), next);
        Ok(())
    }

    /// Whether anything is on record as begun that was not taken back.
    pub(crate) fn has_effects(&self) -> bool {
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
    pub(crate) fn is_lost(&self, step: &PreparedStep) -> bool {
        let unfinished = match self.state(step) {
            StepState::Waiting => step.flow.skip.is_none(),
            state => matches!(state, StepState::Prepared { .. } | StepState::Started { .. }),
        };
        unfinished && step.step.resume_kind() == Resume::Never
    }

    /// Drives a step, or the steps of a group side by side, to `Verified`.
    pub(crate) async fn forward(
        &mut self,
        group: &[PreparedStep],
        gate: &dyn Gate,
    ) -> Result<Went, SagaError> {
        loop {
            let mut acts = Vec::new();
            for (at, step) in group.iter().enumerate() {
                match self.ready(step, gate).await? {
                    Next::Done => {}
                    Next::Back(why) => return Ok(Went::Wrong(format!("{}: {why}", step.id))),
                    Next::Wait(why) => return Ok(Went::Waits(format!("{}: {why}", step.id))),
                    Next::Act { before, repeated } => acts.push((at, before, repeated)),
                }
            }
            if acts.is_empty() {
                return Ok(Went::On);
            }
            // All of them are on record before the first has an effect.
            for (at, ..) in &acts {
                self.record(&group[*at], StepEvent::Started).await?;
            }
            let touches: Vec<Touch> =
                acts.iter().map(|(at, ..)| Touch::new(self.look(&group[*at]))).collect();
            let mut pending: Vec<(usize, crate::step::BoxFuture<'_, StepEvent>)> = Vec::new();
            for ((at, before, repeated), touch) in acts.iter().zip(&touches) {
                pending.push((*at, Box::pin(act(&group[*at], gate, touch, before, *repeated))));
            }
            while let Some((at, event)) = first(&mut pending).await {
                let step = &group[at];
                self.record(step, event).await?;
                // The others are let go: the run turns back.
                if matches!(self.state(step), StepState::Failed { .. }) && !self.may_try_again(step) {
                    break;
                }
            }
        }
    }

    /// Drives one step to where only its act is missing, or to its end.
    async fn ready(&mut self, step: &PreparedStep, gate: &dyn Gate) -> Result<Next, SagaError> {
        loop {
            match self.state(step) {
                StepState::Waiting => {
                    if let Some(why) = self.left_out(step) {
                        self.record(step, StepEvent::Skipped { why }).await?;
                        continue;
                    }
                    if self.tried_again(step) > 0 && !step.flow.pause.is_zero() {
                        if let Err(why) = gate.may_act() {
                            return Ok(Next::Back(why));
                        }
                        let _cut = within(gate, None, gate.sleep(step.flow.pause)).await;
                        // A pause can be long.
                        if let Err(why) = gate.may_act() {
                            return Ok(Next::Back(why));
                        }
                    }
                    let look = self.look(step);
                    let work = step.step.preflight(&look, &step.args);
                    let event = match within(gate, step.flow.timeout, work).await {
                        Ok(Ok(before)) => StepEvent::Prepared { before },
                        Ok(Err(Refused(why))) => StepEvent::Failed { effect: Effect::None, why },
                        Err(cut) => StepEvent::Failed { effect: Effect::None, why: says(cut, step) },
                    };
                    self.record(step, event).await?;
                }
                state @ (StepState::Prepared { .. } | StepState::Started { .. }) => {
                    let repeated = matches!(state, StepState::Started { .. });
                    match gate.may_act() {
                        Ok(()) => {}
                        Err(why) if repeated => return Ok(Next::Back(why)),
                        Err(why) => {
                            self.record(step, StepEvent::Failed { effect: Effect::None, why }).await?;
                            continue;
                        }
                    }
                    let (StepState::Prepared { before } | StepState::Started { before }) = state else {
                        continue;
                    };
                    return Ok(Next::Act { before, repeated });
                }
                StepState::Applied { receipt, .. } => {
                    let look = self.look(step);
                    let work = step.step.verify(&look, &step.args, &receipt);
                    let event = match within(gate, step.flow.timeout, work).await {
                        Ok(Ok(Seen::There)) => StepEvent::Verified,
                        Ok(Ok(Seen::NotYet(why))) => return Ok(Next::Wait(why)),
                        Ok(Ok(Seen::NotThere(why)) | Err(Refused(why))) => StepEvent::NotVerified { why },
                        Err(cut) => StepEvent::NotVerified { why: says(cut, step) },
                    };
                    self.record(step, event).await?;
                }
                StepState::Verified { receipt, .. } => {
                    self.receipts.insert(step.id.clone(), receipt);
                    return Ok(Next::Done);
                }
                StepState::Skipped { .. } => return Ok(Next::Done),
                StepState::Failed { again: true, .. } | StepState::Undoing { again: true, .. } => {
                    self.undo(step).await?;
                }
                StepState::Failed { why, .. } if self.may_try_again(step) => {
                    if let Err(closed) = gate.may_act() {
                        return Ok(Next::Back(format!("{why}; not tried again: {closed}")));
                    }
                    self.record(step, StepEvent::TryAgain).await?;
                }
                StepState::Failed { why, .. } | StepState::Stuck { why } => return Ok(Next::Back(why)),
                StepState::Undoing { .. } | StepState::Undone => {
                    return Ok(Next::Back("was being taken back".to_owned()));
                }
            }
        }
    }

    /// Why a step is left out of this run.
    fn left_out(&self, step: &PreparedStep) -> Option<String> {
        if let Some(why) = &step.flow.skip {
            return Some(why.clone());
        }
        let condition = step.flow.when.as_ref()?;
        let says = |leaf: &Condition| match leaf {
            Condition::Receipt { step, field, test } => {
                Some(meets(self.receipts.get(step).and_then(|receipt| receipt.get(field)), test))
            }
            // What the evidence says was settled when the plan was made.
            _ => Some(false),
        };
        (condition.settle(&says) != Settled::Holds).then(|| format!("it needs: {condition}"))
    }

    /// Whether a step that failed has a try left. A look that said no was an answer, and what must not be repeated is not.
    fn may_try_again(&self, step: &PreparedStep) -> bool {
        matches!(self.state(step), StepState::Failed { acted: true, again: false, .. })
            && step.step.resume_kind() == Resume::Repeat
            && self.tried_again(step).saturating_add(1) < step.flow.attempts
    }

    /// Takes back every step with an effect, last first. One that fails does not stop the others.
    pub(crate) async fn back(&mut self, plan: &[PreparedStep], why: String) -> Result<Ended, SagaError> {
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
            | StepState::Undoing { before, receipt, .. } => (before, receipt),
            StepState::Stuck { why } => return Ok(Some(why)),
            StepState::Waiting
            | StepState::Prepared { .. }
            | StepState::Skipped { .. }
            | StepState::Undone
            | StepState::Failed { effect: Effect::None, .. } => return Ok(None),
        };
        self.record(step, StepEvent::UndoStarted).await?;
        let touch = Touch::new(Look { receipts: self.all_receipts.clone(), ..self.look(step) });
        match step.step.undo(&touch, &step.args, &before, receipt.as_ref()).await {
            Ok(()) => {
                self.record(step, StepEvent::Undone { says: touch.noted() }).await?;
                Ok(None)
            }
            Err(why) => {
                self.record(step, StepEvent::UndoFailed { why: why.0.clone() }).await?;
                Ok(Some(why.0))
            }
        }
    }
}

/// The act itself, and the fact that comes of it.
async fn act(
    step: &PreparedStep,
    gate: &dyn Gate,
    touch: &Touch,
    before: &Value,
    repeated: bool,
) -> StepEvent {
    let work = step.step.apply(touch, &step.args, before);
    let answer = match step.step.stops() {
        true => within(gate, step.flow.timeout, work).await,
        false => Ok(work.await),
    };
    match answer {
        Ok(Ok(receipt)) => StepEvent::Applied { receipt },
        Ok(Err(ApplyError::NoEffect(why))) if !repeated => StepEvent::Failed { effect: Effect::None, why },
        // A repeated `apply` can't know what the first one did.
        Ok(Err(ApplyError::NoEffect(why) | ApplyError::Unknown(why))) => {
            StepEvent::Failed { effect: Effect::Unknown, why }
        }
        Err(cut) => StepEvent::Failed { effect: Effect::Unknown, why: says(cut, step) },
    }
}

fn says(cut: Cut, step: &PreparedStep) -> String {
    match cut {
        Cut::TooLong => format!("did not end within {:?}", step.flow.timeout.unwrap_or_default()),
        Cut::Stopped(why) => why,
    }
}

/// Whether the field of a receipt is what it must be.
fn meets(field: Option<&Value>, test: &Test) -> bool {
    let Some(value) = field.filter(|value| !value.is_null()) else { return false };
    match test {
        Test::Exists => true,
        Test::Equals(text) => match value {
            Value::String(value) => value == text,
            value => *text == *value.to_string(),
        },
        Test::AtLeast(least) => value.as_i64().is_some_and(|value| value >= *least),
    }
}
