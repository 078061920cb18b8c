//! A log as it was read: the window that a diagnosis is defined on, and its lines.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::encoding::Utf8;
use crate::words::tries_again;
use crate::{Dropped, Ending, Format, Line, Lines, ReadOptions, Reader, Step};

/// A log, its steps and its window.
#[derive(Debug, Clone)]
pub struct Log<'b> {
    /// The window.
    pub(crate) bytes: Cow<'b, [u8]>,
    pub(crate) format: Format,
    pub(crate) steps: Vec<Step>,
    pub(crate) failed_step: Option<String>,
    pub(crate) segments: Vec<Segment>,
    /// By segment: whose it is.
    pub(crate) owners: Vec<Owner>,
    pub(crate) ending: Ending,
    pub(crate) truncated: bool,
    pub(crate) line_bytes: usize,
    pub(crate) took: Option<Duration>,
}

/// The job and the step of a part of the window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Owner {
    pub(crate) job: Option<String>,
    pub(crate) step: String,
}

/// Where a part of the window stands in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    /// Its first byte in the window.
    pub(crate) start: usize,
    /// The number of its first line.
    pub(crate) line: u64,
    /// How many columns of that line lie before it.
    pub(crate) column: u32,
}

/// Reads a log that lies in memory. The window is the steps that failed, or the whole where none is marked as failed;
/// of that, the last [`ReadOptions::window_bytes`], from a line's start on.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Log<'static> {
    let cut = after_the_cut(bytes, options.dropped);
    let mut reader = Reader::after(options, &bytes[..cut]);
    let bytes = &bytes[cut..];
    let whole = options.dropped == Dropped::default();
    let mut utf8 = if whole { Utf8::of(bytes) } else { Utf8::amid(bytes) };
    reader.push(&utf8.text(bytes));
    reader.push(&utf8.end());
    reader.finish()
}

/// Where the first whole line starts. The rest of a line that was cut is none: it may begin within a word, and half
/// of a secret no longer looks like one.
fn after_the_cut(bytes: &[u8], dropped: Dropped) -> usize {
    if dropped == Dropped::default() {
        return 0;
    }
    memchr::memchr(b'\n', bytes).map_or_else(|| crate::piece::after_a_word(bytes), |feed| feed + 1)
}

