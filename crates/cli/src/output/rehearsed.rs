//! What came of rehearsals: for people, and as version 1 of its shape.

use regreen_engine::{Rehearsed, RehearsedKind};
use serde::Serialize;

use super::print::{line, table};

#[derive(Debug, Serialize)]
struct RehearsedV1<'a> {
    version: u32,
    playbook: &'a str,
    check: &'static str,
    name: &'a str,
    holds: bool,
    problem: Option<&'a str>,
    runs: u64,
}

/// One object a line, for each check one.
pub fn json(all: &[Rehearsed]) -> String {
    let shape = |one: &Rehearsed| {
        line(&RehearsedV1 {
            version: 1,
            playbook: &one.playbook,
            check: one.kind.id(),
            name: &one.name,
            holds: one.problem.is_none(),
            problem: one.problem.as_deref(),
            runs: one.runs,
        })
    };
    all.iter().map(shape).collect()
}

/// A row a check, and below them what does not hold.
pub fn plain(all: &[Rehearsed]) -> String {
    let row = |one: &Rehearsed| {
        let holds = if one.problem.is_none() { "holds" } else { "BROKEN" };
        let runs = match one.kind {
            RehearsedKind::Laws if one.runs > 0 => format!(", {} runs", one.runs),
            _ => String::new(),
        };
        let [check, holds] = [one.kind.id(), holds].map(str::to_owned);
        [one.playbook.clone(), check, holds, format!("{}{runs}", one.name)]
    };
    let mut text = table(&all.iter().map(row).collect::<Vec<_>>());
    let broken: Vec<&Rehearsed> = all.iter().filter(|one| one.problem.is_some()).collect();
    for one in &broken {
        let problem = one.problem.as_deref().unwrap_or_default();
        text.push_str(&format!("\n{}: {}: {problem}\n", one.playbook, one.name));
    }
    if broken.is_empty() {
        text.push_str("\nall of it holds\n");
    }
    text
}
