//! Which tokens and sessions there are, by their ids: so that of a flood of made-up ones none is looked up, and each that is
//! there goes on. Read anew once a second at most, however many ask.

use std::collections::HashSet;

use regreen_ledger::{Ledger, LedgerError};
use tokio::sync::Mutex;

/// So long what was read is not read anew, in milliseconds.
const KEPT_MS: i64 = 1_000;

/// The ids that were there, and when.
#[derive(Default)]
pub(super) struct Ids(Mutex<Option<(i64, HashSet<String>)>>);

impl Ids {
    /// Whether a token or session with this id was there at most a second ago.
    ///
    /// # Errors
    /// Where the ledger can't be read.
    pub(super) async fn has(&self, ledger: &Ledger, id: &str, now: i64) -> Result<bool, LedgerError> {
        let mut read = self.0.lock().await;
        // A clock that was set back makes nothing last for ever.
        if let Some((at, ids)) = &*read
            && (0..KEPT_MS).contains(&now.saturating_sub(*at))
        {
            return Ok(ids.contains(id));
        }
        let ids: HashSet<String> = ledger.token_ids(now).await?.into_iter().collect();
        let has = ids.contains(id);
        *read = Some((now, ids));
        Ok(has)
    }
}
