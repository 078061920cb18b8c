//! What leaves the process: versioned shapes of their own, away from the domain's types.

pub mod accuracy;
pub mod json;
pub mod plain;
