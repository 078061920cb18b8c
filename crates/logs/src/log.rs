//! A log as it was read: the window that a diagnosis is defined on, and its lines.

use std::borrow::Cow;
use std::ops::Range;

use crate::step::steps;
use crate::{Dropped, Format, Line, Lines, ReadOptions, Step, StepOutcome};

/// A log, its steps and its window.
#[derive(Debug, Clone)]
pub struct Log<'b> {
    bytes: Cow<'b, [u8]>,
    format: Format,
    steps: Vec<Step>,
    failed_step: Option<usize>,
    window: Range<usize>,
    first_line: u64,
    truncated: bool,
    line_bytes: usize,
}

/// Reads a log. The window is the step that failed, or the whole where no step is marked as failed; of that, the
/// last [`ReadOptions::window_bytes`], from a line's start on.
pub fn read<'b>(bytes: &'b [u8], options: &ReadOptions) -> Log<'b> {
    let bytes = utf8(bytes);
    let format = options.format.unwrap_or_else(|| Format::detect(&bytes));
    let steps = steps(&bytes, format);
    let failed_step = failed(&steps);
    let whole = failed_step.and_then(|i| steps.get(i)).map_or(0..bytes.len(), |step| step.bytes.clone());
    let whole = whole.start.max(after_the_cut(&bytes, options.dropped)).min(whole.end)..whole.end;
    let window = last_lines(&bytes, whole.clone(), options.window_bytes);
    let before = memchr::memchr_iter(b'\n', &bytes[..window.start]).count() as u64;
    Log {
        format,
        failed_step,
        truncated: window.start > whole.start || (failed_step.is_none() && options.dropped.bytes > 0),
        first_line: options.dropped.lines + before + 1,
        line_bytes: options.line_bytes,
        window,
        steps,
        bytes,
    }
}

impl Log<'_> {
    /// Which program wrote it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The steps, in order; empty where the format marks none.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step that failed, where one is marked.
    pub fn failed_step(&self) -> Option<&Step> {
        self.failed_step.and_then(|i| self.steps.get(i))
    }

    /// Whether the log's format marks failures and this log has steps and no mark of a failure.
    pub fn passed(&self) -> bool {
        self.format.dialect().marks_failures() && !self.steps.is_empty() && self.failed_step.is_none()
    }

    /// Whether a part of what should have been read was lost or lay outside the caps.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// The bytes that a diagnosis is defined on.
    pub fn window(&self) -> &[u8] {
        &self.bytes[self.window.clone()]
    }

    /// Raw number of the window's first line.
    pub fn first_line(&self) -> u64 {
        self.first_line
    }

    /// The window's lines.
    pub fn lines(&self) -> Lines<'_> {
        self.lines_from(0, self.first_line)
    }

    /// The window's lines from this byte of the window on, which must be a line's start and has this number.
    pub fn lines_from(&self, start: usize, number: u64) -> Lines<'_> {
        let rest = self.window().get(start..).unwrap_or_default();
        Lines { rest, number, start, format: self.format, cap: self.line_bytes }
    }

    /// The line before this one within the window.
    pub fn line_before(&self, line: &Line<'_>) -> Option<Line<'_>> {
        let end = line.start.checked_sub(1)?;
        let start = memchr::memrchr(b'\n', &self.window()[..end]).map_or(0, |feed| feed + 1);
        let number = line.number.saturating_sub(1);
        Some(Line {
            number,
            start,
            raw: &self.window()[start..end],
            format: self.format,
            cap: self.line_bytes,
        })
    }

    /// The line after this one within the window.
    pub fn line_after(&self, line: &Line<'_>) -> Option<Line<'_>> {
        self.lines_from(line.start + line.raw.len() + 1, line.number + 1).next()
    }
}

/// The step whose program ended with an error, the last where several did (an earlier one was allowed to fail);
/// else the last that reported one.
fn failed(steps: &[Step]) -> Option<usize> {
    let last = |outcome| steps.iter().rposition(|step| step.outcome == outcome);
    last(StepOutcome::Failed).or_else(|| last(StepOutcome::Complained))
}

/// Where the first whole line starts. The rest of a line that was cut is none: it may begin within a word, and half
/// of a secret no longer looks like one.
fn after_the_cut(bytes: &[u8], dropped: Dropped) -> usize {
    if dropped == Dropped::default() {
        return 0;
    }
    memchr::memchr(b'\n', bytes).map_or_else(|| after_a_word(bytes), |feed| feed + 1)
}

/// Where the second word starts, or the end.
fn after_a_word(bytes: &[u8]) -> usize {
    memchr::memchr2(b' ', b'\t', bytes).map_or(bytes.len(), |blank| blank + 1)
}

/// The last `cap` bytes of the range without its blank end, from a line's start on.
fn last_lines(bytes: &[u8], whole: Range<usize>, cap: usize) -> Range<usize> {
    let end = whole.start + bytes[whole.clone()].trim_ascii_end().len();
    let earliest = end.saturating_sub(cap);
    if earliest <= whole.start {
        return whole.start..end;
    }
    if bytes[earliest - 1] == b'\n' {
        return earliest..end;
    }
    // One line longer than the cap is read from the first word within the cap.
    let rest = &bytes[earliest..end];
    let skipped = memchr::memchr(b'\n', rest).map_or_else(|| after_a_word(rest), |feed| feed + 1);
    earliest + skipped..end
}

/// UTF-16 with a byte order mark becomes UTF-8; everything else is read as it is.
fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(bytes),
    };
    let units = bytes[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}
