//! A playbook's own proof, played without a world: the decisions that the policy must take about it, what it leaves
//! behind where a step breaks, and the laws that every saga obeys.

use regreen_catalog::{Break as Written, Catalog, DecisionExample, Playbook as WrittenPlaybook, Rehearsal};
use regreen_decide::{Case, History, Playbook, Policy, Setting, decide};
use regreen_domain::{CommandFacts, CommandKind, Decision, Diagnosis, Fingerprint, Outcome, Refusal};
use regreen_saga::{
    Ended, KindFacts,
    rehearse::{Break, Depth, Fault, LAWS, Part, laws, play},
};
use regreen_steps::kind_facts;

use crate::{
    error::EngineError,
    playbooks::{check, joined, works_at_host},
};

/// What was rehearsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RehearsedKind {
    /// A decision that the policy must take.
    Decision,
    /// What is left where a step breaks.
    Rehearsal,
    /// The laws that every saga obeys.
    Laws,
}

impl RehearsedKind {
    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            RehearsedKind::Decision => "decision",
            RehearsedKind::Rehearsal => "rehearsal",
            RehearsedKind::Laws => "laws",
        }
    }
}

/// One thing that was rehearsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Id of the playbook.
    pub playbook: String,
    /// What it was.
    pub kind: RehearsedKind,
    /// What it shows.
    pub name: String,
    /// How many runs it took, for laws.
    pub runs: u64,
    /// What came out instead, where it does not hold.
    pub problem: Option<String>,
}

/// Rehearses a playbook of the catalogue.
///
/// # Errors
/// [`EngineError::Catalog`] where its steps can't be joined with their kinds.
pub async fn rehearse(
    catalog: &Catalog,
    playbook: &WrittenPlaybook,
    depth: Depth,
) -> Result<Vec<Rehearsed>, EngineError> {
    let ready = joined(playbook)?;
    let kinds = kind_facts();
    // A rehearsal runs no command.
    check(&ready, catalog, &kinds, true)?;
    let parts = parts(&ready, &kinds);
    let mut all = Vec::new();
    let mut note = |kind, name: &str, runs, problem| {
        all.push(Rehearsed { playbook: playbook.id.clone(), kind, name: name.to_owned(), runs, problem });
    };
    for example in &playbook.examples {
        note(RehearsedKind::Decision, &example.name, 0, decision_problem(&ready, example));
    }
    for rehearsal in &playbook.rehearsals {
        note(RehearsedKind::Rehearsal, &rehearsal.name, 1, played_problem(&parts, rehearsal).await);
    }
    let (runs, problem) = match laws(&parts, depth).await {
        Ok(tried) => (tried.runs, None),
        Err(broken) => (0, Some(broken.to_string())),
    };
    let name = format!("{} laws at every crash point of {} steps", LAWS.len(), parts.len());
    note(RehearsedKind::Laws, &name, runs, problem);
    Ok(all)
}

/// The plan's steps as a rehearsal needs them.
fn parts(playbook: &Playbook, kinds: &[KindFacts]) -> Vec<Part> {
    let part = |step: &regreen_domain::PlannedStep| {
        let facts = kinds.iter().find(|facts| facts.kind == step.kind)?;
        let (undo, resume) = (facts.undo, facts.resume);
        Some(Part { id: step.id.clone(), undo, resume, flow: step.flow.clone() })
    };
    // `check` has found every kind.
    playbook.steps.iter().filter_map(part).collect()
}

/// What the policy decides instead, in a CI job under the default policy.
fn decision_problem(playbook: &Playbook, example: &DecisionExample) -> Option<String> {
    let given = &example.given;
    let diagnosis = Diagnosis {
        failed: true,
        class: given.class,
        // Where nothing is left to look at, a signature is what says so.
        pattern: works_at_host(playbook).then(|| "rehearsed".to_owned()),
        pattern_source: None,
        tool: given.tool.clone(),
        step: None,
        confidence: given.confidence,
        confirmed: given.confirmed,
        evidence: Vec::new(),
        alternatives: Vec::new(),
        reason: String::new(),
        fingerprint: Fingerprint::default(),
        truncated: false,
    };
    let decision = decide(&Case {
        diagnosis: &diagnosis,
        findings: &[],
        command: &CommandFacts { tool: given.tool.clone(), kind: CommandKind::Install, fetches: true },
        playbooks: std::slice::from_ref(playbook),
        policy: &Policy::default(),
        setting: &Setting { in_ci: true, whole_job: works_at_host(playbook), ..Setting::default() },
        history: &History { attempts: given.attempts, ..History::default() },
        now: 0,
    });
    let (what, because) = match decision {
        Decision::Heal(_) => ("heal", None),
        Decision::Suggest { because, .. } => ("suggest", Some(because)),
        Decision::Nothing { because } => ("nothing", Some(because)),
    };
    let said = |what: &str, because: Option<Refusal>| {
        because.map_or_else(|| what.to_owned(), |because| format!("{what} ({})", because.id()))
    };
    let expect = &example.expect;
    let because_differs = expect.because.is_some() && expect.because != because;
    (what != expect.decision || because_differs).then(|| {
        format!("decided: {}; expected: {}", said(what, because), said(&expect.decision, expect.because))
    })
}

/// What is left instead.
async fn played_problem(parts: &[Part], rehearsal: &Rehearsal) -> Option<String> {
    let Written { step, how, times, undo } = &rehearsal.broken;
    let how = if how == "no-effect" { Break::NoEffect } else { Break::Lost };
    let undo_fails = undo.is_some();
    let fault = Fault { step: step.clone(), how, times: *times, undo_fails };
    let played = match play(parts, &fault).await {
        Ok(played) => played,
        Err(why) => return Some(why),
    };
    let (outcome, why) = match &played.ended {
        Ended::Verified => (Outcome::Healed, None),
        Ended::RolledBack { why } => (Outcome::RolledBack, Some(why)),
        Ended::Stuck { why } => (Outcome::Stuck, Some(why)),
        Ended::Waits { why } => return Some(format!("it waits: {why}")),
    };
    let expect = &rehearsal.expect;
    let needs_human = outcome == Outcome::Stuck;
    if outcome == Outcome::RolledBack && !played.as_before {
        return Some("it was rolled back, and the world is not as it was".to_owned());
    }
    let left = |outcome: Outcome, undone: &[String], needs_human: bool| {
        let undone = if undone.is_empty() { "nothing".to_owned() } else { undone.join(", ") };
        let human = if needs_human { ", a person is called" } else { "" };
        format!("{}, undone: {undone}{human}", outcome.id())
    };
    let got = left(outcome, &played.undone, needs_human);
    let want = left(expect.outcome, &expect.undone, expect.needs_human);
    let because = why.map_or(String::new(), |why| format!(" ({why})"));
    (got != want).then(|| format!("left: {got}{because}; expected: {want}"))
}
