//! What leaves the process: versioned shapes of their own, away from the domain's types.

pub mod accuracy;
pub mod breaker;
pub mod incident;
pub mod json;
pub mod known;
pub mod manual;
pub mod metrics;
pub mod print;
pub mod replay;
pub mod status;
pub mod throughput;
