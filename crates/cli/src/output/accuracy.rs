//! The figures of `bench accuracy`: a table for people, and version 1 of its JSON shape.

use std::fmt::Write as _;

use regreen_bench::{Judged, Rate, Scores, Set};
use serde::Serialize;

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
enum Floor {
    AtLeast(f64),
    AtMost(f64),
}

/// A figure with its floor.
struct Figure {
    id: &'static str,
    name: &'static str,
    rate: Rate,
    floor: Option<Floor>,
}

fn figures(scores: &Scores) -> Vec<Figure> {
    use Floor::{AtLeast, AtMost};
    let figure = |id, name, rate, floor: Option<Floor>| Figure { id, name, rate, floor };
    vec![
        figure("code_healed", "code failures that would be healed", scores.code_healed, Some(AtMost(0.005))),
        figure(
            "passing_alarms",
            "passing builds called infrastructure at >= 0.85",
            scores.passing_alarms,
            Some(AtMost(0.0)),
        ),
        figure("passing_seen", "passing builds in which no failure was seen", scores.passing_seen, None),
        figure("verdict", "verdict right (infrastructure or code)", scores.verdict, Some(AtLeast(0.94))),
        figure("class", "class right", scores.class, Some(AtLeast(0.87))),
        figure("first_two", "class among the first two", scores.first_two, Some(AtLeast(0.94))),
        figure(
            "four_precision",
            "the original's four classes: precision",
            scores.four.0,
            Some(AtLeast(0.95)),
        ),
        figure("four_recall", "the original's four classes: recall", scores.four.1, Some(AtLeast(0.85))),
        figure(
            "sure_and_right",
            "infrastructure at >= 0.85: right class",
            scores.sure_and_right,
            Some(AtLeast(0.97)),
        ),
        figure("covered", "infrastructure failures covered at >= 0.85", scores.covered, Some(AtLeast(0.6))),
        figure(
            "chunk_hit",
            "marked chunk holds the first evidence line",
            scores.chunk_hit,
            Some(AtLeast(0.5)),
        ),
    ]
}

fn single(scores: &Scores) -> [(&'static str, &'static str, Option<f64>, Option<Floor>); 3] {
    [
        ("macro_f1", "macro F1", scores.macro_f1(), Some(Floor::AtLeast(0.83))),
        ("macro_f1_frequent", "macro F1 without classes under 20 rows", scores.macro_f1_of_frequent(), None),
        ("ece", "expected calibration error", scores.reliability.ece, Some(Floor::AtMost(0.05))),
    ]
}

/// For people, at most 100 columns.
pub fn plain(scores: &Scores, set: Set, misses: &[&Judged]) -> String {
    let mut text = format!("{} rows of {} repositories ({})\n\n", scores.n, scores.repos, name(set));
    put(
        &mut text,
        format_args!("{:50} {:>7}  {:15} {:>9}  floor\n", "figure", "share", "95 % interval", "n"),
    );
    for Figure { name, rate, floor, .. } in figures(scores) {
        let (share, interval) = (percent(rate.share()), interval(rate));
        let n = format!("{}/{}", rate.hits, rate.n);
        put(
            &mut text,
            format_args!(
                "{name:50} {share:>7}  {interval:15} {n:>9}  {}\n",
                floor_of(rate.share(), floor, true)
            ),
        );
    }
    for (_, name, value, floor) in single(scores) {
        let shown = value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        put(
            &mut text,
            format_args!("{name:50} {shown:>7}  {:15} {:>9}  {}\n", "", "", floor_of(value, floor, false)),
        );
    }
    put(
        &mut text,
        format_args!("\n{:24} {:>9} {:15} {:>9} {:15} {:>6}\n", "class", "precision", "", "recall", "", "F1"),
    );
    for score in &scores.classes {
        let (p, r) = (score.precision, score.recall);
        put(
            &mut text,
            format_args!(
                "{:24} {:>9} {:15} {:>9} {:15} {:>6.3}\n",
                score.class.id(),
                format!("{}/{}", p.hits, p.n),
                interval(p),
                format!("{}/{}", r.hits, r.n),
                interval(r),
                score.f1(),
            ),
        );
    }
    text.push_str("\nconfidence      n  stated   right\n");
    for bin in &scores.reliability.bins {
        put(
            &mut text,
            format_args!(
                "{:.1} to {:.1}  {:>6}  {:>6}  {:>6}\n",
                bin.from,
                bin.to,
                bin.n,
                percent(Some(bin.stated)),
                percent(Some(bin.right))
            ),
        );
    }
    text.push_str("\nwhat was called something else\n");
    for c in scores.confusion.iter().filter(|c| c.label != c.found) {
        put(&mut text, format_args!("{:>5}  {} called {}\n", c.n, c.label, c.found));
    }
    if !misses.is_empty() {
        text.push_str("\nwrong\n");
    }
    for row in misses {
        let second = row.found.second.map_or("-", |class| class.id());
        let (label, found) = (row.label.id(), row.found.label.id());
        put(
            &mut text,
            format_args!("{:60} {label:24} {found:24} {:.2} then {second}\n", row.id, row.found.confidence),
        );
    }
    text
}

fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string can't fail.
    let _ = text.write_fmt(what);
}

fn name(set: Set) -> &'static str {
    match set {
        Set::Check => "check set",
        Set::Train => "without the check set",
        Set::All => "all",
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn interval(rate: Rate) -> String {
    rate.interval().map_or(String::new(), |(low, high)| format!("{:.1} - {:.1}", low * 100.0, high * 100.0))
}

fn floor_of(value: Option<f64>, floor: Option<Floor>, percent: bool) -> String {
    let shown = |floor: f64| {
        if percent { format!("{} %", (floor * 1000.0).round() / 10.0) } else { format!("{floor}") }
    };
    let (words, held) = match (floor, value) {
        (None, _) => return String::new(),
        (Some(Floor::AtLeast(f)), value) => (format!("at least {}", shown(f)), value.map(|v| v >= f)),
        (Some(Floor::AtMost(f)), value) => (format!("at most {}", shown(f)), value.map(|v| v <= f)),
    };
    let held = match held {
        Some(true) => "held",
        Some(false) => "missed",
        None => "no data",
    };
    format!("{words}: {held}")
}

#[derive(Serialize)]
struct AccuracyV1<'a> {
    version: u32,
    set: &'static str,
    rows: u32,
    repos: u32,
    figures: Vec<FigureV1>,
    classes: Vec<ClassV1>,
    confusion: Vec<ConfusionV1>,
    reliability: Vec<BinV1>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    misses: Vec<MissV1<'a>>,
}

#[derive(Serialize)]
struct FigureV1 {
    id: &'static str,
    value: Option<f64>,
    hits: Option<u32>,
    n: Option<u32>,
    interval: Option<(f64, f64)>,
    at_least: Option<f64>,
    at_most: Option<f64>,
}

#[derive(Serialize)]
struct ClassV1 {
    class: &'static str,
    precision: Option<f64>,
    precision_interval: Option<(f64, f64)>,
    found: u32,
    recall: Option<f64>,
    recall_interval: Option<(f64, f64)>,
    n: u32,
    f1: f64,
}

#[derive(Serialize)]
struct ConfusionV1 {
    label: &'static str,
    found: &'static str,
    n: u32,
}

#[derive(Serialize)]
struct MissV1<'a> {
    id: &'a str,
    label: &'static str,
    found: &'static str,
    second: Option<&'static str>,
    confidence: f64,
}

#[derive(Serialize)]
struct BinV1 {
    from: f64,
    to: f64,
    n: u32,
    stated: f64,
    right: f64,
}

/// One object.
pub fn json(scores: &Scores, set: Set, misses: &[&Judged]) -> String {
    let bounds = |floor: Option<Floor>| match floor {
        Some(Floor::AtLeast(f)) => (Some(f), None),
        Some(Floor::AtMost(f)) => (None, Some(f)),
        None => (None, None),
    };
    let of_rate = |Figure { id, rate, floor, .. }: Figure| {
        let (at_least, at_most) = bounds(floor);
        FigureV1 {
            id,
            value: rate.share(),
            hits: Some(rate.hits),
            n: Some(rate.n),
            interval: rate.interval(),
            at_least,
            at_most,
        }
    };
    let of_value = |(id, _, value, floor): (&'static str, &'static str, Option<f64>, Option<Floor>)| {
        let (at_least, at_most) = bounds(floor);
        FigureV1 { id, value, hits: None, n: None, interval: None, at_least, at_most }
    };
    let shape = AccuracyV1 {
        version: 1,
        set: match set {
            Set::Check => "check",
            Set::Train => "train",
            Set::All => "all",
        },
        rows: scores.n,
        repos: scores.repos,
        figures: figures(scores).into_iter().map(of_rate).chain(single(scores).map(of_value)).collect(),
        classes: scores
            .classes
            .iter()
            .map(|s| ClassV1 {
                class: s.class.id(),
                precision: s.precision.share(),
                precision_interval: s.precision.interval(),
                found: s.precision.n,
                recall: s.recall.share(),
                recall_interval: s.recall.interval(),
                n: s.recall.n,
                f1: s.f1(),
            })
            .collect(),
        confusion: scores
            .confusion
            .iter()
            .map(|c| ConfusionV1 { label: c.label.id(), found: c.found.id(), n: c.n })
            .collect(),
        reliability: scores
            .reliability
            .bins
            .iter()
            .map(|b| BinV1 { from: b.from, to: b.to, n: b.n, stated: b.stated, right: b.right })
            .collect(),
        misses: misses.iter().map(|row| miss(row)).collect(),
    };
    serde_json::to_string(&shape)
        .map_or_else(|e| format!("{{\"version\":1,\"error\":\"{e}\"}}\n"), |text| text + "\n")
}

fn miss(row: &Judged) -> MissV1<'_> {
    MissV1 {
        id: &row.id,
        label: row.label.id(),
        found: row.found.label.id(),
        second: row.found.second.map(|class| class.id()),
        confidence: row.found.confidence,
    }
}
