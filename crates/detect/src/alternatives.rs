//! The runners-up: other classes that were considered, each once, surest first.

use regreen_catalog::{Pattern, Status, Strength};
use regreen_domain::{Alternative, Confidence, FailureClass};

use crate::ranking::Ranked;

/// What a pattern's own measured precision is worth; a draft is shown, and worth nothing.
pub(crate) fn measured(pattern: &Pattern) -> Confidence {
    if pattern.status == Status::Stable {
        Confidence::wilson(pattern.measured.counts())
    } else {
        Confidence::NONE
    }
}

/// Every other class that the root or a counting hit can mean.
pub(crate) fn besides(
    chosen: FailureClass,
    root: Option<Ranked<'_>>,
    hits: &[Ranked<'_>],
) -> Vec<Alternative> {
    let of_root = root.into_iter().flat_map(|(_, pattern)| {
        std::iter::once(pattern.class)
            .chain(pattern.also.iter().copied())
            .map(|class| (class, Confidence::NONE))
    });
    let of_hits = hits
        .iter()
        .filter(|(hit, pattern)| hit.counts && pattern.strength != Strength::Symptom)
        .map(|(_, pattern)| (pattern.class, measured(pattern)));
    let mut alternatives: Vec<Alternative> = Vec::new();
    for (class, confidence) in of_root.chain(of_hits).filter(|(class, _)| *class != chosen) {
        match alternatives.iter_mut().find(|a| a.class == class) {
            Some(known) if known.confidence < confidence => known.confidence = confidence,
            Some(_) => {}
            None => alternatives.push(Alternative { class, confidence }),
        }
    }
    alternatives.sort_by(|a, b| b.confidence.value().total_cmp(&a.confidence.value()));
    alternatives
}
