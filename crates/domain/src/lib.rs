//! The nouns of Regreen: failure classes, evidence, diagnoses, decisions, outcomes.
//!
//! Standard library only and nothing serialisable: what leaves the process has its own versioned shape in
//! the crate that writes it.

mod class;
mod command;
mod confidence;
mod decision;
mod diagnosis;
mod evidence;
mod finding;
mod flow;
mod hole;
mod outcome;
mod pattern_source;
mod policy;
mod resource;

pub use class::{AdviseClass, CodeClass, FailureClass, HealableClass, InfraClass, Verdict};
pub use command::{CommandFacts, CommandKind, Tool};
pub use confidence::{Confidence, Counts};
pub use decision::{Decision, Plan, PlannedStep, Refusal};
pub use diagnosis::{Alternative, Diagnosis, Fingerprint};
pub use evidence::{Evidence, Role};
pub use finding::{Finding, Standing};
pub use flow::{Condition, Flow, Settled, Test};
pub use hole::{CacheKey, Host, PackageName, RelPath, Untrusted};
pub use outcome::{Outcome, Verification, VerificationFactor};
pub use pattern_source::PatternSource;
pub use policy::{Mode, Risk};
pub use resource::Resource;
