//! What the executor asks of the outside: leave to act, and time.

use std::time::Duration;

use crate::step::BoxFuture;

/// The kill switch, asked before every effect and around the pause before another try (not before an undo: that only
/// gives back), and the clock.
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
}

/// A gate that is always open.
pub struct OpenGate;

impl Gate for OpenGate {
    fn may_act(&self) -> Result<(), String> {
        Ok(())
    }
}
