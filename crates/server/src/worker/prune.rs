//! What is old goes: `regreen ledger prune`, by the clock.

use regreen_engine::EngineError;

use super::{DAY, Ended, Worker};
use crate::{happening::Happening, memory::chain};

impl Worker {
    pub(super) async fn prune(&self, keep_days: u32) -> Result<Ended, EngineError> {
        let now = (self.clock)();
        let before = now.saturating_sub(i64::from(keep_days).saturating_mul(DAY));
        let gone = self.ledger.prune(before, "schedule", now).await?;
        // After the ledger, so that a store that fails keeps nothing of that back; the next day's tries again.
        let logs = match self.ledger.sweep_logs(now).await {
            Ok(swept) => gone.logs + swept.map_or(0, |swept| swept.gone),
            Err(e) => {
                self.log.tell(&Happening::WorkFailed { key: "prune".to_owned(), why: chain(&e) });
                gone.logs
            }
        };
        self.log.tell(&Happening::Pruned { incidents: gone.incidents, work: gone.work, logs });
        Ok(Ended::Done("pruned".to_owned(), Vec::new()))
    }
}
