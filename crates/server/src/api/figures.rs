//! The figures, counted anew at most every few seconds: a count looks at every incident of its window.

use std::{collections::HashMap, sync::Arc};

use regreen_ledger::{Ledger, LedgerError, Metrics};
use tokio::sync::Mutex;

/// How old they may be, in milliseconds.
const FRESH_MS: i64 = 15_000;
/// Days of history.
const DAYS: u32 = 90;
const DAY_MS: i64 = 86_400_000;

/// Each day with its figures, as days since 1970.
pub(super) type Days = Arc<Vec<(i64, Metrics)>>;

/// Figures, and when they were counted.
type Counted = (i64, Arc<Metrics>);

/// Counted figures. Whoever asks while they are counted waits for them, and counts nothing.
#[derive(Default)]
pub(crate) struct Figures {
    windows: Mutex<HashMap<Option<u32>, Counted>>,
    days: Mutex<Option<(i64, Days)>>,
}

fn is_fresh(at: i64, now: i64) -> bool {
    (0..FRESH_MS).contains(&now.saturating_sub(at))
}

impl Figures {
    /// Those of the last so many days, or of all that is on record; and when they were counted.
    pub(super) async fn of(
        &self,
        ledger: &Ledger,
        days: Option<u32>,
        now: i64,
    ) -> Result<Counted, LedgerError> {
        let mut windows = self.windows.lock().await;
        if let Some((at, counted)) = windows.get(&days).filter(|(at, _)| is_fresh(*at, now)) {
            return Ok((*at, counted.clone()));
        }
        let window = days.map(|days| i64::from(days).saturating_mul(DAY_MS));
        let counted = Arc::new(ledger.metrics(now, window).await?);
        windows.retain(|_, (at, _)| is_fresh(*at, now));
        windows.insert(days, (now, counted.clone()));
        Ok((now, counted))
    }

    /// Those of each of the last days on which something failed, oldest first.
    pub(super) async fn days(&self, ledger: &Ledger, now: i64) -> Result<Days, LedgerError> {
        let mut days = self.days.lock().await;
        if let Some((_, counted)) = days.as_ref().filter(|(at, _)| is_fresh(*at, now)) {
            return Ok(counted.clone());
        }
        let counted = Arc::new(history(ledger).await?);
        *days = Some((now, counted.clone()));
        Ok(counted)
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
