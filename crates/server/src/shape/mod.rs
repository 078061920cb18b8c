//! Version 1 of the shapes in which what is on record leaves the process: the same for the command line and for HTTP.

mod breaker;

pub use breaker::{BreakerV1, breaker_key};

/// A moment for people and programs: RFC 3339 in UTC.
pub fn moment(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
}
