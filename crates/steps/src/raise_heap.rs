//! `raise-heap`: a larger heap for the runtime that used up its own, within what the machine has, for the repeated command
//! only. Inert.

use std::sync::Arc;

use regreen_domain::Resource;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{memory::Memory, space::human};
use serde::{Deserialize, Serialize};

use crate::{added::Added, world::World};

/// The step.
pub(crate) struct RaiseHeap(pub(crate) Arc<World>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

/// The heap as it is and as it shall be, in bytes.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    from: u64,
    to: u64,
}

/// What the repeated command gets.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    overlay: Added,
    /// What was done, in a clause.
    said: String,
}

/// A program that needs more than four times as much has another trouble.
const MOST_TIMES: u64 = 4;
/// This much is always tried, where the machine has it.
const ALWAYS: u64 = 4 << 30;

/// How large the heap may become: three quarters of what can be had now.
fn larger(limit: u64, available: u64) -> Option<u64> {
    let to = (available / 4 * 3).min((limit * MOST_TIMES).max(ALWAYS));
    (to > limit / 4 * 5).then_some(to)
}

impl Step for RaiseHeap {
    const KIND: &'static str = "raise-heap";
    const EXPLAIN: &'static str = "Gives the runtime that used up its heap (Node, Java, Composer's PHP) a larger one, at most three quarters of the memory that is available, in the repeated command only. What is set already stays in front of it.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<Before, Refused> {
        let no = |why: &str| Refused(why.to_owned());
        if self.0.cause.resource != Some(Resource::Heap) {
            return Err(no("no runtime used up its own limit"));
        }
        let runtime = self.0.cause.runtime.ok_or_else(|| no("it is not known how this runtime gets more"))?;
        let memory = Memory::now().ok_or_else(|| no("the kernel does not say how much memory there is"))?;
        let from = runtime.limit(&self.0.job, memory);
        let to = larger(from, memory.available).ok_or_else(|| {
            let (limit, has) = (human(from), human(memory.available));
            Refused(format!("the limit is about {limit}, and the machine has no more than {has} to give"))
        })?;
        Ok(Before { from, to })
    }

    async fn apply(&self, _: &Touch, _: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let runtime =
            self.0.cause.runtime.ok_or_else(|| ApplyError::no_effect("the runtime is not known"))?;
        let overlay = runtime.raised(&self.0.job, before.to);
        let said = format!("raised the heap from about {} to {}", human(before.from), human(before.to));
        (self.0.progress)(&said);
        Ok(Receipt { overlay: overlay.into(), said })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, _: &Before, _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::larger;

    #[test]
    fn a_heap_grows_within_what_the_machine_has_or_not_at_all() {
        let gib = 1 << 30;
        assert_eq!(larger(2 * gib, 32 * gib), Some(8 * gib));
        assert_eq!(larger(64 << 20, 32 * gib), Some(4 * gib));
        assert_eq!(larger(2 * gib, 4 * gib), Some(3 * gib));
        assert_eq!(larger(2 * gib, 3 * gib), None);
    }
}
