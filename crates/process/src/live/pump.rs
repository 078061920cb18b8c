//! Moves the command's output on: read, write, keep a copy. One thread a stream.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::{Errno, read, write};

use super::channel::{Channel, PIPE_SIZE};
use super::signals::{Signals, Waker};
use crate::Spool;

const BUFFER_SIZE: usize = PIPE_SIZE;

/// So many reads in a row go without asking whether it is time to end; only of a source that never blocks.
const ASK_EVERY: u32 = 8;

/// All pumps of a run.
pub(super) struct Pumps(Arc<Shared>);

struct Shared {
    epoch: Instant,
    /// When the command last printed something, in milliseconds since the epoch.
    last_output: AtomicU64,
    running: AtomicUsize,
    /// Readable once the pumps are to pass on what is there and end.
    finish: OwnedFd,
    waker: Waker,
}

impl Pumps {
    /// Starts a pump for each channel. That is done before the command is started, so that nothing is left to fail
    /// once it runs; if it can't be started, closing its ends of the channels ends the pumps.
    pub(super) fn start(channels: Vec<Channel>, spool: &Spool, signals: &Signals) -> io::Result<Self> {
        let pumps = Self(Arc::new(Shared {
            epoch: Instant::now(),
            last_output: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            finish: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            waker: signals.waker()?,
        }));
        for channel in channels {
            let (ended, spool) = (PumpEnded::later(&pumps.0), spool.clone());
            thread::Builder::new().spawn(move || pump(channel, &spool, &ended.0))?;
        }
        Ok(pumps)
    }

    /// When the command last printed something, or started.
    pub(super) fn last_output(&self) -> Instant {
        self.0.epoch + Duration::from_millis(self.0.last_output.load(Ordering::Relaxed))
    }

    /// Tells the pumps to end with what has been printed by now, though someone may still hold the other end.
    pub(super) fn finish(&self) {
        // Can't fail for a counter that is written once.
        let _ = write(&self.0.finish, &1_u64.to_ne_bytes());
    }

    pub(super) fn are_done(&self) -> bool {
        self.0.running.load(Ordering::SeqCst) == 0
    }
}

/// Counts the pump off, also when it panics.
struct PumpEnded(Arc<Shared>);

impl PumpEnded {
    fn later(shared: &Arc<Shared>) -> Self {
        shared.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for PumpEnded {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.waker.wake();
    }
}

/// Returning closes the command's pipe or terminal: when our reader has gone away, the command's next write then
/// fails just as it would without us.
fn pump(channel: Channel, spool: &Spool, shared: &Shared) {
    let mut buffer = vec![0; BUFFER_SIZE];
    // What a full pipe can hold; a process that is left running and goes on printing doesn't keep us.
    let mut last_bytes = PIPE_SIZE;
    // While output streams, asking before each read would cost as much as reading.
    let mut unasked = ASK_EVERY;
    loop {
        let mut finishing = false;
        if unasked == ASK_EVERY {
            match next(&channel, shared) {
                Next::Output => {}
                Next::LastOutput => finishing = true,
                Next::Nothing => return,
            }
            unasked = 0;
        }
        let count = match read(&*channel.source, &mut buffer) {
            Ok(0) => return,
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => {
                unasked = ASK_EVERY;
                continue;
            }
            // A pseudo-terminal says EIO when nobody has its other end any more.
            Err(_) => return,
        };
        let elapsed = u64::try_from(shared.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
        shared.last_output.store(elapsed, Ordering::Relaxed);
        let chunk = &buffer[..count];
        let written = write_all(&channel.sink, chunk);
        spool.push(channel.stream, chunk);
        if written.is_err() {
            return;
        }
        if finishing {
            last_bytes = last_bytes.saturating_sub(count);
            if last_bytes == 0 {
                return;
            }
        }
        unasked = if finishing || count < BUFFER_SIZE / 4 { ASK_EVERY } else { unasked + 1 };
    }
}

enum Next {
    Output,
    /// Like `Output`, but no more is to be waited for.
    LastOutput,
    Nothing,
}

/// Waits until there is something to read, nobody left to read it for, or no reason to wait.
fn next(channel: &Channel, shared: &Shared) -> Next {
    let source = || PollFd::new(&*channel.source, PollFlags::IN);
    loop {
        // Without being asked for anything, a pipe still tells when its readers are gone.
        let sink = PollFd::new(&channel.sink, PollFlags::empty());
        let mut polled = [source(), sink, PollFd::new(&shared.finish, PollFlags::IN)];
        if poll(&mut polled, None).is_err() {
            continue;
        }
        let [source_now, sink_now, finish_now] = polled.map(|fd| fd.revents());
        if sink_now.contains(PollFlags::ERR) {
            return Next::Nothing;
        }
        if !finish_now.is_empty() {
            let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
            return match poll(&mut [source()], Some(&at_once)) {
                Ok(0) => Next::Nothing,
                _ => Next::LastOutput,
            };
        }
        if !source_now.is_empty() {
            return Next::Output;
        }
    }
}

/// Our stream may have been made non-blocking by whoever shares it with us; that isn't an error.
fn write_all(sink: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(&sink, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => drop(poll(&mut [PollFd::new(&sink, PollFlags::OUT)], None)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
