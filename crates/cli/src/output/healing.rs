//! What `bench healing` measured: tables for people, and version 1 of its JSON shape.

use regreen_bench::{HealingFigures, Rate, Times};
use regreen_lab::scenario::Scenario;
use serde_json::json;

use super::print::{line, table};

/// For people, at most 80 columns.
pub fn plain(figures: &HealingFigures) -> String {
    let HealingFigures { scenarios, tools, causes, arms, compared, slower, wrong } = figures;
    let mut text = format!("{scenarios} scenarios, {} tools: {}\n\n", tools.len(), tools.join(", "));
    let mut rows = vec![["cause", "healed", "median", "p95", "touched", "versions"].map(str::to_owned)];
    for cause in causes {
        let [median, p95] = times(cause.recovery);
        let versions = cause.versions_changed.to_string();
        rows.push([cause.cause.clone(), of(cause.healed), median, p95, of(cause.touched), versions]);
    }
    text.push_str(&table(&rows));
    text.push_str("\ntime: from the start of the command to green; touched: what must not be, was\n");
    if *compared > 0 {
        text.push_str(&format!("\n{compared} of them by everyone\n"));
        let mut rows = vec![["arm", "healed", "median", "p95", "touched"].map(str::to_owned)];
        for arm in arms {
            let [median, p95] = times(arm.recovery);
            rows.push([arm.arm.clone(), of(arm.healed), median, p95, of(arm.touched)]);
        }
        text.push_str(&table(&rows));
    }
    for slower in slower {
        let ours = slower.regreen_ms.map_or("did not heal".to_owned(), |ms| format!("took {}", seconds(ms)));
        let (theirs, arm) = (seconds(slower.ms), &slower.arm);
        text.push_str(&format!("{}: {arm} took {theirs}, regreen {ours}\n", slower.scenario));
    }
    if !wrong.is_empty() {
        text.push_str("\nnot as it must be\n");
    }
    for (scenario, why) in wrong {
        text.push_str(&format!("{scenario}: {why}\n"));
    }
    text
}

/// For programs: one object.
pub fn json(figures: &HealingFigures) -> String {
    let HealingFigures { scenarios, tools, causes, arms, compared, slower, wrong } = figures;
    line(&json!({
        "version": 1,
        "scenarios": scenarios,
        "tools": tools,
        "causes": causes,
        "compared": compared,
        "arms": arms,
        "slower": slower,
        "wrong": wrong.iter().map(|(scenario, why)| json!({ "scenario": scenario, "why": why })).collect::<Vec<_>>(),
    }))
}

/// Every scenario with what must come of it.
pub fn list(scenarios: &[Scenario]) -> String {
    let row = |s: &Scenario| {
        let expect = match &s.expect.because {
            Some(because) => format!("{} ({because})", s.expect.outcome),
            None => s.expect.outcome.clone(),
        };
        [s.id.clone(), s.truth.clone(), if s.compared { "compared" } else { "" }.to_owned(), expect]
    };
    table(&scenarios.iter().map(row).collect::<Vec<_>>())
}

fn of(rate: Rate) -> String {
    format!("{}/{}", rate.hits, rate.n)
}

fn times(times: Option<Times>) -> [String; 2] {
    times.map_or(["-".to_owned(), "-".to_owned()], |times| [seconds(times.median), seconds(times.p95)])
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}
