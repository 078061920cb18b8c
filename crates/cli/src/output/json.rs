//! Version 1 of the JSON shape: one object a line. Fields may be added, never changed.

use regreen_bench::THRESHOLD;
use regreen_domain::{Diagnosis, FailureClass, InfraClass};
use regreen_engine::Handled;
use serde::Serialize;

use super::{diagnosed::Diagnosed, print::line};

/// One diagnosis.
#[derive(Debug, Serialize)]
pub struct DiagnosisV1<'a> {
    version: u32,
    input: &'a str,
    failed: bool,
    verdict: String,
    class: &'static str,
    pattern: Option<&'a str>,
    tool: Option<&'a str>,
    step: Option<&'a str>,
    confidence: f64,
    evidence: Vec<EvidenceV1<'a>>,
    alternatives: Vec<AlternativeV1>,
    action: &'static str,
    playbook: Option<&'a str>,
    risk: Option<&'static str>,
    reason: &'a str,
    fingerprint: &'a str,
    truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hang: Option<HangV1<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingV1<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

/// A job that was ended while it was silent, or took too long.
#[derive(Debug, Serialize)]
struct HangV1<'a> {
    line: Option<u64>,
    text: &'a str,
    silent_seconds: Option<u64>,
    advice: &'a str,
}

#[derive(Debug, Serialize)]
struct FindingV1<'a> {
    probe: &'static str,
    class: &'static str,
    standing: &'static str,
    subject: &'a str,
    says: &'a str,
}

#[derive(Debug, Serialize)]
struct EvidenceV1<'a> {
    line: u64,
    column: u32,
    text: &'a str,
    role: &'static str,
}

#[derive(Debug, Serialize)]
struct AlternativeV1 {
    class: &'static str,
    confidence: f64,
}

/// What could be done about a diagnosis.
#[derive(Debug, Clone, Copy)]
pub struct Cure<'a> {
    /// `heal`, `suggest` or `none`.
    pub action: &'static str,
    /// The playbook.
    pub playbook: Option<&'a str>,
    /// Its risk.
    pub risk: Option<&'static str>,
}

/// What would be done: only what a signature names and the model agrees with is healed, and only at the threshold.
pub fn action(diagnosis: &Diagnosis, has_playbook: bool) -> &'static str {
    let sure = diagnosis.confidence.value() >= THRESHOLD;
    let signed = diagnosis.pattern.is_some() || diagnosis.confirmed;
    match diagnosis.class {
        FailureClass::Infra(InfraClass::Healable(_)) if has_playbook && sure && signed => "heal",
        FailureClass::Infra(_) => "suggest",
        FailureClass::Code(_) | FailureClass::Unknown => "none",
    }
}

/// Two decimals are what a count of some dozens can carry.
fn rounded(confidence: regreen_domain::Confidence) -> f64 {
    (confidence.value() * 100.0 + 1e-9).floor() / 100.0
}

fn shape<'a>(input: &'a str, diagnosis: &'a Diagnosis, cure: Cure<'a>) -> DiagnosisV1<'a> {
    let evidence = diagnosis.evidence.iter();
    let alternatives = diagnosis.alternatives.iter();
    DiagnosisV1 {
        version: 1,
        input,
        failed: diagnosis.failed,
        verdict: diagnosis.class.verdict().to_string(),
        class: diagnosis.class.id(),
        pattern: diagnosis.pattern.as_deref(),
        tool: diagnosis.tool.as_ref().map(regreen_domain::Tool::as_str),
        step: diagnosis.step.as_deref(),
        confidence: rounded(diagnosis.confidence),
        evidence: evidence
            .map(|e| EvidenceV1 { line: e.line, column: e.column, text: &e.text, role: e.role.id() })
            .collect(),
        alternatives: alternatives
            .map(|a| AlternativeV1 { class: a.class.id(), confidence: rounded(a.confidence) })
            .collect(),
        action: cure.action,
        playbook: cure.playbook,
        risk: cure.risk,
        reason: &diagnosis.reason,
        fingerprint: diagnosis.fingerprint.as_str(),
        truncated: diagnosis.truncated,
        hang: None,
        outcome: None,
        because: None,
        incident: None,
        findings: Vec::new(),
        warnings: &[],
    }
}

/// One line for one input, with what was left out in diagnosing it.
pub fn diagnosis(of: &Diagnosed<'_>, warnings: &[String]) -> String {
    let hang = of.hang.as_ref().map(|hang| HangV1 {
        line: hang.line,
        text: &hang.text,
        silent_seconds: hang.silent.map(|silent| silent.as_secs()),
        advice: &hang.advice,
    });
    line(&DiagnosisV1 { hang, warnings, ..shape(&of.input, &of.diagnosis, of.cure) })
}

/// One line for the end of a `run`, with what was left out in diagnosing it.
pub fn outcome(handled: &Handled, warnings: &[String]) -> String {
    let cure = Cure { action: action(&handled.diagnosis, true), playbook: None, risk: None };
    let mut shape = shape("-", &handled.diagnosis, cure);
    shape.outcome = Some(handled.outcome.id());
    shape.because = handled.because.map(regreen_domain::Refusal::id);
    shape.incident = Some(&handled.incident);
    shape.findings = handled
        .findings
        .iter()
        .map(|f| FindingV1 {
            probe: f.probe,
            class: f.class.id(),
            standing: f.standing.id(),
            subject: &f.subject,
            says: &f.says,
        })
        .collect();
    shape.warnings = warnings;
    line(&shape)
}
