//! A step of a job, as the log marks it, and the course of a job: the fold over its marks.

use crate::dialect::{Dialect, Mark, Place, name};

/// So many steps are remembered; of a log that marks more, the first ones.
const REMEMBERED: usize = 4096;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The job it belongs to, where the log holds several and names them.
    pub job: Option<String>,
    /// What the CI calls it, without decoration.
    pub name: String,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Whether it comes after the work, so that it can't be why the job failed.
    pub cleanup: bool,
    /// Where it starts in the log.
    pub(crate) start: At,
}

/// The start of a line in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At {
    pub(crate) byte: u64,
    /// The line's number.
    pub(crate) line: u64,
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

/// The course of a job: which step is open, and how the ones before it ended.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// The steps that are over, in order.
    pub(crate) steps: Vec<Step>,
    open: Option<Step>,
    /// The last step of the work.
    worked: Option<Step>,
    job: Option<Vec<u8>>,
    step: Option<Vec<u8>>,
    /// The job's work was said to be done, and no step began since.
    pub(crate) done: bool,
    /// Where what is read begins in the log.
    pub(crate) base: At,
    begun: bool,
}

/// A step that is over: it ended before this line.
pub(crate) struct Over {
    pub(crate) step: Step,
    pub(crate) end: At,
}

impl Course {
    /// The course of a log that is read from here on.
    pub(crate) fn from(base: At) -> Course {
        Course { base, ..Course::default() }
    }

    /// Reads a line that may carry a mark: it starts at `start`, and the next one at `end`. Gives the steps that are
    /// over with it.
    pub(crate) fn read(
        &mut self,
        start: At,
        end: At,
        line: &[u8],
        dialect: &dyn Dialect,
        over: &mut Vec<Over>,
    ) {
        let (place, mark) = dialect.place_and_mark(line);
        let placed = self.enter(start, place, dialect, over);
        match mark {
            Mark::Step(name) if !placed => self.begin(start, name, false, over),
            Mark::Cleanup(name) if !placed => self.begin(start, name, true, over),
            Mark::Failed => self.fail(start, dialect),
            Mark::Complained => {
                let step = self.open(start);
                if step.outcome != StepOutcome::Failed {
                    step.outcome = StepOutcome::Complained;
                }
            }
            Mark::Ended { failed, name } => {
                if failed {
                    self.fail(start, dialect);
                }
                let step = self.open(start);
                step.name = name.unwrap_or_else(|| std::mem::take(&mut step.name));
                self.close(end, over);
                // What follows belongs to the next step, whose name is not known yet.
                self.open(end);
            }
            Mark::Skipped => self.open(start).cleanup = true,
            Mark::Done => self.done = true,
            Mark::Step(_) | Mark::Cleanup(_) | Mark::None => {}
        }
    }

    /// Where the line itself names its step, that bounds the steps. True where it does.
    fn enter(
        &mut self,
        start: At,
        place: Option<Place<'_>>,
        dialect: &dyn Dialect,
        over: &mut Vec<Over>,
    ) -> bool {
        let Some(place) = place else { return false };
        let same_job = self.job.as_deref() == Some(place.job);
        if same_job && (place.step.is_none() || place.step == self.step.as_deref()) {
            return place.step.is_some();
        }
        if !same_job {
            self.job = Some(place.job.to_vec());
        }
        self.step = place.step.map(<[u8]>::to_vec);
        let cleanup = place.step.is_some_and(|step| dialect.is_cleanup(step));
        let name = place.step.map_or("Set up job".into(), name);
        self.begin(start, name, cleanup, over);
        place.step.is_some()
    }

    /// Ends what is open and begins a step.
    fn begin(&mut self, start: At, name: String, cleanup: bool, over: &mut Vec<Over>) {
        // What the CI does before the first mark is a step too, and can fail.
        if !self.begun && start.byte > self.base.byte {
            self.open(start);
        }
        self.begun = true;
        self.close(start, over);
        // Clean-up says that the work is done.
        self.done = cleanup;
        let job = self.job.as_deref().map(crate::dialect::name);
        self.open = Some(Step { job, name, outcome: StepOutcome::Passed, cleanup, start });
    }

    /// The open step; the first one begins with the log, any other without a name where the last one ended.
    fn open(&mut self, at: At) -> &mut Step {
        let first = !std::mem::replace(&mut self.begun, true);
        let base = self.base;
        let job = || self.job.as_deref().map(name);
        self.open.get_or_insert_with(|| Step {
            job: job(),
            name: if first { "Set up job".to_owned() } else { String::new() },
            outcome: StepOutcome::Passed,
            cleanup: false,
            start: if first { base } else { at },
        })
    }

    /// The CI says that the open step's program ended with an error. Where it never says that of clean-up, it was none:
    /// what was run printed the mark of clean-up, so that nobody looks at what follows.
    fn fail(&mut self, at: At, dialect: &dyn Dialect) {
        let worked = self.worked.take();
        let step = self.open(at);
        step.outcome = StepOutcome::Failed;
        if !step.cleanup || dialect.cleanup_fails() {
            return;
        }
        step.cleanup = false;
        step.name.clear();
        // An error before it was printed as well, for a step that went on after a real one would have begun with a mark.
        if let Some(worked) = worked {
            (step.start, step.name) = (worked.start, worked.name);
            let start = worked.start.byte;
            self.steps.retain(|step| step.start.byte < start);
        }
    }

    fn close(&mut self, end: At, over: &mut Vec<Over>) {
        let Some(step) = self.open.take() else { return };
        if !step.cleanup {
            self.worked = Some(step.clone());
        }
        let said_something = !step.name.is_empty() || step.outcome != StepOutcome::Passed;
        if self.steps.len() < REMEMBERED && said_something {
            self.steps.push(step.clone());
        }
        over.push(Over { step, end });
    }

    /// The CI says that the job failed, and this step is the one.
    pub(crate) fn failed(&mut self, name: &str) {
        if let Some(step) = self.steps.iter_mut().rfind(|step| step.name == name) {
            step.outcome = StepOutcome::Failed;
        }
    }

    /// Ends the last step with the log.
    pub(crate) fn end(&mut self, end: At, over: &mut Vec<Over>) {
        self.close(end, over);
    }
}
