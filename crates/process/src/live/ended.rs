//! How a run ended, and why.

use std::time::Duration;

use crate::Status;

/// A run that is over. Nothing of it runs any more, unless it was to be left or couldn't even be killed.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How the command itself ended.
    pub status: Status,
    /// Who ended it.
    pub why: Why,
    /// How many processes it had left running, which were then ended.
    pub left_behind: u32,
    /// From before the start until the last byte of output was passed on.
    pub duration: Duration,
    /// What was running when a limit was reached, as text for people: pid, parent, state, what the kernel waits
    /// for, and the argv. An argv can hold secrets: mask it before it is shown or stored.
    pub process_tree: Option<String>,
}

/// Who ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It ended by itself.
    Normal,
    /// It took longer than the time-out.
    TimedOut,
    /// It printed nothing for longer than the idle time-out.
    Idle,
    /// Someone sent this signal to us or, with Ctrl-C or Ctrl-\, to it.
    Interrupted(i32),
}

impl Ended {
    /// The exit code to pass on: the command's own, 128 plus the signal, or 124 when a limit was reached.
    pub fn exit_code(&self) -> i32 {
        match self.why {
            Why::TimedOut | Why::Idle => 124,
            Why::Normal | Why::Interrupted(_) => self.status.shell_code(),
        }
    }
}
