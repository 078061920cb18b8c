//! What is known beside the log: which command ran and how it ended.

use regreen_domain::CommandFacts;

/// What is known beside the log. Nothing, where a log is all there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances<'a> {
    /// The command whose output the log is.
    pub command: Option<&'a CommandFacts>,
    /// How it ended.
    pub exit: Option<ExitFacts>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExitFacts {
    /// Its exit code, where it exited.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Regreen ended it at `--timeout`.
    pub timed_out: bool,
    /// Regreen ended it at `--idle-timeout`.
    pub idle: bool,
}

impl ExitFacts {
    /// Whether it failed in any way.
    pub fn failed(self) -> bool {
        self.code != Some(0) || self.hung()
    }

    /// Whether Regreen had to end it.
    pub fn hung(self) -> bool {
        self.timed_out || self.idle
    }
}
