//! What a command printed last, in memory and bounded: the evidence for a diagnosis.
//!
//! Nothing of it ever reaches the disk. Pushing is one copy under a lock; no line is looked at while the command
//! runs, except where its two streams take turns within a line.

mod ring;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::Ring;

/// How much of one stream waits for the other to finish its line.
const HELD_LIMIT: usize = 64 * 1024;

/// One of a command's two output streams. Where both are the same file, all of it counts as `Out`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// The last bytes of both streams, in order of arrival. Clones share the same content.
///
/// Where a stream has begun a line and not ended it, the other stream's output is held back (up to 64 KiB) until
/// the line ends, so that two halves of different lines aren't read as one.
#[derive(Clone)]
pub struct Spool(Arc<Mutex<Interleaver>>);

/// What a [`Spool`] held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpoolContent {
    /// The last bytes, at most the spool's capacity.
    pub bytes: Vec<u8>,
    /// How many bytes came before those and are gone; 0 if nothing was dropped.
    pub dropped_bytes: u64,
    /// How many newlines were among them: the first line here is line `dropped_lines + 1` of the whole.
    pub dropped_lines: u64,
}

impl Spool {
    /// An empty spool that keeps at most `capacity` bytes.
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Mutex::new(Interleaver::new(capacity))))
    }

    /// Adds what a stream printed.
    pub fn push(&self, stream: Stream, chunk: &[u8]) {
        self.lock().push(stream, chunk);
    }

    /// Takes the content out; the spool is as new afterwards.
    pub fn take(&self) -> SpoolContent {
        self.lock().take()
    }

    /// A copy of the last `most` bytes, without the rest of a line that was cut.
    pub fn last(&self, most: usize) -> Vec<u8> {
        self.lock().last(most)
    }

    fn lock(&self) -> MutexGuard<'_, Interleaver> {
        // A reader that panicked elsewhere makes the bytes no worse.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Spool {
    /// 8 MiB: as much as a diagnosis reads.
    fn default() -> Self {
        Self::new(8 * 1024 * 1024)
    }
}

impl std::fmt::Debug for Spool {
    /// Shows nothing of the content, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spool(..)")
    }
}

/// Puts the streams one after another without cutting into lines.
///
/// Invariant: `held` is empty, or the stream that it is not from has an open line.
struct Interleaver {
    ring: Ring,
    /// The stream that printed last, if its line isn't finished.
    open: Option<Stream>,
    /// What the other stream printed meanwhile.
    held: Vec<u8>,
}

impl Interleaver {
    fn new(capacity: usize) -> Self {
        Self { ring: Ring::new(capacity), open: None, held: Vec::new() }
    }

    fn push(&mut self, stream: Stream, chunk: &[u8]) {
        match self.open {
            Some(open) if open != stream => self.hold(stream, chunk),
            _ if self.held.is_empty() => self.append(stream, chunk),
            _ => self.finish_line(stream, chunk),
        }
    }

    fn append(&mut self, stream: Stream, chunk: &[u8]) {
        if let Some(last) = chunk.last() {
            self.ring.push(chunk);
            self.open = (*last != b'\n').then_some(stream);
        }
    }

    /// The other stream is within a line: wait for it, but not for ever.
    fn hold(&mut self, stream: Stream, chunk: &[u8]) {
        if self.held.len() + chunk.len() <= HELD_LIMIT {
            self.held.extend_from_slice(chunk);
        } else {
            self.release(stream);
            self.append(stream, chunk);
        }
    }

    /// `stream` goes on with its line; once that ends, the other stream has its turn.
    fn finish_line(&mut self, stream: Stream, chunk: &[u8]) {
        let Some(newline) = memchr::memchr(b'\n', chunk) else {
            return self.append(stream, chunk);
        };
        let (line, rest) = chunk.split_at(newline + 1);
        self.append(stream, line);
        self.release(stream.other());
        self.push(stream, rest);
    }

    fn last(&mut self, most: usize) -> Vec<u8> {
        self.release_all();
        self.ring.last(most)
    }

    /// Nothing more comes, so nobody is waited for.
    fn release_all(&mut self) {
        if let Some(open) = self.open.take() {
            self.release(open.other());
            self.open = None;
        }
    }

    fn release(&mut self, from: Stream) {
        let held = std::mem::take(&mut self.held);
        self.append(from, &held);
    }

    fn take(&mut self) -> SpoolContent {
        self.release_all();
        let ring::RingContent { bytes, dropped_bytes, dropped_lines } = self.ring.take();
        SpoolContent { bytes, dropped_bytes, dropped_lines }
    }
}

impl Stream {
    fn other(self) -> Self {
        match self {
            Self::Out => Self::Err,
            Self::Err => Self::Out,
        }
    }
}
