//! Playbook runs that can be trusted: steps that look, do, check and take back, and a journal of facts.
//!
//! The journal is the truth: the state of a run is a fold over its facts, a crash anywhere is resumed or rolled
//! back by the code path that runs it, and write access to the world is a token ([`Touch`]) that only the
//! executor makes, once `Started` is durable.

mod executor;
mod foresee;
mod gate;
mod journal;
mod race;
pub mod rehearse;
mod run;
mod step;

pub use executor::{Drive, Ended, PreparedStep, SagaError, execute, roll_back};
pub use foresee::{Foreseen, dry_run};
pub use gate::{Gate, OpenGate};
pub use journal::{
    Effect, Fact, IllegalTransition, Journal, JournalError, StepEvent, StepState, applied, fold,
};
pub use step::{
    AnyStep, ApplyError, BoxFuture, KindFacts, Look, Receipts, Refused, Resume, Seen, Step, Touch, Undo,
    UndoError,
};
