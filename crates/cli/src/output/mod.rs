//! What leaves the process: versioned shapes of their own, away from the domain's types.

pub mod accuracy;
pub mod breaker;
pub mod cache;
#[cfg(feature = "demo")]
pub mod healing;
pub mod incident;
pub mod itself;
pub mod json;
pub mod known;
pub mod ledger;
pub mod lockfile;
pub mod manual;
pub mod metrics;
pub mod pass;
pub mod print;
pub mod rehearsed;
pub mod replay;
pub mod report;
pub mod status;
pub mod step;
pub mod throughput;
pub mod token;
