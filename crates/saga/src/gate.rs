//! What the executor asks of the outside: leave to act, time, and whether somebody wants an end.

use std::time::Duration;

use crate::step::BoxFuture;

/// The kill switch, asked before every effect and around the pause before another try (not before an undo: that only
/// gives back), the clock, and the wish to end.
pub trait Gate: Send + Sync {
    /// Whether effects are allowed now; the error is the reason to show.
    ///
    /// # Errors
    /// Why not.
    fn may_act(&self) -> Result<(), String>;

    /// Ready once `time` has passed. A rehearsal has no time to lose.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    /// Ready, with the reason to show, once somebody wants an end: what is at work is let go then and taken back, and
    /// [`Gate::may_act`] says no from then on. Never, where nobody can. An undo is not cut.
    fn stopped(&self) -> BoxFuture<'_, String> {
        Box::pin(std::future::pending())
    }
}

/// A gate that is always open.
pub struct OpenGate;

impl Gate for OpenGate {
    fn may_act(&self) -> Result<(), String> {
        Ok(())
    }
}
