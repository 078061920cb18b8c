//! SARIF 2.1.0: one document for all inputs.
//!
//! As in <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>. Columns are Unicode scalars.

use std::collections::BTreeMap;

use regreen_domain::{Evidence, Role, Verdict};
use serde_json::{Value, json};

use crate::{Diagnosed, harmless::harmless, json::harmless as harmless_json};

/// The document.
pub fn document(all: &[Diagnosed<'_>]) -> String {
    let failed: Vec<&Diagnosed<'_>> = all.iter().filter(|of| of.diagnosis.failed).collect();
    let rules: BTreeMap<&str, Value> = failed.iter().map(|of| (of.rule(), rule(of))).collect();
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(i, id)| (*id, i)).collect();
    let results: Vec<Value> =
        failed.iter().map(|of| result(of, index.get(of.rule()).copied().unwrap_or_default())).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "regreen",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "artifacts": all.iter().map(|of| json!({ "location": location(&of.input) })).collect::<Vec<_>>(),
            "results": results,
        }],
    });
    harmless_json(&format!("{document:#}\n"))
}

/// A message that means itself: `[text](address)` in it would be a link (3.11.6).
fn without_links(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

fn rule(of: &Diagnosed<'_>) -> Value {
    let mut rule = json!({
        "id": of.rule(),
        "shortDescription": { "text": of.pattern.map_or(of.headline(), |p| p.title.clone()) },
        "properties": { "class": of.diagnosis.class.id(), "verdict": of.diagnosis.class.verdict().to_string() },
    });
    if let Some(pattern) = of.pattern {
        rule["fullDescription"] = json!({ "text": pattern.explain.trim() });
        rule["help"] = json!({ "text": pattern.fix.trim() });
    }
    rule
}

fn result(of: &Diagnosed<'_>, rule: usize) -> Value {
    let d = &of.diagnosis;
    let level = match d.class.verdict() {
        Verdict::Code => "error",
        Verdict::Infrastructure => "warning",
        Verdict::Unknown => "note",
    };
    let place = |e: &Evidence| {
        json!({ "physicalLocation": {
            "artifactLocation": location(&of.input),
            "region": {
                "startLine": e.line,
                "startColumn": e.column,
                "snippet": { "text": harmless(&e.text) },
            },
        }})
    };
    // A result has one location; where no line is the cause, the first line that speaks is it.
    let main = d.evidence.iter().find(|e| e.role == Role::Root).or(d.evidence.first());
    let others = d.evidence.iter().filter(|e| Some(*e) != main);
    json!({
        "ruleId": of.rule(),
        "ruleIndex": rule,
        "level": level,
        "message": { "text": without_links(&harmless(&format!("{}: {}", of.headline(), d.reason))) },
        "locations": main.map(place).into_iter().collect::<Vec<_>>(),
        "relatedLocations": others.map(place).collect::<Vec<_>>(),
        "partialFingerprints": { "regreen/v1": d.fingerprint.as_str() },
        "properties": {
            "verdict": d.class.verdict().to_string(),
            "class": d.class.id(),
            "confidence": (d.confidence.value() * 100.0).floor() / 100.0,
            "tool": d.tool.as_ref().map(regreen_domain::Tool::as_str),
            "step": d.step.as_deref().map(harmless),
            "action": of.cure.action,
            "playbook": of.cure.playbook,
            "truncated": d.truncated,
        },
    })
}

/// A file as a relative reference (RFC 3986).
fn location(input: &str) -> Value {
    let mut uri = String::new();
    for byte in input.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte))
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    json!({ "uri": uri })
}
