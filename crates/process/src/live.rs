//! Runs the wrapped command as if Regreen were not there.
//!
//! The command gets a pseudo-terminal for each stream that is a terminal here and a pipe for the rest; where both
//! streams are the same file here, they are the same there, so their order is kept. It is a process group of its own
//! and has the terminal when it needs it; signals sent to us reach it. What it leaves running is ended with it.
//!
//! A run owns things that a process has only once: the signal handlers, the terminal, the adoption of orphans. So
//! one run happens at a time (a second caller waits), and nothing else in the process may start children meanwhile:
//! they would be taken for the command's own.

mod aftermath;
mod channel;
mod ended;
mod job;
mod pump;
mod signals;
mod spawn;
mod supervisor;
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, child_subreaper, getpid, set_child_subreaper};

pub use crate::error::StartError;
pub use ended::{Ended, Why};
pub(crate) use signals::{ENDING, hand_ends_over, is_ignored, is_running};

use crate::process_table::own_children;
use crate::{RunId, Spool};
use supervisor::Supervisor;

/// The wrapped command, exactly as the user gave it.
#[derive(Clone, Debug)]
pub struct LiveCommand {
    /// The program, looked up in `PATH` unless it holds a slash.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables to set on top of our own environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder to run it in; ours if `None`.
    pub cwd: Option<PathBuf>,
    /// Marks all its processes for [`crate::marker`].
    pub run_id: Option<RunId>,
}

impl LiveCommand {
    /// The command without additions.
    pub fn new(program: impl Into<OsString>, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: None,
            run_id: None,
        }
    }
}

/// The limits of a run, and where its output is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// End the command after this long. The time that it was stopped (Ctrl-Z) doesn't count.
    pub timeout: Option<Duration>,
    /// End the command when it has printed nothing for this long.
    pub idle_timeout: Option<Duration>,
    /// How long a process has between being asked to end and being killed.
    pub grace: Duration,
    /// Let processes that the command left running live on. Streams that they share with it are closed all the same.
    pub leave_background: bool,
    /// Keeps the last of the output.
    pub spool: Spool,
}

impl Default for Options {
    /// No limits, 5 s of grace, nothing left behind.
    fn default() -> Self {
        Self {
            timeout: None,
            idle_timeout: None,
            grace: Duration::from_secs(5),
            leave_background: false,
            spool: Spool::default(),
        }
    }
}

/// Runs the command to its end, and everything that it started.
///
/// # Errors
/// [`StartError`] if it could not be started; then nothing has happened.
pub fn run(command: &LiveCommand, options: &Options) -> Result<Ended, StartError> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

    let started = Instant::now();
    let strangers = own_children();
    let _reaper = Reaper::become_one();
    let signals = signals::Signals::catch().map_err(StartError::system("catch signals"))?;
    let terminal = terminal::Terminal::open();
    let (channels, child_ends) =
        channel::open().map_err(StartError::system("open a pipe or pseudo-terminal"))?;
    let windows = channels.iter().filter_map(channel::Channel::window).collect();
    let pumps = pump::Pumps::start(channels, &options.spool, &signals)
        .map_err(StartError::system("start a thread for the output"))?;

    let child = spawn::spawn(command, child_ends)?;
    let job = job::Job::start(child, terminal);
    Ok(Supervisor::new(options, started, &signals, job, pumps, windows, strangers).supervise())
}

/// While this lives, orphans among our descendants become our children instead of init's.
struct Reaper {
    before: Option<Pid>,
}

impl Reaper {
    fn become_one() -> Self {
        let before = child_subreaper().ok().flatten();
        // Where the kernel refuses, only daemons that left the process group are missed.
        let _ = set_child_subreaper(Some(getpid()));
        Self { before }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        let _ = set_child_subreaper(self.before);
    }
}
