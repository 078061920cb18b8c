//! What is old goes: `regreen ledger prune`, by the clock.

use regreen_engine::EngineError;

use super::{Ended, Worker, millis};
use crate::{happening::Happening, memory::chain};

/// Until another node is let take it, in milliseconds.
const AGAIN: i64 = 60_000;

impl Worker {
    pub(super) async fn prune(&self) -> Result<Ended, EngineError> {
        let now = (self.clock)();
        // Listed by a node that is told otherwise than this one: it is left to such a one.
        let Some(keep) = self.pace.keep else { return Ok(Ended::Again(now.saturating_add(AGAIN))) };
        let gone = self.ledger.prune(now.saturating_sub(millis(keep)), "schedule", now).await?;
        // After the ledger, so that a store that fails keeps nothing of that back; the next day's tries again.
        let logs = match self.ledger.sweep_logs(now).await {
            Ok(swept) => gone.logs + swept.map_or(0, |swept| swept.gone),
            Err(e) => {
                let why = chain(&e);
                self.log.tell(&Happening::WorkFailed { key: "prune".to_owned(), why });
                gone.logs
            }
        };
        self.log.tell(&Happening::Pruned { incidents: gone.incidents, work: gone.work, logs });
        Ok(Ended::Done("pruned".to_owned(), Vec::new()))
    }
}
