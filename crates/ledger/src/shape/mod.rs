//! What is stored of an incident: its own versioned shape, `v1`, away from the domain types.
//!
//! Fields may be added with a default, never changed. Closed vocabularies (classes, outcomes, risks) are stored by
//! their stable ids, so that a ledger written by another version can still be listed.

mod decision;
mod diagnosis;
mod flow;
mod incident;
mod inputs;

pub use decision::{DecisionV1, PlanV1, StepV1};
pub use diagnosis::{AlternativeV1, DiagnosisV1, EvidenceV1};
pub use flow::{ConditionV1, FlowV1};
pub use incident::{Approval, FactorV1, Followed, Incident, Patch, Place, Question, State, Timings};
pub use inputs::{
    BudgetV1, CommandV1, FindingV1, HistoryV1, InputsV1, PlaybookV1, PolicyV1, RankedV1, RecordV1, SettingV1,
    SpentV1,
};

pub(crate) use incident::VERSION;
