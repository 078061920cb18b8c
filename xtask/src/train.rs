//! `cargo xtask train --corpus DIR`: learns the weights of detection and writes `catalog/weights.bin`.
//!
//! From the open corpus without its check set, and from the catalogue's own examples. The same inputs give the same
//! bytes: one thread, a fixed order, weights rounded to a byte. What depends on another part's output is learned from
//! rows that were held out from that part, grouped by repository. With `--folds DIR`, the whole is also learned once
//! for each of five folds without that fold, for `regreen bench accuracy --folds DIR`.

mod parts;
mod sample;

use std::{fs, path::PathBuf};

use regreen_bench::FOLDS;
use regreen_catalog::Catalog;
use regreen_detect::model::{Model, OUTCOMES, Outcome, SHARED, calibration_features, top};
use regreen_detect::{Detector, Study};
use regreen_learn::{Choice, calibrate, choose, softmax};

use crate::{print, top as repository};
use sample::{Sample, samples};

/// Draws the shared weights to where they start; chosen by grouped cross-validation.
const SHARED_L2: f64 = 1e-3;

/// Draws the calibration to "as stated".
const CALIBRATION_L2: f64 = 1e-3;

/// Learns and writes.
pub fn train(args: &[&str]) -> Result<String, String> {
    let value = |name| args.iter().position(|a| *a == name).and_then(|i| args.get(i + 1)).map(PathBuf::from);
    let corpus = value("--corpus").ok_or("usage: cargo xtask train --corpus DIR [--folds DIR]")?;
    let catalog = regreen_builtin::catalog().map_err(|e| e.to_string())?;
    let samples = samples(&corpus, &catalog)?;
    if let Some(folder) = value("--folds") {
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for held_out in 0..FOLDS {
            let rest: Vec<&Sample> = samples.iter().filter(|s| s.fold != Some(held_out)).collect();
            let path = folder.join(format!("fold-{held_out}.bin"));
            fs::write(&path, learn(&catalog, &rest).encode())
                .map_err(|e| format!("{}: {e}", path.display()))?;
            print(&format!("learned without fold {held_out}"));
        }
    }
    let all: Vec<&Sample> = samples.iter().collect();
    let bytes = learn(&catalog, &all).encode();
    let path = repository().join("catalog/weights.bin");
    fs::write(&path, &bytes).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(format!("learned from {} logs: {} bytes", samples.len(), bytes.len()))
}

/// The whole model: its two parts from all samples; shared weights and calibration from what parts say of rows that
/// they haven't seen.
fn learn(catalog: &Catalog, samples: &[&Sample]) -> Model {
    let rows: Vec<&Sample> = samples.iter().copied().filter(|s| s.fold.is_some()).collect();
    let mut studied: Vec<(&Sample, Study)> = Vec::new();
    for fold in 0..FOLDS {
        let held_out: Vec<&Sample> = rows.iter().copied().filter(|s| s.fold == Some(fold)).collect();
        if held_out.is_empty() {
            continue;
        }
        let rest: Vec<&Sample> = samples.iter().copied().filter(|s| s.fold != Some(fold)).collect();
        let model = Model { failure: parts::failure(&rest), line: parts::line(&rest), ..Model::default() };
        let detector = Detector::with_model(catalog, &model);
        studied.extend(held_out.into_iter().map(|sample| (sample, detector.study(&sample.scan))));
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
    print(&format!("shared {shared:.2?}\ncalibration {calibration:.2?} from {} cases", cases.len()));
    Model {
        failure: parts::failure(samples),
        line: parts::line(samples),
        shared: floats(shared),
        calibration: floats(calibration),
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
