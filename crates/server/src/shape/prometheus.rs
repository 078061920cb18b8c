//! Prometheus' text exposition format, version 0.0.4. A figure without data has no sample.
//!
//! Every value is in the ledger, so none is counted in this process: what is asked of any node is the same. That leaves a
//! registry of counters with nothing to do, and the format is these few lines.

use std::{collections::BTreeMap, fmt::Write};

use regreen_ledger::{ControlGroup, Metrics, Spread};

use super::{EstimateV1, SavedV1, TARGETS, Worth};

/// A sample: its labels, and its value.
pub type Sample = (Vec<(String, String)>, f64);

/// A family of samples.
#[derive(Debug)]
pub struct Family {
    /// Its name without `regreen_`.
    pub name: String,
    /// What it says.
    pub help: String,
    /// At least one.
    pub samples: Vec<Sample>,
}

/// Families of samples, as they are written.
#[derive(Debug, Default)]
pub struct Families(Vec<Family>);

impl Families {
    /// A family of gauges: its name without `regreen_`, its help, and each sample's labels and value. Without a sample it is
    /// left out.
    pub fn gauges(&mut self, name: &str, help: &str, samples: &[(&[(&str, &str)], f64)]) {
        if samples.is_empty() {
            return;
        }
        let own = |(label, value): &(&str, &str)| ((*label).to_owned(), (*value).to_owned());
        let samples = samples.iter().map(|(labels, value)| (labels.iter().map(own).collect(), *value));
        self.0.push(Family { name: name.to_owned(), help: help.to_owned(), samples: samples.collect() });
    }

    /// Each of them.
    pub fn all(&self) -> &[Family] {
        &self.0
    }

    /// One gauge without labels.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.gauges(name, help, &[(&[], value)]);
    }

    /// The text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for Family { name, help, samples } in &self.0 {
            let _infallible = writeln!(text, "# HELP regreen_{name} {help}\n# TYPE regreen_{name} gauge");
            for (labels, value) in samples {
                let labels: Vec<String> =
                    labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
                let labels =
                    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
                let _infallible = writeln!(text, "regreen_{name}{labels} {value}");
            }
        }
        text
    }

    fn counted(&mut self, name: &str, help: &str, label: &str, counts: &BTreeMap<String, u64>) {
        let labels: Vec<[(&str, &str); 1]> = counts.keys().map(|id| [(label, id.as_str())]).collect();
        let samples: Vec<(&[(&str, &str)], f64)> =
            labels.iter().zip(counts.values()).map(|(labels, n)| (labels.as_slice(), *n as f64)).collect();
        self.gauges(name, help, &samples);
    }
}

/// The figures, where a failure costs this much.
pub fn prometheus(m: &Metrics, worth: &Worth, audit_head: &str) -> Families {
    let mut families = Families::default();
    families.gauges(
        "info",
        "Version of Regreen and head of its audit chain.",
        &[(&[("version", env!("CARGO_PKG_VERSION")), ("audit_head", audit_head)], 1.0)],
    );
    families.counted("incidents", "Incidents on record, by class.", "class", &m.by_class);
    families.counted("outcomes", "Incidents on record, by outcome.", "outcome", &m.by_outcome);
    if let Some(control) = m.control {
        control_group(&mut families, control);
    }
    for target in TARGETS {
        let unit = if target.unit() == "share" { "ratio" } else { "seconds" };
        let Some((value, n)) = target.measured(m).value else { continue };
        let note = if target.note.is_empty() { String::new() } else { format!(": {}", target.note) };
        let help = format!("Measured {}{note}.", target.name);
        families.gauge(&format!("{}_{unit}", target.id), &help, value);
        if let Some((low, high)) = target.interval(m) {
            let help = format!("95 % Wilson interval of the measured {}.", target.name);
            let ends: [(&[(&str, &str)], f64); 2] = [(&[("end", "low")], low), (&[("end", "high")], high)];
            families.gauges(&format!("{}_interval_{unit}", target.id), &help, &ends);
        }
        families.gauge(&format!("{}_cases", target.id), "Cases it was measured on.", n as f64);
        let help = format!("Target: {}.", target.bound);
        families.gauge(&format!("{}_target_{unit}", target.id), &help, target.limit);
    }
    stages(&mut families, m);
    if let Some(saved) = &m.saved {
        what_was_saved(&mut families, &SavedV1::of(saved, worth));
    }
    families
}

