//! Version 1 of the JSON shape: one object a line. Fields may be added, never changed.

use regreen_domain::{Diagnosis, FailureClass, Finding};
use serde::Serialize;

use crate::{Advice, Cure, Diagnosed, Named, advice, harmless::invisible};

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
    advice: Option<AdviceV1>,
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

/// What a person does where nothing heals it by itself.
#[derive(Debug, Serialize)]
struct AdviceV1 {
    /// What to look at, the likeliest first.
    checks: Vec<String>,
    /// Who can put it right.
    escalate_to: String,
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
        advice: None,
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
    let advice = told(of.diagnosis.class, &of.named);
    line(&DiagnosisV1 { advice, hang, warnings, ..shape(&of.input, &of.diagnosis, of.cure) })
}

fn told(class: FailureClass, named: &Named) -> Option<AdviceV1> {
    advice(class, named).map(|Advice { checks, who }| AdviceV1 { checks, escalate_to: who })
}

/// How a `run` ended, beside its diagnosis.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Id of the outcome.
    pub outcome: &'static str,
    /// Id of the refusal, where there was one.
    pub because: Option<&'static str>,
    /// The incident.
    pub incident: &'a str,
    /// What the probes saw.
    pub findings: &'a [Finding],
    /// What the deciding line names.
    pub named: &'a Named,
}

/// One line for the end of a `run`, with what was left out in diagnosing it.
pub fn outcome(diagnosis: &Diagnosis, ended: &Ended<'_>, warnings: &[String]) -> String {
    let cure = Cure { action: crate::action(diagnosis, true), playbook: None, risk: None };
    let mut shape = shape("-", diagnosis, cure);
    shape.advice = told(diagnosis.class, ended.named);
    shape.outcome = Some(ended.outcome);
    shape.because = ended.because;
    shape.incident = Some(ended.incident);
    shape.findings = ended
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

/// One object on one line, harmless where it is printed.
pub fn line(shape: &impl Serialize) -> String {
    let text =
        serde_json::to_string(shape).unwrap_or_else(|e| format!("{{\"version\":1,\"error\":\"{e}\"}}"));
    harmless(&text) + "\n"
}

/// JSON that means the same, and is harmless where it is printed: a bracket that would make a command of a string for
/// a CI runner, and characters that drive a terminal, hide or reorder, are written as their codes. Outside of strings
/// JSON has none of them.
pub fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = crate::harmless::command(rest) {
        coded(&rest[..at], &mut text);
        text.push_str("\\u005b");
        rest = &rest[at + 1..];
    }
    coded(rest, &mut text);
    text
}

fn coded(json: &str, text: &mut String) {
    for c in json.chars() {
        // The writer has escaped what is below a blank; line feeds are those of its layout.
        if c != '\n' && (c.is_control() || invisible(c)) {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn what_it_means_stays_and_nothing_is_carried_out() {
        let hostile = "##[error]x ##teamcity[y \u{202e}\u{9b}2J\u{7f}\u{2028}\u{e0041} \"#[\\##[";
        let json = line(&hostile);
        assert_eq!(serde_json::from_str::<String>(&json).ok().as_deref(), Some(hostile));
        assert!(json.trim_end().bytes().all(|b| (b' '..0x7f).contains(&b)), "{json}");
        assert!(!json.contains("##[") && !json.contains("##teamcity["), "{json}");
    }
}
