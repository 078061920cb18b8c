//! Runs a probe or a tool out of sight: captured, capped, with a time limit.
//!
//! It never sees our standard input, and it outlives neither its time limit nor the future that runs it: its whole
//! process group is asked to end then (`SIGTERM`), so that a package manager can let go of its locks and take away what
//! is half written, and killed after a grace.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub use crate::error::QuietError;

use crate::process_table::{Process, ProcessTable};
use crate::run_id::VARIABLE;
use crate::{RunId, Status};

/// How long to wait for the end of the output after the command's own end, when a process that it left has the other
/// end.
const LINGERING: Duration = Duration::from_millis(250);
/// How often it is looked whether a group that was asked to end has done so.
const LOOK: Duration = Duration::from_millis(20);
/// How long a killed group may take to go. One that waits for a dead disk or mount can stay for ever.
const KILL_TAKES: Duration = Duration::from_secs(1);

/// A command to run quietly.
#[derive(Clone, Debug)]
pub struct QuietCommand {
    /// The program and its arguments; no shell is involved.
    pub argv: Vec<OsString>,
    /// The folder to run it in; ours if `None`.
    pub cwd: Option<PathBuf>,
    /// Variables to set on top of our own environment.
    pub env: Vec<(OsString, OsString)>,
    /// Variables to take out of it.
    pub env_removed: Vec<OsString>,
    /// The time that it may take before it is asked to end.
    pub timeout: Duration,
    /// The time from then, or from when the future that runs it is dropped, until what is left of it is killed.
    pub grace: Duration,
    /// How many bytes of each stream are kept: the first ones. The rest is read and dropped.
    pub output_cap: usize,
    /// Marks all its processes for [`crate::marker`].
    pub run_id: Option<RunId>,
}

impl QuietCommand {
    /// The command with 60 s of time, 2 s of grace, and 4 MiB for each stream.
    pub fn new(argv: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            cwd: None,
            env: Vec::new(),
            env_removed: Vec::new(),
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(2),
            output_cap: 4 * 1024 * 1024,
            run_id: None,
        }
    }
}

/// What a quiet command did.
#[derive(Clone, Debug)]
pub struct Captured {
    /// How it ended; by signal 15 or 9, or in its own way of heeding the first, if it took too long.
    pub status: Status,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error.
    pub stderr: Output,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
    /// How long it took.
    pub duration: Duration,
}

/// One stream's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The first bytes, up to the cap.
    pub bytes: Vec<u8>,
    /// Whether there were more.
    pub truncated: bool,
}

