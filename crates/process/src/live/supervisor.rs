//! Watches over a run: signals, limits, the window, and the command's end.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, getpid, waitpid};

use super::channel::Window;
use super::job::Job;
use super::pump::Pumps;
use super::signals::{ENDING, PASSED_ON, Signals};
use super::{Ended, Options, Why, aftermath};
use crate::Status;
use crate::process_table::{ProcessTable, describe, own_children};

/// While the command has the terminal, the kernel tells it and not us about a new window size, so we have to look.
const WINDOW_LOOK: Duration = Duration::from_millis(200);
/// How long a killed process may take to go. One that waits for a dead disk or mount can stay for ever.
pub(super) const KILL_TAKES: Duration = Duration::from_secs(5);

/// A run in progress.
pub(super) struct Supervisor<'a> {
    pub(super) options: &'a Options,
    started: Instant,
    pub(super) signals: &'a Signals,
    job: Job,
    pub(super) pumps: Pumps,
    windows: Vec<Window>,
    /// Children that we had before, which are none of the run's business.
    strangers: Vec<Pid>,
    why: Why,
    asked_to_end: u32,
    escalation: Escalation,
    process_tree: Option<String>,
}

/// How far ending the command by force has gone.
enum Escalation {
    None,
    KillAt(Instant),
    GiveUpAt(Instant),
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        options: &'a Options,
        started: Instant,
        signals: &'a Signals,
        job: Job,
        pumps: Pumps,
        windows: Vec<Window>,
        strangers: Vec<Pid>,
    ) -> Self {
        let (why, escalation) = (Why::Normal, Escalation::None);
        Self {
            options,
            started,
            signals,
            job,
            pumps,
            windows,
            strangers,
            why,
            asked_to_end: 0,
            escalation,
            process_tree: None,
        }
    }

    /// Sees the run through.
    pub(super) fn supervise(mut self) -> Ended {
        let status = self.watch();
        self.job.take_terminal_back();
        let left_behind = aftermath::clean_up(&mut self);
        self.job.reap();
        Ended {
            status,
            why: self.blame(status),
            left_behind,
            duration: self.started.elapsed(),
            process_tree: self.process_tree,
        }
    }

    /// Whether a limit was reached, so that nothing may take for ever any more.
    pub(super) fn limit_reached(&self) -> bool {
        matches!(self.why, Why::TimedOut | Why::Idle)
    }

    /// Whether someone wants us to end while there is no command any more to pass it on to.
    pub(super) fn interrupted(&mut self) -> bool {
        let before = self.asked_to_end;
        for signal in ENDING {
            if self.signals.take(signal) {
                self.count_request(signal);
            }
        }
        self.asked_to_end > before
    }

    /// Our children other than the command itself: orphans of the run that we have inherited, dead ones too.
    pub(super) fn own_orphans(&self) -> Vec<Pid> {
        let other = |pid: &Pid| *pid != self.job.leader() && !self.strangers.contains(pid);
        own_children().into_iter().filter(other).collect()
    }

    /// Takes the dead ones off the process table, once their parents are gone and we have inherited them.
    pub(super) fn reap_orphans(&self) {
        for pid in self.own_orphans() {
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }

    fn watch(&mut self) -> Status {
        loop {
            self.pass_signals_on();
            if let Some(status) = self.job.ended() {
                return status;
            }
            self.job.heed_stop();
            self.reap_orphans();
            self.follow_window();
            if self.enforce_limits().is_break() {
                return Status::Signal(Signal::KILL.as_raw());
            }
            self.signals.wait(self.next_duty());
        }
    }

    fn pass_signals_on(&mut self) {
        if self.signals.take(Signal::TSTP) {
            self.job.ask_to_stop();
        }
        if self.signals.take(Signal::CONT) {
            self.job.resume();
        }
        for signal in PASSED_ON {
            if self.signals.take(signal) {
                self.job.signal(signal);
                self.count_request(signal);
            }
        }
    }

    /// The first request to end is only passed on: a command may have good reasons to take its time, or to ignore
    /// an interrupt. The second sets it a term.
    fn count_request(&mut self, signal: Signal) {
        if !ENDING.contains(&signal) {
            return;
        }
        self.asked_to_end += 1;
        if self.why == Why::Normal {
            self.why = Why::Interrupted(signal.as_raw());
        }
        if self.asked_to_end > 1 && matches!(self.escalation, Escalation::None) {
            self.escalation = Escalation::KillAt(Instant::now() + self.options.grace);
        }
    }

    fn enforce_limits(&mut self) -> std::ops::ControlFlow<()> {
        let now = Instant::now();
        match self.escalation {
            Escalation::None if self.job.is_suspended() => {}
            Escalation::None => {
                if let Some((_, why)) = self.next_limit().filter(|(at, _)| *at <= now) {
                    self.why = why;
                    self.process_tree = self.tree().map(|tree| describe(&tree));
                    self.signal_tree(Signal::TERM);
                    // A stopped process can't heed it.
                    self.signal_tree(Signal::CONT);
                    self.escalation = Escalation::KillAt(now + self.options.grace);
                }
            }
            Escalation::KillAt(at) if at <= now => {
                self.signal_tree(Signal::KILL);
                self.escalation = Escalation::GiveUpAt(now + KILL_TAKES);
            }
            Escalation::GiveUpAt(at) if at <= now => return std::ops::ControlFlow::Break(()),
            Escalation::KillAt(_) | Escalation::GiveUpAt(_) => {}
        }
        std::ops::ControlFlow::Continue(())
    }

    /// The limit that is reached first if nothing happens.
    fn next_limit(&self) -> Option<(Instant, Why)> {
        let timeout = self.options.timeout.and_then(|timeout| {
            Some((self.started.checked_add(timeout)?.checked_add(self.job.stopped_for())?, Why::TimedOut))
        });
        let idle = self.options.idle_timeout.and_then(|idle| {
            let since = self
                .job
                .continued_at()
                .map_or(self.pumps.last_output(), |continued| continued.max(self.pumps.last_output()));
            Some((since.checked_add(idle)?, Why::Idle))
        });
        timeout.into_iter().chain(idle).min_by_key(|(at, _)| *at)
    }

    fn next_duty(&self) -> Option<Instant> {
        let limit = match self.escalation {
            Escalation::None if self.job.is_suspended() => None,
            Escalation::None => self.next_limit().map(|(at, _)| at),
            Escalation::KillAt(at) | Escalation::GiveUpAt(at) => Some(at),
        };
        let look = (!self.windows.is_empty()).then(|| Instant::now() + WINDOW_LOOK);
        limit.into_iter().chain(look).min()
    }

    fn follow_window(&mut self) {
        let told = self.signals.take(Signal::WINCH);
        let changed = self.windows.iter_mut().map(Window::follow).filter(|changed| *changed).count();
        if told || changed > 0 {
            self.job.signal(Signal::WINCH);
        }
    }

    /// The whole group in one call, and then whoever has left it.
    fn signal_tree(&self, signal: Signal) {
        self.job.signal(signal);
        for (_, process) in self.tree().unwrap_or_default() {
            if process.group != self.job.leader().as_raw_pid() && !process.is_dead() {
                process.signal(signal);
            }
        }
    }

    /// Every process of the run, the command itself first.
    fn tree(&self) -> Option<Vec<(usize, crate::process_table::Process)>> {
        let table = ProcessTable::look().ok()?;
        let mut tree = table.descendants(&[getpid()]);
        let mut stranger = false;
        tree.retain(|(depth, process)| {
            if *depth == 1 {
                stranger = self.strangers.contains(&process.pid);
            }
            !stranger
        });
        Some(tree)
    }

    /// A Ctrl-C that went to the command alone shows only in how it ended.
    fn blame(&self, status: Status) -> Why {
        let by_terminal = match status {
            Status::Signal(signal) => signal,
            Status::Exit(code) => code - 128,
        };
        let typed = [Signal::INT, Signal::QUIT].iter().any(|signal| signal.as_raw() == by_terminal);
        match self.why {
            Why::Normal if typed && self.job.had_terminal() => Why::Interrupted(by_terminal),
            why => why,
        }
    }
}
