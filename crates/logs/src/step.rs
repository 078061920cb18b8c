//! A step of a job, as the log marks it.

use std::ops::Range;

use crate::Format;
use crate::dialect::{Dialect, Mark};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the CI calls it, without decoration.
    pub name: String,
    /// Its bytes within the decoded log.
    pub(crate) bytes: Range<usize>,
    /// How it ended.
    pub outcome: StepOutcome,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// No mark of a failure.
    Passed,
    /// It reported an error, but did not end with one: an annotation, or a step that may fail.
    Complained,
    /// The CI says that it ended with an error.
    Failed,
}

/// The steps of a log, in order; empty where its format marks none.
pub(crate) fn steps(bytes: &[u8], format: Format) -> Vec<Step> {
    let mut course = Course::default();
    let dialect = format.dialect();
    match dialect.mark_literals() {
        Some(literals) => {
            for start in line_starts(bytes, literals) {
                course.read(start, line_at(bytes, start), dialect);
            }
        }
        None => {
            let mut start = 0;
            while start < bytes.len() {
                let line = line_at(bytes, start);
                course.read(start, line, dialect);
                start += line.len() + 1;
            }
        }
    }
    course.end(bytes.len())
}

fn line_at(bytes: &[u8], start: usize) -> &[u8] {
    let rest = &bytes[start..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Where the lines start that hold one of the literals, in order.
fn line_starts(bytes: &[u8], literals: &[&str]) -> Vec<usize> {
    let mut starts = Vec::new();
    for literal in literals {
        let mut from = 0;
        for at in memchr::memmem::find_iter(bytes, literal.as_bytes()) {
            if at >= from {
                starts.push(memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |feed| feed + 1));
                from = at + memchr::memchr(b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
            }
        }
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The steps seen so far.
#[derive(Default)]
struct Course<'l> {
    steps: Vec<Step>,
    place: Option<(&'l [u8], &'l [u8])>,
}

impl<'l> Course<'l> {
    fn read(&mut self, start: usize, line: &'l [u8], dialect: &dyn Dialect) {
        let place = dialect.place(line);
        if place.is_some() && place != self.place {
            self.place = place;
            self.begin(
                start,
                place.map(|(_, step)| String::from_utf8_lossy(step).into_owned()).unwrap_or_default(),
            );
        }
        let failure = match dialect.mark(line) {
            Mark::Step(name) if place.is_none() => return self.begin(start, name),
            Mark::Failed => StepOutcome::Failed,
            Mark::Complained => StepOutcome::Complained,
            Mark::Step(_) | Mark::None => return,
        };
        // What the runner does before the first step is a step too, and can fail.
        if self.steps.is_empty() {
            self.begin(0, "Set up job".to_owned());
        }
        if let Some(step) = self.steps.last_mut()
            && step.outcome != StepOutcome::Failed
        {
            step.outcome = failure;
        }
    }

    fn begin(&mut self, start: usize, name: String) {
        if let Some(last) = self.steps.last_mut() {
            last.bytes.end = start;
        } else if start > 0 {
            let set_up = "Set up job".to_owned();
            self.steps.push(Step { name: set_up, bytes: 0..start, outcome: StepOutcome::Passed });
        }
        self.steps.push(Step { name, bytes: start..start, outcome: StepOutcome::Passed });
    }

    fn end(mut self, end: usize) -> Vec<Step> {
        if let Some(last) = self.steps.last_mut() {
            last.bytes.end = end;
        }
        self.steps
    }
}