impl Output {
    /// The bytes as text, with replacement characters for what isn't UTF-8.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// Runs the command to its end or to its time limit.
///
/// # Errors
/// [`QuietError`] if it can't be started. That it fails, or takes too long, is told in [`Captured`].
pub async fn run(command: QuietCommand) -> Result<Captured, QuietError> {
    let begun = Instant::now();
    let (program, args) = command.argv.split_first().ok_or(QuietError::Empty)?;
    let named = program.to_string_lossy().into_owned();
    let mut process = Command::new(program);
    process.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    process.process_group(0).kill_on_drop(true);
    process.envs(command.env.iter().map(|(name, value)| (name, value)));
    for name in &command.env_removed {
        process.env_remove(name);
    }
    if let Some(run_id) = &command.run_id {
        process.env(VARIABLE, run_id.value_for_child(std::env::var_os(VARIABLE).as_deref()));
    }
    if let Some(folder) = &command.cwd {
        process.current_dir(folder);
    }
    let child = process.spawn().map_err(|source| QuietError::Start { program: named.clone(), source })?;
    let mut group = Group { child, grace: command.grace, ends: Vec::new() };

    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let ends = [stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
    group.ends = ends.into_iter().flatten().filter_map(|end| end.try_clone_to_owned().ok()).collect();
    let (mut out, mut err) = (Output::default(), Output::default());
    let reading = async {
        tokio::join!(read(stdout, &mut out, command.output_cap), read(stderr, &mut err, command.output_cap))
    };
    let (status, timed_out) = group
        .finish(reading, command.timeout)
        .await
        .map_err(|source| QuietError::Wait { program: named, source })?;
    Ok(Captured { status, stdout: out, stderr: err, timed_out, duration: begun.elapsed() })
}

/// The command and its process group, which is ended when this is dropped.
struct Group {
    child: Child,
    grace: Duration,
    /// Our ends of its pipes. While they are open, what it says on its way out does not kill it.
    ends: Vec<OwnedFd>,
}

impl Group {
    /// Waits for the command while its output is read, then ends whatever it left in its group.
    async fn finish(
        &mut self,
        reading: impl Future<Output = ((), ())>,
        limit: Duration,
    ) -> std::io::Result<(Status, bool)> {
        tokio::pin!(reading);
        let group = self.id();
        let mut all_read = false;
        let whole = async {
            loop {
                tokio::select! {
                    ended = self.child.wait() => return ended,
                    _ = &mut reading, if !all_read => all_read = true,
                }
            }
        };
        let (status, timed_out) = match timeout(limit, whole).await {
            Ok(status) => (status?, false),
            Err(_) => {
                ask(group);
                let gone = async {
                    while lives(group) {
                        tokio::time::sleep(LOOK).await;
                    }
                };
                tokio::pin!(gone);
                let all = async {
                    loop {
                        tokio::select! {
                            () = &mut gone => return,
                            _ = &mut reading, if !all_read => all_read = true,
                        }
                    }
                };
                let _ = timeout(self.grace, all).await;
                kill(group);
                (self.child.wait().await?, true)
            }
        };
        // The leader has just been reaped: if any of its group is left, the number is still the group's own.
        kill(group);
        if !all_read {
            // Only a process that left the group can still hold the other end.
            let _ = timeout(LINGERING, reading).await;
        }
        Ok((status.into(), timed_out))
    }

    /// `None` once the command has been waited for: the number could by then be another's.
    fn id(&self) -> Option<Pid> {
        self.child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
    }

    /// Lets nobody of the group wait for us to read.
    fn drain(&self) {
        let mut noise = [0; 64 * 1024];
        for end in &self.ends {
            // They do not block, and an empty one is an error.
            while rustix::io::read(end, &mut noise).is_ok_and(|count| count > 0) {}
        }
    }

    fn wait_until_gone(&self, group: Option<Pid>, limit: Duration) {
        let begun = Instant::now();
        while lives(group) && begun.elapsed() < limit {
            self.drain();
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Group {
    /// Blocks until the group is gone: whoever let go of it goes on to take back what it did, and it must not write by
    /// then.
    fn drop(&mut self) {
        let Some(group) = self.id() else { return };
        ask(Some(group));
        self.wait_until_gone(Some(group), self.grace);
        kill(Some(group));
        self.wait_until_gone(Some(group), KILL_TAKES);
    }
}

fn ask(group: Option<Pid>) {
    send(group, Signal::TERM);
    // A stopped process can't heed it.
    send(group, Signal::CONT);
}

fn kill(group: Option<Pid>) {
    send(group, Signal::KILL);
}

fn send(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // That nobody is left is what is wanted.
        let _ = kill_process_group(group, signal);
    }
}

/// Whether anybody of the group still runs. The leader has not been reaped, so the number is the group's own.
fn lives(group: Option<Pid>) -> bool {
    let Some(group) = group else { return false };
    match ProcessTable::look() {
        Ok(table) => table.iter().any(|process| process.group == group.as_raw_pid() && !process.is_dead()),
        Err(_) => Process::look(group).is_some_and(|leader| !leader.is_dead()),
    }
}

/// Reads to the end; a command that prints more than is kept must not hang on a full pipe.
async fn read(stream: Option<impl AsyncRead + Unpin>, into: &mut Output, cap: usize) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let kept = count.min(cap - into.bytes.len());
        into.bytes.extend_from_slice(&buffer[..kept]);
        into.truncated |= kept < count;
    }
}
