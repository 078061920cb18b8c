//! Version 1 of the shape of a circuit breaker.

use regreen_ledger::{Breaker, BreakerEvent, BreakerKey, BreakerState};
use serde::Serialize;
use utoipa::ToSchema;

use super::moment;

/// A circuit breaker
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Breaker)]
pub struct BreakerV1 {
    /// Version of this shape
    pub version: u32,
    /// Its name: CLASS/SERVICE/REPOSITORY
    pub key: String,
    /// The class of failure
    pub class: String,
    /// The service or tool; empty where the class has none
    pub service: String,
    /// The repository, or the workspace where there is none
    pub repository: String,
    /// `closed`, `open` or `half-open`
    pub state: &'static str,
    /// Consecutive failures
    pub failures: u32,
    /// Until when it is open
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// The incident that tries whether it works again
    pub probe: Option<String>,
    /// When something last happened to it
    #[schema(format = DateTime)]
    pub last_at: String,
}

/// Something that happened to a circuit breaker
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BreakerEvent)]
pub struct BreakerEventV1 {
    /// When
    #[schema(format = DateTime)]
    pub at: String,
    /// `success`, `failure`, `abandoned` (called off before it could tell), `probe` (let through to see whether it works again)
    /// or `reset` (closed by a person)
    pub event: String,
    /// The incident; null where it was a person
    pub incident: Option<String>,
    /// Who closed it; null where it was no person, or that came from another ledger
    pub actor: Option<String>,
}

impl From<&BreakerEvent> for BreakerEventV1 {
    fn from(event: &BreakerEvent) -> BreakerEventV1 {
        BreakerEventV1 {
            at: moment(event.place.at),
            event: event.event.clone(),
            incident: (!event.incident.is_empty()).then(|| event.incident.clone()),
            actor: event.actor.clone(),
        }
    }
}

/// A breaker's name. Class and service hold no `/`, so it can be read back.
pub fn breaker_key(key: &BreakerKey) -> String {
    format!("{}/{}/{}", key.class, key.service, key.repository)
}

/// The breaker of this name; `None` where it is no such name.
pub(crate) fn named_breaker(key: &str) -> Option<BreakerKey> {
    let mut parts = key.splitn(3, '/').map(str::to_owned);
    Some(BreakerKey { class: parts.next()?, service: parts.next()?, repository: parts.next()? })
}

impl From<&Breaker> for BreakerV1 {
    fn from(breaker: &Breaker) -> BreakerV1 {
        let (state, until, probe) = match &breaker.state {
            BreakerState::Closed => ("closed", None, None),
            BreakerState::Open { until } => ("open", Some(moment(*until)), None),
            BreakerState::HalfOpen { probe } => ("half-open", None, probe.clone()),
        };
        let BreakerKey { class, service, repository } = breaker.key.clone();
        BreakerV1 {
            version: 1,
            key: breaker_key(&breaker.key),
            class,
            service,
            repository,
            state,
            failures: breaker.failures,
            until,
            probe,
            last_at: moment(breaker.last_at),
        }
    }
}
