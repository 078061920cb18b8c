//! Which hit is the root: the rules by which evidence is put in order.
//!
//! 1. What an earlier cause explains speaks for nothing itself.
//! 2. A final word about code decides, whatever else is seen.
//! 3. Code evidence after the last infrastructure evidence decides.
//! 4. Infrastructure evidence decides where no code evidence is left.
//! 5. Infrastructure evidence after code evidence that is not final can't be ordered: unknown.

use regreen_catalog::{Pattern, Strength};
use regreen_domain::FailureClass;

use crate::hit::Hit;

/// A hit with its pattern.
pub(crate) type Ranked<'s> = (&'s Hit, &'s Pattern);

/// What the order of the evidence says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ranking<'s> {
    /// This is the root.
    Root(Ranked<'s>),
    /// Code and infrastructure speak, and neither follows from the other.
    Mixed {
        /// The last code evidence.
        code: Ranked<'s>,
        /// The last infrastructure evidence.
        infra: Ranked<'s>,
    },
    /// Only warnings, or words of a program that isn't the tool.
    Nothing,
}

/// Puts the hits, which come in the order of the log, in order of cause. `hung`: the command was ended because it
/// said nothing more, so its last warning is the best witness there is.
pub(crate) fn rank<'s>(hits: &[Ranked<'s>], hung: bool) -> Ranking<'s> {
    let counting: Vec<Ranked<'s>> = hits.iter().copied().filter(|(hit, _)| hit.counts).collect();
    let code: Vec<_> = standing(&counting, is_code);
    let infra: Vec<_> = standing(&counting, is_infra);
    if let Some(last_word) = code.iter().rfind(|(_, pattern)| pattern.strength == Strength::CodeFinal) {
        let cause = code.iter().rfind(|cause| explains(**cause, *last_word));
        return Ranking::Root(first_of(&counting, *cause.unwrap_or(last_word)));
    }
    match (code.last(), infra.last()) {
        (Some(code), Some(infra)) if infra.0.line > code.0.line => {
            Ranking::Mixed { code: *code, infra: *infra }
        }
        (Some(last), _) | (None, Some(last)) => Ranking::Root(first_of(&counting, *last)),
        (None, None) => witness(&counting, hung),
    }
}

/// Causes and last words of these classes that don't follow from an earlier cause. A last word about code that has a
/// cause in the code stands, whatever else could explain it.
fn standing<'s>(counting: &[Ranked<'s>], of: fn(FailureClass) -> bool) -> Vec<Ranked<'s>> {
    let follows = |this: Ranked<'s>| {
        let causes = || counting.iter().filter(|cause| explains(**cause, this));
        match this.1.strength {
            Strength::CodeFinal => causes().next().is_some() && causes().all(|cause| is_infra(cause.1.class)),
            _ => causes().next().is_some(),
        }
    };
    let candidates = counting.iter().copied().filter(|(_, p)| of(p.class) && p.strength != Strength::Symptom);
    candidates.filter(|this| !follows(*this)).collect()
}

/// Whether the first is a cause that stands before the second and has it as its consequence.
pub(crate) fn explains((cause, cause_pattern): Ranked<'_>, (hit, pattern): Ranked<'_>) -> bool {
    cause.line < hit.line
        && cause_pattern.strength != Strength::Symptom
        && cause_pattern.id != pattern.id
        && cause_pattern.explains.contains(&pattern.id)
}

/// Without any cause: a code symptom names its class; a warning about infrastructure is no cause, unless the command
/// hung on it.
fn witness<'s>(counting: &[Ranked<'s>], hung: bool) -> Ranking<'s> {
    match (counting.iter().rfind(|(_, pattern)| is_code(pattern.class)), counting.last()) {
        (Some(code), _) => Ranking::Root(first_of(counting, *code)),
        (None, Some(last)) if hung => Ranking::Root(*last),
        _ => Ranking::Nothing,
    }
}

/// The first counting hit of the same pattern: where it began.
fn first_of<'s>(counting: &[Ranked<'s>], last: Ranked<'s>) -> Ranked<'s> {
    counting.iter().copied().find(|(_, pattern)| pattern.id == last.1.id).unwrap_or(last)
}

fn is_code(class: FailureClass) -> bool {
    matches!(class, FailureClass::Code(_))
}

fn is_infra(class: FailureClass) -> bool {
    matches!(class, FailureClass::Infra(_))
}
