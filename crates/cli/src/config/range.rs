//! What single settings may be, with the sentence for one that is out of range.

use std::time::Duration;

/// Longest recovery that can be configured.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 3600);

pub(super) const MODES: &str = "mode is one of observe, suggest, approve, auto";
pub(super) const THRESHOLD: &str = "confidence-threshold is a number from 0.5 to 1";
pub(super) const ATTEMPTS: &str = "max-recovery-attempts is a whole number from 0 to 20";
pub(super) const TIMEOUT: &str = "recovery-timeout is a duration from 1s to 24h, e.g. \"5m\"";
pub(super) const BREAKER: &str = "circuit-breaker-threshold is a whole number from 1 to 100";

pub(super) fn threshold(value: f64) -> Option<f64> {
    (0.5..=1.0).contains(&value).then_some(value)
}

pub(super) fn attempts(value: u32) -> Option<u32> {
    (value <= 20).then_some(value)
}

pub(super) fn timeout(text: &str) -> Option<Duration> {
    // The original system's variable is a plain number of seconds.
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => humantime::parse_duration(text).ok()?,
    };
    (Duration::from_secs(1)..=LONGEST).contains(&duration).then_some(duration)
}
