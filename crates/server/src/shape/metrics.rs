//! Version 1 of the shape of the figures, and the metrics file of the system that Regreen follows. No data is `null`; never a
//! number.

use std::collections::BTreeMap;

use regreen_domain::FailureClass;
use regreen_ledger::{ControlGroup, Metrics, Rate, Spread};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    SavedV1, Worth, moment,
    targets::{TARGETS, Target},
};

const DAY_MS: i64 = 86_400_000;

/// Every figure with the number of cases that it comes from
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Metrics)]
pub struct MetricsV1 {
    /// Version of this shape
    pub version: u32,
    /// Version of Regreen
    pub regreen: &'static str,
    /// Head of the audit chain
    pub audit_head: String,
    /// When they were counted, where that may not be now
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<String>,
    /// Incidents that were opened
    pub incidents: u64,
    /// The same by class
    pub by_class: BTreeMap<String, u64>,
    /// The same by outcome; those that are not over by their state
    pub by_outcome: BTreeMap<String, u64>,
    /// Each target beside what was measured
    pub targets: Vec<TargetV1>,
    /// Of those whose class is known: how many were named right
    pub accuracy: Option<RateV1>,
    /// Of those for which a cure was said and whose class is known: how many were the code's fault
    pub false_positives: Option<RateV1>,
    /// Of the recoveries that were tried: how many healed
    pub success: Option<RateV1>,
    /// Of the recoveries that did not heal: how many were taken back whole
    pub rollback: Option<RateV1>,
    /// Of what was healed: time from the end to the diagnosis. A part of `mttr_ms`; of all incidents `targets` has it
    pub detect_ms: Option<SpreadV1>,
    /// Of what was healed: time from the diagnosis to the decision. A part of `mttr_ms`
    pub decide_ms: Option<SpreadV1>,
    /// Time of a recovery that healed: its steps and its verification
    pub recovery_ms: Option<SpreadV1>,
    /// Of what was healed: time of the steps. A part of `mttr_ms`
    pub act_ms: Option<SpreadV1>,
    /// Of what was healed: time of the verification. A part of `mttr_ms`
    pub verify_ms: Option<SpreadV1>,
    /// Of what was healed: time between those parts, in which it waited for a word, a service or the host. A part of `mttr_ms`
    pub between_ms: Option<SpreadV1>,
    /// Time from the end of a command, or of a run's jobs, until it was known to be healed
    pub mttr_ms: Option<SpreadV1>,
    /// What healing saved; null where no recovery was tried
    pub saved: Option<SavedV1>,
    /// What was left alone by lot, beside what was not
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_group: Option<ControlGroupV1>,
}

/// A target beside what was measured
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Target)]
pub struct TargetV1 {
    /// Its name
    pub name: &'static str,
    /// `share` or `seconds`
    pub unit: &'static str,
    /// `at-least` or `under`
    pub side: &'static str,
    /// The bound
    pub limit: f64,
    /// What was measured
    pub value: Option<f64>,
    /// On how many cases
    pub n: u64,
    /// `pass`, `miss` or `no data`
    pub verdict: &'static str,
}

/// A share of counted cases with its 95 % Wilson interval
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Rate)]
pub struct RateV1 {
    /// Cases that count
    pub hits: u64,
    /// All cases
    pub n: u64,
    /// `hits / n`
    pub share: f64,
    /// Lower end of the interval
    pub low: f64,
    /// Upper end of the interval
    pub high: f64,
}

/// How long something takes, in milliseconds
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Spread)]
pub struct SpreadV1 {
    /// How many were measured
    pub n: u64,
    /// Half of them took at most as long
    pub p50: u64,
    /// 95 of 100 took at most as long
    pub p95: u64,
}

/// What was left alone by lot, beside what was not
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = ControlGroup)]
pub struct ControlGroupV1 {
    /// Left alone by lot
    pub n: u64,
    /// Of those: green all the same
    pub recovered_without: u64,
    /// Of those: failed again
    pub failed_again: u64,
    /// Of those: never seen again
    pub not_seen: u64,
    /// Not left alone
    pub treated: u64,
    /// Of those: healed
    pub healed: u64,
    /// How much more often the one became green than the other
    pub lift: Option<LiftV1>,
}

/// A difference with its 95 % interval
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = Lift)]
pub struct LiftV1 {
    /// The difference
    pub value: f64,
    /// Lower end of the interval
    pub low: f64,
    /// Upper end of the interval
    pub high: f64,
}

impl From<ControlGroup> for ControlGroupV1 {
    fn from(c: ControlGroup) -> ControlGroupV1 {
        ControlGroupV1 {
            n: c.n,
            recovered_without: c.recovered,
            failed_again: c.failed_again,
            not_seen: c.not_seen,
            treated: c.treated,
            healed: c.healed,
            lift: c.lift.map(|l| LiftV1 { value: l.value, low: l.low, high: l.high }),
        }
    }
}

impl From<Rate> for RateV1 {
    fn from(r: Rate) -> RateV1 {
        RateV1 { hits: r.hits, n: r.n, share: r.share, low: r.low, high: r.high }
    }
}

impl From<Spread> for SpreadV1 {
    fn from(s: Spread) -> SpreadV1 {
        SpreadV1 { n: s.n, p50: s.p50, p95: s.p95 }
    }
}

