//! `regreen bench`: accuracy on a small corpus of invented logs, the others on as little as they can be measured with.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

/// Repositories of the check set and outside of it.
const CHECKED: &str = "owner/repo4";
const OPEN: &str = "owner/repo0";

fn corpus(folder: &Path) {
    let row = |id: &str, label: &str, repo: &str, log: &str| {
        json!({"id": id, "label": label, "also": [], "repo": repo, "log": log, "hard": false}).to_string()
    };
    let stamp = |line: &str| format!("2024-05-01T12:34:56.1234567Z {line}\n");
    let passing = ["##[group]Run true", "##[endgroup]", "Post job cleanup.", "Cleaning up orphan processes"]
        .map(stamp)
        .concat();
    let broken = "src/main.rs: checking\nerror[E0308]: mismatched types\n --> src/main.rs:2:5\n\
                  error: could not compile `x` (bin \"x\") due to 1 previous error\n";
    let logs = [
        row("a", "build-failure", CHECKED, broken),
        row("b", "passing", CHECKED, &passing),
        row("c", "test-failure", OPEN, broken),
    ];
    fs::write(folder.join("logs.jsonl"), logs.join("\n")).unwrap();
    fs::write(folder.join("chunks.jsonl"), json!({"id": "a", "first_line": 2, "last_line": 3}).to_string())
        .unwrap();
}

fn accuracy(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_regreen"))
        .args(["bench", "accuracy", "--corpus"])
        .arg(folder)
        .args(args)
        .env_clear()
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn figure<'v>(scores: &'v Value, id: &str) -> &'v Value {
    scores["figures"].as_array().unwrap().iter().find(|figure| figure["id"] == id).unwrap()
}

#[test]
fn each_part_of_a_corpus_is_scored_alone() {
    let folder = tempfile::tempdir().unwrap();
    corpus(folder.path());
    let json = |set| {
        let (code, out, err) = accuracy(folder.path(), &["--set", set, "--format", "json", "--misses"]);
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let check = json("check");
    assert_eq!(check["rows"], 2);
    assert_eq!(figure(&check, "class")["hits"], 1);
    assert_eq!(figure(&check, "chunk_hit")["hits"], 1);
    assert_eq!(figure(&check, "passing_seen")["hits"], 1);
    let train = json("train");
    assert_eq!(train["rows"], 1);
    assert_eq!(figure(&train, "class")["hits"], 0);
    assert_eq!(figure(&train, "verdict")["hits"], 1);
    let all = json("all");
    assert_eq!(all["rows"], 3);
    // What is wrong in the check set is never shown.
    let ids: Vec<_> = all["misses"].as_array().unwrap().iter().map(|miss| &miss["id"]).collect();
    assert_eq!(ids, ["c"]);
}

#[test]
fn people_get_a_table_and_a_folder_without_rows_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = accuracy(folder.path(), &[]);
    assert_eq!(code, Some(3));
    assert!(err.contains("it holds no row of this set"), "{err}");
    corpus(folder.path());
    let (code, out, _) = accuracy(folder.path(), &[]);
    assert_eq!(code, Some(0));
    assert!(out.starts_with("2 rows of 1 repositories (check set)\n"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 120), "{out}");
}

#[test]
fn healing_is_measured_on_a_scenario_and_a_second_run_takes_the_result_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.jsonl");
    let measure = || {
        let output = Command::new(env!("CARGO_BIN_EXE_regreen"))
            .args(["bench", "healing", "cargo-503", "cargo-deploy", "--format", "json", "--results"])
            .arg(&results)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        let figures: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {told}"));
        (output.status.code(), figures, told)
    };
    let (code, figures, told) = measure();
    assert_eq!(code, Some(0), "{figures:#}\n{told}");
    assert_eq!((figures["scenarios"].as_u64(), told.lines().count()), (Some(2), 2), "{told}");
    let all = figures["causes"].as_array().unwrap().last().unwrap();
    assert_eq!((all["healed"]["hits"].as_u64(), all["healed"]["n"].as_u64()), (Some(1), Some(1)), "{all:#}");
    assert_eq!(all["touched"]["hits"].as_u64(), Some(0), "{all:#}");
    let (again, same, told) = measure();
    assert_eq!((again, &same, told.as_str()), (Some(0), &figures, ""), "nothing is run twice");
}

#[test]
fn a_logs_and_a_caches_speed_are_measured() {
    let folder = tempfile::tempdir().unwrap();
    let measured = |args: &[&str]| {
        let mut bench = Command::new(env!("CARGO_BIN_EXE_regreen"));
        bench.args(args).args(["--runs", "1", "--format", "json"]).env_clear();
        bench.env("PATH", std::env::var("PATH").unwrap()).env("HOME", folder.path().join("home"));
        let output = bench.env("TMPDIR", folder.path()).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    fs::write(folder.path().join("big.log"), "npm error code ECONNRESET\n".repeat(40_000)).unwrap();
    for (log, whats) in [
        (["--size", "1"].as_slice(), ["streamed and diagnosed", "window scanned"].as_slice()),
        (&["big.log"], &["streamed and diagnosed", "read as a file and diagnosed", "window scanned"]),
    ] {
        let told = measured(&[&["bench", "throughput"], log].concat());
        let rows = told["measured"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["what"].as_str().unwrap()).collect::<Vec<_>>(), whats);
        assert!(rows.iter().all(|row| row["ms"].as_f64() > Some(0.0)), "{told}");
        assert!(rows[0]["bytes"].as_u64() >= Some(1_000_000), "{told}");
    }
    let told = measured(&["bench", "cache", "--size", "1"]);
    assert_eq!(told["runs"], 1);
    assert!(told["packages"].as_u64() > Some(0) && told["bytes"].as_u64() >= Some(1_000_000), "{told}");
    assert!(told["regreen_ms"].as_f64() > Some(0.0) && told["npm_ms"].as_f64() > Some(0.0), "{told}");
    let left = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(left.into_iter().all(|name| name == "big.log" || name == "home"), "the made-up cache is left");
}
