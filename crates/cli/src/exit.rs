//! Exit codes, and the one place where an error becomes words.

use std::{error::Error, fmt, io::ErrorKind};

/// All is well.
pub const FINE: u8 = 0;
/// A bug in Regreen.
pub const BUG: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// There was nothing to read.
pub const NOTHING_TO_READ: u8 = 3;
/// The configuration or the catalogue is invalid.
pub const INVALID: u8 = 4;
/// A remote failed, or asked to wait.
pub const REMOTE: u8 = 5;
/// The ledger or the state folder failed.
pub const LEDGER: u8 = 6;
/// Infrastructure, curable.
pub const CURABLE: u8 = 10;
/// The project's own code.
pub const CODE: u8 = 11;
/// Not diagnosed.
pub const UNKNOWN: u8 = 12;
/// Waiting for a person's word.
pub const WAITING: u8 = 13;
/// Refused by policy, or by what was found.
pub const REFUSED: u8 = 14;
/// Tried and rolled back.
pub const ROLLED_BACK: u8 = 15;
/// Something could not be put back.
pub const STUCK: u8 = 16;
/// Infrastructure, needs a person.
pub const NEEDS_A_PERSON: u8 = 17;
/// A check found problems.
pub const PROBLEMS: u8 = 18;
/// Ended by Ctrl-C, as a shell says it.
pub const INTERRUPTED: u8 = 130;

/// Whether a code says that a signal asked for an end.
pub fn is_by_signal(code: u8) -> bool {
    code > 128
}

/// Every exit code with its meaning, for `regreen explain`.
pub const MEANINGS: [(u8, &str); 17] = [
    (FINE, "all is well; after `diagnose`: no failure was found"),
    (BUG, "a bug in Regreen; please report it"),
    (USAGE, "the command line is wrong"),
    (NOTHING_TO_READ, "there was nothing to read"),
    (INVALID, "the configuration or the catalogue is invalid"),
    (REMOTE, "a remote failed, or asked to come back later"),
    (LEDGER, "the ledger or the state folder can't be used"),
    (CURABLE, "the infrastructure was at fault, and there is a playbook for it"),
    (CODE, "the project's own code, tests, style or configuration failed"),
    (UNKNOWN, "a failure that is not diagnosed"),
    (WAITING, "waiting for approval; after `init`: nobody could be asked, and nothing was written"),
    (REFUSED, "refused by policy, or by what was found"),
    (ROLLED_BACK, "it was tried, did not hold, and everything was put back"),
    (STUCK, "something could not be put back; a person must look"),
    (NEEDS_A_PERSON, "the infrastructure was at fault, and a person must mend it"),
    (PROBLEMS, "a check found problems"),
    (INTERRUPTED, "interrupted by Ctrl-C"),
];

/// An error with the exit code it ends the program with, and what to do about it.
#[derive(Debug)]
pub struct Failed {
    /// Exit code.
    pub code: u8,
    /// What went wrong.
    pub error: Box<dyn Error>,
    /// What to do now.
    pub help: Option<String>,
}

impl Failed {
    /// An error that ends the program with `code`.
    pub fn new(code: u8, error: impl Into<Box<dyn Error>>) -> Self {
        Failed { code, error: error.into(), help: None }
    }

    /// Adds what to do now.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failed {
    /// The error with everything below it, and the help on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let mut source = self.error.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

impl From<regreen_engine::EngineError> for Failed {
    fn from(error: regreen_engine::EngineError) -> Self {
        use regreen_engine::{EngineError as E, StateError};
        let help = match &error {
            E::Ledger(ledger) => ledger.help().map(str::to_owned),
            E::State(StateError::Busy(_)) => {
                Some("wait for the other regreen to end and try again".to_owned())
            }
            E::State(StateError::Folder { source, .. }) if source.kind() == ErrorKind::StorageFull => Some(
                "the disk is full: make room, or set XDG_STATE_HOME to a folder that has some".to_owned(),
            ),
            E::State(_) => Some("set XDG_STATE_HOME to a folder that only you can write to".to_owned()),
            E::Saga(_) | E::Survivors(_) | E::Waits(_) | E::CleanUp(_) => {
                Some("try `regreen resume`".to_owned())
            }
            E::Interrupted { unfinished: true, .. } => Some("`regreen resume` goes on with it".to_owned()),
            E::Catalog(_) | E::Refused(_) | E::Interrupted { .. } => None,
        };
        let code = match &error {
            E::Catalog(_) => INVALID,
            E::Survivors(_) => STUCK,
            E::Interrupted { signal, .. } => u8::try_from(128 + signal).unwrap_or(INTERRUPTED),
            E::Refused(_) | E::State(StateError::Busy(_)) => REFUSED,
            _ => LEDGER,
        };
        Failed { code, error: error.into(), help }
    }
}

impl From<regreen_ledger::LedgerError> for Failed {
    fn from(error: regreen_ledger::LedgerError) -> Self {
        use regreen_ledger::LedgerError as L;
        let help = error.help().map(str::to_owned);
        let code = match &error {
            L::UnknownIncident { .. } => NOTHING_TO_READ,
            L::Imported { .. } | L::WrongState { .. } | L::NotEmpty { .. } => REFUSED,
            L::BadImport { .. } | L::BadBackup { .. } => PROBLEMS,
            _ => LEDGER,
        };
        Failed { code, error: error.into(), help }
    }
}
