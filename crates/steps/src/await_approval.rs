//! `await-approval`: a person must agree before the plan goes on. Inert; its whole work is to wait.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

use crate::world::World;

/// The step.
pub(crate) struct AwaitApproval(pub(crate) Arc<World>);

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    ask: String,
}

/// Who agreed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// A name, or `--yes`.
    by: String,
    /// Milliseconds waited.
    waited_ms: u64,
    /// What was done, in a clause.
    said: String,
}

/// Time between two looks for an answer.
const BETWEEN: Duration = Duration::from_millis(500);

impl Step for AwaitApproval {
    const KIND: &'static str = "await-approval";
    const EXPLAIN: &'static str = "Waits for a person's word in the middle of a plan: `regreen approve INCIDENT` from another terminal lets it go on, `regreen deny INCIDENT` or the end of the time for recovery turns it back. `--yes` agrees at once. Changes nothing.";
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = ();
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<(), Refused> {
        match args.ask.trim() {
            "" => Err(Refused("it does not say what to agree to".to_owned())),
            _ => Ok(()),
        }
    }

    async fn apply(&self, touch: &Touch, args: &Args, (): &()) -> Result<Receipt, ApplyError> {
        if self.0.yes {
            let (by, said) = ("--yes".to_owned(), "was told --yes".to_owned());
            return Ok(Receipt { by, waited_ms: 0, said });
        }
        let begun = Instant::now();
        let mut told = false;
        loop {
            let answer = self.0.approvals.ask(&touch.step, &args.ask).await.map_err(ApplyError::NoEffect)?;
            if let Some(answer) = answer {
                let by = answer.by;
                if !answer.granted {
                    let reason = answer.reason.map_or(String::new(), |reason| format!(": {reason}"));
                    return Err(ApplyError::no_effect(format!("denied by {by}{reason}")));
                }
                let waited_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                let said = format!("was approved by {by}");
                return Ok(Receipt { by, waited_ms, said });
            }
            let left = self.0.time_left();
            if left.is_zero() {
                return Err(ApplyError::no_effect("nobody approved it within the time for recovery"));
            }
            if !told {
                told = true;
                let id = &touch.incident;
                (self.0.progress)(&format!(
                    "{}; waiting for `regreen approve {id}` or `regreen deny {id}` from another terminal, for {:.0} s \
                     at most",
                    args.ask,
                    left.as_secs_f64().ceil()
                ));
            }
            tokio::time::sleep(BETWEEN.min(left)).await;
        }
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, (): &(), _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}
