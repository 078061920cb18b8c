//! The merge of two requirements files, requirement by requirement, option line by option line.

use std::collections::BTreeMap;

use super::Statement;
use super::line::{Logical, logical_lines};
use crate::merge::{Three, ordered_union, pick, registry_order};
use crate::position::Lines;
use crate::{MergeConflict, Side, Unmergeable};

/// What a part of the file is about; options are told apart by their text, and sorted before requirements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Option(String),
    Requirement(String),
}

/// One statement with the comments that hang on it.
#[derive(Debug, Clone)]
struct Part {
    /// What it says, however it is broken into lines: two parts that say the same are equal.
    meaning: Vec<String>,
    /// Comments and blank lines of the file before it.
    before: String,
    /// Its lines, and the indented comments after it.
    text: String,
}

/// A file as its parts.
struct Parts {
    /// Comments and blank lines before the first part: they are the file's, not the part's.
    head: String,
    parts: BTreeMap<Topic, Part>,
    order: Vec<Topic>,
    /// Comments and blank lines after the last part.
    after: String,
}

/// Merges the texts, each of which has been read before.
pub(crate) fn merge(texts: Three<&str>) -> Result<(String, Vec<MergeConflict>), Unmergeable> {
    let base = texts.base.map(|t| parts(Side::Base, t)).transpose()?;
    let ours = parts(Side::Ours, texts.ours.unwrap_or_default())?;
    let theirs = parts(Side::Theirs, texts.theirs.unwrap_or_default())?;
    let order = ordered_union(&ours.order, &theirs.order, |a, b| match (a, b) {
        (Topic::Requirement(a), Topic::Requirement(b)) => registry_order(a, b),
        _ => a.cmp(b),
    });
    let (mut text, mut conflicts) = (ours.head, Vec::new());
    for topic in &order {
        let three = Three {
            base: base.as_ref().and_then(|b| b.parts.get(topic)),
            ours: ours.parts.get(topic),
            theirs: theirs.parts.get(topic),
        };
        let meaning = pick(three.map(|p| Some(&p.meaning))).unwrap_or_else(|_| {
            conflicts.push(conflict(topic, &three));
            three.ours.map(|p| &p.meaning)
        });
        // Where both say the same, ours is how it is written.
        let part = [three.ours, three.theirs].into_iter().flatten().find(|p| Some(&p.meaning) == meaning);
        // What stands before it stays where ours has it, even if the part goes.
        text.push_str(three.ours.map_or("", |p| &p.before));
        if let Some(part) = part {
            end_line(&mut text);
            text.push_str(&part.text);
        }
    }
    if !ours.after.is_empty() {
        end_line(&mut text);
        text.push_str(&ours.after);
    }
    Ok((text, conflicts))
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

fn parts(side: Side, text: &str) -> Result<Parts, Unmergeable> {
    let lines = Lines::new(text);
    let mut found =
        Parts { head: String::new(), parts: BTreeMap::new(), order: Vec::new(), after: String::new() };
    let mut last: Option<Topic> = None;
    for logical in logical_lines(text) {
        let raw = &text[logical.span.clone()];
        let statement =
            Statement::read(&logical, &lines).map_err(|damage| Unmergeable::Damaged { side, damage })?;
        let Some(statement) = statement else {
            let hangs = raw.starts_with([' ', '\t']) && !raw.trim().is_empty() && found.after.is_empty();
            match last.as_ref().filter(|_| hangs).and_then(|topic| found.parts.get_mut(topic)) {
                Some(part) => part.text.push_str(raw),
                None => found.after.push_str(raw),
            }
            continue;
        };
        let (topic, meaning) = match statement {
            Statement::Option { .. } => (Topic::Option(joined(&logical)), Vec::new()),
            Statement::Requirement(requirement, words, others) => {
                let mut hashes: Vec<String> = words.iter().map(|w| w.text.to_owned()).collect();
                hashes.sort();
                let pinned = requirement.version.as_ref().map(|v| format!("=={v}"));
                let mut meaning: Vec<String> = [pinned, requirement.asks.clone(), requirement.source.clone()]
                    .into_iter()
                    .flatten()
                    .collect();
                meaning.extend(others.into_iter().map(str::to_owned));
                meaning.extend(hashes);
                (Topic::Requirement(requirement.place()), meaning)
            }
        };
        // The same option twice says no more than once.
        if !found.parts.contains_key(&topic) {
            found.order.push(topic.clone());
            let mut before = std::mem::take(&mut found.after);
            if found.parts.is_empty() {
                found.head = std::mem::take(&mut before);
            }
            let part = Part { meaning, before, text: raw.to_owned() };
            found.parts.insert(topic.clone(), part);
        }
        last = Some(topic);
    }
    Ok(found)
}

fn joined(logical: &Logical<'_>) -> String {
    logical.words.iter().map(|w| w.text).collect::<Vec<_>>().join(" ")
}

fn conflict(topic: &Topic, three: &Three<&Part>) -> MergeConflict {
    let shortly = |part: &&Part| {
        let said = part.meaning.first().map_or("any version", String::as_str);
        let hashes = part.meaning.iter().filter(|m| m.starts_with("sha")).count();
        Some(format!("{said} with {hashes} checksum{}", if hashes == 1 { "" } else { "s" }))
    };
    let said = three.map(shortly);
    let (Topic::Option(place) | Topic::Requirement(place)) = topic;
    MergeConflict { place: place.clone(), base: said.base, ours: said.ours, theirs: said.theirs, why: None }
}
