//! What a person switches beside the fleet: the kill switch and the breakers; and what they say a failure was.

use regreen_domain::FailureClass;
use regreen_ledger::{BreakerKey, BreakerPolicy, Ledger, LedgerError};

use crate::shape::breaker_key;

/// Stands where a pause was given no reason.
const NO_REASON: &str = "no reason was given";

/// Nothing is healed in this scope ([`regreen_engine::pause_scope`]) from now on; `false` where it was paused already, and
/// stays as it is.
///
/// # Errors
/// Where the ledger can't be read or written.
pub async fn pause(
    ledger: &Ledger,
    scope: &str,
    actor: &str,
    reason: Option<&str>,
    now: i64,
) -> Result<bool, LedgerError> {
    let changed = ledger.paused(scope).await?.is_none();
    ledger.pause(scope, actor, reason.unwrap_or(NO_REASON), now).await?;
    Ok(changed)
}

/// Ends the pause of this scope; `false` where there is none.
///
/// # Errors
/// Where the ledger can't be written.
pub async fn unpause(ledger: &Ledger, scope: &str, actor: &str, now: i64) -> Result<bool, LedgerError> {
    ledger.unpause(scope, actor, now).await
}

/// Closes the breaker of this name ([`breaker_key`]): healing may be tried again at once. `Some(false)` where a person has
/// closed it already, `None` where there is no such breaker.
///
/// # Errors
/// Where the ledger can't be read or written.
pub async fn reset(
    ledger: &Ledger,
    policy: BreakerPolicy,
    key: &str,
    actor: &str,
    now: i64,
) -> Result<Option<bool>, LedgerError> {
    let all = ledger.breakers(policy, now).await?;
    let Some(breaker) = all.into_iter().find(|one| breaker_key(&one.key) == key) else { return Ok(None) };
    close(ledger, &breaker.key, actor, now).await.map(Some)
}

/// Closes a breaker that is known to be there; `false` where a person has closed it already.
///
/// # Errors
/// Where the ledger can't be read or written.
pub async fn close(ledger: &Ledger, key: &BreakerKey, actor: &str, now: i64) -> Result<bool, LedgerError> {
    ledger.breaker_reset(key, actor, now).await
}

/// Says what an incident really was: detection is measured by it, and the newest word counts.
///
/// # Errors
/// As [`Ledger::feedback`].
pub async fn label(
    ledger: &Ledger,
    id: &str,
    class: FailureClass,
    actor: &str,
    note: Option<&str>,
    now: i64,
) -> Result<(), LedgerError> {
    ledger.feedback(id, class, actor, note, now).await
}