/// What healing took off people, and what it ran for that.
fn what_was_saved(families: &mut Families, saved: &SavedV1) {
    let counted = ("counted", saved.counted);
    let mut estimate = |name: &str, help: &str, of: Option<EstimateV1>| {
        let Some(of) = of else { return };
        families.gauges(
            name,
            help,
            &[
                (&[counted, ("end", "value")], of.value),
                (&[counted, ("end", "low")], of.low),
                (&[counted, ("end", "high")], of.high),
            ],
        );
    };
    estimate(
        "failures_spared",
        "Failures that no person had to see to, with the 95 % interval.",
        saved.failures,
    );
    estimate(
        "person_minutes_saved",
        "Minutes of people that were saved, at the minutes for each failure that the operator says.",
        saved.person_minutes,
    );
    estimate("person_money_saved", "What those minutes cost.", saved.person_money);
    estimate("net_money_saved", "The same less what the runners cost.", saved.net_money);
    families.gauge(
        "runner_minutes_spent",
        "Minutes that machines ran for all recoveries that were tried.",
        saved.runner_minutes,
    );
    if let Some(money) = saved.runner_money {
        families.gauge("runner_money_spent", "What those minutes cost.", money);
    }
}

/// How long what was healed took, and the parts of that.
fn stages(families: &mut Families, m: &Metrics) {
    let ends = |spread: Spread| {
        [("0.5", spread.p50), ("0.95", spread.p95)].map(|(quantile, ms)| (quantile, ms as f64 / 1000.0))
    };
    if let Some([(median, at_median), (most, at_most)]) = m.repair.whole.map(ends) {
        families.gauges(
            "mttr_seconds",
            "Time from the end of a command, or of a run's jobs, until it was known to be healed.",
            &[(&[("quantile", median)], at_median), (&[("quantile", most)], at_most)],
        );
    }
    let stages = [
        ("detect", m.repair.detect),
        ("decide", m.repair.decide),
        ("act", m.repair.act),
        ("verify", m.repair.verify),
        ("between", m.repair.between),
        ("recovery", m.recovery),
    ];
    let mut samples: Vec<([(&str, &str); 2], f64)> = Vec::new();
    for (stage, spread) in stages {
        for (quantile, seconds) in spread.map(ends).into_iter().flatten() {
            samples.push(([("stage", stage), ("quantile", quantile)], seconds));
        }
    }
    let samples: Vec<(&[(&str, &str)], f64)> =
        samples.iter().map(|(labels, value)| (labels.as_slice(), *value)).collect();
    families.gauges(
        "stage_seconds",
        "Of what was healed: time to the diagnosis, to the decision, of the steps, of the verification, and between those, which \
         are the parts of the time to repair; and of steps and verification together (recovery).",
        &samples,
    );
}

fn control_group(families: &mut Families, c: ControlGroup) {
    let recent = c.n.saturating_sub(c.recovered + c.failed_again + c.not_seen);
    families.gauges(
        "control_group",
        "Incidents left alone by lot, by what became of them.",
        &[
            (&[("seen", "recovered")], c.recovered as f64),
            (&[("seen", "failed-again")], c.failed_again as f64),
            (&[("seen", "not-seen")], c.not_seen as f64),
            (&[("seen", "recent")], recent as f64),
        ],
    );
    families.gauges(
        "control_group_treated",
        "Incidents drawn from and not left alone.",
        &[
            (&[("outcome", "healed")], c.healed as f64),
            (&[("outcome", "not-healed")], c.treated.saturating_sub(c.healed) as f64),
        ],
    );
    if let Some(lift) = c.lift {
        families.gauges(
            "healing_lift_ratio",
            "How much more often what was healed became green than what was left alone, with its 95 % interval.",
            &[
                (&[("end", "value")], lift.value),
                (&[("end", "low")], lift.low),
                (&[("end", "high")], lift.high),
            ],
        );
    }
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_can_end_neither_its_sample_nor_its_line() {
        let mut families = Families::default();
        families.gauges("x", "Help.", &[(&[("a", "1\"} 2\nregreen_y 3\\")], 4.0)]);
        families.gauges("none", "Help.", &[]);
        assert_eq!(
            families.text(),
            "# HELP regreen_x Help.\n# TYPE regreen_x gauge\nregreen_x{a=\"1\\\"} 2\\nregreen_y 3\\\\\"} 4\n"
        );
    }
}
