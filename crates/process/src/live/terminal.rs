//! The controlling terminal, and which process group has it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::sys::signal::{SigSet, SigmaskHow, Signal as BlockedSignal};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::process::{Pid, getpgrp, getpid};
use rustix::termios::{isatty, tcgetpgrp, tcsetpgrp};

use crate::process_table::ProcessTable;

/// The terminal that we were started from, if there is one.
pub(super) struct Terminal {
    tty: Option<OwnedFd>,
    own_group: Pid,
    mask_before: Option<SigSet>,
}

impl Terminal {
    /// Finds the terminal. If there is one, the calling thread, and those that it starts from now on, can use it
    /// from the background without being stopped.
    pub(super) fn open() -> Self {
        let tty = open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty()).ok();
        let mask_before = tty.as_ref().and_then(|_| {
            let mut background_use = SigSet::empty();
            background_use.add(BlockedSignal::SIGTTOU);
            background_use.thread_swap_mask(SigmaskHow::SIG_BLOCK).ok()
        });
        Self { tty, own_group: getpgrp(), mask_before }
    }

    pub(super) fn exists(&self) -> bool {
        self.tty.is_some()
    }

    /// Whether our process group is in the foreground.
    pub(super) fn is_ours(&self) -> bool {
        self.is_of(self.own_group)
    }

    /// Whether this process group is in the foreground.
    pub(super) fn is_of(&self, group: Pid) -> bool {
        self.tty.as_ref().is_some_and(|tty| tcgetpgrp(tty).is_ok_and(|foreground| foreground == group))
    }

    /// Whether the command should have the terminal from the start: we are alone in the foreground, as a command
    /// typed into a shell is.
    ///
    /// In a pipeline, a script or under make others share the foreground with us: taking it would stop the pager
    /// behind us, and Ctrl-C would no longer reach the script. There the command gets it when it asks (`SIGTTIN`).
    pub(super) fn is_ours_alone(&self) -> bool {
        self.is_ours()
            && self.own_group == getpid()
            && isatty(io::stdin())
            && !is_pipe(io::stdout())
            && !is_pipe(io::stderr())
    }

    pub(super) fn give_to(&self, group: Pid) {
        if let Some(tty) = &self.tty {
            // Fails if the group has ended or the terminal is gone; both show elsewhere.
            let _ = tcsetpgrp(tty, group);
        }
    }

    pub(super) fn take_back(&self) {
        self.give_to(self.own_group);
    }

    pub(super) fn own_group(&self) -> Pid {
        self.own_group
    }

    /// Whether nobody is there who would continue us if we stopped: no process of our group has a parent elsewhere
    /// in the session. The kernel doesn't stop such a group from the terminal either.
    pub(super) fn nobody_would_continue_us(&self) -> bool {
        let Ok(table) = ProcessTable::look() else { return true };
        let own_group = self.own_group.as_raw_pid();
        !table.iter().filter(|process| process.group == own_group).any(|member| {
            let parent = table.get(member.parent);
            parent.is_some_and(|parent| parent.session == member.session && parent.group != own_group)
        })
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if let Some(mask) = self.mask_before.take() {
            let _ = mask.thread_set_mask();
        }
    }
}

fn is_pipe(stream: impl AsFd) -> bool {
    fstat(stream).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
}
