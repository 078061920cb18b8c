//! How a job ended, by the log's own words, and with it the window: the steps that failed, else the end.

use std::borrow::Cow;

use crate::log::{Owner, Segment};
use crate::piece::Piece;
use crate::reader::Reader;
use crate::words::{Alarm, Said, alarm, said};
use crate::{Format, Line, Log, clock};

/// How a log says that its job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It says clearly that all went well.
    Passed,
    /// No CI says how it ended, but a tool says last that its work is done.
    Worked,
    /// A step is marked as failed, or the CI says that the job failed.
    Failed,
    /// It does not say: an excerpt, or the bare output of a command.
    Unsaid,
}

/// Of several steps that failed, those count that began within so many bytes of the log's end, so that a reader that
/// begins near the end finds the same.
pub(crate) const HORIZON: u64 = 16 * 1024 * 1024;

/// So many lines, and bytes, from the end are searched for words about how the job ended.
const LAST_LINES: usize = 80;
const LAST_BYTES: usize = 64 * 1024;

impl Reader {
    /// The log, where what was read from a line near its end on decides: the same that reading all of it gives.
    pub(crate) fn decided(mut self) -> Option<Log<'static>> {
        self.end();
        let base = self.course.base.byte;
        let dialect = self.format.unwrap_or(Format::Plain).dialect();
        let (said, ..) = closing(&self.whole(), self.format.unwrap_or(Format::Plain));
        // Of a step that began before, the beginning is not known; it lies too far back to count beside another.
        self.kept.failed.retain(|piece| piece.began > base);
        let last = self.kept.last.as_ref().is_some_and(|piece| piece.began > base);
        let decided = match said {
            Some(Said::JobPassed) => true,
            _ if !dialect.marks_steps() => true,
            _ if !self.kept.failed.is_empty() => true,
            Some(Said::JobFailed) => last && !dialect.marks_failures(),
            _ => false,
        };
        decided.then(|| self.log())
    }

    /// What was kept, as the log that a diagnosis is defined on.
    pub(crate) fn log(mut self) -> Log<'static> {
        let format = self.format.unwrap_or(Format::Plain);
        let whole = self.whole();
        let took = self.first.and_then(|first| clock::last(&whole.bytes, format)?.since(first));
        let (said, closing) = closing(&whole, format);
        let ending = self.ending(said);
        let marked = self.chosen(ending, said);
        let failed_step = marked.iter().rev().map(|p| &p.step).find(|step| !step.is_empty()).cloned();
        let mut truncated = marked.iter().any(|piece| piece.cut);
        let mut pieces = marked;
        if pieces.is_empty() {
            truncated = whole.cut || self.options.dropped.bytes > 0;
            pieces.push(whole);
        } else if let Some(closing) = closing
            && pieces.last().is_some_and(|last| last.next_line() <= closing.line)
        {
            // What the CI said about the end can be the only words there are about the cause.
            pieces.push(closing);
        }
        let (bytes, segments, owners) = joined(pieces);
        Log {
            bytes: Cow::Owned(bytes),
            format,
            steps: std::mem::take(&mut self.course.steps),
            failed_step,
            segments,
            owners,
            ending,
            truncated,
            line_bytes: self.options.line_bytes,
            took,
        }
    }

    fn ending(&self, said: Option<Said>) -> Ending {
        let kept = &self.kept;
        let marked = !kept.failed.is_empty() || !kept.complained.is_empty() || kept.cleanup.is_some();
        let by_marks = self.format.is_some_and(|format| format.dialect().marks_the_end());
        match said {
            Some(Said::JobPassed) => Ending::Passed,
            Some(Said::JobFailed) => Ending::Failed,
            _ if marked => Ending::Failed,
            // Whoever has not read the beginning can't say that no step failed.
            _ if self.course.done && by_marks && self.course.base.byte == 0 => Ending::Passed,
            Some(Said::WorkDone) => Ending::Worked,
            None => Ending::Unsaid,
        }
    }

    /// The steps that the diagnosis is about; none where it is about the whole.
    fn chosen(&mut self, ending: Ending, said: Option<Said>) -> Vec<Piece> {
        let end = self.at.byte;
        let kept = std::mem::take(&mut self.kept);
        if ending != Ending::Failed {
            return Vec::new();
        }
        let near = |mut pieces: Vec<Piece>| {
            let far = pieces.partition_point(|piece| piece.began + HORIZON < end);
            pieces.drain(..far.min(pieces.len().saturating_sub(1)));
            pieces
        };
        if !kept.failed.is_empty() {
            return near(kept.failed);
        }
        if !kept.complained.is_empty() {
            return near(kept.complained);
        }
        let last = kept.last.filter(|_| said == Some(Said::JobFailed) && !self.course.steps.is_empty());
        let mut chosen: Vec<Piece> = kept.cleanup.or(last).into_iter().collect();
        if let Some(step) = chosen.first().map(|piece| piece.step.clone()) {
            self.course.failed(&step);
        }
        chosen.truncate(1);
        chosen
    }
}

/// The pieces as one text, and where each begins in it.
fn joined(pieces: Vec<Piece>) -> (Vec<u8>, Vec<Segment>, Vec<Owner>) {
    let mut bytes = Vec::new();
    let mut segments = Vec::new();
    let mut owners = Vec::new();
    for piece in pieces {
        if !bytes.is_empty() && !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        segments.push(Segment { start: bytes.len(), line: piece.line, column: piece.column });
        owners.push(Owner { job: piece.job, step: piece.step });
        if bytes.is_empty() {
            bytes = piece.bytes;
        } else {
            bytes.extend_from_slice(&piece.bytes);
        }
    }
    bytes.truncate(bytes.trim_ascii_end().len());
    segments.retain(|segment| segment.start == 0 || segment.start < bytes.len());
    owners.truncate(segments.len());
    (bytes, segments, owners)
}

/// What the log's last lines say about how the job ended, and, where the CI says that it failed, from where on.
fn closing(whole: &Piece, format: Format) -> (Option<Said>, Option<Piece>) {
    let bytes = &whole.bytes[..whole.bytes.trim_ascii_end().len()];
    let mut end = bytes.len();
    let mut done = None;
    let mut worst = Alarm::None;
    for _ in 0..LAST_LINES {
        let start = memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |feed| feed + 1);
        let raw = &bytes[start..end];
        let line = Line { number: 0, start: 0, raw, format, cap: 4096, columns_before: 0 };
        let text = line.text();
        let by_marks = format.dialect().marks_the_end();
        match said(text.as_str()).filter(|said| !by_marks || *said == Said::WorkDone) {
            Some(Said::JobFailed) => {
                let line = whole.line + crate::piece::feeds(&bytes[..start]);
                let closing = Piece { line, bytes: bytes[start..].to_vec(), ..Piece::default() };
                return (Some(Said::JobFailed), Some(closing));
            }
            Some(Said::JobPassed) if worst < Alarm::Loud => return (Some(Said::JobPassed), None),
            Some(Said::WorkDone) if worst == Alarm::None => done = Some(Said::WorkDone),
            _ => {}
        }
        worst = worst.max(alarm(text.as_str()));
        let Some(before) = start.checked_sub(1).filter(|end| end + LAST_BYTES > bytes.len()) else { break };
        end = before;
    }
    (done, None)
}
