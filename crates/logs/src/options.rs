//! How a log is read: its format, what was lost before it, and the caps.

use crate::Format;

/// What lies before the given bytes in the raw log but was not kept, e.g. by a spool that is a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dropped {
    /// Whole lines.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
}

/// How a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; found by content where `None`. Output of a command that Regreen itself started is
    /// [`Format::Plain`] whatever it prints: step marks in it would be forged.
    pub format: Option<Format>,
    /// What was lost before the first byte; counted in line numbers.
    pub dropped: Dropped,
    /// The most that a diagnosis reads, from the end of the failed step or of the log.
    pub window_bytes: usize,
    /// The most that is looked at of one line.
    pub line_bytes: usize,
}

impl ReadOptions {
    /// For output that Regreen itself recorded, of which these first lines and bytes were dropped.
    pub fn spool(dropped: Dropped) -> Self {
        ReadOptions { format: Some(Format::Plain), dropped, ..ReadOptions::default() }
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        ReadOptions {
            format: None,
            dropped: Dropped::default(),
            window_bytes: 8 * 1024 * 1024,
            line_bytes: 64 * 1024,
        }
    }
}
