//! What `bench throughput` measured.

use std::time::Duration;

use serde_json::json;

use super::print::{line, table};

/// One thing that was timed.
#[derive(Debug)]
pub struct Measured {
    /// What was done.
    pub what: &'static str,
    /// With how many bytes.
    pub bytes: u64,
    /// How long the fastest run took.
    pub took: Duration,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.bytes as f64 / 1e6 / self.took.as_secs_f64().max(1e-9)
    }
}

/// For people.
pub fn plain(all: &[Measured], runs: u32) -> String {
    let row = |m: &Measured| {
        let size = format!("{:.1} MB", m.bytes as f64 / 1e6);
        let took = format!("{:.1} ms", m.took.as_secs_f64() * 1e3);
        [m.what.to_owned(), size, took, format!("{:.0} MB/s", m.rate())]
    };
    let rows: Vec<[String; 4]> = all.iter().map(row).collect();
    format!("{}the fastest of {runs} runs\n", table(&rows))
}

/// For programs: one object.
pub fn json(all: &[Measured], runs: u32) -> String {
    let each = |m: &Measured| {
        json!({
            "what": m.what,
            "bytes": m.bytes,
            "ms": (m.took.as_secs_f64() * 1e6).round() / 1e3,
            "mb_per_s": m.rate().round(),
        })
    };
    line(&json!({ "version": 1, "runs": runs, "measured": all.iter().map(each).collect::<Vec<_>>() }))
}
