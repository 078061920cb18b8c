//! How the ways out to people do, as pages show it: all of them on *Settings*, those that fail on *Now*.

use regreen_ledger::{LedgerError, SinkRecord};

use super::{
    House,
    badge::Badge,
    words::{When, count, shown},
};
use crate::api::sink_names;

/// A way out to people.
pub(super) struct SinkRow {
    pub(super) badge: Badge,
    pub(super) name: String,
    /// Empty where no sink of this name is configured here.
    pub(super) kind: &'static str,
    pub(super) sent: Option<When>,
    pub(super) failed: Option<When>,
    pub(super) why: String,
    pub(super) waiting: String,
    pub(super) given_up: String,
    /// Since when none was taken.
    pub(super) failing: Option<When>,
}

/// Each of them, by name.
pub(super) async fn rows(house: &House, now: i64) -> Result<Vec<SinkRow>, LedgerError> {
    let configured = &house.pages.sinks;
    let row = |one: SinkRecord| SinkRow {
        badge: match (one.is_failing(), one.sent_at) {
            (true, _) => Badge::new("bad", "fails"),
            (false, Some(_)) => Badge::new("good", "takes them"),
            (false, None) => Badge::new("still", "not used yet"),
        },
        kind: configured.get(&one.name).copied().unwrap_or_default(),
        name: shown(&one.name),
        sent: one.sent_at.map(|at| When::new(at, now)),
        failed: one.failed_at.map(|at| When::new(at, now)),
        why: shown(one.why.as_deref().unwrap_or_default()),
        waiting: count(one.waiting),
        given_up: count(one.given_up),
        failing: one.failing_since.map(|at| When::new(at, now)),
    };
    Ok(house.ledger().sinks(&sink_names(configured)).await?.into_iter().map(row).collect())
}

/// Those that fail.
pub(super) async fn failing(house: &House, now: i64) -> Result<Vec<SinkRow>, LedgerError> {
    let all = rows(house, now).await?;
    Ok(all.into_iter().filter(|row| row.failing.is_some()).collect())
}
