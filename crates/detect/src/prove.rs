//! One pattern of a catalogue proved in company: its examples are diagnosed as its class among all other patterns, and
//! theirs as before.

use regreen_catalog::{Catalog, Example, Pattern, Status, Strength};
use regreen_domain::{FailureClass, Verdict};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;

use crate::{Circumstances, Detection, Detector};

/// A claim that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The pattern's own example or counterexample; empty where it is about something else.
    pub example: String,
    /// What was found.
    pub says: String,
    /// What to do.
    pub help: &'static str,
}

/// What does not hold of the pattern `id` of `catalog`; `before` is the catalogue without it, or with an older version.
pub fn prove(before: &Catalog, catalog: &Catalog, id: &str) -> Vec<Problem> {
    Proof::new(before, catalog).of(id)
}

/// Two catalogues side by side: one without the patterns that are to be proved, or with older versions of them.
pub(crate) struct Proof<'c> {
    old: Detector<'c>,
    new: Detector<'c>,
}

impl<'c> Proof<'c> {
    pub(crate) fn new(before: &'c Catalog, catalog: &'c Catalog) -> Proof<'c> {
        Proof { old: Detector::new(before), new: Detector::new(catalog) }
    }

    /// What does not hold of one pattern.
    pub(crate) fn of(&self, id: &str) -> Vec<Problem> {
        let (before, catalog) = (self.old.catalog, self.new.catalog);
        let Some(pattern) = catalog.pattern(id) else { return Vec::new() };
        let mut problems: Vec<Problem> = pattern
            .prove()
            .into_iter()
            .map(|unproved| Problem {
                says: format!("`{}`: {}", unproved.example, unproved.says),
                example: unproved.example,
                help: "correct the expression, or the line that the example expects",
            })
            .collect();
        for example in pattern.examples.iter().filter(|_| decides(pattern)) {
            let found = diagnose(&self.new, &example.log).diagnosis;
            if !accepts(catalog, pattern, found.class) {
                let by = found.pattern.as_deref().unwrap_or("no pattern");
                problems.push(Problem {
                    example: example.name.clone(),
                    says: format!(
                        "`{}` is diagnosed as {} by {by}: {}",
                        example.name, found.class, found.reason
                    ),
                    help: "sharpen the expression, or let the pattern name what it explains",
                });
            }
        }
        for counterexample in pattern.counterexamples.iter() {
            if diagnose(&self.new, &counterexample.log).diagnosis.pattern.as_deref() == Some(id) {
                problems.push(Problem {
                    example: counterexample.name.clone(),
                    says: format!("`{}` is diagnosed by it ({})", counterexample.name, counterexample.why),
                    help: "sharpen the expression, or add a context that must stand nearby",
                });
            }
        }
        // Where neither version of the pattern has a line, it has no say.
        let speaks = |catalog: &Catalog, log: &str| {
            catalog.pattern(id).is_some_and(|p| log.lines().any(|line| p.matcher.line.is_match(line)))
        };
        let concerned = |(_, example): &(&Pattern, &Example)| {
            speaks(before, &example.log) || speaks(catalog, &example.log)
        };
        for (other, example) in others(before, id).filter(concerned) {
            let was = diagnose(&self.old, &example.log).diagnosis;
            let is = diagnose(&self.new, &example.log).diagnosis;
            if was.class != is.class {
                problems.push(Problem {
                    example: String::new(),
                    says: format!(
                        "with it, `{}` of `{}` is diagnosed as {}, and was {}",
                        example.name, other.id, is.class, was.class
                    ),
                    help: "every other pattern's example is a counterexample: sharpen the expression",
                });
            }
        }
        problems
    }
}

impl Problem {
    /// The line, counted from 1, of a pattern file's text that the problem is about; 0 where it is the whole file.
    pub fn line_in(&self, text: &str) -> usize {
        let here = |line: &str| {
            line.contains("name")
                && ['"', '\''].iter().any(|q| line.contains(&format!("{q}{}{q}", self.example)))
        };
        if self.example.is_empty() { 0 } else { text.lines().position(here).map_or(0, |at| at + 1) }
    }
}

fn diagnose(detector: &Detector<'_>, log: &str) -> Detection {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let scan = detector.scan(&log, &Circumstances { command: None, exit: None });
    detector.conclude(&scan, &[], &Masker::new::<[&str; 0], &str>([]))
}

/// Whether a pattern alone can decide what a log is diagnosed as.
fn decides(pattern: &Pattern) -> bool {
    let infrastructure = pattern.class.verdict() == Verdict::Infrastructure;
    pattern.status != Status::Retired && !(pattern.strength == Strength::Symptom && infrastructure)
}

fn others<'c>(catalog: &'c Catalog, id: &str) -> impl Iterator<Item = (&'c Pattern, &'c Example)> {
    let others = catalog.patterns().iter().filter(move |p| p.id != id && decides(p));
    others.flat_map(|p| p.examples.iter().map(move |e| (p, e)))
}

/// An example's class is its pattern's, or that of a pattern which explains it. A code symptom gives way to any code.
fn accepts(catalog: &Catalog, pattern: &Pattern, found: FailureClass) -> bool {
    let explains = |other: &&Pattern| other.explains.contains(&pattern.id);
    found == pattern.class
        || catalog.patterns().iter().filter(explains).any(|other| other.class == found)
        || (pattern.strength == Strength::Symptom && found.verdict() == Verdict::Code)
}
