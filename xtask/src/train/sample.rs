//! What is learned from: labelled logs, and the catalogue's examples.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regreen_bench::{Label, fold};
use regreen_catalog::{Catalog, Status, Strength};
use regreen_detect::model::{Model, Outcome, Reading};
use regreen_detect::{Circumstances, Detector, Scan};
use regreen_domain::{FailureClass, Verdict};
use regreen_logs::{ReadOptions, read};

use crate::measure::rows;

/// A log to learn from.
pub(super) struct Sample {
    /// Logs of one group are never split.
    pub(super) group: String,
    /// Its fold; `None` of an example, which every fold learns from.
    pub(super) fold: Option<usize>,
    pub(super) label: Outcome,
    pub(super) also: Vec<Outcome>,
    pub(super) scan: Scan,
    /// The same where some patterns were seen in this group only: what was found before they were written.
    pub(super) unseen: Option<Scan>,
    /// The place in the reading of the line that shows the cause, where it is known.
    pub(super) cause: Option<usize>,
}

impl Sample {
    pub(super) fn accepts(&self, outcome: usize) -> bool {
        self.label.index() == outcome || self.also.iter().any(|also| also.index() == outcome)
    }

    pub(super) fn is_example(&self) -> bool {
        self.fold.is_none()
    }
}

/// Two texts are of the same line where they share more than this of their features.
const SAME: f64 = 0.6;

/// Reads all, in a fixed order.
pub(super) fn samples(corpus: &Path, catalog: &Catalog) -> Result<Vec<Sample>, String> {
    // Which model scans is of no account: only what it read is used.
    let none = Model::default();
    let detector = Detector::with_model(catalog, &none);
    let scan = |log: &str| {
        let log = read(log.as_bytes(), &ReadOptions::default());
        detector.scan(&log, &Circumstances { command: None, exit: None })
    };
    let mut samples = Vec::new();
    for name in ["excerpts.jsonl.zst", "full.jsonl.zst"] {
        for row in rows(&corpus.join(name))? {
            let scan = scan(&row.log);
            let cause = marked(&row.evidence, scan.reading());
            samples.push(Sample {
                fold: Some(fold(&row.repo)),
                group: row.repo,
                label: outcome(row.label).ok_or_else(|| format!("{}: `unknown` is no label", row.id))?,
                also: row.also.into_iter().filter_map(outcome).collect(),
                scan,
                unseen: None,
                cause,
            });
        }
    }
    forget(&mut samples);
    for pattern in catalog.patterns().iter().filter(|p| p.status != Status::Retired) {
        // A warning about infrastructure is no cause.
        if pattern.strength == Strength::Symptom && pattern.class.verdict() == Verdict::Infrastructure {
            continue;
        }
        let Some(label) = Outcome::of(pattern.class) else { continue };
        for example in pattern.examples.iter() {
            let scan = scan(&example.log);
            let at = |number: u64| scan.reading().lines.iter().position(|line| line.number == number);
            samples.push(Sample {
                group: format!("pattern {}", pattern.id),
                fold: None,
                label,
                also: pattern.also.iter().copied().filter_map(Outcome::of).collect(),
                cause: at(example.line as u64),
                scan,
                unseen: None,
            });
        }
    }
    Ok(samples)
}

/// The patterns were written with these rows in view; a pattern that was seen in one group only would not be there for
/// a repository that nobody has seen.
fn forget(samples: &mut [Sample]) {
    let mut groups: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for sample in samples.iter() {
        for pattern in sample.scan.patterns() {
            groups.entry(pattern).or_default().insert(sample.group.clone());
        }
    }
    let lonely: BTreeSet<usize> =
        groups.into_iter().filter(|(_, groups)| groups.len() == 1).map(|(pattern, _)| pattern).collect();
    for sample in samples {
        let seen = sample.scan.patterns();
        sample.unseen = (!seen.is_disjoint(&lonely)).then(|| sample.scan.without(&lonely));
    }
}

fn outcome(label: Label) -> Option<Outcome> {
    match label {
        Label::Passing => Some(Outcome::NOTHING),
        Label::Failed(FailureClass::Unknown) => None,
        Label::Failed(class) => Outcome::of(class),
    }
}

/// The line that was marked, by its words.
fn marked(evidence: &str, reading: &Reading) -> Option<usize> {
    let first = evidence.lines().next().filter(|line| !line.trim().is_empty())?;
    let words = |reading: &Reading, place: usize| -> Vec<u32> {
        // What stands around a line weighs less than what stands in it.
        let keys = reading.lines.get(place).map(|line| line.keys.as_slice()).unwrap_or_default();
        let most = keys.iter().map(|(_, v)| *v).filter(|v| *v != 0.5).fold(0.0_f32, f32::max);
        keys.iter().filter(|(_, v)| *v != 0.5 && *v > most * 0.7).map(|(key, _)| *key).collect()
    };
    let wanted = Reading::of(&read(first.as_bytes(), &ReadOptions::default()));
    let wanted = words(&wanted, 0);
    let likeness = |place: usize| {
        let words = words(reading, place);
        let both = wanted.iter().filter(|key| words.contains(key)).count() as f64;
        both / (wanted.len() as f64 + words.len() as f64 - both).max(1.0)
    };
    let best =
        (0..reading.lines.len()).map(|place| (place, likeness(place))).filter(|(_, like)| *like > SAME);
    best.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(place, _)| place)
}
