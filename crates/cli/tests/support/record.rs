//! What a run of the lab measured: with `REGREEN_LAB_RECORD=FILE`, a line for `cargo xtask measure --lab FILE`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{env, fs::OpenOptions, io::Write};

use serde_json::{Value, json};

/// Appends what `report` says beside the class that the fault is of.
pub fn run(truth: &str, also: &[String], report: &Value) {
    let Some(file) = env::var_os("REGREEN_LAB_RECORD") else { return };
    let confirmed: Vec<Value> = report["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|f| f["standing"] == "confirms")
        .map(|f| json!([f["probe"], f["class"]]))
        .collect();
    let row = json!({
        "truth": truth, "also": also, "pattern": report["pattern"],
        "class": report["class"].as_str().unwrap_or("unknown"), "confirmed": confirmed,
    });
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    writeln!(file, "{row}").unwrap();
}
