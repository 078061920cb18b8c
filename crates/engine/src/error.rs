//! What stops Regreen, never the job: the wrapped command's verdict stands.

use regreen_ledger::LedgerError;
use regreen_process::interrupts::signal_name;
use regreen_saga::SagaError;
use thiserror::Error;

use crate::state::StateError;

/// Why a failure could not be handled, or a run could not be resumed.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The state folder can't be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The ledger can't be used, so nothing was done: no effect without its journal entry.
    #[error("the ledger can't be used")]
    Ledger(#[from] LedgerError),
    /// The journal refused in the middle of a run.
    #[error("the recovery stands still and can be resumed with `regreen resume`")]
    Saga(#[from] SagaError),
    /// The catalogue names something that does not exist.
    #[error("the catalogue is invalid: {0}")]
    Catalog(String),
    /// It can't be taken back, and nothing was touched.
    #[error("{0}")]
    Refused(String),
    /// Processes of a killed run could not be ended.
    #[error("processes of the killed run are still there: {0}")]
    Survivors(String),
    /// Somebody asked for an end, by this signal.
    #[error("ended by {}", signal_name(*.signal))]
    Interrupted {
        /// Its number.
        signal: i32,
        /// Whether something was begun that must yet be taken back, by `regreen resume`.
        unfinished: bool,
    },
    /// A step of a job said that its effect can't be told yet: nobody would come back to ask.
    #[error("the recovery stands still: {0}")]
    Waits(String),
    /// Something that was to be put away after a run is still there.
    #[error("failed to clear up after the run")]
    CleanUp(#[source] std::io::Error),
}
