//! Reading many files: on all processors, each with one buffer, in blocks, without a trace.

use std::{
    fs::{self, File, FileType, OpenOptions},
    io::{self, ErrorKind, Read},
    num::NonZero,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use regreen_domain::RelPath;
use rustix::fs::OFlags;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use super::{Asked, CacheScan, DamagedEntry};

/// Bytes that are read at once: larger than most entries.
const BLOCK: usize = 256 * 1024;
/// More threads than this wait for the disk together.
const MOST_THREADS: usize = 16;

/// What one thread found, and what it works with.
pub(crate) struct Part<'a> {
    pub(crate) root: &'a Path,
    pub(crate) buffer: Vec<u8>,
    asked: Asked<'a>,
    scan: CacheScan,
}

impl Part<'_> {
    /// An entry that was checked.
    pub(crate) fn checked(&mut self, bytes: u64) {
        self.scan.checked += 1;
        self.counted(bytes);
    }

    /// An entry that has nothing to be checked by.
    pub(crate) fn unverified(&mut self, bytes: u64) {
        self.scan.unverified += 1;
        self.counted(bytes);
    }

    fn counted(&mut self, bytes: u64) {
        self.scan.bytes += bytes;
        self.asked.watch.count(bytes);
    }

    /// An entry that is damaged.
    pub(crate) fn damaged(&mut self, path: &Path, why: impl Into<String>) {
        match below(self.root, path) {
            Some(path) => self.scan.damaged.push(DamagedEntry { path, why: why.into() }),
            // It could not be named in a journal, so it can't be taken out.
            None => self.unreadable(path),
        }
    }

    /// An entry that can't be read. What is not there any more is none.
    pub(crate) fn unreadable(&mut self, path: &Path) {
        if path.symlink_metadata().is_ok() {
            self.scan.unreadable.push(path.strip_prefix(self.root).unwrap_or(path).display().to_string());
        }
    }

    /// Whether the look is to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.asked.watch.is_stopped()
    }

    /// What a reading came to: sound, damaged for a reason, or not readable.
    pub(crate) fn judged(&mut self, path: &Path, bytes: u64, read: io::Result<Result<(), String>>) {
        match read {
            Ok(verdict) => {
                self.checked(bytes);
                if let Err(why) = verdict {
                    self.damaged(path, why);
                }
            }
            Err(_) => self.unreadable(path),
        }
    }
}

/// Does `work` for every item, on all processors. The result does not depend on their order.
pub(crate) fn each<T: Sync>(
    root: &Path,
    asked: &Asked<'_>,
    items: &[T],
    work: impl Fn(&T, &mut Part<'_>) + Sync,
) -> CacheScan {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS).min(items.len());
    let next = AtomicUsize::new(0);
    let run = || {
        let mut part = Part { root, buffer: vec![0; BLOCK], asked: *asked, scan: CacheScan::default() };
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if part.is_stopped() {
                part.scan.interrupted = true;
                break;
            }
            work(item, &mut part);
        }
        part.scan
    };
    let mut scan = CacheScan::default();
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        scan.add(run());
        for other in others {
            // A thread that panicked ends the look: half a look is none.
            scan.add(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    scan.interrupted |= asked.watch.is_stopped();
    scan.sorted()
}

/// Reads a tree whose entries lie exactly `depth` folders deep. Anything but a folder on the way there is damage: the
/// tool would fail on it.
pub(crate) fn at_depth(
    folder: &Path,
    depth: usize,
    part: &mut Part<'_>,
    leaf: &mut dyn FnMut(&Path, FileType, &mut Part<'_>),
) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return,
        Err(e) if e.kind() == ErrorKind::NotADirectory => {
            part.damaged(folder, "a file where a folder must be");
            return;
        }
        Err(_) => {
            part.unreadable(folder);
            return;
        }
    };
    for entry in entries {
        if part.is_stopped() {
            return;
        }
        let Ok(entry) = entry else {
            part.unreadable(folder);
            return;
        };
        let path = entry.path();
        let Ok(kind) = entry.file_type() else {
            part.unreadable(&path);
            continue;
        };
        if depth <= 1 {
            leaf(&path, kind, part);
        } else if kind.is_dir() || kind.is_symlink() && path.is_dir() {
            at_depth(&path, depth - 1, part, leaf);
        } else {
            part.damaged(&path, format!("{} where a folder must be", kind_name(kind)));
        }
    }
}

/// What stands there, in words.
pub(crate) fn kind_name(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_file() {
        "a file"
    } else {
        "a special file"
    }
}

/// A path below the cache's root, as it can be written into a journal.
pub(crate) fn below(root: &Path, path: &Path) -> Option<RelPath> {
    path.strip_prefix(root).ok()?.to_str().and_then(RelPath::parse)
}

