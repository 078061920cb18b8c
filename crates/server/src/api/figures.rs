//! The figures, counted anew at most every few seconds: a count looks at every incident of its window.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use regreen_ledger::{Ledger, LedgerError, Metrics};

use crate::fresh::{Counted, Fresh, Terms};

/// Nobody waits longer than this for a count, however many wait and whatever the ledger does.
const TERMS: Terms = Terms {
    kept: 15_000,
    // Whoever asks wants what holds now: an old count is shown only where a new one takes long.
    shown: 15_000,
    patience: Duration::from_secs(5),
    oldest: 600_000,
    at_most: Duration::from_secs(20),
};
/// Most windows whose count is kept; then all begin anew but that of everything.
const WINDOWS: usize = 64;
/// Days of history.
pub(super) const DAYS: u32 = 90;
const DAY_MS: i64 = 86_400_000;

/// Each day with its figures, as days since 1970.
type Days = Vec<(i64, Metrics)>;

/// Counted figures. Whoever asks while they are counted waits for them, and counts nothing.
#[derive(Default)]
pub(crate) struct Figures {
    windows: Mutex<HashMap<Option<u32>, Fresh<Metrics>>>,
    days: Fresh<Days>,
}

impl Figures {
    /// Those of the last so many days, or of all that is on record; and when they were counted.
    pub(super) async fn of(
        &self,
        ledger: &Ledger,
        days: Option<u32>,
        now: i64,
    ) -> Result<Counted<Metrics>, LedgerError> {
        let window = days.map(|days| i64::from(days).saturating_mul(DAY_MS));
        let ledger = ledger.clone();
        self.window(days).get(now, &TERMS, async move { ledger.metrics(now, window).await }).await
    }

    /// Those of each of the last days on which something failed, oldest first; and when they were counted.
    pub(super) async fn days(&self, ledger: &Ledger, now: i64) -> Result<Counted<Days>, LedgerError> {
        let ledger = ledger.clone();
        self.days.get(now, &TERMS, async move { history(&ledger).await }).await
    }

    fn window(&self, days: Option<u32>) -> Fresh<Metrics> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS && !windows.contains_key(&days) {
            windows.retain(|of, _| of.is_none());
        }
        windows.entry(days).or_default().clone()
    }
}

/// The figures of each of the last ninety days on which something failed, oldest first.
///
/// # Errors
/// Where the ledger, or a record, can't be read.
pub async fn history(ledger: &Ledger) -> Result<Vec<(i64, Metrics)>, LedgerError> {
    let mut history = Vec::new();
    for day in ledger.days(DAYS).await? {
        let begin = day.saturating_mul(DAY_MS);
        history.push((day, ledger.metrics_between(begin, begin.saturating_add(DAY_MS)).await?));
    }
    Ok(history)
}
