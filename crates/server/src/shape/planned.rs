//! Version 1 of the shape of a step of a plan.

use std::collections::BTreeMap;

use regreen_ledger::StepV1;
use serde::Serialize;
use utoipa::ToSchema;

/// A step of a plan
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlannedStep)]
pub struct PlannedV1 {
    /// Unique within the plan
    pub id: String,
    /// The step kind
    pub kind: String,
    /// Its arguments; masked
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<BTreeMap<String, String>>,
    /// Its arguments that are lists; masked
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lists: Option<BTreeMap<String, Vec<String>>>,
}

impl PlannedV1 {
    /// What it is called.
    pub(super) fn named(step: &StepV1) -> PlannedV1 {
        PlannedV1 { id: step.id.clone(), kind: step.kind.clone(), args: None, lists: None }
    }

    /// All of it.
    pub(super) fn of(step: &StepV1) -> PlannedV1 {
        PlannedV1 { args: Some(step.args.clone()), lists: Some(step.lists.clone()), ..PlannedV1::named(step) }
    }
}
