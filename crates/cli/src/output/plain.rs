//! A diagnosis for people, in the manner of a compiler's message.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use regreen_domain::{Diagnosis, Role, Verdict};

use super::print::visible;

/// What to say besides the diagnosis.
#[derive(Debug, Clone, Copy)]
pub struct Advice<'a> {
    /// What a person can do.
    pub fix: Option<&'a str>,
    /// What would heal it.
    pub playbook: Option<&'a str>,
}

/// The diagnosis of `input` as text.
pub fn diagnosis(input: &str, diagnosis: &Diagnosis, advice: Advice<'_>, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    if !diagnosis.failed {
        return format!("{input}: no failure was found: {}\n", diagnosis.reason);
    }
    let title = match diagnosis.class.verdict() {
        Verdict::Unknown => format!("not diagnosed: {}", diagnosis.reason),
        verdict => format!("{verdict}: {}: {}", diagnosis.class, diagnosis.reason),
    };
    let level =
        if diagnosis.class.verdict() == Verdict::Infrastructure { Level::WARNING } else { Level::ERROR };
    let id = diagnosis.pattern.clone().unwrap_or_else(|| diagnosis.class.id().to_owned());
    // Each line of evidence is a snippet of its own: they may lie far apart.
    let sources: Vec<(String, usize)> = diagnosis
        .evidence
        .iter()
        .take(6)
        .map(|e| (shown(&e.text), usize::try_from(e.line).unwrap_or(usize::MAX)))
        .collect();
    let mut group = Group::with_title(level.primary_title(title).id(id));
    for ((text, line), evidence) in sources.iter().zip(&diagnosis.evidence) {
        let kind =
            if evidence.role == Role::Root { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = if evidence.role == Role::Root { "the cause" } else { "followed from it" };
        let annotation = kind.span(0..text.len()).label(label);
        group = group
            .element(Snippet::source(text.as_str()).path(input).line_start(*line).annotation(annotation));
    }
    let mut groups = vec![group];
    if let Some(fix) = advice.fix {
        groups.push(Group::with_title(Level::HELP.secondary_title(fix.to_owned())));
    }
    let mut text = renderer.render(&groups);
    text.push('\n');
    let sure = format!("confidence {} in {}", diagnosis.confidence, diagnosis.class);
    let others: Vec<String> =
        diagnosis.alternatives.iter().map(|a| format!("{} {}", a.class, a.confidence)).collect();
    let others = if others.is_empty() { String::new() } else { format!("; next: {}", others.join(", ")) };
    let _infallible = writeln!(text, "  = {sure}{others}; fingerprint {}", diagnosis.fingerprint);
    if let Some(playbook) = advice.playbook {
        let _infallible =
            writeln!(text, "  = in a job, `regreen run -- …` would heal this by the playbook `{playbook}`");
    }
    if diagnosis.truncated {
        text.push_str("  = a part of the log lay outside the window that was read\n");
    }
    text
}

/// One screen line of a log line, without control characters.
fn shown(text: &str) -> String {
    let clean: String = visible(text).chars().take(200).collect();
    if clean.trim().is_empty() { "(blank)".to_owned() } else { clean }
}