impl TargetV1 {
    /// Of these figures.
    pub fn of(target: &Target, metrics: &Metrics) -> TargetV1 {
        let measured = target.measured(metrics);
        TargetV1 {
            name: target.id,
            unit: target.unit(),
            side: target.side(),
            limit: target.limit,
            value: measured.value.map(|(value, _)| value),
            n: measured.value.map_or(0, |(_, n)| n),
            verdict: measured.verdict,
        }
    }
}

impl MetricsV1 {
    /// With when they were counted.
    pub fn counted(self, at: i64) -> MetricsV1 {
        MetricsV1 { counted_at: Some(moment(at)), ..self }
    }

    /// These figures, where a failure costs this much.
    pub fn of(m: &Metrics, worth: &Worth, audit_head: &str) -> MetricsV1 {
        MetricsV1 {
            version: 1,
            regreen: env!("CARGO_PKG_VERSION"),
            audit_head: audit_head.to_owned(),
            counted_at: None,
            incidents: m.incidents,
            by_class: m.by_class.clone(),
            by_outcome: m.by_outcome.clone(),
            targets: TARGETS.iter().map(|t| TargetV1::of(t, m)).collect(),
            accuracy: m.accuracy.map(RateV1::from),
            false_positives: m.false_positives.map(RateV1::from),
            success: m.success.map(RateV1::from),
            rollback: m.rollback.map(RateV1::from),
            detect_ms: m.repair.detect.map(SpreadV1::from),
            decide_ms: m.repair.decide.map(SpreadV1::from),
            recovery_ms: m.recovery.map(SpreadV1::from),
            act_ms: m.repair.act.map(SpreadV1::from),
            verify_ms: m.repair.verify.map(SpreadV1::from),
            between_ms: m.repair.between.map(SpreadV1::from),
            mttr_ms: m.repair.whole.map(SpreadV1::from),
            saved: m.saved.map(|saved| SavedV1::of(&saved, worth)),
            control_group: m.control.map(ControlGroupV1::from),
        }
    }
}

/// The metrics file of the system that Regreen follows. Shares are from 0 to 1, times in seconds
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OriginalMetrics {
    /// Version of Regreen
    pub version: &'static str,
    /// Over all that is on record
    pub current_metrics: CurrentMetrics,
    /// The bound of each target
    #[schema(value_type = BTreeMap<String, f64>)]
    pub targets: Map<String, Value>,
    /// The days on which something failed, oldest first
    pub history: Vec<OriginalDay>,
}

/// A day on which something failed
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OriginalDay {
    /// The day, in UTC
    #[schema(format = Date)]
    pub date: Option<String>,
    /// Incidents that were opened
    pub incidents: u64,
    /// Over that day
    pub metrics: CurrentMetrics,
}

/// The figures as the original system named them
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CurrentMetrics {
    failure_detection: FailureDetection,
    recovery_orchestration: RecoveryOrchestration,
    performance_metrics: PerformanceMetrics,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct FailureDetection {
    detection_accuracy: Option<f64>,
    mean_detection_time: Option<f64>,
    false_positive_rate: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct RecoveryOrchestration {
    success_rate_target: Option<f64>,
    success_rate: Option<f64>,
    mean_recovery_time: Option<f64>,
    rollback_capability: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct PerformanceMetrics {
    /// Of jobs that failed: the time from their end to the decision, over their own time
    engine_overhead: Option<f64>,
    detection_latency: Option<f64>,
    recovery_efficiency: Option<f64>,
}

impl OriginalMetrics {
    /// Of these figures, and those of each day, as days since 1970.
    pub fn of(m: &Metrics, history: &[(i64, Metrics)]) -> OriginalMetrics {
        let day = |(day, m): &(i64, Metrics)| OriginalDay {
            date: moment(day.saturating_mul(DAY_MS)).get(..10).map(str::to_owned),
            incidents: m.incidents,
            metrics: CurrentMetrics::of(m),
        };
        OriginalMetrics {
            version: env!("CARGO_PKG_VERSION"),
            current_metrics: CurrentMetrics::of(m),
            targets: TARGETS.iter().map(|t| (t.id.to_owned(), Value::from(t.limit))).collect(),
            history: history.iter().map(day).collect(),
        }
    }
}

impl CurrentMetrics {
    fn of(m: &Metrics) -> CurrentMetrics {
        let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
        CurrentMetrics {
            failure_detection: FailureDetection {
                detection_accuracy: m.accuracy.map(|r| r.share),
                mean_detection_time: seconds(m.mean_detect_ms),
                false_positive_rate: m.false_positives.map(|r| r.share),
            },
            recovery_orchestration: RecoveryOrchestration {
                success_rate_target: TARGETS.iter().find(|t| t.id == "success_rate").map(|t| t.limit),
                success_rate: m.success.map(|r| r.share),
                mean_recovery_time: seconds(m.mean_recovery_ms),
                rollback_capability: m.rollback.map(|r| r.share),
            },
            performance_metrics: PerformanceMetrics {
                engine_overhead: m.overhead.map(|o| o.share),
                detection_latency: m.detect.map(|s| s.p95 as f64 / 1000.0),
                recovery_efficiency: efficiency(m),
            },
        }
    }
}

/// Of the incidents whose class a playbook may heal, the share that was healed.
fn efficiency(m: &Metrics) -> Option<f64> {
    let healable = |id: &str| FailureClass::parse(id).is_some_and(|class| class.healable().is_some());
    let n: u64 = m.by_class.iter().filter(|(id, _)| healable(id)).map(|(_, n)| n).sum();
    let healed = m.by_outcome.get("healed").copied().unwrap_or(0);
    (n > 0).then(|| healed as f64 / n as f64)
}
