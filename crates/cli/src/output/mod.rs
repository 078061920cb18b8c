//! What leaves the process: versioned shapes of their own, away from the domain's types.

pub mod accuracy;
pub mod breaker;
pub mod diagnosed;
pub mod github;
pub mod harmless;
pub mod incident;
pub mod json;
pub mod known;
pub mod manual;
pub mod markdown;
pub mod metrics;
pub mod plain;
pub mod print;
pub mod replay;
pub mod report;
pub mod sarif;
pub mod status;
pub mod throughput;
