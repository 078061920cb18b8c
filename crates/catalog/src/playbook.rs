//! A playbook: the steps that heal a class of failure, its guard, and the decisions and rehearsals it must pass.
//!
//! Step kinds are code; the engine joins them with this data at start and refuses what it doesn't know.

use std::collections::BTreeMap;
use std::time::Duration;

use regreen_domain::{Confidence, FailureClass, Flow, HealableClass, Outcome, Refusal, Resource, Risk, Tool};
use serde::{Deserialize, Serialize};

use crate::{Pattern, PatternSource, Status, Template};

mod file;
pub(crate) mod inline;
mod step;
mod when;

pub(crate) use file::{BREAKS, DECISIONS, MOST_ATTEMPTS, MOST_PRIOR};

/// A playbook that was parsed and checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Playbook {
    /// The file's name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// The version that brought it.
    pub since: String,
    /// Whether it may be used.
    pub status: Status,
    /// What it does and why that heals, for people.
    pub explain: String,
    /// The classes that it heals: healable ones only.
    #[serde(with = "crate::packed::ids")]
    pub heals: Vec<HealableClass>,
    /// What must have been used up, where it is made for one resource only.
    #[serde(with = "crate::packed::maybe_id")]
    pub resource: Option<Resource>,
    /// The tools whose failures it heals; empty: any.
    #[serde(with = "crate::packed::ids")]
    pub tools: Vec<Tool>,
    /// What a diagnosis must bring along.
    pub needs: Vec<Need>,
    /// What its steps may write: paths relative to the workspace, `{lockfile}`, or a named root (`cache:{tool}`).
    pub paths: Vec<String>,
    /// How far it may go.
    pub guard: Guard,
    /// In this order; those of sub-playbooks stand in their places.
    pub steps: Vec<PlaybookStep>,
    /// What is tried after it, in this order and nothing else; `None`: what the catalogue's order says.
    pub fallback: Option<Vec<String>>,
    /// Decisions that the policy must take about it.
    pub examples: Vec<DecisionExample>,
    /// What must be left behind when a step breaks.
    pub rehearsals: Vec<Rehearsal>,
    /// Whose it is: the program's or the operator's. A repository can never bring one.
    #[serde(skip)]
    pub source: PatternSource,
}

impl Playbook {
    /// Whether it is made for what this pattern says was used up.
    pub fn suits(&self, pattern: Option<&Pattern>) -> bool {
        self.resource.is_none() || self.resource == pattern.and_then(|pattern| pattern.resource)
    }
}

/// What a diagnosis must bring along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// A probe confirmed the signature.
    Confirmed,
}

/// How far a playbook may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The most that it can spoil.
    #[serde(with = "crate::packed::id")]
    pub risk: Risk,
    /// Attempts per commit and job.
    pub attempts: u32,
    /// The least time between two attempts.
    pub cooldown: Duration,
    /// Only in CI jobs: it takes away what it can't put back, and no laptop is disposable.
    pub ci_only: bool,
    /// What is thought of it before there are outcomes: so many healed of so many tried. It gives way to outcomes as
    /// these become many beside it.
    pub prior: (u32, u32),
}

/// One step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlaybookStep {
    /// Unique within the playbook.
    pub id: String,
    /// The step kind.
    pub kind: String,
    /// The sub-playbook whose steps take its place; none of a catalogue that was loaded has one.
    pub(crate) playbook: Option<String>,
    /// Its arguments.
    pub with: BTreeMap<String, Template>,
    /// Its arguments that are lists: fixed strings, without any hole.
    pub lists: BTreeMap<String, Vec<String>>,
    /// When it runs, and how often and how long it is tried.
    #[serde(with = "when")]
    pub flow: Flow,
}

/// A decision that the policy must take.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecisionExample {
    /// What it shows.
    pub name: String,
    /// The diagnosis and history.
    pub given: Given,
    /// The decision.
    pub expect: ExpectedDecision,
}

/// The diagnosis and history of an example.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Given {
    /// The class.
    #[serde(with = "crate::packed::id")]
    pub class: FailureClass,
    /// The tool.
    #[serde(with = "crate::packed::maybe_id")]
    pub tool: Option<Tool>,
    /// The confidence.
    #[serde(with = "crate::packed::confidence")]
    pub confidence: Confidence,
    /// Whether a probe confirmed it.
    pub confirmed: bool,
    /// Attempts so far for this commit and job.
    pub attempts: u32,
}

/// The decision of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDecision {
    /// `heal`, `suggest` or `nothing`.
    pub decision: String,
    /// What stands in the way, where it isn't `heal`.
    #[serde(with = "crate::packed::maybe_id")]
    pub because: Option<Refusal>,
}

/// What must be left behind when a step breaks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rehearsal {
    /// What it shows.
    pub name: String,
    /// What breaks.
    pub broken: Break,
    /// What must be left.
    pub expect: ExpectedOutcome,
}

/// What breaks in a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Break {
    /// The step's id.
    pub step: String,
    /// How its apply fails: `no-effect` or `unknown`.
    pub how: String,
    /// Only its first acts fail, so many; `None`: all of them.
    pub times: Option<u32>,
    /// How its undo fails, where it does: `fails`.
    pub undo: Option<String>,
}

/// What must be left after a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedOutcome {
    /// How the incident ends.
    #[serde(with = "crate::packed::id")]
    pub outcome: Outcome,
    /// The steps that were undone, in the order of undoing.
    pub undone: Vec<String>,
    /// Whether a person is called.
    pub needs_human: bool,
}
