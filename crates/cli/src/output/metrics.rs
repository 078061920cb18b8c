//! The figures as other programs take them: version 1 of Regreen's own shape, Prometheus' text format, and the metrics
//! file of the system that Regreen follows. No data is `null`, or no sample at all; never a number.

use std::{collections::BTreeMap, fmt::Write};

use regreen_domain::FailureClass;
use regreen_ledger::{ControlGroup, Metrics, Rate, Spread};
use serde::Serialize;
use serde_json::{Value, json};

use super::{print::line, status::TargetV1};
use crate::targets::TARGETS;

#[derive(Debug, Serialize)]
struct MetricsV1<'a> {
    version: u32,
    regreen: &'static str,
    audit_head: &'a str,
    incidents: u64,
    by_class: &'a BTreeMap<String, u64>,
    by_outcome: &'a BTreeMap<String, u64>,
    targets: Vec<TargetV1>,
    accuracy: Option<RateV1>,
    false_positives: Option<RateV1>,
    success: Option<RateV1>,
    rollback: Option<RateV1>,
    detect_ms: Option<SpreadV1>,
    decide_ms: Option<SpreadV1>,
    recovery_ms: Option<SpreadV1>,
    act_ms: Option<SpreadV1>,
    verify_ms: Option<SpreadV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control_group: Option<ControlV1>,
}

/// What was left alone by lot, beside what was not.
#[derive(Debug, Serialize)]
struct ControlV1 {
    n: u64,
    recovered_without: u64,
    failed_again: u64,
    not_seen: u64,
    treated: u64,
    healed: u64,
    lift: Option<LiftV1>,
}

#[derive(Debug, Serialize)]
struct LiftV1 {
    value: f64,
    low: f64,
    high: f64,
}

fn control(c: ControlGroup) -> ControlV1 {
    ControlV1 {
        n: c.n,
        recovered_without: c.recovered,
        failed_again: c.failed_again,
        not_seen: c.not_seen,
        treated: c.treated,
        healed: c.healed,
        lift: c.lift.map(|l| LiftV1 { value: l.value, low: l.low, high: l.high }),
    }
}

#[derive(Debug, Serialize)]
struct RateV1 {
    hits: u64,
    n: u64,
    share: f64,
    low: f64,
    high: f64,
}

#[derive(Debug, Serialize)]
struct SpreadV1 {
    n: u64,
    p50: u64,
    p95: u64,
}

fn rate(r: Rate) -> RateV1 {
    RateV1 { hits: r.hits, n: r.n, share: r.share, low: r.low, high: r.high }
}

fn spread(s: Spread) -> SpreadV1 {
    SpreadV1 { n: s.n, p50: s.p50, p95: s.p95 }
}

/// One object.
pub fn json(m: &Metrics, audit_head: &str) -> String {
    line(&MetricsV1 {
        version: 1,
        regreen: env!("CARGO_PKG_VERSION"),
        audit_head,
        incidents: m.incidents,
        by_class: &m.by_class,
        by_outcome: &m.by_outcome,
        targets: TARGETS.iter().map(|t| TargetV1::of(t, m)).collect(),
        accuracy: m.accuracy.map(rate),
        false_positives: m.false_positives.map(rate),
        success: m.success.map(rate),
        rollback: m.rollback.map(rate),
        detect_ms: m.detect.map(spread),
        decide_ms: m.decide.map(spread),
        recovery_ms: m.recovery.map(spread),
        act_ms: m.act.map(spread),
        verify_ms: m.verify.map(spread),
        control_group: m.control.map(control),
    })
}

