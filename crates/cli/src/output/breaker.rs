//! Circuit breakers: one object a line, or a line a breaker.

use regreen_ledger::Breaker;
use regreen_server::shape::BreakerV1;
pub use regreen_server::shape::breaker_key as key;

use super::print::{line, table};

/// One object a line.
pub fn json(breakers: &[Breaker]) -> String {
    breakers.iter().map(|b| line(&BreakerV1::from(b))).collect()
}

/// A line a breaker.
pub fn plain(breakers: &[Breaker]) -> String {
    let row = |b: &Breaker| {
        let shape = BreakerV1::from(b);
        let state = match (&shape.until, &shape.probe) {
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
