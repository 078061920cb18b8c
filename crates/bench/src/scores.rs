//! The figures of a measurement.

use std::collections::BTreeMap;

use regreen_domain::{FailureClass, HealableClass, Verdict};

use crate::{Label, Rate, Reliability};

/// From here on a finding is acted on: the default of `CONFIDENCE_THRESHOLD`.
pub const THRESHOLD: f64 = 0.85;

/// A class with fewer rows than this says little.
const FEW: u32 = 20;

/// What was found for a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The class, or that nothing failed.
    pub label: Label,
    /// The first runner-up.
    pub second: Option<FailureClass>,
    /// Confidence in the class.
    pub confidence: f64,
    /// Whether it would be healed.
    pub heals: bool,
    /// Line of the first evidence.
    pub line: Option<u64>,
}

/// A row beside what was found for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The row's name.
    pub id: String,
    /// Its repository.
    pub repo: String,
    /// What it is.
    pub label: Label,
    /// What would be accepted as well.
    pub also: Vec<Label>,
    /// What was found.
    pub found: Found,
    /// The lines that people marked, first and last, where they did.
    pub chunk: Option<(u64, u64)>,
}

/// How well one class is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// The class.
    pub class: FailureClass,
    /// Of the rows called so, the share that is.
    pub precision: Rate,
    /// Of the rows that are, the share called so.
    pub recall: Rate,
}

/// How often a row with this label was called that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confusion {
    /// What it is.
    pub label: Label,
    /// What it was called.
    pub found: Label,
    /// How often.
    pub n: u32,
}

/// Every figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Rows.
    pub n: u32,
    /// Repositories.
    pub repos: u32,
    /// Of code failures, those that would be healed.
    pub code_healed: Rate,
    /// Of passing builds, those called infrastructure at the threshold.
    pub passing_alarms: Rate,
    /// Of passing builds, those in which no failure was seen.
    pub passing_seen: Rate,
    /// Of failures, those whose verdict (infrastructure or code) is right.
    pub verdict: Rate,
    /// Of failures, those whose class is right.
    pub class: Rate,
    /// Of failures, those whose class or first runner-up is right.
    pub first_two: Rate,
    /// The original's four classes together.
    pub four: (Rate, Rate),
    /// Of infrastructure verdicts at the threshold, those of the right class.
    pub sure_and_right: Rate,
    /// Of infrastructure failures, those called infrastructure at the threshold.
    pub covered: Rate,
    /// Of marked chunks, those that hold the first evidence line.
    pub chunk_hit: Rate,
    /// Each class with rows or findings, in the taxonomy's order.
    pub classes: Vec<ClassScore>,
    /// Where rows went, by label and finding, those that occur.
    pub confusion: Vec<Confusion>,
    /// Stated confidence beside what was right, of all rows for which a class was named.
    pub reliability: Reliability,
}

impl Judged {
    /// Whether the class is one that an expert would accept.
    pub fn accepts(&self, label: Label) -> bool {
        label == self.label || self.also.contains(&label)
    }

    /// The label against which the finding counts: an accepted one is as good as the first.
    fn truth(&self) -> Label {
        if self.accepts(self.found.label) { self.found.label } else { self.label }
    }

    fn is(&self, verdict: Verdict) -> bool {
        self.label.class().is_some_and(|class| class.verdict() == verdict)
    }

    fn sure_of_infrastructure(&self) -> bool {
        self.found.label.class().is_some_and(|class| class.verdict() == Verdict::Infrastructure)
            && self.found.confidence >= THRESHOLD
    }

    fn verdict_is_right(&self) -> bool {
        let verdict = |label: &Label| label.class().map(FailureClass::verdict);
        let accepted = std::iter::once(&self.label).chain(&self.also);
        accepted.into_iter().any(|label| verdict(label) == verdict(&self.found.label))
    }
}

