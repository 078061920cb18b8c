//! Lines of the window: found by a search for line feeds, decoded only when asked for.

use crate::decode::{decode, scalars};
use crate::log::Segment;
use crate::{Format, Text};

/// One raw line. Copying it copies nothing of the log.
#[derive(Debug, Clone, Copy)]
pub struct Line<'l> {
    /// Number in the raw log, counted from 1.
    pub number: u64,
    /// Where it starts within the window.
    pub start: usize,
    /// Its bytes, without the line feed.
    pub raw: &'l [u8],
    pub(crate) format: Format,
    pub(crate) cap: usize,
    /// How many of its columns lie before `raw`: of a line longer than the window.
    pub(crate) columns_before: u32,
}

impl Line<'_> {
    /// The readable text. Of a line longer than the cap, what stands after its last carriage return counts, and of
    /// that the first bytes up to the cap.
    pub fn text(&self) -> Text {
        let raw = self.raw.strip_suffix(b"\r").unwrap_or(self.raw);
        if raw.len() <= self.cap {
            return decode(raw, self.prefix(), self.columns_before);
        }
        let state = memchr::memrchr(b'\r', raw).map_or(0, |at| at + 1);
        // A progress bar's earlier states are as long as they like: they are counted as columns, not kept.
        let columns = self.columns_before.saturating_add(scalars(&raw[..state]));
        let prefix = if state == 0 { self.prefix() } else { 0 };
        let end = raw.len().min(state.max(prefix).saturating_add(self.cap));
        decode(&raw[state..end], prefix, columns)
    }

    /// How many of its bytes are the CI's.
    pub(crate) fn prefix(&self) -> usize {
        if self.columns_before > 0 { 0 } else { self.format.prefix(self.raw) }
    }
}

/// Iterates over lines, first to last.
#[derive(Debug, Clone)]
pub struct Lines<'l> {
    pub(crate) log_format: Format,
    pub(crate) cap: usize,
    pub(crate) window: &'l [u8],
    pub(crate) segments: &'l [Segment],
    pub(crate) at: usize,
    pub(crate) number: u64,
}

impl<'l> Iterator for Lines<'l> {
    type Item = Line<'l>;

    fn next(&mut self) -> Option<Line<'l>> {
        let rest = self.window.get(self.at..).filter(|rest| !rest.is_empty())?;
        while let Some(next) = self.segments.get(1).filter(|next| next.start <= self.at) {
            self.number = next.line;
            self.segments = &self.segments[1..];
        }
        let own = self.segments.first().filter(|segment| segment.start == self.at);
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = Line {
            number: self.number,
            start: self.at,
            raw: &rest[..end],
            format: self.log_format,
            cap: self.cap,
            columns_before: own.map_or(0, |segment| segment.column),
        };
        self.at += end + 1;
        self.number += 1;
        Some(line)
    }
}
