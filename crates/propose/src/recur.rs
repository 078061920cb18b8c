//! Failures that recur and that no signature names, as drafts: one for each line that stands in several of them.

use std::collections::BTreeMap;

use regreen_domain::{Diagnosis, FailureClass, Tool};

use crate::{Cluster, Clusters, Draft, Drafted, id_for};

/// Failures that are named beside a draft.
const NAMED: usize = 5;

/// A failure that no signature names.
#[derive(Debug, Clone, PartialEq)]
pub struct Unnamed {
    /// What it is called, such as a log's path or an incident's id.
    pub name: String,
    /// Its telling lines, masked.
    pub lines: Vec<String>,
    /// What its words come nearest to.
    pub class: Option<FailureClass>,
    /// The tool, where it is known.
    pub tool: Option<Tool>,
}

impl Unnamed {
    /// With the lines that the diagnosis shows first; `None` where a signature names it, or nothing failed.
    pub fn of(name: &str, diagnosis: &Diagnosis, more: Vec<String>) -> Option<Unnamed> {
        if !diagnosis.failed || diagnosis.pattern.is_some() {
            return None;
        }
        let shown = diagnosis.evidence.iter().map(|e| e.text.clone());
        Some(Unnamed {
            name: name.to_owned(),
            lines: shown.chain(more).collect(),
            class: guess(diagnosis).map(|(class, _)| class),
            tool: diagnosis.tool.clone(),
        })
    }
}

/// A draft, and which failures speak for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The draft; its class is a guess.
    pub draft: Draft,
    /// The draft's file.
    pub drafted: Drafted,
    /// The failures, by their places in what was given.
    pub failures: Vec<usize>,
}

/// Drafts for lines that stand in at least `least` of these failures, the one in most of them first; `is_taken` says which
/// ids are somebody else's.
pub fn suggest(failures: &[Unnamed], least: usize, is_taken: &dyn Fn(&str) -> bool) -> Vec<Suggestion> {
    let mut clusters = Clusters::default();
    for (at, failure) in failures.iter().enumerate() {
        failure.lines.iter().for_each(|line| clusters.add(at, line));
    }
    let found = clusters.recurring(least);
    let mut suggestions: Vec<Suggestion> = Vec::new();
    for (at, cluster) in found.iter().enumerate() {
        let first = cluster.examples().first().map_or("", String::as_str);
        let own = |id: &str| suggestions.iter().any(|one| one.drafted.id == id);
        let id = id_for(first, &|id| is_taken(id) || own(id));
        let draft = draft(&id, cluster, failures, (at + 1, found.len()));
        suggestions.push(Suggestion {
            drafted: draft.write(),
            draft,
            failures: cluster.logs().iter().copied().collect(),
        });
    }
    suggestions
}

/// The class that a diagnosis names or comes nearest to, and how sure that is.
pub fn guess(diagnosis: &Diagnosis) -> Option<(FailureClass, String)> {
    if diagnosis.class != FailureClass::Unknown {
        let by = match &diagnosis.pattern {
            Some(pattern) => format!("as `{pattern}` names it"),
            None => format!("as its words read, with confidence {}", diagnosis.confidence),
        };
        return Some((diagnosis.class, by));
    }
    let next = diagnosis.alternatives.first()?;
    Some((next.class, format!("a guess, with confidence {}", next.confidence)))
}

fn draft(id: &str, cluster: &Cluster, failures: &[Unnamed], (at, of): (usize, usize)) -> Draft {
    let logs = || cluster.logs().iter().filter_map(|at| failures.get(*at));
    let names: Vec<&str> = logs().take(NAMED).map(|failure| failure.name.as_str()).collect();
    let more = if cluster.logs().len() > NAMED { ", …" } else { "" };
    let guessed = most(logs().filter_map(|failure| failure.class));
    let note = match guessed {
        Some(_) => "a guess from the words of these failures",
        None => "nothing says what it is",
    };
    Draft {
        id: id.to_owned(),
        // What nobody knows is not healed.
        class: guessed.or(FailureClass::parse("config-failure")).unwrap_or(FailureClass::Unknown),
        class_note: note.to_owned(),
        tool: agreed(logs().map(|failure| failure.tool.clone())),
        expression: cluster.expression(),
        examples: cluster.examples().to_vec(),
        about: vec![format!(
            "Suggestion {at} of {of}: in {} logs: {}{more}",
            cluster.logs().len(),
            names.join(", ")
        )],
        words: None,
    }
}

/// The one that is there most often.
fn most<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut counts = BTreeMap::<T, usize>::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    let most = counts.values().max().copied()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(one, _)| one)
}

/// A tool, where all of them name the same.
fn agreed(mut tools: impl Iterator<Item = Option<Tool>>) -> Option<Tool> {
    let first = tools.next()??;
    tools.all(|tool| tool.as_ref() == Some(&first)).then_some(first)
}
