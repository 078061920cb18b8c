//! Runs commands, in two ways, and finds what a killed run left behind.
//!
//! - [`live`] runs the wrapped command as if Regreen were not there: its output passes through unchanged, signals
//!   and the terminal reach it, its exit code comes back, and nothing that it started outlives it.
//! - [`quiet`] runs a probe or a tool: captured, capped, with a time limit, asynchronously.
//! - [`interrupts`] counts the signals that ask for an end meanwhile.
//! - [`marker`] recognises the processes of a run by an environment variable, so that a later Regreen can end the
//!   orphans of one that was killed.
//!
//! Linux only: the guarantees rest on process groups, child subreapers and `/proc`.

pub mod error;
pub mod interrupts;
pub mod live;
pub mod marker;
mod process_table;
pub mod quiet;
mod run_id;
mod spool;
mod status;

pub use rustix::process::Pid;

pub use run_id::{InvalidRunId, RunId};
pub use spool::{Spool, SpoolContent, Stream};
pub use status::Status;
