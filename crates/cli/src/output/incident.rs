//! Version 1 of the shape of an incident: one object a line in a list, with its details where one is shown.

use regreen_ledger::{Feedback, Incident};
use serde::Serialize;

use super::print::{line, moment, table};

/// Everything on record about one incident.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// What happened, oldest first.
    pub timeline: &'a [Moment],
    /// What people said that it was.
    pub feedback: &'a [Feedback],
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: i64,
    /// The step of the plan, where it is one's.
    pub step: Option<String>,
    /// What.
    pub what: String,
    /// Who or why.
    pub detail: String,
}

#[derive(Debug, Serialize)]
struct IncidentV1<'a> {
    version: u32,
    id: &'a str,
    state: &'static str,
    outcome: Option<&'a str>,
    opened_at: String,
    closed_at: Option<String>,
    command: &'a [String],
    exit_code: Option<i32>,
    final_exit_code: Option<i32>,
    verdict: &'a str,
    class: &'a str,
    pattern: Option<&'a str>,
    tool: Option<&'a str>,
    confidence: f64,
    confirmed: bool,
    reason: &'a str,
    fingerprint: &'a str,
    action: Option<&'a str>,
    because: Option<&'a str>,
    playbook: Option<&'a str>,
    risk: Option<&'a str>,
    attempt: u32,
    workspace: &'a str,
    repository: Option<&'a str>,
    commit: Option<&'a str>,
    job: Option<&'a str>,
    handed_over_to: Option<&'a str>,
    patch: Option<&'a str>,
    imported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<DetailsV1<'a>>,
}

#[derive(Debug, Serialize)]
struct DetailsV1<'a> {
    evidence: Vec<EvidenceV1<'a>>,
    alternatives: Vec<AlternativeV1<'a>>,
    steps: Vec<StepV1<'a>>,
    approval: Option<ApprovalV1<'a>>,
    verification: Vec<FactorV1<'a>>,
    changed: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    followed: Option<FollowedV1>,
    timings_ms: TimingsV1,
    timeline: Vec<MomentV1<'a>>,
    feedback: Vec<FeedbackV1<'a>>,
}

/// What became of an incident that was left alone to be compared.
#[derive(Debug, Serialize)]
struct FollowedV1 {
    attempt: u32,
    green: bool,
    at: String,
}

#[derive(Debug, Serialize)]
struct EvidenceV1<'a> {
    line: u64,
    column: u32,
    text: &'a str,
    role: &'a str,
}

#[derive(Debug, Serialize)]
struct AlternativeV1<'a> {
    class: &'a str,
    confidence: f64,
}

#[derive(Debug, Serialize)]
struct StepV1<'a> {
    id: &'a str,
    kind: &'a str,
}

#[derive(Debug, Serialize)]
struct ApprovalV1<'a> {
    granted: bool,
    actor: &'a str,
    reason: Option<&'a str>,
    at: String,
}

#[derive(Debug, Serialize)]
struct FactorV1<'a> {
    name: &'a str,
    held: Option<bool>,
    says: &'a str,
}

#[derive(Debug, Serialize)]
struct TimingsV1 {
    detect: Option<u64>,
    decide: Option<u64>,
    act: Option<u64>,
    verify: Option<u64>,
    command: Option<u64>,
    overhead: Option<u64>,
}

#[derive(Debug, Serialize)]
struct MomentV1<'a> {
    at: String,
    step: Option<&'a str>,
    what: &'a str,
    detail: &'a str,
}

#[derive(Debug, Serialize)]
struct FeedbackV1<'a> {
    class: &'a str,
    actor: &'a str,
    note: Option<&'a str>,
    at: String,
}

/// One object a line.
pub fn list_json(incidents: &[Incident]) -> String {
    incidents.iter().map(|i| line(&shape(i))).collect()
}

