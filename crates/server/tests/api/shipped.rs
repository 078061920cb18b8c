//! The dashboard and the alert rules that ship with Regreen ask for what there is.

use std::{collections::BTreeSet, fs, path::Path};

use regreen_ledger::{ControlGroup, Estimate, Lift, Metrics, Overhead, Rate, Repair, Saved, Spread};
use regreen_server::shape::prometheus;
use serde_json::Value;

use crate::{
    seed::lived_in,
    world::{WORTH, World},
};

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../integrations").join(name)).unwrap()
}

/// The figures where every one of them was measured.
fn everything() -> Metrics {
    let rate = Some(Rate { hits: 1, n: 2, share: 0.5, low: 0.1, high: 0.9 });
    let spread = Some(Spread { n: 1, p50: 1_000, p95: 2_000 });
    Metrics {
        incidents: 1,
        by_class: [("network-timeout".to_owned(), 1)].into(),
        by_outcome: [("healed".to_owned(), 1), ("stuck".to_owned(), 1)].into(),
        accuracy: rate,
        false_positives: rate,
        success: rate,
        rollback: rate,
        mean_detect_ms: Some(1.0),
        mean_recovery_ms: Some(1.0),
        detect: spread,
        recovery: spread,
        repair: Repair {
            whole: spread,
            detect: spread,
            decide: spread,
            act: spread,
            verify: spread,
            between: spread,
        },
        saved: Some(Saved {
            tried: 1,
            healed: 1,
            compared: true,
            counted_on: 1,
            failures: Some(Estimate { value: 1.0, low: 0.5, high: 1.0 }),
            ran_ms: 60_000,
        }),
        overhead: Some(Overhead { n: 1, share: 0.01 }),
        control: Some(ControlGroup {
            n: 1,
            recovered: 1,
            failed_again: 0,
            not_seen: 0,
            treated: 1,
            healed: 1,
            lift: Some(Lift { value: 0.1, low: 0.0, high: 0.2 }),
        }),
    }
}

/// Each name that begins with `regreen_`, and each with one of its labels and values, as `NAME{LABEL="VALUE"`.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("regreen_") {
        let name: String = text[at..].chars().take_while(|c| word(*c)).collect();
        let rest = &text[at + name.len()..];
        let labels = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(all, _)| all);
        for pair in labels.split(',').filter(|pair| !pair.is_empty() && !pair.contains('~')) {
            names.insert(format!("{name}{{{pair}"));
        }
        names.insert(name);
    }
    names
}

#[tokio::test]
async fn every_metric_that_is_asked_for_is_there() {
    let world = World::new().await;
    lived_in(&world.ledger).await;
    world
        .ledger
        .add_calls(
            &[(
                regreen_ledger::CallsOf { forge: "github", organisation: "octo", repository: "octo/shop" },
                1,
            )],
            &regreen_ledger::Booking { book: "one", number: 1, at: crate::world::NOW },
        )
        .await
        .unwrap();
    let there = named(&(world.get("/metrics").await.text + &prometheus(&everything(), &WORTH, "0").text()));
    let dashboard: Value = serde_json::from_str(&shipped("grafana/regreen.json")).unwrap();
    let rules = shipped("prometheus/alerts.yml");
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            asked.extend(named(target["expr"].as_str().unwrap()));
        }
    }
    asked.extend(named(dashboard["templating"]["list"][1]["definition"].as_str().unwrap()));
    assert!(asked.len() > 20, "{asked:?}");
    let by_rules = named(&rules);
    assert!(by_rules.len() > 10, "{by_rules:?}");
    let missing: Vec<_> = asked.union(&by_rules).filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}\n{there:#?}");
    // Whatever is measured is shown somewhere, but for what only says how much it was measured on.
    let unseen: Vec<_> = there
        .iter()
        .filter(|name| !name.contains('{') && !name.ends_with("_cases"))
        .filter(|name| !asked.contains(*name) && !by_rules.contains(*name))
        .collect();
    let spared = [
        "regreen_control_group",
        "regreen_control_group_treated",
        "regreen_detection_latency_ratio",
        "regreen_detection_latency_seconds",
        "regreen_detection_latency_target_seconds",
        "regreen_mean_detection_time_seconds",
        "regreen_mean_detection_time_target_seconds",
        "regreen_mean_recovery_time_seconds",
        "regreen_mean_recovery_time_target_seconds",
    ];
    let unseen: Vec<_> = unseen.into_iter().filter(|name| !spared.contains(&name.as_str())).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}
