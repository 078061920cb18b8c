//! Patterns and playbooks: for people, one object a line, or a line each.

use std::time::Duration;

use regreen_catalog::{Pattern, PatternSource, Playbook};
use regreen_server::shape::{PatternV1, PlaybookStepV1, PlaybookV1, status_word};
use regreen_show::harmless::harmless;
use serde_json::Value;

use super::print::{line, table};

/// One object a line.
pub fn patterns_json<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> String {
    patterns.into_iter().map(|p| line(&PatternV1::from(p))).collect()
}

/// A line a pattern.
pub fn patterns_plain(patterns: &[Pattern]) -> String {
    let row = |p: &Pattern| {
        let [class, source, status] = [p.class.id(), p.source.id(), status_word(p.status)].map(str::to_owned);
        [p.id.clone(), class, source, status, p.title.clone()]
    };
    table(&patterns.iter().map(row).collect::<Vec<_>>())
}

/// Everything about a pattern, for people.
pub fn pattern_plain(p: &Pattern) -> String {
    let shape = PatternV1::from(p);
    let any = |words: Vec<&str>| if words.is_empty() { "any".to_owned() } else { words.join(", ") };
    let mut rows = vec![
        ["pattern".to_owned(), p.id.clone()],
        ["class".to_owned(), shape.class.to_owned()],
        ["source".to_owned(), shape.source.to_owned()],
        ["status".to_owned(), format!("{} since {}", shape.status, p.since)],
        ["strength".to_owned(), shape.strength.to_owned()],
        ["tools".to_owned(), any(shape.tools.iter().map(String::as_str).collect())],
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
    let [title, explain, fix] = [&p.title, &shape.explain, &shape.fix].map(|text| match p.source {
        PatternSource::BuiltIn => text.clone(),
        _ => text.lines().map(harmless).collect::<Vec<_>>().join("\n"),
    });
    format!("{}\n{title}.\n\n{explain}\n\nWhat to do: {fix}\n", table(&rows))
}

/// A step with its arguments and all that is not as usual about it, on one line.
fn step_words(step: &PlaybookStepV1) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let args: Vec<String> = step.args.iter().map(|(key, v)| format!("{key} = {}", value(v))).collect();
    let mut text = step.kind.clone();
    if !args.is_empty() {
        text.push_str(&format!(" ({})", args.join(", ")));
    }
    let time = |ms: u64| humantime::format_duration(Duration::from_millis(ms)).to_string();
    let words = [
        step.group.as_ref().map(|group| format!("beside others ({group})")),
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
    playbooks.into_iter().map(|p| line(&PlaybookV1::from(p))).collect()
}

/// A line a playbook.
pub fn playbooks_plain(playbooks: &[Playbook]) -> String {
    let row = |p: &Playbook| [p.id.clone(), p.guard.risk.id().to_owned(), p.title.clone()];
    table(&playbooks.iter().map(row).collect::<Vec<_>>())
}

/// Everything about a playbook, for people.
pub fn playbook_plain(p: &Playbook) -> String {
    let shape = PlaybookV1::from(p);
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
