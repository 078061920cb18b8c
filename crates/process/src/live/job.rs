//! The command as a job: its process group, the terminal, stopping and continuing.

use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, kill_process_group, waitid,
    waitpid,
};

use super::terminal::Terminal;
use crate::Status;

/// The running command.
pub(super) struct Job {
    /// The command's own process, and the leader of its group.
    leader: Pid,
    terminal: Terminal,
    /// Whether it has had the terminal, so that Ctrl-C went to it and not to us.
    had_terminal: bool,
    /// Whether someone asked us to stop, so that its stopping is ours.
    told_to_stop: bool,
    suspended: Option<Suspension>,
    stopped_for: Duration,
    continued_at: Option<Instant>,
}

struct Suspension {
    since: Instant,
    wants_terminal: bool,
}

impl Job {
    pub(super) fn start(leader: Pid, terminal: Terminal) -> Self {
        let mut job = Self {
            leader,
            terminal,
            had_terminal: false,
            told_to_stop: false,
            suspended: None,
            stopped_for: Duration::ZERO,
            continued_at: None,
        };
        if job.terminal.is_ours_alone() {
            // It may have asked for the terminal already, and been stopped for it: `heed_stop` continues it then.
            job.lend_terminal();
        }
        job
    }

    pub(super) fn leader(&self) -> Pid {
        self.leader
    }

    pub(super) fn had_terminal(&self) -> bool {
        self.had_terminal
    }

    /// Sends a signal to the whole group. The leader isn't reaped before the end, so the group's number is its own.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.leader, signal);
    }

    /// How the command ended, if it has; it stays a zombie until [`Job::reap`].
    pub(super) fn ended(&self) -> Option<Status> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.leader), options) {
            Ok(None) | Err(rustix::io::Errno::INTR) => None,
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => Some(Status::Exit(code)),
                (None, signal) => Some(Status::Signal(signal.unwrap_or(Signal::KILL.as_raw()))),
            },
            // Someone else in this process reaped it, against the contract: the verdict is lost, so it's a failure.
            Err(_) => Some(Status::Exit(1)),
        }
    }

    pub(super) fn reap(&self) {
        let _ = waitpid(Some(self.leader), WaitOptions::NOHANG);
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.suspended.is_some()
    }

    /// How long it was stopped altogether, which no limit counts.
    pub(super) fn stopped_for(&self) -> Duration {
        self.stopped_for
    }

    pub(super) fn continued_at(&self) -> Option<Instant> {
        self.continued_at
    }

    /// Someone asked us to stop: the command is asked first, and we follow when it has stopped.
    pub(super) fn ask_to_stop(&mut self) {
        self.told_to_stop = true;
        self.signal(Signal::TSTP);
    }

    /// If the command has stopped, so do we, as the shell expects of the job that it started; unless it stopped only
    /// for want of the terminal, and we can give it that.
    pub(super) fn heed_stop(&mut self) {
        let Some(signal) = self.stop_signal() else { return };
        let wants_terminal = signal == Signal::TTIN.as_raw() || signal == Signal::TTOU.as_raw();
        if wants_terminal && self.terminal.is_of(self.leader) {
            self.signal(Signal::CONT);
        } else if wants_terminal && self.terminal.is_ours() {
            self.lend_terminal();
            self.signal(Signal::CONT);
        } else if self.terminal.exists() || self.told_to_stop {
            self.suspend(wants_terminal);
        }
        // Else a debugger or an administrator stopped it, and will continue it: no business of ours.
    }

    /// We have been continued, so the command is, with the terminal if it had it or waits for it.
    pub(super) fn resume(&mut self) {
        if let Some(suspension) = self.suspended.take() {
            self.stopped_for += suspension.since.elapsed();
            self.continued_at = Some(Instant::now());
            if suspension.wants_terminal && self.terminal.is_ours() {
                self.lend_terminal();
            }
        }
        self.signal(Signal::CONT);
    }

    /// Once the command has ended, Ctrl-C is for us again.
    pub(super) fn take_terminal_back(&self) {
        if self.had_terminal && self.terminal.is_of(self.leader) {
            self.terminal.take_back();
        }
    }

    fn lend_terminal(&mut self) {
        self.had_terminal = true;
        self.terminal.give_to(self.leader);
    }

    fn stop_signal(&self) -> Option<i32> {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
        waitid(WaitId::Pid(self.leader), options).ok().flatten()?.stopping_signal()
    }

    fn suspend(&mut self, wants_terminal: bool) {
        let had_it = self.terminal.is_of(self.leader);
        let told_to_stop = std::mem::take(&mut self.told_to_stop);
        if self.terminal.nobody_would_continue_us() {
            if wants_terminal {
                // It would stop again at once. The kernel ends a stopped group without a shell in the same way.
                self.signal(Signal::HUP);
            }
            self.signal(Signal::CONT);
            return;
        }
        self.suspended = Some(Suspension { since: Instant::now(), wants_terminal: wants_terminal || had_it });
        if had_it && !told_to_stop {
            // Ctrl-Z reached only the command. Whoever shares our group (a script) would have been stopped too.
            self.terminal.take_back();
            let _ = kill_process_group(self.terminal.own_group(), Signal::STOP);
        } else {
            let _ = kill_process(getpid(), Signal::STOP);
        }
    }
}
