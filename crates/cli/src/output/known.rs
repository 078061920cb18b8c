//! Patterns and playbooks: for people, and as version 1 of their shapes.

use std::{collections::BTreeMap, time::Duration};

use regreen_catalog::{Part, Pattern, PatternSource, Playbook, PlaybookStep, Status, Strength, Template};
use regreen_domain::{Confidence, Flow};
use regreen_show::harmless::harmless;
use regreen_steps::closing;
use serde::Serialize;
use serde_json::Value;

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
    source: &'static str,
    heals: Vec<&'static str>,
    tools: Vec<&'a str>,
    paths: &'a [String],
    risk: &'static str,
    attempts: u32,
    cooldown_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fallback: Option<&'a [String]>,
    steps: Vec<StepV1<'a>>,
    explain: &'a str,
}

#[derive(Debug, Serialize)]
struct StepV1<'a> {
    id: &'a str,
    kind: &'a str,
    args: BTreeMap<&'a str, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
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

static USUAL: Flow =
    Flow { when: None, skip: None, timeout: None, attempts: 1, pause: Duration::ZERO, group: None };

fn playbook_shape(p: &Playbook) -> PlaybookV1<'_> {
    fn step(s: &PlaybookStep) -> StepV1<'_> {
        let texts = s.with.iter().map(|(key, value)| (key.as_str(), Value::from(template(value))));
        let lists = s.lists.iter().map(|(key, items)| (key.as_str(), Value::from(items.as_slice())));
        step_shape(&s.id, &s.kind, texts.chain(lists).collect(), &s.flow)
    }
    PlaybookV1 {
        version: 1,
        id: &p.id,
        title: &p.title,
        since: &p.since,
        status: status(p.status),
        source: p.source.id(),
        heals: p.heals.iter().map(|h| h.id()).collect(),
        tools: p.tools.iter().map(|t| t.as_str()).collect(),
        paths: &p.paths,
        risk: p.guard.risk.id(),
        attempts: p.guard.attempts,
        cooldown_ms: millis(p.guard.cooldown),
        fallback: p.fallback.as_deref(),
        steps: p
            .steps
            .iter()
            .map(step)
            .chain(
                closing(p.steps.iter().map(|s| s.kind.as_str()), &p.paths)
                    .into_iter()
                    .map(|kind| step_shape(kind, kind, BTreeMap::new(), &USUAL)),
            )
            .collect(),
        explain: p.explain.trim(),
    }
}

fn step_shape<'a>(id: &'a str, kind: &'a str, args: BTreeMap<&'a str, Value>, flow: &'a Flow) -> StepV1<'a> {
    StepV1 {
        id,
        kind,
        args,
        when: flow.when.as_ref().map(ToString::to_string),
        timeout_ms: flow.timeout.map(millis),
        attempts: (flow.attempts > 1).then_some(flow.attempts),
        pause_ms: (!flow.pause.is_zero()).then(|| millis(flow.pause)),
        group: flow.group.as_deref(),
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

/// A step with its arguments and all that is not as usual about it, on one line.
fn step_words(step: &StepV1<'_>) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let args: Vec<String> = step.args.iter().map(|(key, v)| format!("{key} = {}", value(v))).collect();
    let mut text = step.kind.to_owned();
    if !args.is_empty() {
        text.push_str(&format!(" ({})", args.join(", ")));
    }
    let time = |ms: u64| humantime::format_duration(Duration::from_millis(ms)).to_string();
    let words = [
        step.group.map(|group| format!("beside others ({group})")),
        step.timeout_ms.map(|ms| format!("at most {}", time(ms))),
        step.attempts.map(|n| format!("{n} attempts")),
        step.pause_ms.map(|ms| format!("{} between them", time(ms))),
        step.when.as_ref().map(|when| format!("if {when}")),
    ];
    for words in words.into_iter().flatten() {
        text.push_str(&format!(", {words}"));
    }
    text
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
        ["source".to_owned(), shape.source.to_owned()],
        ["risk".to_owned(), shape.risk.to_owned()],
        ["attempts".to_owned(), format!("{} per commit and job", shape.attempts)],
        ["cooldown".to_owned(), humantime::format_duration(p.guard.cooldown).to_string()],
        ["may write".to_owned(), if p.paths.is_empty() { "nothing".to_owned() } else { p.paths.join(", ") }],
    ];
    for step in &shape.steps {
        rows.push(["step".to_owned(), step_words(step)]);
    }
    if let Some(fallback) = shape.fallback {
        let ids = if fallback.is_empty() { "nothing".to_owned() } else { fallback.join(", ") };
        rows.push(["then".to_owned(), ids]);
    }
    format!("{}\n{}.\n\n{}\n", table(&rows), p.title, shape.explain)
}
