//! Lines of the window: found by a search for line feeds, decoded only when asked for.

use crate::decode::decode;
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
}

impl Line<'_> {
    /// The readable text. Of a line longer than the cap, what stands after its last carriage return counts, and of
    /// that the first bytes up to the cap.
    pub fn text(&self) -> Text {
        let raw = self.raw.strip_suffix(b"\r").unwrap_or(self.raw);
        if raw.len() <= self.cap {
            return decode(raw, self.format.dialect().prefix(raw));
        }
        let state = memchr::memrchr(b'\r', raw).map_or(0, |at| at + 1);
        let end = raw.len().min(state.max(self.format.dialect().prefix(raw)).saturating_add(self.cap));
        // A progress bar's earlier states are as long as they like: they are counted as columns, not kept.
        let skip = if state == 0 { self.format.dialect().prefix(raw) } else { state };
        decode(&raw[..end], skip)
    }
}

/// Iterates over lines, first to last.
#[derive(Debug, Clone)]
pub struct Lines<'l> {
    pub(crate) rest: &'l [u8],
    pub(crate) number: u64,
    pub(crate) start: usize,
    pub(crate) format: Format,
    pub(crate) cap: usize,
}

impl<'l> Iterator for Lines<'l> {
    type Item = Line<'l>;

    fn next(&mut self) -> Option<Line<'l>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = Line {
            number: self.number,
            start: self.start,
            raw: &self.rest[..end],
            format: self.format,
            cap: self.cap,
        };
        let next = (end + 1).min(self.rest.len());
        self.rest = &self.rest[next..];
        self.start += next;
        self.number += 1;
        Some(line)
    }
}