/// Prometheus' text exposition format, version 0.0.4. A figure without data has no sample.
pub fn prometheus(m: &Metrics, audit_head: &str) -> String {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, samples: Vec<(String, f64)>| {
        if samples.is_empty() {
            return;
        }
        let _infallible = writeln!(text, "# HELP regreen_{name} {help}\n# TYPE regreen_{name} gauge");
        for (labels, value) in samples {
            let _infallible = writeln!(text, "regreen_{name}{labels} {value}");
        }
    };
    let labelled = |label: &str, counts: &BTreeMap<String, u64>| -> Vec<(String, f64)> {
        counts.iter().map(|(id, n)| (format!("{{{label}=\"{}\"}}", escaped(id)), *n as f64)).collect()
    };
    family(
        "info",
        "Version of Regreen and head of its audit chain.",
        vec![(
            format!("{{version=\"{}\",audit_head=\"{}\"}}", env!("CARGO_PKG_VERSION"), escaped(audit_head)),
            1.0,
        )],
    );
    family("incidents", "Incidents on record, by class.", labelled("class", &m.by_class));
    family("outcomes", "Incidents on record, by outcome.", labelled("outcome", &m.by_outcome));
    if let Some(c) = m.control {
        let counts = [
            ("recovered", c.recovered),
            ("failed-again", c.failed_again),
            ("not-seen", c.not_seen),
            ("recent", c.n.saturating_sub(c.recovered + c.failed_again + c.not_seen)),
        ];
        let ended = counts.map(|(how, n)| (format!("{{seen=\"{how}\"}}"), n as f64));
        family("control_group", "Incidents left alone by lot, by what became of them.", ended.to_vec());
        let treated = [("healed", c.healed), ("not-healed", c.treated.saturating_sub(c.healed))];
        let treated = treated.map(|(how, n)| (format!("{{outcome=\"{how}\"}}"), n as f64));
        family("control_group_treated", "Incidents drawn from and not left alone.", treated.to_vec());
        let lift = c.lift.map(|l| [("value", l.value), ("low", l.low), ("high", l.high)]);
        let lift = lift.into_iter().flatten().map(|(end, n)| (format!("{{end=\"{end}\"}}"), n)).collect();
        family(
            "healing_lift_ratio",
            "How much more often what was healed became green than what was left alone, with its 95 % interval.",
            lift,
        );
    }
    for target in TARGETS {
        let unit = if target.unit() == "share" { "ratio" } else { "seconds" };
        let Some((value, n)) = target.measured(m).value else { continue };
        let name = format!("{}_{unit}", target.id);
        family(&name, &format!("Measured {}.", target.name), vec![(String::new(), value)]);
        family(&format!("{}_cases", target.id), "Cases it was measured on.", vec![(String::new(), n as f64)]);
        let bound = vec![(String::new(), target.limit)];
        family(&format!("{}_target_{unit}", target.id), &format!("Target: {}.", target.bound), bound);
    }
    text
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The metrics file of the system that Regreen follows. Shares are from 0 to 1, times in seconds. `history` has the days
/// on which something failed.
pub fn original(m: &Metrics, history: &[(i64, Metrics)]) -> String {
    let targets: serde_json::Map<String, Value> =
        TARGETS.iter().map(|t| (t.id.to_owned(), Value::from(t.limit))).collect();
    let history: Vec<Value> = history
        .iter()
        .map(|(day, m)| {
            let date = super::print::moment(day.saturating_mul(86_400_000));
            json!({ "date": date.get(..10), "incidents": m.incidents, "metrics": current(m) })
        })
        .collect();
    let file = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "current_metrics": current(m),
        "targets": targets,
        "history": history,
    });
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

fn current(m: &Metrics) -> Value {
    let seconds = |ms: Option<f64>| ms.map(|ms| ms / 1000.0);
    let target = TARGETS.iter().find(|t| t.id == "success_rate").map(|t| t.limit);
    json!({
        "failure_detection": {
            "detection_accuracy": m.accuracy.map(|r| r.share),
            "mean_detection_time": seconds(m.mean_detect_ms),
            "false_positive_rate": m.false_positives.map(|r| r.share),
        },
        "recovery_orchestration": {
            "success_rate_target": target,
            "success_rate": m.success.map(|r| r.share),
            "mean_recovery_time": seconds(m.mean_recovery_ms),
            "rollback_capability": m.rollback.map(|r| r.share),
        },
        "performance_metrics": {
            "engine_overhead": m.overhead.map(|o| o.share),
            "detection_latency": m.detect.map(|s| s.p95 as f64 / 1000.0),
            "recovery_efficiency": efficiency(m),
        },
    })
}

/// Of the incidents whose class a playbook may heal, the share that was healed.
fn efficiency(m: &Metrics) -> Option<f64> {
    let healable = |id: &str| FailureClass::parse(id).is_some_and(|class| class.healable().is_some());
    let n: u64 = m.by_class.iter().filter(|(id, _)| healable(id)).map(|(_, n)| n).sum();
    let healed = m.by_outcome.get("healed").copied().unwrap_or(0);
    (n > 0).then(|| healed as f64 / n as f64)
}
