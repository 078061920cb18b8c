//! Version 1 of the shapes of patterns and playbooks.

use std::{collections::BTreeMap, time::Duration};

use regreen_catalog::{Part, Pattern, Playbook, Status, Strength, Template};
use regreen_domain::{Confidence, Flow};
use regreen_ledger::AcceptedPattern;
use regreen_steps::closing;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{PatternProofsV1, PlaybookProofsV1, moment};

/// A sign by which a cause is known
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Pattern)]
pub struct PatternV1 {
    /// Version of this shape
    pub version: u32,
    /// Its id
    pub id: String,
    /// Where it comes from: `built-in`, `operator`, `repository` or `accepted`
    pub source: &'static str,
    /// By whom it was accepted, where it was
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedV1>,
    /// The class that it names
    pub class: &'static str,
    /// Classes that it may also be
    pub also: Vec<&'static str>,
    /// What it is a sign of
    pub title: String,
    /// Since which version
    pub since: String,
    /// `draft`, `stable` or `retired`
    pub status: &'static str,
    /// `code-final`, `cause` or `symptom`
    pub strength: &'static str,
    /// Tools that say it; none: any
    pub tools: Vec<String>,
    /// Commands that say it; none: any
    pub commands: Vec<&'static str>,
    /// Patterns that it explains
    pub explains: Vec<String>,
    /// How sure it makes: the lower bound of how often it was right
    pub confidence: f64,
    /// How often it was found in the logs that it was measured on
    pub hits: u32,
    /// How often it was right
    pub right: u32,
    /// In how many logs
    pub logs: u32,
    /// What proves it
    pub proofs: PatternProofsV1,
    /// What is behind it
    pub explain: String,
    /// What to do
    pub fix: String,
    /// Where there is more
    pub see: Vec<String>,
}

/// A person's word for a pattern
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Accepted)]
pub struct AcceptedV1 {
    /// Who gave it
    pub by: String,
    /// When
    pub at: String,
    /// The pattern's file, as it was accepted
    pub file: String,
}

impl From<&AcceptedPattern> for AcceptedV1 {
    fn from(one: &AcceptedPattern) -> AcceptedV1 {
        AcceptedV1 { by: one.actor.clone(), at: moment(one.at), file: one.text.clone() }
    }
}

/// A way to heal
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Playbook)]
pub struct PlaybookV1 {
    /// Version of this shape
    pub version: u32,
    /// Its id
    pub id: String,
    /// What it does
    pub title: String,
    /// Since which version
    pub since: String,
    /// `draft`, `stable` or `retired`
    pub status: &'static str,
    /// Where it comes from
    pub source: &'static str,
    /// The classes that it heals
    pub heals: Vec<&'static str>,
    /// For which tools; none: any
    pub tools: Vec<String>,
    /// Paths that it may write
    pub paths: Vec<String>,
    /// `low`, `medium` or `high`
    pub risk: &'static str,
    /// Attempts for each commit and job
    pub attempts: u32,
    /// Milliseconds between two
    pub cooldown_ms: u64,
    /// What is tried after it
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<String>>,
    /// In this order
    pub steps: Vec<PlaybookStepV1>,
    /// What it does, and why that is safe
    pub explain: String,
    /// What proves it
    pub proofs: PlaybookProofsV1,
}

/// A step of a playbook
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = PlaybookStep)]
pub struct PlaybookStepV1 {
    /// Unique within the playbook
    pub id: String,
    /// The step kind
    pub kind: String,
    /// Its arguments: texts, or lists of texts
    pub args: BTreeMap<String, Value>,
    /// What must hold
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Longest that it may take
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How often it is tried, where that is more than once
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Time between two tries
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
    /// Neighbours with the same name run side by side
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// The word for a status.
pub const fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "draft",
        Status::Stable => "stable",
        Status::Retired => "retired",
    }
}

const fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::CodeFinal => "code-final",
        Strength::Cause => "cause",
        Strength::Symptom => "symptom",
    }
}

impl From<&Pattern> for PatternV1 {
    fn from(p: &Pattern) -> PatternV1 {
        let counts = p.measured.counts();
        PatternV1 {
            version: 1,
            id: p.id.clone(),
            source: p.source.id(),
            accepted: None,
            class: p.class.id(),
            also: p.also.iter().map(|c| c.id()).collect(),
            title: p.title.clone(),
            since: p.since.clone(),
            status: status(p.status),
            strength: strength(p.strength),
            tools: p.tools.iter().map(|t| t.as_str().to_owned()).collect(),
            commands: p.commands.iter().map(|c| c.id()).collect(),
            explains: p.explains.clone(),
            confidence: (Confidence::wilson(counts).value() * 100.0 + 1e-9).floor() / 100.0,
            hits: counts.hits,
            right: counts.right,
            logs: counts.n,
            proofs: PatternProofsV1::from(p),
            explain: p.explain.trim().to_owned(),
            fix: p.fix.trim().to_owned(),
            see: p.see.to_vec(),
        }
    }
}

static USUAL: Flow =
    Flow { when: None, skip: None, timeout: None, attempts: 1, pause: Duration::ZERO, group: None };

impl From<&Playbook> for PlaybookV1 {
    fn from(p: &Playbook) -> PlaybookV1 {
        let own = p.steps.iter().map(|s| {
            let texts = s.with.iter().map(|(key, value)| (key.clone(), Value::from(template(value))));
            let lists = s.lists.iter().map(|(key, items)| (key.clone(), Value::from(items.as_slice())));
            PlaybookStepV1::of(&s.id, &s.kind, texts.chain(lists).collect(), &s.flow)
        });
        let last = closing(p.steps.iter().map(|s| s.kind.as_str()), &p.paths);
        let last = last.into_iter().map(|kind| PlaybookStepV1::of(kind, kind, BTreeMap::new(), &USUAL));
        PlaybookV1 {
            version: 1,
            id: p.id.clone(),
            title: p.title.clone(),
            since: p.since.clone(),
            status: status(p.status),
            source: p.source.id(),
            heals: p.heals.iter().map(|h| h.id()).collect(),
            tools: p.tools.iter().map(|t| t.as_str().to_owned()).collect(),
            paths: p.paths.clone(),
            risk: p.guard.risk.id(),
            attempts: p.guard.attempts,
            cooldown_ms: millis(p.guard.cooldown),
            fallback: p.fallback.clone(),
            steps: own.chain(last).collect(),
            explain: p.explain.trim().to_owned(),
            proofs: PlaybookProofsV1::from(p),
        }
    }
}

impl PlaybookStepV1 {
    fn of(id: &str, kind: &str, args: BTreeMap<String, Value>, flow: &Flow) -> PlaybookStepV1 {
        PlaybookStepV1 {
            id: id.to_owned(),
            kind: kind.to_owned(),
            args,
            when: flow.when.as_ref().map(ToString::to_string),
            timeout_ms: flow.timeout.map(millis),
            attempts: (flow.attempts > 1).then_some(flow.attempts),
            pause_ms: (!flow.pause.is_zero()).then(|| millis(flow.pause)),
            group: flow.group.clone(),
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A template as it stands in its file.
fn template(template: &Template) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.clone(),
        Part::Tool => "{tool}".to_owned(),
        Part::EvidenceHost => "{evidence.host}".to_owned(),
        Part::EvidencePackage => "{evidence.package}".to_owned(),
    };
    template.parts().iter().map(part).collect()
}
