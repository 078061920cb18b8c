//! What can keep the lab itself from working. A package manager that fails is no error here: that is the lab's purpose.

use std::io;
use std::path::PathBuf;

/// The lab could not set up, break or look at something.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The loopback servers could not be started or moved.
    #[error("the lab's servers cannot {doing}")]
    Server {
        /// What was tried.
        doing: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of a lab project could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program that the lab needs could not be started.
    #[error("cannot start {program}; is it installed?")]
    Start {
        /// The program's name.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A package manager's program is not installed.
    #[error("{program} is not installed: {how}")]
    Missing {
        /// The program's name.
        program: &'static str,
        /// How to get it.
        how: &'static str,
    },
    /// A program that sets the stage failed.
    #[error("{command} ended with {status}: {output}")]
    Setup {
        /// The whole command.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed last.
        output: String,
    },
    /// The damage asked for does not fit the project: another package manager, or nothing there to damage.
    #[error("cannot damage: {0}")]
    NothingToDamage(String),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
    /// A scenario's file is not one.
    #[error("the scenario {id} is invalid: {why}")]
    Scenario {
        /// The file's name.
        id: String,
        /// What is wrong with it.
        why: String,
    },
}

impl LabError {
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| LabError::File { doing, path, source }
    }

    pub(crate) fn server(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| LabError::Server { doing, source }
    }
}