impl Log<'_> {
    /// The log with so many more lines before it.
    #[must_use]
    pub fn after(mut self, lines: u64) -> Self {
        self.segments.iter_mut().for_each(|segment| segment.line += lines);
        self
    }

    /// The log of each job that failed, with the job's name, where the log is of several; else the log as it is.
    pub fn by_job(self) -> Vec<(Option<String>, Self)> {
        let mut jobs: Vec<String> = self.owners.iter().filter_map(|owner| owner.job.clone()).collect();
        let mut seen = BTreeSet::new();
        jobs.retain(|job| seen.insert(job.clone()));
        if jobs.len() < 2 {
            return vec![(None, self)];
        }
        jobs.into_iter().map(|job| (Some(job.clone()), self.of_job(&job))).collect()
    }

    fn of_job(&self, job: &str) -> Self {
        let ends = self.segments.iter().skip(1).map(|next| next.start).chain([self.bytes.len()]);
        let mut of_job = Log {
            bytes: Cow::Owned(Vec::new()),
            segments: Vec::new(),
            owners: Vec::new(),
            steps: self.steps.iter().filter(|step| step.job.as_deref() == Some(job)).cloned().collect(),
            failed_step: None,
            took: None,
            ..*self
        };
        let mut bytes = Vec::new();
        for ((segment, end), owner) in self.segments.iter().zip(ends).zip(&self.owners) {
            if owner.job.as_deref() != Some(job) {
                continue;
            }
            of_job.segments.push(Segment { start: bytes.len(), ..*segment });
            of_job.owners.push(owner.clone());
            if !owner.step.is_empty() {
                of_job.failed_step = Some(owner.step.clone());
            }
            bytes.extend_from_slice(&self.bytes[segment.start..end]);
        }
        bytes.truncate(bytes.trim_ascii_end().len());
        of_job.bytes = Cow::Owned(bytes);
        of_job
    }

    /// Which program wrote it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The steps, in order; empty where the format marks none.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The name of the step that failed, where one is marked; of several, the last.
    pub fn failed_step(&self) -> Option<&str> {
        self.failed_step.as_deref()
    }

    /// How many steps of work, so not of clean-up, began after the last one that failed. A job whose step may fail goes
    /// on; of one that failed, only what is to run always does.
    pub fn steps_since_failure(&self) -> usize {
        let failed = self.steps.iter().rposition(|step| step.outcome == crate::StepOutcome::Failed);
        let after = failed.and_then(|i| self.steps.get(i + 1..)).unwrap_or_default();
        after.iter().filter(|step| !step.cleanup && step.outcome == crate::StepOutcome::Passed).count()
    }

    /// How the job ended, by the log's own words.
    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// Whether the log says that all went well.
    pub fn passed(&self) -> bool {
        matches!(self.ending, Ending::Passed | Ending::Worked)
    }

    /// Whether a part of what should have been read was lost or lay outside the caps.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// The bytes that a diagnosis is defined on. Where they are of several steps, line numbers jump between them.
    pub fn window(&self) -> &[u8] {
        &self.bytes
    }

    /// Raw number of the window's first line.
    pub fn first_line(&self) -> u64 {
        self.segments.first().map_or(1, |segment| segment.line)
    }

    /// The number of the last line at which a wrapper said that what ran before failed and is run again: what stands
    /// before it in the window is no cause.
    pub fn last_attempt(&self) -> Option<u64> {
        let hints = [&b"failed. Retrying, "[..], b"ttempt "];
        hints.into_iter().filter_map(|hint| self.last_attempt_by(hint)).max()
    }

    fn last_attempt_by(&self, hint: &[u8]) -> Option<u64> {
        let window = self.window();
        // Forwards is many times faster than backwards, and most logs hold no hint.
        memchr::memmem::find(window, hint)?;
        let finder = memchr::memmem::FinderRev::new(hint);
        let mut end = window.len();
        // Line by line, so that hints which are none cost no more than their bytes.
        while let Some(at) = finder.rfind(&window[..end]) {
            let start = memchr::memrchr(b'\n', &window[..at]).map_or(0, |feed| feed + 1);
            let raw = &window[start..end];
            let line = &raw[..memchr::memchr(b'\n', raw).unwrap_or(raw.len())];
            if tries_again(&line[self.format.prefix(line)..]) {
                return self.line_at(start).map(|line| line.number);
            }
            end = start;
        }
        None
    }

    /// The window's lines.
    pub fn lines(&self) -> Lines<'_> {
        Lines {
            log_format: self.format,
            cap: self.line_bytes,
            window: self.window(),
            segments: &self.segments,
            at: 0,
            number: self.first_line(),
        }
    }

    /// The line that holds this byte of the window.
    pub fn line_at(&self, byte: usize) -> Option<Line<'_>> {
        let start = memchr::memrchr(b'\n', self.window().get(..byte)?).map_or(0, |feed| feed + 1);
        let segment = self.segment(start)?;
        let number = segment.line + crate::piece::feeds(&self.window()[segment.start..start]);
        self.line(start, number)
    }

    /// The window's line that starts at this byte and has this number, as [`Line::start`] and [`Line::number`] say.
    pub fn line(&self, start: usize, number: u64) -> Option<Line<'_>> {
        let rest = self.window().get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let segment = self.segment(start)?;
        Some(Line {
            number,
            start,
            raw: &rest[..end],
            format: self.format,
            cap: self.line_bytes,
            columns_before: if segment.start == start { segment.column } else { 0 },
        })
    }

    /// The line before this one, where the same step has one.
    pub fn line_before(&self, line: &Line<'_>) -> Option<Line<'_>> {
        let segment = self.segment(line.start)?;
        let end = line.start.checked_sub(1).filter(|_| line.start > segment.start)?;
        let start = memchr::memrchr(b'\n', &self.window()[..end]).map_or(0, |feed| feed + 1);
        self.line(start, line.number.saturating_sub(1))
    }

    /// The line after this one, where the same step has one.
    pub fn line_after(&self, line: &Line<'_>) -> Option<Line<'_>> {
        let start = line.start + line.raw.len() + 1;
        let same = self.segment(start)?.start == self.segment(line.start)?.start;
        self.line(start, line.number + 1).filter(|_| same)
    }

    /// The lines from the last to the first.
    pub fn lines_from_the_end(&self) -> impl Iterator<Item = Line<'_>> {
        let last = self.window().len().checked_sub(1).and_then(|at| self.line_at(at));
        std::iter::successors(last, |line| {
            self.line_before(line).or_else(|| self.line_at(line.start.checked_sub(1)?))
        })
    }

    /// Numbers lines that are asked for in order.
    pub fn numbers(&self) -> Numbers<'_> {
        Numbers { window: self.window(), segments: &self.segments, at: 0, number: self.first_line() }
    }

    fn segment(&self, byte: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.start <= byte);
        self.segments.get(after.checked_sub(1)?)
    }
}

/// The numbers of lines that are asked for in order: each byte of the window is looked at once.
#[derive(Debug)]
pub struct Numbers<'l> {
    window: &'l [u8],
    segments: &'l [Segment],
    at: usize,
    number: u64,
}

impl Numbers<'_> {
    /// The number of the line that starts here; not before the one asked for last.
    pub fn of(&mut self, start: usize) -> u64 {
        while let Some(next) = self.segments.get(1).filter(|next| next.start <= start) {
            (self.at, self.number) = (next.start, next.line);
            self.segments = &self.segments[1..];
        }
        let from = std::mem::replace(&mut self.at, start);
        self.number += crate::piece::feeds(self.window.get(from..start).unwrap_or_default());
        self.number
    }
}
