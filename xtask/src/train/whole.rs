//! The whole model from its samples.

use std::collections::BTreeMap;

use regreen_bench::FOLDS;
use regreen_catalog::Catalog;
use regreen_detect::model::{Model, OUTCOMES, Outcome, Part, SHARED, calibration_features, top};
use regreen_detect::{Detector, Study};
use regreen_learn::{Choice, calibrate, choose, softmax};

use super::parts;
use super::sample::Sample;

/// Draws the shared weights to where they start; chosen by grouped cross-validation.
const SHARED_L2: f64 = 1e-3;

/// Draws the calibration to "as stated".
const CALIBRATION_L2: f64 = 1e-2;

/// The two linear parts by the folds, at most two, that they have not seen: each pair is needed twice.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<(Option<usize>, Option<usize>), (Part, Part)>);

impl Parts {
    /// Learned from all samples but those of these folds.
    fn without(&mut self, samples: &[Sample], a: Option<usize>, b: Option<usize>) -> Model {
        let (a, b) = (a.min(b), a.max(b));
        let (failure, line) = self.0.entry((a, b)).or_insert_with(|| {
            let seen = |s: &&Sample| s.fold.is_none() || (s.fold != a && s.fold != b);
            let rest: Vec<&Sample> = samples.iter().filter(seen).collect();
            (parts::failure(&rest), parts::line(&rest))
        });
        Model { failure: failure.clone(), line: line.clone(), ..Model::default() }
    }
}

/// The whole model: its two parts from all samples; shared weights and calibration from what parts say of rows that
/// they haven't seen.
///
/// `without`: a fold that it must not see.
pub(super) fn learn(
    catalog: &Catalog,
    samples: &[Sample],
    without: Option<usize>,
    parts: &mut Parts,
) -> Model {
    let mut studied: Vec<(&Sample, Study)> = Vec::new();
    for fold in (0..FOLDS).filter(|fold| Some(*fold) != without) {
        let model = parts.without(samples, Some(fold), without);
        let detector = Detector::with_model(catalog, &model);
        let held_out = samples.iter().filter(|s| s.fold == Some(fold));
        studied.extend(
            held_out.map(|sample| (sample, detector.study(sample.unseen.as_ref().unwrap_or(&sample.scan)))),
        );
    }
    let shared = shared_weights(&studied, |_| true);
    let mut cases = Vec::new();
    for fold in 0..FOLDS {
        let weights = shared_weights(&studied, |sample| sample.fold != Some(fold));
        cases.extend(
            studied
                .iter()
                .filter(|(s, _)| s.fold == Some(fold))
                .filter_map(|(s, study)| case(s, study, &weights)),
        );
    }
    let calibration = calibrate(&cases, CALIBRATION_L2);
    let floats = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<f32>>();
    Model {
        shared: floats(shared),
        calibration: floats(calibration),
        ..parts.without(samples, without, None)
    }
}

fn shared_weights(studied: &[(&Sample, Study)], may: impl Fn(&Sample) -> bool) -> Vec<f64> {
    let choices: Vec<Choice> = studied
        .iter()
        .filter(|(sample, _)| may(sample))
        .map(|(sample, study)| Choice {
            options: study.options.clone(),
            right: (0..OUTCOMES).map(|i| sample.accepts(i)).collect(),
        })
        .collect();
    // At first, the words of the failure are believed.
    let mut start = vec![0.0; SHARED];
    start[0] = 1.0;
    choose(&choices, &start, SHARED_L2, 200)
}

/// What would be said of a row, and whether it is right; `None` where no class would be named.
fn case(sample: &Sample, study: &Study, weights: &[f64]) -> Option<(Vec<f64>, bool)> {
    let score = |option: &Vec<f64>| option.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    let mut p = [0.0; OUTCOMES];
    for (p, option) in p.iter_mut().zip(&study.options) {
        *p = score(option);
    }
    softmax(&mut p);
    let nothing = Outcome::NOTHING.index();
    let named = study.root.map(|root| root.index());
    let named = if p[nothing] > 0.5 { None } else { named.or_else(|| top(&p, |i| i != nothing)) }?;
    Some((calibration_features(p[named], study.root.is_some()), sample.accepts(named)))
}
