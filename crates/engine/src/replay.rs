//! A decision on record, made again from what is on record, without a look at anything else.

use regreen_catalog::Catalog;
use regreen_decide::{Case, decide};
use regreen_ledger::{DecisionV1, Incident, InputsV1, PlanV1};
use thiserror::Error;

use crate::{error::EngineError, fleet::run_of, inputs::restored, playbooks::in_place};

/// A decision made again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// As it is on record.
    pub recorded: DecisionV1,
    /// From the same inputs, by this version of Regreen.
    pub again: DecisionV1,
    /// From the same inputs, with the playbooks that hold today.
    pub today: DecisionV1,
    /// What it was decided from.
    pub inputs: InputsV1,
}

/// What a decision is on record as, and what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub what: &'static str,
    /// On record.
    pub recorded: String,
    /// Now.
    pub now: String,
}

/// Why a decision can't be made again.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The incident ended before anything was decided.
    #[error("incident `{0}` ended before anything was decided")]
    Undecided(String),
    /// An older Regreen did not keep the inputs.
    #[error("incident `{0}` was recorded by a version that did not keep what it decided from")]
    NoInputs(String),
    /// It names a class, tool or risk that this version doesn't know.
    #[error("incident `{0}` names something that this version of regreen does not know")]
    Unreadable(String),
    /// The catalogue can't be used.
    #[error(transparent)]
    Catalog(#[from] EngineError),
}

/// Decides again, and by what `catalog` holds today.
///
/// # Errors
/// [`ReplayError`].
pub fn replay(incident: &Incident, catalog: &Catalog) -> Result<Replayed, ReplayError> {
    let id = || incident.id.clone();
    let recorded = incident.decision.clone().ok_or_else(|| ReplayError::Undecided(id()))?;
    let stored = incident.inputs.clone().ok_or_else(|| ReplayError::NoInputs(id()))?;
    let diagnosis = incident.diagnosis.to_domain();
    let inputs = diagnosis.and_then(|d| restored(d, &stored)).ok_or_else(|| ReplayError::Unreadable(id()))?;
    let again = DecisionV1::from(&decide(&inputs.case()));
    let at_host = run_of(incident).is_some();
    let playbooks = in_place(catalog, inputs.diagnosis.pattern.as_deref(), at_host)?;
    let today = DecisionV1::from(&decide(&Case { playbooks: &playbooks, ..inputs.case() }));
    Ok(Replayed { recorded, again, today, inputs: stored })
}

impl Replayed {
    /// What differs when the same inputs are decided again; empty: the decision is the same.
    pub fn differences(&self) -> Vec<Difference> {
        differences(&self.recorded, &self.again)
    }

    /// What would differ with the playbooks that hold today.
    pub fn differences_today(&self) -> Vec<Difference> {
        differences(&self.recorded, &self.today)
    }
}

fn differences(recorded: &DecisionV1, now: &DecisionV1) -> Vec<Difference> {
    let none = || "none".to_owned();
    let plan = |d: &DecisionV1, show: fn(&PlanV1) -> String| d.plan.as_ref().map_or_else(none, show);
    let rows = [
        ("action", recorded.action.clone(), now.action.clone()),
        ("because", recorded.because.clone().unwrap_or_else(none), now.because.clone().unwrap_or_else(none)),
        ("class", plan(recorded, |p| p.class.clone()), plan(now, |p| p.class.clone())),
        ("playbook", plan(recorded, |p| p.playbook.clone()), plan(now, |p| p.playbook.clone())),
        ("risk", plan(recorded, |p| p.risk.clone()), plan(now, |p| p.risk.clone())),
        ("steps", plan(recorded, steps), plan(now, steps)),
        ("paths", plan(recorded, |p| p.paths.join(", ")), plan(now, |p| p.paths.join(", "))),
    ];
    let differ = rows.into_iter().filter(|(_, recorded, now)| recorded != now);
    differ.map(|(what, recorded, now)| Difference { what, recorded, now }).collect()
}

/// The steps with their arguments, on one line.
fn steps(plan: &PlanV1) -> String {
    let step = |s: &regreen_ledger::StepV1| {
        let texts = s.args.iter().map(|(key, value)| format!("{key} = {value}"));
        let args: Vec<String> =
            texts.chain(s.lists.iter().map(|(key, items)| format!("{key} = {items:?}"))).collect();
        let args = if args.is_empty() { String::new() } else { format!(" ({})", args.join(", ")) };
        let flow = serde_json::to_string(&s.flow).ok().filter(|flow| flow != "{}").unwrap_or_default();
        format!("{}{args}{flow}", s.kind)
    };
    plan.steps.iter().map(step).collect::<Vec<_>>().join(", ")
}
