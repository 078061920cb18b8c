//! How much may come out of what is packed.

use std::io::{self, Read};

use crate::ReadError;

/// How much may come out of what is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one log.
    pub bytes: u64,
    /// Most bytes for each packed byte, once a log is past [`Limits::free`].
    pub ratio: u64,
    /// So many bytes may come out whatever the ratio is: a log that says one line again and again packs well.
    pub free: u64,
    /// Most entries of an archive.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { bytes: 4 << 30, ratio: 200, free: 64 << 20, entries: 2000 }
    }
}

/// Counts what goes in and stops what comes out.
pub(crate) struct Limited<R> {
    unpacked: R,
    out: u64,
    limits: Limits,
}

/// A source that counts what was taken from it.
pub(crate) struct Counted<R> {
    source: R,
    taken: std::rc::Rc<std::cell::Cell<u64>>,
}

impl<R: Read> Limited<R> {
    pub(crate) fn new(unpacked: R, limits: Limits) -> Limited<R> {
        Limited { unpacked, out: 0, limits }
    }

    /// Reads on; `taken` packed bytes went in so far.
    pub(crate) fn read(&mut self, buffer: &mut [u8], taken: u64) -> Result<usize, ReadError> {
        let length = match self.unpacked.read(buffer) {
            Ok(length) => length,
            // The job, or the download, was cut off: what is there is the log.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof && self.out > 0 => return Ok(0),
            Err(e) => return Err(ReadError::Packed(e)),
        };
        self.out += length as u64;
        if self.out > self.limits.bytes {
            return Err(ReadError::TooLarge(self.limits.bytes >> 20));
        }
        if self.out > self.limits.free && self.out / taken.max(1) > self.limits.ratio {
            return Err(ReadError::Bomb(self.limits.ratio));
        }
        Ok(length)
    }
}

impl<R> Counted<R> {
    pub(crate) fn new(source: R) -> (Counted<R>, std::rc::Rc<std::cell::Cell<u64>>) {
        let taken = std::rc::Rc::default();
        (Counted { source, taken: std::rc::Rc::clone(&taken) }, taken)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.taken.set(self.taken.get() + length as u64);
        Ok(length)
    }
}
