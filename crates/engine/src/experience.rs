//! What happened before, as decisions read it.

use regreen_decide::{Breaker, Record, Spent};
use regreen_domain::{Diagnosis, Outcome, Tool};
use regreen_ledger::{BreakerState, Cost, Ledger, PlaybookRecord, RecordsOf, Whose};

use crate::error::EngineError;

const HOUR_MS: i64 = 60 * 60 * 1000;

/// How playbooks did with this cause in this repository, and what recovery has cost there. `incident` is the one that asks.
pub(crate) async fn experience(
    ledger: &Ledger,
    repository: Option<&str>,
    diagnosis: &Diagnosis,
    incident: &str,
    now: i64,
) -> Result<(Vec<Record>, Spent), EngineError> {
    let of = RecordsOf {
        class: diagnosis.class.id(),
        pattern: diagnosis.pattern.as_deref(),
        tool: diagnosis.tool.as_ref().map(Tool::as_str),
        repository,
        except: incident,
    };
    let records = ledger.records(&of, Record::MOST).await?;
    let spent = spent(ledger.spent(repository, incident, now - 24 * HOUR_MS, now - HOUR_MS).await?);
    let record = |r: PlaybookRecord| Record {
        last: Outcome::parse(&r.last_outcome),
        playbook: r.playbook,
        healed: r.healed,
        failed: r.failed,
        pattern_healed: r.pattern_healed,
        pattern_failed: r.pattern_failed,
        last_try: r.last_try,
    };
    Ok((records.into_iter().map(record).collect(), spent))
}

/// What recovery beside the fleet has cost in this repository, or in all of its organisation.
pub(crate) async fn ran(
    ledger: &Ledger,
    whose: Whose<'_>,
    incident: &str,
    now: i64,
) -> Result<Spent, EngineError> {
    Ok(spent(ledger.ran(whose, incident, (now - 24 * HOUR_MS, now - HOUR_MS), now).await?))
}

fn spent(cost: Cost) -> Spent {
    Spent { day_ms: cost.ms, day: cost.day, hour: cost.hour }
}

/// A breaker as decisions see it.
pub(crate) const fn seen(state: &BreakerState) -> Breaker {
    match state {
        BreakerState::Open { .. } | BreakerState::HalfOpen { probe: Some(_) } => Breaker::Open,
        BreakerState::Closed | BreakerState::HalfOpen { probe: None } => Breaker::Closed,
    }
}
