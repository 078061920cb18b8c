//! Checked lockfiles as SARIF 2.1.0: one document for all.

use std::collections::BTreeSet;

use regreen_lockfile::{Rule, Severity};
use regreen_show::sarif::{location, run};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Checked, Found};

/// The document.
pub fn document(all: &[Checked]) -> String {
    let found = |of: &'_ Checked| of.findings.iter().map(|f| f.finding.rule).collect::<Vec<_>>();
    let rules: BTreeSet<Rule> = all.iter().flat_map(found).collect();
    let rules: Vec<Rule> = rules.into_iter().collect();
    let results = (all.iter())
        .flat_map(|of| of.findings.iter().map(|found| (&of.input, found)))
        .map(|(input, found)| {
            result(input, found, rules.binary_search(&found.finding.rule).unwrap_or_default())
        })
        .collect();
    run(rules.iter().copied().map(rule).collect(), all.iter().map(|of| of.input.as_str()), results)
}

fn rule(rule: Rule) -> Value {
    let explain = rule.explain().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    json!({
        "id": rule.id(),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": explain },
        "defaultConfiguration": { "level": level(rule.severity()) },
    })
}

const fn level(severity: Severity) -> &'static str {
    severity.id()
}

fn result(input: &str, found: &Found, index: usize) -> Value {
    let f = &found.finding;
    let mut region = json!({ "startLine": f.line });
    if let Some(column) = f.column {
        region["startColumn"] = json!(column);
    }
    if !found.excerpt.is_empty() {
        region["snippet"] = json!({ "text": found.excerpt });
    }
    // Lines move; what is said of which file does not.
    let print = Sha256::digest(format!("{}\n{input}\n{}", f.rule, f.message));
    let print: String = print.iter().take(8).map(|b| format!("{b:02x}")).collect();
    json!({
        "ruleId": f.rule.id(),
        "ruleIndex": index,
        "level": level(f.severity),
        "message": { "text": f.message },
        "locations": [{ "physicalLocation": { "artifactLocation": location(input), "region": region } }],
        "partialFingerprints": { "regreen/v1": print },
    })
}
