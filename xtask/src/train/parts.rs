//! The two linear parts: the words of a failure, and a single line.

use std::collections::{BTreeMap, BTreeSet};

use regreen_detect::model::{OUTCOMES, Outcome, Part};
use regreen_learn::{Example, Softmax};

use super::sample::Sample;

// Chosen by grouped cross-validation on rows outside the check set.
const FAILURE_L2: f64 = 2e-5;
const LINE_L2: f64 = 3e-5;
const FAILURE_STEPS: usize = 90;
const LINE_STEPS: usize = 50;
/// Rare classes count more, though not as much as if all were equally frequent.
const FAILURE_BALANCE: f64 = 0.6;
const LINE_BALANCE: f64 = 0.5;
/// An example of the catalogue is short and clean: it counts less than a log.
const EXAMPLE: f64 = 0.5;
/// A line that is not the cause.
const OTHER_LINE: f64 = 0.3;
/// Of a log, so many of the nearest other lines, and as many of the further ones.
const OTHER_LINES: usize = 25;
/// Another accepted class is half as right.
const ALSO: f64 = 0.5;
/// A word that fewer groups than this use is a project's name rather than a tool's word.
const GROUPS: usize = 3;

/// Each part keeps so many features: the file is in the repository, and in the binary.
const FEATURES: usize = 7000;

/// Learns from the words of whole failures.
pub(super) fn failure(samples: &[&Sample]) -> Part {
    let words = |sample: &Sample| sample.scan.reading().words.clone();
    let dictionary = Dictionary::of(samples.iter().map(|s| (s.group.as_str(), vec![words(s)])), true);
    let count = counts(samples);
    let examples: Vec<Example> = samples
        .iter()
        .map(|sample| {
            let mut features = dictionary.features(&words(sample));
            let length = features.iter().map(|(_, v)| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            features.iter_mut().for_each(|(_, v)| *v /= length);
            let rare = samples.len() as f64 / OUTCOMES as f64 / count[sample.label.index()];
            let weight = rare.powf(FAILURE_BALANCE) * if sample.is_example() { EXAMPLE } else { 1.0 };
            Example { features, target: target(sample), weight }
        })
        .collect();
    dictionary.learn(&examples, FAILURE_L2, FAILURE_STEPS)
}

/// Learns which lines are the cause, and of which class.
pub(super) fn line(samples: &[&Sample]) -> Part {
    let lines = |s: &Sample| -> Vec<Vec<(u32, f32)>> {
        s.scan.reading().lines.iter().map(|l| l.keys.clone()).collect()
    };
    let dictionary = Dictionary::of(samples.iter().map(|s| (s.group.as_str(), lines(s))), false);
    let count = counts(samples);
    let mut other = vec![0.0; OUTCOMES];
    other[Outcome::NOTHING.index()] = 1.0;
    let mut examples = Vec::new();
    for sample in samples {
        let lines = &sample.scan.reading().lines;
        let passing = sample.label == Outcome::NOTHING;
        if let Some(cause) = sample.cause.and_then(|place| lines.get(place)).filter(|_| !passing) {
            let rare = 100.0 / count[sample.label.index()];
            let weight = rare.powf(LINE_BALANCE) * if sample.is_example() { EXAMPLE } else { 1.0 };
            examples.push(Example {
                features: dictionary.features(&cause.keys),
                target: target(sample),
                weight,
            });
        } else if !passing {
            continue;
        }
        if sample.is_example() {
            continue;
        }
        let others: Vec<usize> = (0..lines.len()).filter(|place| Some(*place) != sample.cause).collect();
        let (near, far) = others.split_at(others.len().min(OTHER_LINES));
        let stride = far.len().div_ceil(OTHER_LINES).max(1);
        for place in near.iter().chain(far.iter().step_by(stride)) {
            let features = dictionary.features(&lines[*place].keys);
            examples.push(Example { features, target: other.clone(), weight: OTHER_LINE });
        }
    }
    dictionary.learn(&examples, LINE_L2, LINE_STEPS)
}

fn counts(samples: &[&Sample]) -> Vec<f64> {
    let mut counts = vec![0.0; OUTCOMES];
    for sample in samples {
        counts[sample.label.index()] += 1.0;
    }
    counts
}

fn target(sample: &Sample) -> Vec<f64> {
    let mut target = vec![0.0; OUTCOMES];
    target[sample.label.index()] = 1.0;
    for also in &sample.also {
        target[also.index()] += ALSO / sample.also.len() as f64;
    }
    let sum: f64 = target.iter().sum();
    target.iter_mut().for_each(|t| *t /= sum);
    target
}

/// The features that enough groups have.
struct Dictionary {
    keys: Vec<u32>,
    rarity: Vec<f32>,
}

impl Dictionary {
    /// From each sample's group and lists of features. `rarity`: a feature counts the more, the fewer groups have it.
    fn of<'s>(samples: impl Iterator<Item = (&'s str, Vec<Vec<(u32, f32)>>)>, rarity: bool) -> Dictionary {
        let mut groups: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
        let mut all = BTreeSet::new();
        for (group, lists) in samples {
            all.insert(group);
            for (key, _) in lists.into_iter().flatten() {
                let groups = groups.entry(key).or_default();
                groups.insert(group);
            }
        }
        groups.retain(|_, groups| groups.len() >= GROUPS);
        let n = all.len() as f32;
        let rare = |groups: &BTreeSet<&str>| if rarity { (n / groups.len() as f32).ln() } else { 1.0 };
        Dictionary {
            rarity: groups.values().map(|g| Part::rarity(Part::rarity_step(rare(g)))).collect(),
            keys: groups.into_keys().collect(),
        }
    }

    fn features(&self, keys: &[(u32, f32)]) -> Vec<(usize, f64)> {
        let known = |(key, value): &(u32, f32)| {
            let i = self.keys.binary_search(key).ok()?;
            Some((i, f64::from(*value) * f64::from(self.rarity[i])))
        };
        keys.iter().filter_map(known).collect()
    }

    fn learn(self, examples: &[Example], l2: f64, steps: usize) -> Part {
        let learned = Softmax::learn(examples, self.keys.len(), OUTCOMES, l2, steps);
        Part::quantise(&learned.bias, self.keys, &self.rarity, &learned.weights).pruned(FEATURES)
    }
}
