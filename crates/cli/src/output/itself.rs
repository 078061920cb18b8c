//! What Regreen finds about itself: for people, and as version 1 of a shape.

use serde::Serialize;

use super::print::{line, table};

/// Whether a finding stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As it should be.
    Fine,
    /// Worth knowing; nothing fails by it.
    Note,
    /// Something does not work, or is out of date.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it stands in the way.
    pub standing: Standing,
    /// What was found.
    pub says: String,
    /// What to do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct SelfCheckV1 {
    /// Version of this shape.
    pub version: u32,
    /// Regreen's version.
    pub regreen: &'static str,
    /// What it was built for.
    pub built_for: String,
    /// Where the program lies.
    pub program: Option<String>,
    /// Patterns that count, and those that are only shown.
    pub patterns: [usize; 2],
    /// Playbooks.
    pub playbooks: usize,
    /// The first digits of the SHA-256 of the built-in catalogue.
    pub catalogue: String,
    /// The first digits of the SHA-256 of the learned weights.
    pub model: String,
    /// How to come by a newer one.
    pub update: &'static str,
    /// What was looked at.
    pub checks: Vec<Found>,
    /// Whether nothing stands in the way.
    pub sound: bool,
}

/// One object.
pub fn json(check: &SelfCheckV1) -> String {
    line(check)
}

/// For people.
pub fn plain(check: &SelfCheckV1) -> String {
    let SelfCheckV1 { patterns: [stable, draft], playbooks, catalogue, model, .. } = check;
    let mut rows = vec![
        ["regreen", &format!("{} for {}", check.regreen, check.built_for)].map(str::to_owned),
        ["program".to_owned(), check.program.clone().unwrap_or_else(|| "-".to_owned())],
        [
            "catalogue".to_owned(),
            format!("{stable} patterns, {draft} drafts, {playbooks} playbooks ({catalogue})"),
        ],
        ["model".to_owned(), format!("built in ({model})")],
    ];
    rows.extend(check.checks.iter().map(|found| {
        let mark = match found.standing {
            Standing::Fine => "",
            Standing::Note => "note: ",
            Standing::Problem => "problem: ",
        };
        [found.name.to_owned(), format!("{mark}{}", found.says)]
    }));
    rows.push(["update".to_owned(), check.update.to_owned()]);
    let helps = check.checks.iter().filter_map(|found| found.help.as_ref());
    let helps: String = helps.map(|help| format!("  help: {help}\n")).collect();
    let end = if check.sound { "nothing is wrong\n" } else { "" };
    format!("{}{helps}{end}", table(&rows))
}