impl Scores {
    /// Scores what was found.
    pub fn of(rows: &[Judged]) -> Scores {
        let failing = || rows.iter().filter(|row| row.label != Label::Passing);
        let passing = || rows.iter().filter(|row| row.label == Label::Passing);
        let right = |row: &Judged| row.accepts(row.found.label);
        let second = |row: &Judged| row.found.second.is_some_and(|class| row.accepts(Label::Failed(class)));
        let all = |_: &Judged| true;
        let rate = |rows: &mut dyn Iterator<Item = &Judged>,
                    could: &dyn Fn(&Judged) -> bool,
                    did: &dyn Fn(&Judged) -> bool| {
            Rate::count(rows, |row| could(row).then(|| did(row)))
        };
        let repos: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.repo.as_str()).collect();
        let named = rows
            .iter()
            .filter(|row| !matches!(row.found.label, Label::Passing | Label::Failed(FailureClass::Unknown)));
        Scores {
            n: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            repos: u32::try_from(repos.len()).unwrap_or(u32::MAX),
            code_healed: rate(&mut failing(), &|row| row.is(Verdict::Code), &|row| row.found.heals),
            passing_alarms: rate(&mut passing(), &all, &Judged::sure_of_infrastructure),
            passing_seen: rate(&mut passing(), &all, &right),
            verdict: rate(&mut failing(), &all, &Judged::verdict_is_right),
            class: rate(&mut failing(), &all, &right),
            first_two: rate(&mut failing(), &all, &|row| right(row) || second(row)),
            four: (precision(rows, original), recall(rows, original)),
            sure_and_right: rate(&mut rows.iter(), &Judged::sure_of_infrastructure, &right),
            covered: rate(
                &mut failing(),
                &|row| row.is(Verdict::Infrastructure),
                &Judged::sure_of_infrastructure,
            ),
            chunk_hit: Rate::count(rows, |row| {
                row.chunk
                    .map(|(first, last)| row.found.line.is_some_and(|line| (first..=last).contains(&line)))
            }),
            classes: classes(rows),
            confusion: confusion(rows),
            reliability: Reliability::of(
                &named.map(|row| (row.found.confidence, right(row))).collect::<Vec<_>>(),
            ),
        }
    }

    /// Mean F1 over the classes that occur.
    pub fn macro_f1(&self) -> Option<f64> {
        self.mean_f1(1)
    }

    /// The same without classes of few rows.
    pub fn macro_f1_of_frequent(&self) -> Option<f64> {
        self.mean_f1(FEW)
    }

    fn mean_f1(&self, at_least: u32) -> Option<f64> {
        let scores: Vec<f64> =
            self.classes.iter().filter(|score| score.recall.n >= at_least).map(ClassScore::f1).collect();
        (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
    }
}

impl ClassScore {
    /// The harmonic mean of precision and recall; 0 where nothing was right.
    pub fn f1(&self) -> f64 {
        let wrong =
            f64::from(self.precision.n - self.precision.hits) + f64::from(self.recall.n - self.recall.hits);
        let right = 2.0 * f64::from(self.recall.hits);
        if right + wrong > 0.0 { right / (right + wrong) } else { 0.0 }
    }
}

/// The classes that the original system healed.
fn original(label: Label) -> bool {
    use HealableClass::{CacheCorruption, LockfileCorruption, NetworkTimeout, ServiceUnavailable};
    let class = label.class().and_then(FailureClass::healable);
    matches!(class, Some(LockfileCorruption | CacheCorruption | NetworkTimeout | ServiceUnavailable))
}

fn precision(rows: &[Judged], of: impl Fn(Label) -> bool) -> Rate {
    Rate::count(rows, |row| of(row.found.label).then(|| row.accepts(row.found.label)))
}

fn recall(rows: &[Judged], of: impl Fn(Label) -> bool) -> Rate {
    Rate::count(rows, |row| of(row.truth()).then(|| row.truth() == row.found.label))
}

fn classes(rows: &[Judged]) -> Vec<ClassScore> {
    let score = |class: FailureClass| {
        let this = |label: Label| label == Label::Failed(class);
        ClassScore { class, precision: precision(rows, this), recall: recall(rows, this) }
    };
    FailureClass::ALL
        .into_iter()
        .filter(|class| *class != FailureClass::Unknown)
        .map(score)
        .filter(|score| score.precision.n + score.recall.n > 0)
        .collect()
}

