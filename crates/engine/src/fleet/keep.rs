//! The logs of failed jobs, kept with their incident for whoever looks at it later.

use regreen_forge::Job;
use regreen_ledger::LedgerError;

use crate::{
    error::EngineError,
    fleet::{Fleet, Hand},
};

impl Fleet {
    /// Keeps the log of a job that failed; `number` is how many before it have its name. A store that fails costs the log and
    /// nothing else.
    pub(super) async fn keep_log(
        &self,
        hand: &Hand<'_>,
        incident: &str,
        job: &Job,
        number: usize,
        log: &[u8],
    ) -> Result<(), EngineError> {
        if !self.config.keep_logs || log.is_empty() {
            return Ok(());
        }
        let name = match number {
            0 => job.name.clone(),
            n => format!("{} #{}", job.name, n + 1),
        };
        let text = String::from_utf8_lossy(log);
        match hand.ledger.keep_log(incident, &name, &text, (hand.now)()).await {
            // It is told by whoever has the store.
            Ok(_) | Err(LedgerError::LogStore { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}
