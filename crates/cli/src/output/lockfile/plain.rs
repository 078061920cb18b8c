//! A checked lockfile for people, in the manner of a compiler's messages, to be read on 80 columns.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use regreen_lockfile::{Agreement, Rule, Severity};
use regreen_show::{
    harmless::{harmless, short},
    plain::{WIDTH, wrapped},
};

use super::{Changes, Checked, Compared, Found};

/// So many findings of one lockfile are shown.
const SHOWN: usize = 100;
/// So many changes.
const CHANGES: usize = 40;

/// The findings, and a sentence at the end.
pub fn checked(of: &Checked, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
    let mut text = String::new();
    for found in of.findings.iter().take(SHOWN) {
        text.push_str(&finding(of, found, &renderer));
        text.push_str("\n\n");
    }
    text.push_str(&of.input);
    text.push_str(": ");
    text.push_str(&verdict(of));
    text.push('\n');
    if of.findings.len() > SHOWN {
        let more = of.findings.len() - SHOWN;
        text.push_str(&wrapped(1, "note", &format!("{more} more findings; `--format json` shows all")));
    }
    if let Some(Agreement::NotChecked(why)) = &of.agreement {
        text.push_str(&wrapped(1, "not checked", why));
    }
    if let Some(compared) = &of.compared {
        text.push_str(&changes(compared));
    }
    text
}

fn finding(of: &Checked, found: &Found, renderer: &Renderer) -> String {
    let f = &found.finding;
    let level = match f.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(f.message.as_str()).id(f.rule.id());
    let shown = short(&found.excerpt, WIDTH - 10);
    if shown.is_empty() {
        let place =
            if f.rule == Rule::ManifestDrift { of.input.clone() } else { format!("{}:{}", of.input, f.line) };
        return format!("{}\n --> {place}", renderer.render(&[Group::with_title(title)]));
    }
    let line = usize::try_from(f.line).unwrap_or(usize::MAX);
    let annotation = AnnotationKind::Primary.span(0..shown.len());
    let snippet =
        Snippet::source(shown.as_str()).path(of.input.as_str()).line_start(line).annotation(annotation);
    let text = renderer.render(&[Group::with_title(title).element(snippet)]);
    // The renderer counts columns in the excerpt, which begins where the line's first word does.
    let counted = format!("{}:{}:1\n", of.input, f.line);
    let place = match f.column {
        Some(column) => format!("{}:{}:{column}\n", of.input, f.line),
        None => format!("{}:{}\n", of.input, f.line),
    };
    text.replacen(&counted, &place, 1)
}

fn verdict(of: &Checked) -> String {
    let count = |severity: Severity, one: &str| match of.count(severity) {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{n} {one}s")),
    };
    let found: Vec<String> =
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
            .into_iter()
            .filter_map(|(severity, one)| count(severity, one))
            .collect();
    let mut text = if found.is_empty() { "sound".to_owned() } else { found.join(", ") };
    text.push_str(&format!("; {}", of.format));
    if let Some(version) = of.version {
        text.push_str(&format!(" version {version}"));
    }
    match of.entries {
        Some(1) => text.push_str(", 1 entry"),
        Some(entries) => text.push_str(&format!(", {entries} entries")),
        None => text.push_str(", can't be read"),
    }
    if of.agreement == Some(Agreement::Agrees)
        && let Some(manifest) = of.format.manifest()
    {
        text.push_str(&format!(", agrees with {manifest}"));
    }
    text
}

fn changes(of: &Compared) -> String {
    let since = format!("{} (commit {})", of.typed, of.commit.get(..10).unwrap_or(&of.commit));
    match &of.changes {
        Changes::New => format!(" = since {since}: the lockfile is new\n"),
        Changes::Not(why) => wrapped(1, "not compared", &format!("with {since}: {why}")),
        Changes::Since(diff, _) if diff.is_empty() => format!(" = since {since}: no difference\n"),
        Changes::Since(diff, _) => {
            let said = diff.to_string();
            let all: Vec<&str> = said.lines().collect();
            let mut text = format!(" = since {since}:\n");
            for line in all.iter().take(CHANGES) {
                text.push_str(&format!("     {}\n", short(&harmless(line), WIDTH - 5)));
            }
            if all.len() > CHANGES {
                text.push_str(&format!("     and {} more; `--format json` shows all\n", all.len() - CHANGES));
            }
            text
        }
    }
}
