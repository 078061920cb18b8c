//! Signatures and words on one scale: how likely each outcome is, and whether both say the same.

use regreen_catalog::Strength;
use regreen_domain::{Alternative, Confidence, FailureClass, Verdict};

use crate::model::{Model, OUTCOMES, Opinion, Outcome, Reading};
use crate::model::{Signs, calibrated, choice_features, features, probabilities, top};
use crate::ranking::{Ranked, Ranking};

/// A signature within so many lines of where the command gave up stands near.
const NEAR: u64 = 40;

/// So many runners-up are named.
const RUNNERS_UP: usize = 3;

/// A runner-up that is less likely than this is none.
const LEAST: f64 = 0.005;

/// What is held back is stated with no more than this, which is below the default of `CONFIDENCE_THRESHOLD`.
const HELD_BACK: f64 = 0.8;

/// What a detector is trained on: the features of every outcome, and which the signatures point at.
#[derive(Debug, Clone)]
pub struct Study {
    /// By outcome.
    pub options: Vec<Vec<f64>>,
    /// The class that the deciding signature names.
    pub root: Option<Outcome>,
}

/// The weighed outcomes.
#[derive(Debug, Clone)]
pub(crate) struct Weighed<'m> {
    model: &'m Model,
    pub(crate) opinion: Opinion,
    p: [f64; OUTCOMES],
    /// What the words alone say.
    words: [f64; OUTCOMES],
    /// Whether the job went on after the failure.
    went_on: bool,
}

/// The class that a deciding signature names. A symptom only points at one, and one that nothing vouches for counts for
/// nothing.
pub(crate) fn decides(ranking: &Ranking<'_>) -> Option<FailureClass> {
    match ranking {
        Ranking::Root((_, pattern)) if pattern.strength != Strength::Symptom && pattern.is_vouched() => {
            Some(pattern.class)
        }
        _ => None,
    }
}

