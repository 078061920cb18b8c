//! What comes after the command's own end: processes that it left running, and output that is still on its way.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::supervisor::{KILL_TAKES, Supervisor};
use crate::process_table::{Process, ProcessTable};

/// How long processes that outlive the command may take to end by themselves, as a `tee` in a process substitution
/// does when its input has ended. On a machine that does much else, a tenth of it would cut their output off.
const SETTLING: Duration = Duration::from_millis(500);
/// While output flows more often than this, they are still at work.
const FLOWING: Duration = Duration::from_millis(250);
/// How long a reader of ours may take for what is left, once nobody wants to wait.
const STUCK_READER: Duration = Duration::from_secs(1);
/// How often to look for deaths that the kernel doesn't tell us about: those of grandchildren.
const LOOK: Duration = Duration::from_millis(10);

/// Ends what is left, passes on what was printed, and says how many processes had to be ended.
pub(super) fn clean_up(run: &mut Supervisor<'_>) -> u32 {
    settle(run);
    let ended = if run.options.leave_background { 0 } else { end_the_rest(run) };
    pass_on_the_rest(run);
    ended
}

fn settle(run: &mut Supervisor<'_>) {
    let begun = Instant::now();
    loop {
        run.reap_orphans();
        let now = Instant::now();
        let flowing = now.saturating_duration_since(run.pumps.last_output()) < FLOWING;
        let patience =
            if flowing && !run.limit_reached() { SETTLING.max(run.options.grace) } else { SETTLING };
        let nothing_to_wait_for =
            run.own_orphans().is_empty() || (run.options.leave_background && run.pumps.are_done());
        if nothing_to_wait_for || now >= begun + patience || run.interrupted() {
            return;
        }
        run.signals.wait(Some(now + LOOK));
    }
}

fn end_the_rest(run: &mut Supervisor<'_>) -> u32 {
    let mut asked = HashSet::new();
    let mut kill_at = Instant::now() + run.options.grace;
    loop {
        run.reap_orphans();
        let left = remaining(run);
        let now = Instant::now();
        if left.is_empty() || now >= kill_at + KILL_TAKES {
            break;
        }
        if run.interrupted() {
            kill_at = kill_at.min(now);
        }
        for process in &left {
            if now >= kill_at {
                process.signal(Signal::KILL);
            } else if !asked.contains(&(process.pid, process.started)) {
                process.signal(Signal::TERM);
                process.signal(Signal::CONT);
            }
            asked.insert((process.pid, process.started));
        }
        run.signals.wait(Some(now + LOOK));
    }
    u32::try_from(asked.len()).unwrap_or(u32::MAX)
}

/// Whoever wrote to the channels is gone or to be left, so what there is to read is there now. Passing it on takes
/// as long as our own reader needs, as it would for the command itself; unless someone has no patience for that.
fn pass_on_the_rest(run: &mut Supervisor<'_>) {
    run.pumps.finish();
    let mut until = run.limit_reached().then(|| Instant::now() + STUCK_READER);
    while !run.pumps.are_done() && until.is_none_or(|until| Instant::now() < until) {
        if run.interrupted() {
            until.get_or_insert(Instant::now() + STUCK_READER);
        }
        run.signals.wait(until);
    }
}

/// The processes of the run that still live. Looks at the whole system only if there are any.
fn remaining(run: &Supervisor<'_>) -> Vec<Process> {
    let orphans: Vec<Pid> = run.own_orphans();
    if orphans.is_empty() {
        return Vec::new();
    }
    let mut left: Vec<Process> = orphans.iter().filter_map(|pid| Process::look(*pid)).collect();
    if let Ok(table) = ProcessTable::look() {
        left.extend(table.descendants(&orphans).into_iter().map(|(_, process)| process));
    }
    left.retain(|process| !process.is_dead());
    left
}
