//! A diagnosis for people, in the manner of a compiler's message, to be read on 80 columns.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use regreen_domain::{Evidence, Role, Verdict};

use crate::{
    Diagnosed,
    harmless::{harmless, short},
};

/// Columns of the screen.
pub const WIDTH: usize = 80;

/// So many lines of evidence are shown.
const SHOWN: usize = 6;

/// The diagnosis as text.
pub fn diagnosis(of: &Diagnosed<'_>, colour: bool) -> String {
    let (input, diagnosis) = (&of.input, &of.diagnosis);
    if !diagnosis.failed {
        return format!("{input}: no failure was found: {}\n", harmless(&diagnosis.reason));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let infra = diagnosis.class.verdict() == Verdict::Infrastructure;
    let level = if infra { Level::WARNING } else { Level::ERROR };
    // Each line of evidence is a snippet of its own: they may lie far apart.
    let evidence: Vec<(&Evidence, String)> =
        diagnosis.evidence.iter().take(SHOWN).map(|e| (e, shown(e))).collect();
    let mut group = Group::with_title(level.primary_title(of.headline()).id(of.rule().to_owned()));
    if evidence.is_empty() {
        group = group.element(Origin::path(input.as_str()));
    }
    for (at, text) in &evidence {
        let (kind, label) = match at.role {
            Role::Root => (AnnotationKind::Primary, "the cause"),
            Role::Symptom if diagnosis.pattern.is_none() => (AnnotationKind::Primary, "the last words"),
            Role::Symptom => (AnnotationKind::Context, "followed from it"),
        };
        let line = usize::try_from(at.line).unwrap_or(usize::MAX);
        let annotation = kind.span(0..text.len()).label(label);
        let snippet = Snippet::source(text.as_str()).path(input.as_str()).line_start(line);
        group = group.element(snippet.annotation(annotation));
    }
    let mut text = with_raw_columns(renderer.render(&[group]), of);
    if evidence.is_empty() {
        // Without line numbers the renderer leaves the input's name no margin.
        text = text.replacen('\n', "\n ", 1);
    }
    text.push('\n');
    let gutter = evidence.iter().map(|(e, _)| e.line.to_string().len()).max().unwrap_or(1) + 1;
    let mut note = |kind: &str, words: &str| text.push_str(&wrapped(gutter, kind, words));
    note("why", &harmless(&diagnosis.reason));
    if let Some(step) = diagnosis.step.as_deref().filter(|step| !step.is_empty()) {
        note("step", &short(&harmless(step), 200));
    }
    note("sure", &format!("{}; fingerprint {}", of.sure(), diagnosis.fingerprint));
    if let Some(last) = of.last_line() {
        note("last", &last);
    }
    if let Some(hang) = &of.hang {
        note("try", &hang.advice);
    }
    if let Some(fix) = of.fix() {
        note("help", &fix);
    }
    if let Some(advice) = of.advice() {
        for (i, check) in advice.checks.iter().enumerate() {
            note("look", &format!("{}. {check}", i + 1));
        }
        note("whom", &advice.who);
    }
    if let Some(playbook) = of.cure.playbook {
        note("heal", &format!("in a job, `regreen run -- …` would heal this by the playbook `{playbook}`"));
    }
    if diagnosis.truncated {
        note("note", "a part of the log lay outside the window that was read");
    }
    text
}

/// The renderer counts columns in what it shows; ours are those of the raw line, with its colours and timestamp.
fn with_raw_columns(mut text: String, of: &Diagnosed<'_>) -> String {
    let mut from = 0;
    for evidence in of.diagnosis.evidence.iter().take(SHOWN) {
        // Each excerpt's head comes before its line, so nothing in a line can be taken for a head.
        let counted = format!("{}:{}:1", of.input, evidence.line);
        let Some(at) = text[from..].find(&counted).map(|at| from + at) else { continue };
        let raw = format!("{}:{}:{}", of.input, evidence.line, evidence.column);
        text.replace_range(at..at + counted.len(), &raw);
        from = text[at..].find('\n').map_or(text.len(), |end| at + end);
    }
    text
}

/// One screen line of a log line.
fn shown(evidence: &Evidence) -> String {
    // What is left beside the line number, the bar and the label.
    let room = WIDTH - 20 - evidence.line.to_string().len();
    let text = short(harmless(&evidence.text).trim_end(), room);
    if text.trim().is_empty() { "(blank)".to_owned() } else { text }
}

/// A note under the excerpt, wrapped at the screen's width.
pub fn wrapped(gutter: usize, kind: &str, words: &str) -> String {
    let first = format!("{:gutter$}= {kind}: ", "");
    let next = " ".repeat(first.len());
    let mut text = first;
    let mut column = next.len();
    for (i, word) in words.split_whitespace().enumerate() {
        let length = word.chars().count();
        if i > 0 && column + 1 + length > WIDTH {
            let _infallible = write!(text, "\n{next}");
            column = next.len();
        } else if i > 0 {
            text.push(' ');
            column += 1;
        }
        // What stands within a line can become its beginning here, where a CI runner looks for commands.
        if column == next.len() {
            text.push_str(&harmless(word))
        } else {
            text.push_str(word)
        }
        column += length;
    }
    text.push('\n');
    text
}
