//! How a process ended: by itself with a code, or by a signal.

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It exited with this code, 0 to 255.
    Exit(i32),
    /// This signal ended it.
    Signal(i32),
}

impl Status {
    /// The code that a shell would show for it: the exit code, or 128 plus the number of the signal.
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Exit(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }

    /// Whether it says that all went well.
    pub fn success(self) -> bool {
        self == Self::Exit(0)
    }
}

impl From<std::process::ExitStatus> for Status {
    fn from(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, Some(signal)) => Self::Signal(signal),
            // Neither occurs for a process that has been waited for; an unknown end is a failure.
            (None, None) => Self::Exit(1),
        }
    }
}
