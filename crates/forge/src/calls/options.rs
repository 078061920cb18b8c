//! How a client behaves.

use crate::{Backoff, Bounds};

/// How a client behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The share of the host's limit that is left to others, from 0 to 1.
    pub reserve: f64,
    /// How reads are tried again.
    pub backoff: Backoff,
    /// How large answers may be.
    pub bounds: Bounds,
    /// Calls at once.
    pub at_once: usize,
    /// How long one call may take; a log or an archive ten times as long.
    pub limit: std::time::Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            reserve: 0.2,
            backoff: Backoff::default(),
            bounds: Bounds::default(),
            at_once: 8,
            limit: std::time::Duration::from_secs(30),
        }
    }
}