pub(crate) fn study(model: &Model, reading: &Reading, hits: &[Ranked<'_>], ranking: &Ranking<'_>) -> Study {
    let opinion = Opinion::of(model, reading);
    let options = features(&opinion, &signs(reading, hits, ranking));
    Study { options, root: decides(ranking).and_then(Outcome::of) }
}

fn signs(reading: &Reading, hits: &[Ranked<'_>], ranking: &Ranking<'_>) -> [Signs; OUTCOMES] {
    let mut signs = [Signs::default(); OUTCOMES];
    let mut sign = |class: FailureClass, change: &dyn Fn(&mut Signs)| {
        if let Some(signs) = Outcome::of(class).and_then(|outcome| signs.get_mut(outcome.index())) {
            change(signs);
        }
    };
    let counting = |(hit, pattern): &&Ranked<'_>| hit.counts && pattern.is_vouched();
    for (hit, pattern) in hits.iter().filter(counting) {
        let near = hit.line.abs_diff(reading.end) <= NEAR;
        sign(pattern.class, &|s| match pattern.strength {
            Strength::Symptom => (s.symptom, s.symptom_near) = (true, s.symptom_near || near),
            _ => (s.cause, s.cause_near) = (true, s.cause_near || near),
        });
        for class in &pattern.also {
            sign(*class, &|s| s.also = true);
        }
    }
    if let Some((_, pattern)) = hits.iter().rfind(|ranked| counting(ranked)) {
        sign(pattern.class, &|s| s.last = true);
    }
    if let Ranking::Root((_, pattern)) = ranking
        && pattern.is_vouched()
    {
        sign(pattern.class, &|s| match pattern.strength {
            Strength::CodeFinal => s.root_final = true,
            Strength::Cause => s.root_cause = true,
            Strength::Symptom => s.root_symptom = true,
        });
    }
    signs
}

impl<'m> Weighed<'m> {
    pub(crate) fn of(
        model: &'m Model,
        reading: &Reading,
        hits: &[Ranked<'_>],
        ranking: &Ranking<'_>,
    ) -> Weighed<'m> {
        let opinion = Opinion::of(model, reading);
        let p = probabilities(model, &features(&opinion, &signs(reading, hits, ranking)));
        let words = probabilities(model, &choice_features(&opinion));
        Weighed { model, opinion, p, words, went_on: false }
    }

    /// Where it is known that something failed.
    pub(crate) fn failed(&mut self) {
        for p in [&mut self.p, &mut self.words] {
            let rest = (1.0 - p[Outcome::NOTHING.index()]).max(f64::MIN_POSITIVE);
            p.iter_mut().for_each(|p| *p /= rest);
            p[Outcome::NOTHING.index()] = 0.0;
        }
    }

    /// Where the job worked on after the failure.
    pub(crate) fn went_on(&mut self) {
        self.went_on = true;
    }

    /// Whether most speaks for a job that passed.
    pub(crate) fn passed(&self) -> bool {
        self.p[Outcome::NOTHING.index()] > 0.5
    }

    /// The most likely class.
    pub(crate) fn class(&self) -> Option<FailureClass> {
        let class = |i: usize| Outcome::classes().nth(i).map(|(_, class)| class);
        top(&self.p, |i| i != Outcome::NOTHING.index()).and_then(class)
    }

    /// Confidence in a class. A signature of what could be healed is held back where the words speak for the project's
    /// own code, and one of any infrastructure where the job went on after it: nothing is done by such a log alone.
    pub(crate) fn confidence(&self, class: FailureClass, signature: bool) -> Confidence {
        self.confidence_in_one_of(&[class], signature)
    }

    /// Confidence that one of these it is, which are of one verdict: a line often can't tell them apart, but something
    /// else has.
    pub(crate) fn confidence_in_one_of(&self, classes: &[FailureClass], signature: bool) -> Confidence {
        let Some(class) = classes.first() else { return Confidence::NONE };
        let outcomes = Outcome::classes().filter(|(_, class)| classes.contains(class));
        let p: f64 = outcomes.map(|(outcome, _)| self.p[outcome.index()]).sum();
        let stated = calibrated(self.model, p, signature);
        let against = class.healable().is_some() && !self.agrees(*class);
        let lasting = self.went_on && class.verdict() == Verdict::Infrastructure;
        Confidence::calibrated(if against || lasting { stated.min(HELD_BACK) } else { stated })
    }

    /// Confidence by the words alone, of which nobody knows yet whether they can be relied on.
    pub(crate) fn confidence_of_a_draft(&self, class: FailureClass) -> Confidence {
        let p = Outcome::of(class).map_or(0.0, |outcome| self.p[outcome.index()]);
        Confidence::calibrated(calibrated(self.model, p, false).min(HELD_BACK))
    }

    /// Whether the words alone speak for the verdict of this class too.
    pub(crate) fn agrees(&self, class: FailureClass) -> bool {
        class.verdict() != Verdict::Infrastructure
            || self.said(Verdict::Infrastructure) > self.said(Verdict::Code)
    }

    fn said(&self, verdict: Verdict) -> f64 {
        Outcome::classes().filter(|(_, c)| c.verdict() == verdict).map(|(o, _)| self.words[o.index()]).sum()
    }

    /// The other classes, surest first; they share what the chosen one leaves.
    pub(crate) fn besides(&self, chosen: FailureClass, confidence: Confidence) -> Vec<Alternative> {
        let mut others: Vec<(FailureClass, f64)> = Outcome::classes()
            .filter(|(_, class)| *class != chosen)
            .map(|(outcome, class)| (class, self.p[outcome.index()]))
            .collect();
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        let all: f64 = others.iter().map(|(_, p)| p).sum::<f64>().max(f64::MIN_POSITIVE);
        let left = 1.0 - confidence.value();
        let share = |(class, p): (FailureClass, f64)| Alternative {
            class,
            confidence: Confidence::calibrated(left * p / all),
        };
        others
            .into_iter()
            .take(RUNNERS_UP)
            .map(share)
            .filter(|other| other.confidence.value() >= LEAST)
            .collect()
    }
}
