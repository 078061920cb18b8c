//! What the evidence says of the conditions of a plan's steps.

use regreen_domain::{Condition, Flow, PlannedStep, Settled};

use crate::Case;

/// The step with what is left of its condition once the evidence has answered: what earlier steps will say, or why it is
/// left out.
pub(crate) fn step(step: PlannedStep, case: &Case<'_>) -> PlannedStep {
    let Some(condition) = &step.flow.when else { return step };
    let (when, skip) = match condition.settle(&|leaf| holds(leaf, case)) {
        Settled::Holds => (None, None),
        Settled::Fails => (None, Some(format!("it needs: {condition}"))),
        Settled::Open(open) => (Some(open), None),
    };
    PlannedStep { flow: Flow { when, skip, ..step.flow.clone() }, ..step }
}

/// Whether the evidence says so; `None` for what is no evidence.
fn holds(leaf: &Condition, case: &Case<'_>) -> Option<bool> {
    let diagnosis = case.diagnosis;
    match leaf {
        Condition::Finding { probe, standing } => {
            Some(case.findings.iter().any(|found| found.probe == probe && found.standing == *standing))
        }
        Condition::Pattern(id) => Some(diagnosis.pattern.as_ref().is_some_and(|pattern| *pattern == *id)),
        Condition::Class(class) => Some(diagnosis.class == *class),
        Condition::Tool(tools) => Some(diagnosis.tool.as_ref().is_some_and(|tool| tools.contains(tool))),
        Condition::Receipt { .. } | Condition::All(_) | Condition::Any(_) | Condition::Not(_) => None,
    }
}
