//! Version 1 of the shape of a circuit breaker: one object a line.

use regreen_ledger::{Breaker, BreakerKey, BreakerState};
use serde::Serialize;

use super::print::{line, moment, table};

#[derive(Debug, Serialize)]
struct BreakerV1<'a> {
    version: u32,
    key: String,
    class: &'a str,
    service: &'a str,
    repository: &'a str,
    state: &'static str,
    failures: u32,
    until: Option<String>,
    probe: Option<&'a str>,
    last_at: String,
}

/// A breaker's name on the command line. Class and service hold no `/`, so it can be read back.
pub fn key(key: &BreakerKey) -> String {
    format!("{}/{}/{}", key.class, key.service, key.repository)
}

/// One object a line.
pub fn json(breakers: &[Breaker]) -> String {
    breakers.iter().map(|b| line(&shape(b))).collect()
}

/// A line a breaker.
pub fn plain(breakers: &[Breaker]) -> String {
    let row = |b: &Breaker| {
        let shape = shape(b);
        let state = match (&shape.until, shape.probe) {
            (Some(until), _) => format!("{} until {until}", shape.state),
            (None, Some(probe)) => format!("{}, probed by {probe}", shape.state),
            (None, None) => shape.state.to_owned(),
        };
        let failures =
            if b.failures == 1 { "1 failure".to_owned() } else { format!("{} failures", b.failures) };
        [shape.key, failures, state]
    };
    table(&breakers.iter().map(row).collect::<Vec<_>>())
}

fn shape(b: &Breaker) -> BreakerV1<'_> {
    let (state, until, probe) = match &b.state {
        BreakerState::Closed => ("closed", None, None),
        BreakerState::Open { until } => ("open", Some(moment(*until)), None),
        BreakerState::HalfOpen { probe } => ("half-open", None, probe.as_deref()),
    };
    BreakerV1 {
        version: 1,
        key: key(&b.key),
        class: &b.key.class,
        service: &b.key.service,
        repository: &b.key.repository,
        state,
        failures: b.failures,
        until,
        probe,
        last_at: moment(b.last_at),
    }
}