/// A line an incident.
pub fn list_plain(incidents: &[Incident]) -> String {
    let row = |i: &Incident| {
        let ended = i.outcome.clone().unwrap_or_else(|| i.state.id().to_owned());
        [i.id.clone(), moment(i.opened_at), ended, i.diagnosis.class.clone(), i.command.join(" ")]
    };
    table(&incidents.iter().map(row).collect::<Vec<_>>())
}

/// One object with its details.
pub fn json(whole: &Whole<'_>) -> String {
    let i = whole.incident;
    let plan = i.decision.as_ref().and_then(|d| d.plan.as_ref());
    let t = &i.timings;
    let details = DetailsV1 {
        evidence: i
            .diagnosis
            .evidence
            .iter()
            .map(|e| EvidenceV1 { line: e.line, column: e.column, text: &e.text, role: &e.role })
            .collect(),
        alternatives: i
            .diagnosis
            .alternatives
            .iter()
            .map(|a| AlternativeV1 { class: &a.class, confidence: a.confidence })
            .collect(),
        steps: plan
            .map_or_else(Vec::new, |p| p.steps.iter().map(|s| StepV1 { id: &s.id, kind: &s.kind }).collect()),
        approval: i.approval.as_ref().map(|a| ApprovalV1 {
            granted: a.granted,
            actor: &a.actor,
            reason: a.reason.as_deref(),
            at: moment(a.at),
        }),
        verification: i
            .verification
            .iter()
            .flatten()
            .map(|f| FactorV1 { name: &f.name, held: f.held, says: &f.says })
            .collect(),
        changed: i.patch.as_ref().map(|p| p.summary.as_str()),
        followed: i.followed.map(|f| FollowedV1 { attempt: f.attempt, green: f.green, at: moment(f.at) }),
        timings_ms: TimingsV1 {
            detect: t.detect,
            decide: t.decide,
            act: t.act,
            verify: t.verify,
            command: t.command,
            overhead: t.overhead,
        },
        timeline: whole
            .timeline
            .iter()
            .map(|m| MomentV1 { at: moment(m.at), step: m.step.as_deref(), what: &m.what, detail: &m.detail })
            .collect(),
        feedback: whole
            .feedback
            .iter()
            .map(|f| FeedbackV1 {
                class: &f.class,
                actor: &f.actor,
                note: f.note.as_deref(),
                at: moment(f.at),
            })
            .collect(),
    };
    line(&IncidentV1 { details: Some(details), ..shape(i) })
}

fn shape(i: &Incident) -> IncidentV1<'_> {
    let decision = i.decision.as_ref();
    let plan = decision.and_then(|d| d.plan.as_ref());
    IncidentV1 {
        version: 1,
        id: &i.id,
        state: i.state.id(),
        outcome: i.outcome.as_deref(),
        opened_at: moment(i.opened_at),
        closed_at: i.closed_at.map(moment),
        command: &i.command,
        exit_code: i.exit_code,
        final_exit_code: i.final_exit_code,
        verdict: &i.diagnosis.verdict,
        class: &i.diagnosis.class,
        pattern: i.diagnosis.pattern.as_deref(),
        tool: i.diagnosis.tool.as_deref(),
        // Two decimals are what a count of some dozens can carry.
        confidence: (i.diagnosis.confidence * 100.0 + 1e-9).floor() / 100.0,
        confirmed: i.diagnosis.confirmed,
        reason: &i.diagnosis.reason,
        fingerprint: &i.diagnosis.fingerprint,
        action: decision.map(|d| d.action.as_str()),
        because: decision.and_then(|d| d.because.as_deref()),
        playbook: plan.map(|p| p.playbook.as_str()),
        risk: plan.map(|p| p.risk.as_str()),
        attempt: i.attempt,
        workspace: &i.place.workspace,
        repository: i.place.repository.as_deref(),
        commit: i.place.commit.as_deref(),
        job: i.place.job.as_deref(),
        handed_over_to: i.handed_over_to.as_deref(),
        patch: i.patch.as_ref().and_then(|p| p.path.as_deref()),
        imported: i.imported,
        details: None,
    }
}

