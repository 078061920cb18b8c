//! The figures as other programs take them: version 1 of Regreen's own shape, Prometheus' text format, and the metrics
//! file of the system that Regreen follows. No data is `null`, or no sample at all; never a number.

use regreen_ledger::Metrics;
use regreen_server::shape::{MetricsV1, OriginalMetrics, Worth};

use super::print::line;

/// One object.
pub fn json(m: &Metrics, worth: &Worth, audit_head: &str) -> String {
    line(&MetricsV1::of(m, worth, audit_head))
}

/// Prometheus' text exposition format.
pub fn prometheus(m: &Metrics, worth: &Worth, audit_head: &str) -> String {
    regreen_server::shape::prometheus(m, worth, audit_head).text()
}

/// The metrics file of the system that Regreen follows. `history` has the days on which something failed.
pub fn original(m: &Metrics, history: &[(i64, Metrics)]) -> String {
    serde_json::to_string_pretty(&OriginalMetrics::of(m, history)).unwrap_or_default() + "\n"
}
