//! Waiting between tries: exponential, with full jitter, so that many clients do not come back at the same moment.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// How long to wait before trying again.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Up to so long after the first failure; twice that after the second, and so on.
    pub base: Duration,
    /// Never longer.
    pub most: Duration,
    /// So often in all.
    pub tries: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { base: Duration::from_secs(1), most: Duration::from_secs(15), tries: 4 }
    }
}

impl Backoff {
    /// The longest wait after so many failures, from 1.
    fn ceiling(&self, failures: u32) -> Duration {
        self.base.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(self.most)
    }

    /// Waits after so many failures, from 1.
    pub(crate) async fn wait(&self, failures: u32) {
        // A fresh `RandomState` is keyed at random by the standard library.
        let dice = RandomState::new().build_hasher().finish();
        let share = (dice >> 11) as f64 / (1u64 << 53) as f64;
        tokio::time::sleep(self.ceiling(failures).mul_f64(share)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_bound() {
        let backoff = Backoff::default();
        let seconds: Vec<u64> = (1..7).map(|n| backoff.ceiling(n).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15]);
        assert_eq!(backoff.ceiling(u32::MAX), backoff.most);
    }
}
