//! The targets of the system that Regreen follows, each beside what was measured: the value, its n, and pass, miss or
//! no data.

use regreen_ledger::{Metrics, Rate};

/// A target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its key in machine output.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What more has to be said of what is measured; empty where the name says it.
    pub note: &'static str,
    /// The bound for people.
    pub bound: &'static str,
    /// The bound: a share from 0 to 1, or seconds.
    pub limit: f64,
    unit: Unit,
    side: Side,
    measure: fn(&Metrics) -> Option<(f64, u64)>,
    /// Where it is a share of counted cases: with its interval.
    rate: fn(&Metrics) -> Option<Rate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Share,
    Seconds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtLeast,
    Under,
}

/// What was measured of a target.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Value and number of cases; `None` without data.
    pub value: Option<(f64, u64)>,
    /// `pass`, `miss` or `no data`.
    pub verdict: &'static str,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target {
        id: "detection_accuracy",
        name: "detection accuracy",
        note: "",
        bound: "at least 95 %",
        limit: 0.95,
        unit: Unit::Share,
        side: Side::AtLeast,
        measure: |m| m.accuracy.map(|r| (r.share, r.n)),
        rate: |m| m.accuracy,
    },
    Target {
        id: "false_positive_rate",
        name: "false positives",
        note: "",
        bound: "under 5 %",
        limit: 0.05,
        unit: Unit::Share,
        side: Side::Under,
        measure: |m| m.false_positives.map(|r| (r.share, r.n)),
        rate: |m| m.false_positives,
    },
    Target {
        id: "mean_detection_time",
        name: "mean detection time",
        note: "",
        bound: "under 120 s",
        limit: 120.0,
        unit: Unit::Seconds,
        side: Side::Under,
        measure: |m| Some((m.mean_detect_ms? / 1000.0, m.detect?.n)),
        rate: |_| None,
    },
    Target {
        id: "detection_latency",
        name: "detection latency (p95)",
        note: "",
        bound: "under 30 s",
        limit: 30.0,
        unit: Unit::Seconds,
        side: Side::Under,
        measure: |m| m.detect.map(|s| (s.p95 as f64 / 1000.0, s.n)),
        rate: |_| None,
    },
    Target {
        id: "mean_recovery_time",
        name: "mean recovery time",
        note: "",
        bound: "under 300 s",
        limit: 300.0,
        unit: Unit::Seconds,
        side: Side::Under,
        measure: |m| Some((m.mean_recovery_ms? / 1000.0, m.recovery?.n)),
        rate: |_| None,
    },
    Target {
        id: "success_rate",
        name: "recovery success",
        note: "",
        bound: "at least 90 %",
        limit: 0.9,
        unit: Unit::Share,
        side: Side::AtLeast,
        measure: |m| m.success.map(|r| (r.share, r.n)),
        rate: |m| m.success,
    },
    Target {
        id: "engine_overhead",
        name: "overhead on failed jobs",
        note: "from their end to the decision, over their own time; what passes is not counted",
        bound: "under 2 %",
        limit: 0.02,
        unit: Unit::Share,
        side: Side::Under,
        measure: |m| m.overhead.map(|o| (o.share, o.n)),
        rate: |_| None,
    },
];

impl Target {
    /// What was measured of it.
    pub fn measured(&self, metrics: &Metrics) -> Measured {
        let value = (self.measure)(metrics);
        Measured { value, verdict: value.map_or("no data", |(value, _)| self.judge(value)) }
    }

    /// The ends of the 95 % Wilson interval of what was measured; `None` without data, or where it is no share of counted cases.
    pub fn interval(&self, metrics: &Metrics) -> Option<(f64, f64)> {
        (self.rate)(metrics).map(|rate| (rate.low, rate.high))
    }

    fn judge(&self, value: f64) -> &'static str {
        let met = match self.side {
            Side::AtLeast => value >= self.limit,
            Side::Under => value < self.limit,
        };
        if met { "pass" } else { "miss" }
    }

    /// A value for people.
    pub fn show(&self, value: f64) -> String {
        match self.unit {
            Unit::Share => format!("{:.1} %", value * 100.0),
            Unit::Seconds => format!("{value:.2} s"),
        }
    }

    /// `share` or `seconds`.
    pub const fn unit(&self) -> &'static str {
        match self.unit {
            Unit::Share => "share",
            Unit::Seconds => "seconds",
        }
    }

    /// `at-least` or `under`.
    pub const fn side(&self) -> &'static str {
        match self.side {
            Side::AtLeast => "at-least",
            Side::Under => "under",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_data_nothing_passes_and_nothing_misses() {
        for target in TARGETS {
            let measured = target.measured(&Metrics::default());
            assert_eq!((measured.value, measured.verdict), (None, "no data"), "{}", target.id);
        }
    }

    #[test]
    fn the_bound_itself_passes_where_at_least_is_said_and_misses_where_under_is() {
        for target in TARGETS {
            let on_bound = if target.side == Side::AtLeast { "pass" } else { "miss" };
            assert_eq!(target.judge(target.limit), on_bound, "{}", target.id);
        }
    }
}
