//! Playbook runs that can be trusted: steps that look, do, check and take back, and a journal of facts.
//!
//! The journal is the truth: the state of a run is a fold over its facts, a crash anywhere is resumed or rolled
//! back by the code path that runs it, and write access to the world is a token ([`Touch`]) that only the
//! executor makes, once `Started` is durable.

mod executor;
mod journal;
mod step;

pub use executor::{Drive, Ended, Gate, OpenGate, PreparedStep, SagaError, dry_run, execute, roll_back};
pub use journal::{Effect, Fact, IllegalTransition, Journal, JournalError, StepEvent, StepState, fold};
pub use step::{
    AnyStep, ApplyError, BoxFuture, Look, Receipts, Refused, Resume, Seen, Step, Touch, Undo, UndoError,
};
