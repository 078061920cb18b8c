//! What the model makes of a reading, and how that is put beside the signatures.

use super::outcome::{OUTCOMES, Outcome};
use super::{Model, Part, Reading};

/// How many features describe each outcome for the shared weights.
pub const SHARED: usize = 13 + SIGNS;
/// Of those, what signatures say; see [`Signs`].
const SIGNS: usize = 9;

/// Logarithms below this say no more than "hardly".
const HARDLY: f64 = -11.5;

/// What the words alone say.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// Of the failure as a whole: logarithm of each outcome's probability.
    failure: [f64; OUTCOMES],
    /// The greatest and the summed probability, over the lines, that it is the cause and of this class; logarithms.
    greatest: [f64; OUTCOMES],
    summed: [f64; OUTCOMES],
    /// Logarithm of the probability that no line is the cause.
    no_cause: f64,
    /// By class: the line (its place in the reading) that is most likely the cause.
    lines: [Option<usize>; OUTCOMES],
}

/// What the signatures say of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Signs {
    pub(crate) root_final: bool,
    pub(crate) root_cause: bool,
    pub(crate) root_symptom: bool,
    pub(crate) cause: bool,
    pub(crate) cause_near: bool,
    pub(crate) symptom: bool,
    pub(crate) symptom_near: bool,
    pub(crate) last: bool,
    pub(crate) also: bool,
}

impl Opinion {
    /// Asks the model.
    pub fn of(model: &Model, reading: &Reading) -> Opinion {
        let mut opinion = Opinion {
            failure: log_probabilities(&model.failure, &reading.words, true),
            greatest: [HARDLY; OUTCOMES],
            summed: [0.0; OUTCOMES],
            no_cause: 0.0,
            lines: [None; OUTCOMES],
        };
        for (place, line) in reading.lines.iter().enumerate() {
            let said = log_probabilities(&model.line, &line.keys, false);
            opinion.no_cause += said[Outcome::NOTHING.index()];
            for (i, log) in said.into_iter().enumerate() {
                opinion.summed[i] += log.exp();
                if log > opinion.greatest[i] || opinion.lines[i].is_none() {
                    opinion.greatest[i] = log.max(HARDLY);
                    opinion.lines[i] = Some(place);
                }
            }
        }
        opinion.summed.iter_mut().for_each(|sum| *sum = sum.ln().max(HARDLY));
        opinion.no_cause = opinion.no_cause.max(HARDLY);
        opinion
    }

    /// Whether that line is more likely than not the cause.
    pub fn is_likely(&self, outcome: Outcome) -> bool {
        self.greatest.get(outcome.index()).is_some_and(|log| log.exp() > 0.5)
    }

    /// The place in the reading of the line that is most likely the cause, if this is the class.
    pub fn line(&self, outcome: Outcome) -> Option<usize> {
        self.lines.get(outcome.index()).copied().flatten()
    }
}

fn log_probabilities(part: &Part, keys: &[(u32, f32)], whole: bool) -> [f64; OUTCOMES] {
    let mut scores = part.scores(keys, whole);
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
    let log = most + sum.ln();
    scores.iter_mut().for_each(|s| *s = (*s - log).max(HARDLY));
    scores
}

/// The features of every outcome.
pub(crate) fn features(opinion: &Opinion, signs: &[Signs; OUTCOMES]) -> Vec<Vec<f64>> {
    let bit = |b: bool| f64::from(u8::from(b));
    let nothing = Outcome::NOTHING.index();
    (0..OUTCOMES)
        .map(|i| {
            let is_class = i != nothing;
            let of_class = |value: f64| if is_class { value } else { 0.0 };
            let s = signs[i];
            let infra = i < FIRST_CODE;
            let healable = i < FIRST_ADVISE;
            vec![
                opinion.failure[i],
                of_class(opinion.greatest[i]),
                of_class(opinion.summed[i]),
                if is_class { 0.0 } else { opinion.no_cause },
                bit(!is_class),
                bit(is_class && !infra),
                bit(healable),
                of_class(opinion.failure[i].exp()),
                of_class(opinion.greatest[i].exp()),
                // What is rarely sure of itself in words alone is trusted less beside a signature.
                bit(s.root_cause || s.cause) * of_class(opinion.failure[i]),
                bit(s.root_cause || s.cause) * of_class(opinion.greatest[i]),
                bit(s.cause && infra),
                bit(s.cause_near && infra),
                bit(s.root_final),
                bit(s.root_cause),
                bit(s.root_symptom),
                bit(s.cause),
                bit(s.cause_near),
                bit(s.symptom),
                bit(s.symptom_near),
                bit(s.last),
                bit(s.also),
            ]
        })
        .collect()
}

/// Where the classes that are only advised on, and those of code, begin in the taxonomy's order.
const FIRST_ADVISE: usize = 7;
const FIRST_CODE: usize = 11;

/// The features of every outcome where no signature is known.
pub(crate) fn choice_features(opinion: &Opinion) -> Vec<Vec<f64>> {
    features(opinion, &[Signs::default(); OUTCOMES])
}

/// Probabilities of the outcomes. A model without shared weights believes the words of the failure.
pub(crate) fn probabilities(model: &Model, options: &[Vec<f64>]) -> [f64; OUTCOMES] {
    let weight = |i: usize| match model.shared.get(i) {
        Some(w) if model.shared.len() == SHARED => f64::from(*w),
        _ => f64::from(u8::from(i == 0)),
    };
    let mut p = [0.0; OUTCOMES];
    for (p, option) in p.iter_mut().zip(options) {
        *p = option.iter().enumerate().map(|(i, x)| x * weight(i)).sum();
    }
    let most = p.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    p.iter_mut().for_each(|p| *p = (*p - most).exp());
    let sum: f64 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
    p
}

/// The most likely outcome of those that `may` be.
pub fn top(p: &[f64; OUTCOMES], may: impl Fn(usize) -> bool) -> Option<usize> {
    (0..OUTCOMES).filter(|i| may(*i)).max_by(|a, b| p[*a].total_cmp(&p[*b]).then(b.cmp(a)))
}

/// What the calibration looks at: the stated log-odds, and whether a signature stands behind them.
pub fn calibration_features(p: f64, signature: bool) -> Vec<f64> {
    let p = p.clamp(1e-4, 1.0 - 1e-4);
    let odds = (p / (1.0 - p)).ln();
    let signed = f64::from(u8::from(signature));
    vec![odds, signed]
}

/// The probability that holds.
pub(crate) fn calibrated(model: &Model, p: f64, signature: bool) -> f64 {
    let features = calibration_features(p, signature);
    let Some((constant, weights)) = model.calibration.split_last().filter(|(_, w)| w.len() == features.len())
    else {
        return p;
    };
    let z: f64 =
        features.iter().zip(weights).map(|(x, w)| x * f64::from(*w)).sum::<f64>() + f64::from(*constant);
    1.0 / (1.0 + (-z).exp())
}