fn confusion(rows: &[Judged]) -> Vec<Confusion> {
    let mut counts: BTreeMap<(Label, Label), u32> = BTreeMap::new();
    for row in rows {
        *counts.entry((row.truth(), row.found.label)).or_default() += 1;
    }
    counts.into_iter().map(|((label, found), n)| Confusion { label, found, n }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(label: &str, also: &[&str], found: &str, second: Option<&str>, confidence: f64) -> Judged {
        let parse = |id: &str| Label::parse(id).unwrap();
        Judged {
            id: "id".to_owned(),
            repo: "repo".to_owned(),
            label: parse(label),
            also: also.iter().map(|id| parse(id)).collect(),
            found: Found {
                label: parse(found),
                second: second.map(|id| FailureClass::parse(id).unwrap()),
                confidence,
                heals: parse(found).class().and_then(FailureClass::healable).is_some()
                    && confidence >= THRESHOLD,
                line: Some(7),
            },
            chunk: None,
        }
    }

    fn rate(hits: u32, n: u32) -> Rate {
        Rate { hits, n }
    }

    #[test]
    fn a_perfect_detector_scores_one_everywhere() {
        let rows: Vec<Judged> = FailureClass::ALL
            .into_iter()
            .filter(|class| *class != FailureClass::Unknown)
            .map(|class| judged(class.id(), &[], class.id(), None, 1.0))
            .chain([judged("passing", &[], "passing", None, 0.0)])
            .collect();
        let scores = Scores::of(&rows);
        assert_eq!(scores.class, rate(15, 15));
        assert_eq!(scores.macro_f1(), Some(1.0));
        assert_eq!(scores.four, (rate(4, 4), rate(4, 4)));
        assert_eq!(
            (scores.code_healed, scores.passing_alarms, scores.passing_seen),
            (rate(0, 4), rate(0, 1), rate(1, 1))
        );
        assert_eq!((scores.covered, scores.sure_and_right), (rate(11, 11), rate(11, 11)));
        assert_eq!(scores.reliability.ece, Some(0.0));
        assert_eq!(scores.confusion.len(), 16);
    }

    #[test]
    fn what_an_expert_accepts_is_right_and_counts_for_the_accepted_class() {
        let scores = Scores::of(&[judged(
            "network-timeout",
            &["service-unavailable"],
            "service-unavailable",
            None,
            0.9,
        )]);
        assert_eq!((scores.class, scores.verdict), (rate(1, 1), rate(1, 1)));
        assert_eq!(scores.macro_f1(), Some(1.0));
    }

    #[test]
    fn the_dangerous_mistakes_are_counted() {
        let scores = Scores::of(&[
            judged("test-failure", &[], "network-timeout", Some("test-failure"), 0.9),
            judged("test-failure", &[], "test-failure", None, 0.9),
            judged("passing", &[], "network-timeout", None, 0.85),
            judged("passing", &[], "network-timeout", None, 0.84),
        ]);
        assert_eq!(scores.code_healed, rate(1, 2));
        assert_eq!(scores.passing_alarms, rate(1, 2));
        assert_eq!((scores.class, scores.first_two), (rate(1, 2), rate(2, 2)));
        // Called network-timeout thrice, never right.
        assert_eq!(scores.four, (rate(0, 3), rate(0, 0)));
    }

    #[test]
    fn an_unknown_is_wrong_but_not_a_boast() {
        let scores = Scores::of(&[judged("test-failure", &[], "unknown", Some("test-failure"), 0.0)]);
        assert_eq!((scores.class, scores.verdict, scores.first_two), (rate(0, 1), rate(0, 1), rate(1, 1)));
        assert_eq!(scores.reliability.ece, None);
    }

    #[test]
    fn f1_is_the_harmonic_mean() {
        let score = ClassScore { class: FailureClass::Unknown, precision: rate(3, 4), recall: rate(3, 6) };
        assert!((score.f1() - 2.0 * 0.75 * 0.5 / 1.25).abs() < 1e-12);
    }

    #[test]
    fn the_chunk_is_hit_by_its_lines_alone() {
        let mut row = judged("test-failure", &[], "test-failure", None, 0.9);
        for (chunk, hits) in [((5, 6), 0), ((7, 7), 1), ((1, 9), 1), ((8, 9), 0)] {
            row.chunk = Some(chunk);
            assert_eq!(Scores::of(std::slice::from_ref(&row)).chunk_hit, rate(hits, 1));
        }
    }
}
