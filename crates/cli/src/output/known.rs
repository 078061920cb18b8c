//! Patterns and playbooks: for people, and as version 1 of their shapes.

use regreen_catalog::{Part, Pattern, PatternSource, Playbook, Status, Strength, Template};
use regreen_domain::Confidence;
use regreen_show::harmless::harmless;
use regreen_steps::CLOSING;
use serde::Serialize;

use super::print::{line, table};

#[derive(Debug, Serialize)]
struct PatternV1<'a> {
    version: u32,
    id: &'a str,
    source: &'static str,
    class: &'static str,
    also: Vec<&'static str>,
    title: &'a str,
    since: &'a str,
    status: &'static str,
    strength: &'static str,
    tools: Vec<&'a str>,
    commands: Vec<&'static str>,
    explains: &'a [String],
    confidence: f64,
    hits: u32,
    right: u32,
    logs: u32,
    explain: &'a str,
    fix: &'a str,
    see: &'a [String],
}

#[derive(Debug, Serialize)]
struct PlaybookV1<'a> {
    version: u32,
    id: &'a str,
    title: &'a str,
    since: &'a str,
    status: &'static str,
    heals: Vec<&'static str>,
    tools: Vec<&'a str>,
    paths: &'a [String],
    risk: &'static str,
    attempts: u32,
    cooldown_ms: u64,
    steps: Vec<StepV1<'a>>,
    explain: &'a str,
}

#[derive(Debug, Serialize)]
struct StepV1<'a> {
    id: &'a str,
    kind: &'a str,
    args: std::collections::BTreeMap<&'a str, String>,
}

const fn status(status: Status) -> &'static str {
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

fn pattern_shape(p: &Pattern) -> PatternV1<'_> {
    let counts = p.measured.counts();
    PatternV1 {
        version: 1,
        id: &p.id,
        source: p.source.id(),
        class: p.class.id(),
        also: p.also.iter().map(|c| c.id()).collect(),
        title: &p.title,
        since: &p.since,
        status: status(p.status),
        strength: strength(p.strength),
        tools: p.tools.iter().map(|t| t.as_str()).collect(),
        commands: p.commands.iter().map(|c| c.id()).collect(),
        explains: &p.explains,
        confidence: (Confidence::wilson(counts).value() * 100.0 + 1e-9).floor() / 100.0,
        hits: counts.hits,
        right: counts.right,
        logs: counts.n,
        explain: p.explain.trim(),
        fix: p.fix.trim(),
        see: &p.see,
    }
}

/// One object a line.
pub fn patterns_json<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> String {
    patterns.into_iter().map(|p| line(&pattern_shape(p))).collect()
}

/// A line a pattern.
pub fn patterns_plain(patterns: &[Pattern]) -> String {
    let row = |p: &Pattern| {
        let [class, source, status] = [p.class.id(), p.source.id(), status(p.status)].map(str::to_owned);
        [p.id.clone(), class, source, status, p.title.clone()]
    };
    table(&patterns.iter().map(row).collect::<Vec<_>>())
}

/// Everything about a pattern, for people.
pub fn pattern_plain(p: &Pattern) -> String {
    let shape = pattern_shape(p);
    let any = |words: Vec<&str>| if words.is_empty() { "any".to_owned() } else { words.join(", ") };
    let mut rows = vec![
        ["pattern".to_owned(), p.id.clone()],
        ["class".to_owned(), shape.class.to_owned()],
        ["source".to_owned(), shape.source.to_owned()],
        ["status".to_owned(), format!("{} since {}", shape.status, p.since)],
        ["strength".to_owned(), shape.strength.to_owned()],
        ["tools".to_owned(), any(shape.tools)],
        ["commands".to_owned(), any(shape.commands)],
        [
            "measured".to_owned(),
            format!(
                "{} right of {}, in {} logs: confidence {:.2}",
                shape.right, shape.hits, shape.logs, shape.confidence
            ),
        ],
    ];
    let also: Vec<&str> = p.also.iter().map(|c| c.id()).collect();
    for (name, words) in [
        ("may also be", also),
        ("explains", p.explains.iter().map(String::as_str).collect()),
        ("see", p.see.iter().map(String::as_str).collect()),
    ] {
        if !words.is_empty() {
            rows.push([name.to_owned(), words.join(", ")]);
        }
    }
    let proof = p.examples.iter().map(|e| ["example".to_owned(), format!("{} ({})", e.name, e.origin)]);
    rows.extend(proof);
    rows.extend(p.counterexamples.iter().map(|c| ["counterexample".to_owned(), c.name.clone()]));
    let [title, explain, fix] = [p.title.as_str(), shape.explain, shape.fix].map(|text| match p.source {
        PatternSource::BuiltIn => text.to_owned(),
        _ => text.lines().map(harmless).collect::<Vec<_>>().join("\n"),
    });
    format!("{}\n{title}.\n\n{explain}\n\nWhat to do: {fix}\n", table(&rows))
}

fn playbook_shape(p: &Playbook) -> PlaybookV1<'_> {
    PlaybookV1 {
        version: 1,
        id: &p.id,
        title: &p.title,
        since: &p.since,
        status: status(p.status),
        heals: p.heals.iter().map(|h| h.id()).collect(),
        tools: p.tools.iter().map(|t| t.as_str()).collect(),
        paths: &p.paths,
        risk: p.guard.risk.id(),
        attempts: p.guard.attempts,
        cooldown_ms: u64::try_from(p.guard.cooldown.as_millis()).unwrap_or(u64::MAX),
        steps: p
            .steps
            .iter()
            .map(|s| StepV1 {
                id: &s.id,
                kind: &s.kind,
                args: s.with.iter().map(|(key, value)| (key.as_str(), template(value))).collect(),
            })
            .chain(CLOSING.iter().map(|kind| StepV1 { id: kind, kind, args: Default::default() }))
            .collect(),
        explain: p.explain.trim(),
    }
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

/// One object a line.
pub fn playbooks_json<'a>(playbooks: impl IntoIterator<Item = &'a Playbook>) -> String {
    playbooks.into_iter().map(|p| line(&playbook_shape(p))).collect()
}

/// A line a playbook.
pub fn playbooks_plain(playbooks: &[Playbook]) -> String {
    let row = |p: &Playbook| [p.id.clone(), p.guard.risk.id().to_owned(), p.title.clone()];
    table(&playbooks.iter().map(row).collect::<Vec<_>>())
}

/// Everything about a playbook, for people.
pub fn playbook_plain(p: &Playbook) -> String {
    let shape = playbook_shape(p);
    let mut rows = vec![
        ["playbook".to_owned(), p.id.clone()],
        ["heals".to_owned(), shape.heals.join(", ")],
        ["tools".to_owned(), if shape.tools.is_empty() { "any".to_owned() } else { shape.tools.join(", ") }],
        ["status".to_owned(), format!("{} since {}", shape.status, p.since)],
        ["risk".to_owned(), shape.risk.to_owned()],
        ["attempts".to_owned(), format!("{} per commit and job", shape.attempts)],
        ["cooldown".to_owned(), humantime::format_duration(p.guard.cooldown).to_string()],
        ["may write".to_owned(), if p.paths.is_empty() { "nothing".to_owned() } else { p.paths.join(", ") }],
    ];
    for step in &shape.steps {
        let args: Vec<String> = step.args.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let args = if args.is_empty() { String::new() } else { format!(" ({})", args.join(", ")) };
        rows.push(["step".to_owned(), format!("{}{args}", step.kind)]);
    }
    format!("{}\n{}.\n\n{}\n", table(&rows), p.title, shape.explain)
}
