//! The stored shape of a decision and its plan.

use std::collections::BTreeMap;

use regreen_domain::{Decision, FailureClass, Plan, PlannedStep, Risk};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    scrub::{Scrub, scrub_text},
    shape::FlowV1,
};

/// What was decided, and why not more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportDecision)]
pub struct DecisionV1 {
    /// `heal`, `suggest` or `none`.
    pub action: String,
    /// Id of what stands in the way.
    pub because: Option<String>,
    /// What is, or would be, done.
    pub plan: Option<PlanV1>,
}

/// A plan, kept byte for byte: a later process goes on with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportPlan)]
pub struct PlanV1 {
    /// Id of the class that it heals.
    pub class: String,
    /// Id of the playbook.
    pub playbook: String,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// In this order.
    pub steps: Vec<StepV1>,
    /// Paths that the steps may write.
    pub paths: Vec<String>,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportStep)]
pub struct StepV1 {
    /// Unique within the plan.
    pub id: String,
    /// Step kind.
    pub kind: String,
    /// Arguments.
    pub args: BTreeMap<String, String>,
    /// Arguments that are lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, Vec<String>>,
    /// How it stands in its plan.
    #[serde(default, skip_serializing_if = "FlowV1::is_usual")]
    pub flow: FlowV1,
}

impl StepV1 {
    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        scrub_text(scrub, &mut self.id);
        scrub_text(scrub, &mut self.kind);
        self.args = self.args.iter().map(|(key, value)| (scrub.scrub(key), scrub.scrub(value))).collect();
        for item in self.lists.values_mut().flatten() {
            scrub_text(scrub, item);
        }
        self.flow.scrub(scrub);
    }

    /// The step again; `None` where it names something that this version doesn't know.
    pub fn to_domain(&self) -> Option<PlannedStep> {
        Some(PlannedStep {
            id: self.id.clone(),
            kind: self.kind.clone(),
            args: self.args.clone(),
            lists: self.lists.clone(),
            flow: self.flow.to_domain()?,
        })
    }
}

impl From<&PlannedStep> for StepV1 {
    fn from(step: &PlannedStep) -> Self {
        StepV1 {
            id: step.id.clone(),
            kind: step.kind.clone(),
            args: step.args.clone(),
            lists: step.lists.clone(),
            flow: FlowV1::from(&step.flow),
        }
    }
}

impl PlanV1 {
    /// The plan again; `None` where it names something that this version doesn't know.
    pub fn to_domain(&self) -> Option<Plan> {
        Some(Plan {
            class: FailureClass::parse(&self.class)?.healable()?,
            playbook: self.playbook.clone(),
            risk: Risk::parse(&self.risk)?,
            steps: self.steps.iter().map(StepV1::to_domain).collect::<Option<_>>()?,
            paths: self.paths.clone(),
        })
    }
}

impl From<&Plan> for PlanV1 {
    fn from(plan: &Plan) -> Self {
        PlanV1 {
            class: plan.class.id().to_owned(),
            playbook: plan.playbook.clone(),
            risk: plan.risk.id().to_owned(),
            steps: plan.steps.iter().map(StepV1::from).collect(),
            paths: plan.paths.clone(),
        }
    }
}

impl From<&Decision> for DecisionV1 {
    fn from(decision: &Decision) -> Self {
        let (action, because, plan) = match decision {
            Decision::Heal(plan) => ("heal", None, Some(plan)),
            Decision::Suggest { plan, because } => ("suggest", Some(because), Some(plan)),
            Decision::Nothing { because } => ("none", Some(because), None),
        };
        DecisionV1 {
            action: action.to_owned(),
            because: because.map(|b| b.id().to_owned()),
            plan: plan.map(PlanV1::from),
        }
    }
}
