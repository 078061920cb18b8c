//! A piece of a log: lines that follow each other, with their place.

/// Lines of the log that follow each other.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Where its step began.
    pub(crate) began: u64,
    /// The first line's number.
    pub(crate) line: u64,
    /// How many columns of the first line lie before it: of a line longer than all that is kept.
    pub(crate) column: u32,
    pub(crate) bytes: Vec<u8>,
    /// The name of its step.
    pub(crate) step: String,
    /// The job that it belongs to, where the log names it.
    pub(crate) job: Option<String>,
    /// A part of the step before these bytes was not kept.
    pub(crate) cut: bool,
}

impl Piece {
    /// The number of the line after it.
    pub(crate) fn next_line(&self) -> u64 {
        let unended = !self.bytes.is_empty() && !self.bytes.ends_with(b"\n");
        self.line + feeds(&self.bytes) + u64::from(unended)
    }
}

pub(crate) fn feeds(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Where the second word starts, or the end.
pub(crate) fn after_a_word(bytes: &[u8]) -> usize {
    memchr::memchr2(b' ', b'\t', bytes).map_or(bytes.len(), |blank| blank + 1)
}

/// The column after these bytes, which start after `column` columns; 0 at a line's start.
pub(crate) fn after_last_feed(column: u32, bytes: &[u8]) -> u32 {
    match memchr::memrchr(b'\n', bytes) {
        Some(feed) => crate::decode::scalars(&bytes[feed + 1..]),
        None => column.saturating_add(crate::decode::scalars(bytes)),
    }
}
