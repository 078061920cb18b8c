//! A plan without its world: every step is played by a stand-in that is undone and resumed as its kind is, over a few
//! registers. What a playbook declares about its failures is played, and the laws that every saga obeys are tried at
//! every step and every crash point.

mod journal;
mod laws;
mod stand_in;

use regreen_domain::Flow;

pub use journal::MemoryJournal;
pub use laws::{BrokenLaw, Depth, LAWS, Tried, laws};
pub use stand_in::{Break, Fault};

use crate::{
    executor::{Drive, Ended, execute},
    gate::Gate,
    journal::StepEvent,
    step::{BoxFuture, Resume, Undo},
};
use stand_in::World;

/// A step as a rehearsal needs it, with nothing of what it does.
#[derive(Debug, Clone)]
pub struct Part {
    /// Unique within the plan.
    pub id: String,
    /// How its kind is taken back.
    pub undo: Undo,
    /// Whether a later process may go on with it.
    pub resume: Resume,
    /// How it stands in its plan. Conditions are not asked; the laws are tried with and without a step that has one.
    pub flow: Flow,
}

/// How a rehearsal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// How the run ended.
    pub ended: Ended,
    /// The steps that were undone, in the order of undoing.
    pub undone: Vec<String>,
    /// Whether the world was as before.
    pub as_before: bool,
}

/// Plays the plan once with this fault, and every step whatever its condition.
///
/// # Errors
/// Why it could not be played to its end.
pub async fn play(parts: &[Part], fault: &Fault) -> Result<Played, String> {
    let world = World::new();
    let before = world.standing();
    let mut journal = MemoryJournal::default();
    let asked_nothing = |part: &Part| Part { flow: Flow { when: None, ..part.flow.clone() }, ..part.clone() };
    let parts: Vec<Part> = parts.iter().map(asked_nothing).collect();
    let plan = world.plan(&parts, Some(fault));
    let ended = execute(INCIDENT, &plan, &mut journal, &Timeless, Drive::Fresh).await;
    let ended = ended.map_err(|e| e.to_string())?;
    let undone = journal.facts.iter().filter(|fact| matches!(fact.event, StepEvent::Undone { .. }));
    let undone = undone.map(|fact| fact.step.clone()).collect();
    Ok(Played { ended, undone, as_before: world.standing() == before })
}

/// The name of a rehearsal's incident.
const INCIDENT: &str = "rehearsal";

/// A gate that is always open, and whose clock has always rung: whatever is not ready at once takes too long.
pub(crate) struct Timeless;

impl Gate for Timeless {
    fn may_act(&self) -> Result<(), String> {
        Ok(())
    }

    fn sleep(&self, _: std::time::Duration) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
