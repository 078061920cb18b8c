//! What can go wrong before or around a command. A command that fails is no error here.

use std::io;
use std::path::PathBuf;

/// The wrapped command could not be started; it has had no effect.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("{program}: command not found")]
    NotFound {
        /// The program as it was asked for.
        program: String,
    },
    /// The program is there, but the system refuses to run it.
    #[error("{program}: cannot be executed")]
    NotExecutable {
        /// The program as it was asked for.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The folder to run it in is not there.
    #[error("cannot run in {}: not a folder", .0.display())]
    WorkingDirectory(PathBuf),
    /// The system refused a pipe, a pseudo-terminal, a signal handler or a thread.
    #[error("cannot {doing}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl StartError {
    /// The exit code of a wrapper that couldn't start its command, as shells have it: 127 not found, else 126.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::NotFound { .. } => 127,
            _ => 126,
        }
    }

    pub(crate) fn system<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { doing, source: source.into() }
    }
}

/// A quiet command could not be run.
#[derive(Debug, thiserror::Error)]
pub enum QuietError {
    /// The argv was empty.
    #[error("no command to run")]
    Empty,
    /// It could not be started.
    #[error("cannot start {program}")]
    Start {
        /// The program as it was asked for.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It was started, but what became of it can't be learned.
    #[error("lost track of {program}")]
    Wait {
        /// The program as it was asked for.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
}

/// The processes of a run could not be found or ended.
#[derive(Debug, thiserror::Error)]
pub enum SurvivorError {
    /// The list of processes can't be read.
    #[error("cannot list the processes")]
    List(#[source] io::Error),
    /// Some of them don't go, not even when killed.
    #[error("{} processes of run {run} do not end, the first is {first}", .count)]
    Remaining {
        /// The run.
        run: String,
        /// How many are left.
        count: usize,
        /// The pid of one of them.
        first: i32,
    },
}
