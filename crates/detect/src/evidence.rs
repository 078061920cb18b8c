//! The lines that speak for a diagnosis: masked, bounded, root first.

use std::collections::BTreeMap;

use regreen_domain::{Evidence, Role, Untrusted};
use regreen_mask::Masker;

use crate::hit::{Detail, Hit};
use crate::model::ReadLine;
use crate::ranking::{Ranked, explains};
use crate::unknown::LastWords;

/// So many lines beside the root are shown.
const SYMPTOMS: usize = 4;

/// So many characters of a line are shown.
const SHOWN: usize = 400;

/// The root, and of the counting hits those that follow from it or are of its class and tool.
pub(crate) fn of_root(root: Ranked<'_>, hits: &[Ranked<'_>], masker: &Masker) -> Vec<Evidence> {
    let symptoms = symptoms(root, hits).take(SYMPTOMS).map(|(hit, _)| evidence(hit, Role::Symptom, masker));
    std::iter::once(evidence(root.0, Role::Root, masker)).chain(symptoms).collect()
}

/// What the root's holes captured, and of holes that the root has not, what all its symptoms agree on: npm names
/// the host in another line than the error. Patterns that only name fill no holes.
pub(crate) fn captures(root: Ranked<'_>, hits: &[Ranked<'_>]) -> BTreeMap<String, Untrusted> {
    let mut agreed: BTreeMap<&String, Option<&Untrusted>> = BTreeMap::new();
    let trusted = |(_, pattern): &Ranked<'_>| !pattern.source.only_names();
    if !trusted(&root) {
        return BTreeMap::new();
    }
    for (name, value) in symptoms(root, hits).filter(trusted).flat_map(|(hit, _)| &hit.captures) {
        let known = agreed.entry(name).or_insert(Some(value));
        *known = known.filter(|known| *known == value);
    }
    let mut captures = root.0.captures.clone();
    for (name, value) in agreed.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        captures.entry(name.clone()).or_insert_with(|| value.clone());
    }
    captures
}

/// The counting hits that follow from the root, or are of its class and tools.
fn symptoms<'s>(root: Ranked<'s>, hits: &[Ranked<'s>]) -> impl Iterator<Item = Ranked<'s>> {
    let belongs = move |(hit, pattern): &Ranked<'s>| {
        hit.counts
            && hit.line != root.0.line
            && pattern.id != root.1.id
            && (explains(root, (hit, pattern))
                || (pattern.class == root.1.class && pattern.tools == root.1.tools))
    };
    hits.iter().copied().filter(belongs)
}

/// Lines that were seen but name no cause.
pub(crate) fn of_symptom(hit: &Hit, masker: &Masker) -> Evidence {
    evidence(hit, Role::Symptom, masker)
}

/// The line that describes what the root sums up.
pub(crate) fn of_detail(detail: &Detail, masker: &Masker) -> Evidence {
    Evidence { line: detail.line, column: detail.column, text: shown(&detail.text, masker), role: Role::Root }
}

/// The last line that reads like an error.
pub(crate) fn of_last_words(words: &LastWords, masker: &Masker) -> Evidence {
    Evidence { line: words.line, column: words.column, text: shown(&words.text, masker), role: Role::Symptom }
}

/// The line that the model takes for the cause.
pub(crate) fn of_words(line: &ReadLine, masker: &Masker) -> Evidence {
    Evidence { line: line.number, column: line.column, text: shown(&line.text, masker), role: Role::Root }
}

fn evidence(hit: &Hit, role: Role, masker: &Masker) -> Evidence {
    Evidence { line: hit.line, column: hit.column, text: shown(&hit.text, masker), role }
}

/// Masked first, cut after: a cut token would no longer look like one.
pub(crate) fn shown(text: &str, masker: &Masker) -> String {
    let masked = masker.mask(text);
    match masked.char_indices().nth(SHOWN) {
        None => masked.into_owned(),
        Some((end, _)) => format!("{}…", &masked[..end]),
    }
}
