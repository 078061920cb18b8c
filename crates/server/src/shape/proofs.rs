//! Version 1 of the shapes of what proves a pattern or a playbook: it is not loaded unless all of it holds.

use regreen_catalog::{Pattern, Playbook};
use serde::Serialize;
use utoipa::ToSchema;

/// What proves a pattern; the examples of every other pattern speak against it too
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PatternProofs)]
pub struct PatternProofsV1 {
    /// Logs in which it is found
    pub examples: Vec<ExampleV1>,
    /// What logs show in which it is not found
    pub counterexamples: Vec<String>,
}

/// A log in which a pattern is found
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Example)]
pub struct ExampleV1 {
    /// What it shows
    pub name: String,
    /// Where it comes from: `recorded: …`, `source: …` or `invented`
    pub origin: String,
}

/// What proves a playbook
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PlaybookProofs)]
pub struct PlaybookProofsV1 {
    /// Decisions that are taken about it
    pub decisions: Vec<DecidedV1>,
    /// What is left behind when a step breaks
    pub rehearsals: Vec<RehearsedV1>,
}

/// A decision that is taken about a playbook
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProvenDecision)]
pub struct DecidedV1 {
    /// What it shows
    pub name: String,
    /// `heal`, `suggest` or `nothing`
    pub decision: String,
    /// What stands in the way, where it is not `heal`
    pub because: Option<&'static str>,
}

/// What is left behind when a step breaks
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Rehearsal)]
pub struct RehearsedV1 {
    /// What it shows
    pub name: String,
    /// The step that breaks
    pub breaks: String,
    /// How the incident ends
    pub outcome: &'static str,
    /// The steps that are taken back, in this order
    pub undone: Vec<String>,
}

impl From<&Pattern> for PatternProofsV1 {
    fn from(p: &Pattern) -> PatternProofsV1 {
        let example =
            |e: &regreen_catalog::Example| ExampleV1 { name: e.name.clone(), origin: e.origin.clone() };
        PatternProofsV1 {
            examples: p.examples.iter().map(example).collect(),
            counterexamples: p.counterexamples.iter().map(|c| c.name.clone()).collect(),
        }
    }
}

impl From<&Playbook> for PlaybookProofsV1 {
    fn from(p: &Playbook) -> PlaybookProofsV1 {
        let decided = |e: &regreen_catalog::DecisionExample| DecidedV1 {
            name: e.name.clone(),
            decision: e.expect.decision.clone(),
            because: e.expect.because.map(regreen_domain::Refusal::id),
        };
        let rehearsed = |r: &regreen_catalog::Rehearsal| RehearsedV1 {
            name: r.name.clone(),
            breaks: r.broken.step.clone(),
            outcome: r.expect.outcome.id(),
            undone: r.expect.undone.clone(),
        };
        PlaybookProofsV1 {
            decisions: p.examples.iter().map(decided).collect(),
            rehearsals: p.rehearsals.iter().map(rehearsed).collect(),
        }
    }
}
