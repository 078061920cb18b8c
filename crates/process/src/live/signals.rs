//! Signals sent to us, as flags and one descriptor to wait on.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use signal_hook::SigId;
use signal_hook::{flag, low_level};

/// Signals that are passed on to the command.
pub(super) const PASSED_ON: [Signal; 6] =
    [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];
/// Those of them that mean: end.
pub(crate) const ENDING: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// Caught even if they were ignored: with an ignored `SIGCHLD`, the kernel would forget how the command ended.
const ALWAYS: [Signal; 3] = [Signal::CONT, Signal::WINCH, Signal::CHILD];

/// Whether a signal has its default action, that is: no run is going on.
static DEFAULT_ACTION: AtomicBool = AtomicBool::new(false);
/// The same of those that mean: end. Somebody else may listen to them.
static DEFAULT_END: AtomicBool = AtomicBool::new(false);
static HANDED_OVER: AtomicBool = AtomicBool::new(false);
static RUNNING: AtomicBool = AtomicBool::new(false);

/// Gives the signals that mean "end" to the caller's own handlers, or takes them back. Without it, after a run they act
/// on this process as they did before, so that a Ctrl-C is never lost.
pub(crate) fn hand_ends_over(to_others: bool) {
    HANDED_OVER.store(to_others, Ordering::SeqCst);
    DEFAULT_END.store(!to_others && !is_running(), Ordering::SeqCst);
}

/// Whether a run is going on: signals are its own then.
pub(crate) fn is_running() -> bool {
    RUNNING.load(Ordering::SeqCst)
}

/// Whether this process was started with the signal ignored.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    is_in(ignored_signals(), signal)
}

fn is_in(set: u64, signal: Signal) -> bool {
    set & (1 << (signal.as_raw() - 1)) != 0
}

/// While this lives, signals are noted here.
pub(super) struct Signals {
    caught: Vec<(Signal, Arc<AtomicBool>)>,
    registrations: Vec<SigId>,
    woken: UnixStream,
    waker: UnixStream,
}

/// Ends a [`Signals::wait`] from another thread.
pub(super) struct Waker(UnixStream);

impl Signals {
    /// Starts to note signals. One that was ignored when we were started (`nohup`, a background job of a script)
    /// stays so for us and for the command.
    pub(super) fn catch() -> io::Result<Self> {
        static DEFAULTS: Once = Once::new();
        let ignored = ignored_signals();
        let heeded = |signal: &Signal| !is_in(ignored, *signal);
        DEFAULTS.call_once(|| {
            for signal in PASSED_ON.iter().chain([&Signal::TSTP]).filter(|signal| heeded(signal)) {
                let condition = if ENDING.contains(signal) { &DEFAULT_END } else { &DEFAULT_ACTION };
                // Fails only for signals that have no default action.
                let _ = flag::register_conditional_default(signal.as_raw(), condition);
            }
        });

        let (woken, waker) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        let mut signals = Self { caught: Vec::new(), registrations: Vec::new(), woken, waker };
        RUNNING.store(true, Ordering::SeqCst);
        DEFAULT_ACTION.store(false, Ordering::SeqCst);
        DEFAULT_END.store(false, Ordering::SeqCst);
        for signal in PASSED_ON.into_iter().chain([Signal::TSTP]).filter(heeded).chain(ALWAYS) {
            let arrived = Arc::new(AtomicBool::new(false));
            // The flag comes first: whoever is woken finds it set.
            signals.registrations.push(flag::register(signal.as_raw(), Arc::clone(&arrived))?);
            let waker = signals.waker.try_clone()?;
            signals.registrations.push(low_level::pipe::register(signal.as_raw(), waker)?);
            signals.caught.push((signal, arrived));
        }
        Ok(signals)
    }

    /// Whether the signal has come since it was last asked for.
    pub(super) fn take(&self, signal: Signal) -> bool {
        self.caught.iter().any(|(caught, arrived)| *caught == signal && arrived.swap(false, Ordering::SeqCst))
    }

    /// Waits for a signal or a [`Waker`], at most until then.
    pub(super) fn wait(&self, until: Option<Instant>) {
        let timeout = until.map(|until| until.saturating_duration_since(Instant::now()));
        let timeout = timeout.map(round_up).and_then(|timeout| Timespec::try_from(timeout).ok());
        // An interruption is a signal, which is what we wait for.
        let _ = poll(&mut [PollFd::new(&self.woken, PollFlags::IN)], timeout.as_ref());
        let mut noise = [0; 64];
        while (&self.woken).read(&mut noise).is_ok_and(|read| read > 0) {}
    }

    pub(super) fn waker(&self) -> io::Result<Waker> {
        self.waker.try_clone().map(Waker)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        RUNNING.store(false, Ordering::SeqCst);
        DEFAULT_ACTION.store(true, Ordering::SeqCst);
        DEFAULT_END.store(!HANDED_OVER.load(Ordering::SeqCst), Ordering::SeqCst);
        for registration in self.registrations.drain(..) {
            low_level::unregister(registration);
        }
    }
}

impl Waker {
    pub(super) fn wake(&self) {
        // A full socket wakes as well.
        let _ = (&self.0).write(&[0]);
    }
}

/// A wait that ends a nanosecond too early would be followed by many of no length.
fn round_up(timeout: Duration) -> Duration {
    timeout + Duration::from_millis(1)
}

/// The set of signals that this process ignores, bit 0 for signal 1. Asked of `/proc`, because asking the system
/// call takes unsafe code.
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