/// Everything, for people.
pub fn plain(whole: &Whole<'_>) -> String {
    let i = whole.incident;
    let shape = shape(i);
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let code = |code: Option<i32>| code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut say = |name: &str, value: String| rows.push([name.to_owned(), value]);
    say("incident", i.id.clone());
    let ended = i.handed_over_to.as_ref().map(|to| format!("; carried out by {to}")).unwrap_or_default();
    say("state", format!("{}{ended}", i.outcome.as_deref().unwrap_or(i.state.id())));
    if i.imported {
        say("imported", "it can be read, not acted upon".to_owned());
    }
    say("command", i.command.join(" "));
    say("exit code", format!("{} at first, {} in the end", code(i.exit_code), code(i.final_exit_code)));
    say("workspace", i.place.workspace.clone());
    say("repository", text(i.place.repository.as_deref()));
    say("commit", text(i.place.commit.as_deref()));
    say("job", text(i.place.job.as_deref()));
    let sure = if i.diagnosis.confirmed { "confirmed by a probe" } else { "not confirmed" };
    say(
        "diagnosis",
        format!("{}: {} (confidence {:.2}, {sure})", shape.verdict, shape.class, shape.confidence),
    );
    say("why", i.diagnosis.reason.clone());
    say("pattern", text(shape.pattern));
    for e in &i.diagnosis.evidence {
        say("evidence", format!("line {}: {} ({})", e.line, e.text, e.role));
    }
    for a in &i.diagnosis.alternatives {
        say("next likely", format!("{} ({:.2})", a.class, a.confidence));
    }
    say("fingerprint", i.diagnosis.fingerprint.clone());
    let because = shape.because.map(|b| format!(" ({b})")).unwrap_or_default();
    say("decision", format!("{}{because}", shape.action.unwrap_or("none was made")));
    if let Some(plan) = i.decision.as_ref().and_then(|d| d.plan.as_ref()) {
        let steps: Vec<&str> = plan.steps.iter().map(|s| s.kind.as_str()).collect();
        say("playbook", format!("{} (risk {}): {}", plan.playbook, plan.risk, steps.join(", ")));
    }
    if let Some(a) = &i.approval {
        let word = if a.granted { "approved" } else { "denied" };
        let reason = a.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        say(word, format!("by {} at {}{reason}", a.actor, moment(a.at)));
    }
    if let Some(from) = i.inputs.as_ref().and_then(|inputs| inputs.approved_as.as_ref()) {
        say("approved", format!("as incident {from}"));
    }
    for factor in i.verification.iter().flatten() {
        let held = match factor.held {
            Some(true) => "held",
            Some(false) => "did not hold",
            None => "not checked",
        };
        let says = if factor.says.is_empty() { String::new() } else { format!(": {}", factor.says) };
        say("verification", format!("{}: {held}{says}", factor.name));
    }
    if let Some(followed) = i.followed {
        let ended = if followed.green { "green" } else { "failed again" };
        say("followed", format!("{ended} in attempt {} at {}", followed.attempt, moment(followed.at)));
    }
    if let Some(patch) = &i.patch {
        say("changed", patch.summary.clone());
        say("patch", text(patch.path.as_deref()));
    }
    for f in whole.feedback {
        let note = f.note.as_ref().map(|n| format!(": {n}")).unwrap_or_default();
        say("feedback", format!("{} says {}{note}", f.actor, f.class));
    }
    let moment_row = |m: &Moment| {
        let step = m.step.as_ref().map(|s| format!("{s} ")).unwrap_or_default();
        [format!("  {}", moment(m.at)), format!("{step}{}", m.what), m.detail.clone()]
    };
    let timeline = table(&whole.timeline.iter().map(moment_row).collect::<Vec<_>>());
    format!("{}timeline\n{timeline}", table(&rows))
}