/// Opens a file to read it, without changing when it was last used. Source: open(2), `O_NOATIME`: only the owner may.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NOATIME.bits()).unwrap_or(0);
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => File::open(path),
        other => other,
    }
}

/// Reads a whole small file.
///
/// # Errors
/// The file system's, and where it is larger than `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    if length > limit {
        return Err(io::Error::other("it is too large to be read"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A digest that is being made.
pub(crate) enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// By its name in Subresource Integrity, with SHA-1 as npm has it.
    pub(crate) fn named(algorithm: &str) -> Option<Hasher> {
        Some(match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            "sha384" => Hasher::Sha384(Sha384::new()),
            "sha512" => Hasher::Sha512(Box::new(Sha512::new())),
            _ => return None,
        })
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha1(h) => h.update(bytes),
            Hasher::Sha256(h) => h.update(bytes),
            Hasher::Sha384(h) => h.update(bytes),
            Hasher::Sha512(h) => h.update(bytes),
        }
    }

    /// The digest: a fixed array with its length, so that nothing is allocated.
    pub(crate) fn finish(self) -> Digested {
        let mut bytes = [0; 64];
        let mut put = |digest: &[u8]| {
            bytes[..digest.len()].copy_from_slice(digest);
            digest.len()
        };
        let length = match self {
            Hasher::Sha1(h) => put(&h.finalize()),
            Hasher::Sha256(h) => put(&h.finalize()),
            Hasher::Sha384(h) => put(&h.finalize()),
            Hasher::Sha512(h) => put(&h.finalize()),
        };
        Digested { bytes, length }
    }
}

/// A digest.
#[derive(Clone, Copy)]
pub struct Digested {
    bytes: [u8; 64],
    length: usize,
}

impl Digested {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// That of these bytes, by an algorithm's name in Subresource Integrity; `None` where it is not known.
    pub fn of(algorithm: &str, bytes: &[u8]) -> Option<Digested> {
        let mut hasher = Hasher::named(algorithm)?;
        hasher.update(bytes);
        Some(hasher.finish())
    }

    /// Whether this is it in lower-case hex, which may be in pieces.
    pub fn is_hex(&self, pieces: &[&str]) -> bool {
        let mut digits = pieces.iter().flat_map(|p| p.bytes());
        let digit = |n: u8| b"0123456789abcdef"[usize::from(n & 15)];
        let same = self
            .bytes()
            .iter()
            .all(|b| digits.next() == Some(digit(b >> 4)) && digits.next() == Some(digit(*b)));
        same && digits.next().is_none()
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The digest of a file, and its length.
///
/// # Errors
/// The file system's.
pub(crate) fn digest(path: &Path, mut hasher: Hasher, buffer: &mut [u8]) -> io::Result<(Digested, u64)> {
    let mut file = open(path)?;
    let mut length = 0u64;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok((hasher.finish(), length)),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A reader that makes the digest of what passes through, and remembers whether the system refused to read: that is
/// not the content's fault.
pub(crate) struct Passing<R> {
    inner: R,
    hasher: Option<Hasher>,
    refused: Option<ErrorKind>,
}

impl<R: Read> Passing<R> {
    pub(crate) fn new(inner: R, hasher: Option<Hasher>) -> Passing<R> {
        Passing { inner, hasher, refused: None }
    }

    /// The kind of the system's error, if there was one.
    pub(crate) fn refused(&self) -> Option<ErrorKind> {
        self.refused
    }

    /// Reads on to the end, and gives the digest of all.
    pub(crate) fn finish(mut self) -> io::Result<Option<Digested>> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hasher.take().map(Hasher::finish))
    }
}

impl<R: Read> Read for Passing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        match &read {
            Ok(n) => {
                if let Some(hasher) = &mut self.hasher {
                    hasher.update(&buffer[..*n]);
                }
            }
            Err(e) if e.kind() != ErrorKind::Interrupted => self.refused = Some(e.kind()),
            Err(_) => {}
        }
        read
    }
}

impl<R: io::Seek> io::Seek for Passing<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_compared_with_its_hex_in_pieces() {
        let mut hasher = Hasher::named("sha1").unwrap();
        hasher.update(b"abc");
        // FIPS 180-4's own example.
        let digest = hasher.finish();
        assert!(digest.is_hex(&["a9", "99", "3e364706816aba3e25717850c26c9cd0d89d"]));
        assert!(!digest.is_hex(&["a9", "99", "3e364706816aba3e25717850c26c9cd0d89"]));
        assert!(!digest.is_hex(&["a9", "99", "3e364706816aba3e25717850c26c9cd0d89d0"]));
        assert!(!digest.is_hex(&["A9", "99", "3e364706816aba3e25717850c26c9cd0d89d"]));
        assert_eq!(hex(digest.bytes()), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
