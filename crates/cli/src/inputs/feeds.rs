//! Line feeds of what lies before a long file's end, counted by all processors while the end is read.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

/// Bytes that are read at once: few enough to stay in a processor's own cache until they are counted.
const READ: usize = 128 * 1024;

/// Bytes that a thread takes at once.
const SHARE: u64 = 4 << 20;

/// More threads than this only wait for memory.
const THREADS: usize = 8;

/// Reads the end of a file while the line feeds among its first `bytes` are counted. `read` says how many bytes lie
/// before what it has read, which are not fewer, or 0 where it needs no count.
///
/// # Errors
/// Those of `read`, and of reading the file.
pub fn beside<T, E: From<io::Error>>(
    file: &File,
    bytes: u64,
    read: impl FnOnce() -> Result<(T, u64), E>,
) -> Result<(T, u64), E> {
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, |n| n.get().min(THREADS));
    thread::scope(|scope| {
        let count = || shares(file, &next, bytes);
        let helpers: Vec<_> =
            if bytes == 0 { Vec::new() } else { (1..threads).map(|_| scope.spawn(count)).collect() };
        let done = read();
        let unread = done.as_ref().map_or(0, |(_, unread)| *unread);
        if unread == 0 {
            next.store(bytes, Relaxed);
            return Ok((done?.0, 0));
        }
        let own = Ok(count()? + within(file, bytes.min(unread), unread)?);
        let others =
            helpers.into_iter().map(|helper| helper.join().unwrap_or(Err(io::ErrorKind::Other.into())));
        let feeds: io::Result<u64> = others.chain([own]).sum();
        Ok((done?.0, feeds?))
    })
}

/// Takes one share after the other, until none is left.
fn shares(file: &File, next: &AtomicU64, end: u64) -> io::Result<u64> {
    let mut feeds = 0;
    loop {
        let from = next.fetch_add(SHARE, Relaxed);
        if from >= end {
            return Ok(feeds);
        }
        feeds += within(file, from, end.min(from + SHARE))?;
    }
}

fn within(file: &File, mut from: u64, end: u64) -> io::Result<u64> {
    let mut buffer = vec![0; READ];
    let mut feeds = 0;
    while from < end {
        let most = usize::try_from(end - from).unwrap_or(READ).min(READ);
        let length = match file.read_at(&mut buffer[..most], from) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter")),
            Ok(length) => length,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        feeds += memchr::memchr_iter(b'\n', &buffer[..length]).count() as u64;
        from += length as u64;
    }
    Ok(feeds)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::io::Write;

    use super::*;

    #[test]
    fn every_feed_before_the_end_is_counted_once() {
        let mut file = tempfile::tempfile().unwrap();
        let text = b"line\n".repeat(2 * SHARE as usize / 5 + 999);
        file.write_all(&text).unwrap();
        for (bytes, unread) in [(text.len() as u64 - 20, text.len() as u64 - 10), (7, 10), (0, 12), (9, 0)] {
            let counted: Result<_, io::Error> = beside(&file, bytes, || Ok(((), unread)));
            assert_eq!(counted.unwrap().1, unread / 5, "{bytes} {unread}");
        }
        let shorter: Result<((), u64), io::Error> = beside(&file, 0, || Ok(((), text.len() as u64 + 1)));
        assert!(shorter.is_err());
    }
}
