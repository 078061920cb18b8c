//! Finds and ends the processes of a run whose Regreen was killed, by the variable in their environment.
//!
//! A killed Regreen can't end what it started. The next one knows the run's id from the journal, and every process
//! of that run still carries it, even one that left its process group and session.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, getuid, pidfd_open};

pub use crate::error::SurvivorError;

use crate::RunId;
use crate::process_table::{Process, ProcessTable};

/// How long killed processes may take to go.
const KILL_TAKES: Duration = Duration::from_secs(5);
/// Far longer than a process shows no environment.
const EXECUTING_TAKES: Duration = Duration::from_millis(20);
/// How long to wait for one process before looking at all of them again: new ones may have been started.
const LOOK: Duration = Duration::from_millis(100);

/// The processes of this user that belong to the run, and those that they started. Never ourselves, nor a process
/// that we run under: a Regreen that was started from within the old run must not end its own shell.
///
/// # Errors
/// If the processes can't be listed.
pub fn survivors(run: &RunId) -> Result<Vec<Pid>, SurvivorError> {
    Ok(find(run, &[])?.iter().map(|process| process.pid).collect())
}

/// Ends the processes of the run: asks them, waits for `grace`, kills the rest, and returns when all are gone. Says
/// how many there were.
///
/// # Errors
/// If the processes can't be listed, or some remain even after being killed.
pub fn end_all(run: &RunId, grace: Duration) -> Result<usize, SurvivorError> {
    let mut known: Vec<Process> = Vec::new();
    let kill_at = Instant::now() + grace;
    loop {
        let left = find(run, &known)?;
        let now = Instant::now();
        let Some(first) = left.first() else { return Ok(known.len()) };
        if now >= kill_at + KILL_TAKES {
            let (count, first) = (left.len(), first.pid.as_raw_pid());
            return Err(SurvivorError::Remaining { run: run.to_string(), count, first });
        }
        for process in &left {
            let new = !known.iter().any(|known| known.is_same(process));
            if now >= kill_at {
                process.signal(Signal::KILL);
            } else if new {
                process.signal(Signal::TERM);
                // A stopped process can't heed it.
                process.signal(Signal::CONT);
            }
            if new {
                known.push(*process);
            }
        }
        wait_for_end(first, if now < kill_at { LOOK.min(kill_at - now) } else { LOOK });
    }
}

/// The processes that carry the mark, those `known` to belong to the run from an earlier look, and whatever these
/// started. A process may have cleared its environment, and lose its parent while we end the run.
fn find(run: &RunId, known: &[Process]) -> Result<Vec<Process>, SurvivorError> {
    let found = look(run, known)?;
    if !found.is_empty() {
        return Ok(found);
    }
    // A process that is just executing another program shows no environment for a moment, and one that was started
    // behind our back may have been passed over: nobody is there only if nobody is there twice.
    std::thread::sleep(EXECUTING_TAKES);
    look(run, known)
}

fn look(run: &RunId, known: &[Process]) -> Result<Vec<Process>, SurvivorError> {
    let table = ProcessTable::look().map_err(SurvivorError::List)?;
    let belongs =
        |process: &&Process| known.iter().any(|known| known.is_same(process)) || is_marked(process.pid, run);
    let mut found: Vec<Process> = table.iter().filter(belongs).copied().collect();
    let roots: Vec<Pid> = found.iter().map(|process| process.pid).collect();
    found.extend(table.descendants(&roots).into_iter().map(|(_, process)| process));
    found.sort_by_key(|process| process.pid.as_raw_pid());
    found.dedup_by_key(|process| process.pid);
    let ours = our_line(&table);
    found.retain(|process| !process.is_dead() && !ours.contains(&process.pid));
    Ok(found)
}

fn is_marked(pid: Pid, run: &RunId) -> bool {
    let folder = format!("/proc/{pid}");
    let of_this_user = fs::metadata(&folder).is_ok_and(|folder| folder.uid() == getuid().as_raw());
    of_this_user && fs::read(format!("{folder}/environ")).is_ok_and(|environ| run.marks(&environ))
}

/// Ourselves, everything we run under, and everything we started.
fn our_line(table: &ProcessTable) -> Vec<Pid> {
    let own = getpid();
    let mut line: Vec<Pid> = table.descendants(&[own]).iter().map(|(_, process)| process.pid).collect();
    let mut next = Some(own);
    while let Some(pid) = next.filter(|pid| !line.contains(pid)) {
        line.push(pid);
        next = table.get(pid.as_raw_pid()).and_then(|process| Pid::from_raw(process.parent));
    }
    line
}

/// The kernel tells at once when a process ends.
fn wait_for_end(process: &Process, at_most: Duration) {
    match (pidfd_open(process.pid, PidfdFlags::empty()), Timespec::try_from(at_most)) {
        (Ok(pidfd), Ok(timeout)) if process.still_runs() => {
            let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout));
        }
        // It is gone already, or the kernel (before 5.3) can't tell: then look again soon.
        _ => std::thread::sleep(Duration::from_millis(5)),
    }
}
