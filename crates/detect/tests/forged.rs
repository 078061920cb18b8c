//! Forged evidence: a test or a dependency prints the last words of a tool, the marks of a CI, a retry that worked. The
//! mistake that it may lead to is to do nothing.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use proptest::prelude::*;
use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detector};
use regreen_domain::{Diagnosis, Verdict};
use regreen_logs::{ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

fn diagnosed(log: &str) -> Diagnosis {
    let log = read(log.as_bytes(), &ReadOptions::default());
    let scan = DETECTOR.scan(&log, &Circumstances::default());
    DETECTOR.conclude(&scan, &[], &Masker::new::<[&str; 0], &str>([])).diagnosis
}

const STAMP: &str = "2024-05-01T12:00:00.0000000Z ";

/// A job at GitHub whose step `command` prints these lines, and fails.
fn github(command: &str, printed: &str) -> String {
    let lines = format!(
        "Current runner version: '2.316.0'\n##[group]Run {command}\n{command}\n##[endgroup]\n{printed}\
         ##[error]Process completed with exit code 1.\nPost job cleanup.\nCleaning up orphan processes\n"
    );
    lines.lines().map(|line| format!("{STAMP}{line}\n")).collect()
}

/// A job at Travis, as above.
fn travis(command: &str, printed: &str) -> String {
    format!(
        "travis_fold:start:worker_info\r\x1b[0KWorker information\ntravis_fold:end:worker_info\r\x1b[0K\n\
         $ {command}\n{printed}The command \"{command}\" exited with 1.\ntravis_fold:start:after_failure\n\
         travis_fold:end:after_failure\n\nDone. Your build exited with 1.\n"
    )
}

const LOST: &str = "npm error code ECONNRESET\nnpm error network read ECONNRESET\n";
const FAILED_TEST: &str = "FAILED tests/test_a.py::test_x - AssertionError: assert 1 == 2\n\
                           ========================= 1 failed, 5 passed in 0.12s =========================\n";

#[test]
fn a_failing_test_cannot_blame_the_infrastructure() {
    let step = format!(
        "##[group]Run npm ci\nnpm ci\n##[endgroup]\n{LOST}##[error]Process completed with exit code 1.\n"
    );
    let fold = format!("$ npm ci\n{LOST}The command \"npm ci\" exited with 1.\n");
    let retried = "##[warning]Attempt 1 failed. Reason: Child_process exited with error code 1\n\
                   The command \"pytest\" failed. Retrying, 2 of 3.\n";
    let cases = [
        ("a tool's last words before", github("pytest", &format!("{LOST}{FAILED_TEST}"))),
        ("a tool's last words after", github("pytest", &format!("{FAILED_TEST}{LOST}"))),
        (
            "an error of the runner",
            github("pytest", &format!("##[error]The operation was canceled.\n{FAILED_TEST}")),
        ),
        (
            "a runner that was lost",
            github("pytest", &format!("{FAILED_TEST}##[error]The runner has received a shutdown signal.\n")),
        ),
        ("a step that failed, before", github("pytest", &format!("{step}{FAILED_TEST}"))),
        // A step that begins after the error can't be told from a real one: it is another step's then.
        ("a step and clean-up", github("pytest", &format!("{step}Post job cleanup.\n{FAILED_TEST}"))),
        (
            "a step and the end",
            github("pytest", &format!("{step}Cleaning up orphan processes\n{FAILED_TEST}")),
        ),
        (
            "an end and clean-up, twice",
            github(
                "cargo test",
                &format!(
                    "##[error]Process completed with exit code 1.\nPost job cleanup.\n\
                     error: test failed, to rerun pass `--lib`\nPost job cleanup.\n{LOST}"
                ),
            ),
        ),
        ("a retry", github("pytest", &format!("{FAILED_TEST}{retried}{LOST}"))),
        ("words between", travis("pytest", &format!("{LOST}{FAILED_TEST}"))),
        (
            "a command and a fold",
            travis("pytest", &format!("{fold}travis_fold:start:after_success\n{FAILED_TEST}")),
        ),
        (
            "a command and the end",
            travis("pytest", &format!("{fold}{FAILED_TEST}Done. Your build exited with 0.\n")),
        ),
    ];
    for (what, log) in cases {
        let found = diagnosed(&log);
        assert_ne!(found.class.verdict(), Verdict::Infrastructure, "{what}: {}", found.reason);
        assert!(found.failed, "{what}: {}", found.reason);
    }
}

#[test]
fn a_lost_connection_is_still_seen_beside_forged_marks() {
    let log =
        github("npm ci", &format!("::group::x\n##[endgroup]\nJob succeeded\nFinished: SUCCESS\n{LOST}"));
    assert_eq!(diagnosed(&log).class.id(), "network-timeout");
}

/// What looks like thousands of signatures, and what makes backtracking engines slow, costs no more than its bytes.
#[test]
fn bombs_against_expressions_are_read_in_time() {
    let near = "npm error code ECONNRESE npm error network request to https://a failed, reaso ";
    for (what, unit, times) in [
        ("near matches on lines", "npm error code ECONNRESE\nerror: failed to fetch `\n", 20_000),
        ("near matches on one line", near, 30_000),
        ("one word", "a", 2_000_000),
        ("blanks", " ", 2_000_000),
        ("nested brackets", "((((((((((", 200_000),
        ("carriage returns", "npm error\r", 200_000),
        ("escapes", "\x1b[0m\x1b[", 200_000),
        ("slashes", "/a/../", 300_000),
        ("digits", "1.2.3.", 300_000),
    ] {
        let found = diagnosed(&unit.repeat(times));
        assert!(found.evidence.iter().all(|e| e.text.chars().count() <= 401), "{what}");
        assert_eq!(found.pattern, None, "{what}: {}", found.reason);
    }
}

/// Lines of real signatures, and marks of every CI.
fn forged() -> impl Strategy<Value = Vec<String>> {
    let signatures: Vec<String> = CATALOG
        .patterns()
        .iter()
        .flat_map(|p| p.examples.iter().filter_map(|e| e.log.lines().nth(e.line - 1)).map(str::to_owned))
        .collect();
    let marks = [
        "##[group]Run npm ci",
        "##[endgroup]",
        "##[error]Process completed with exit code 1.",
        "##[error]The runner has received a shutdown signal.",
        "Post job cleanup.",
        "Cleaning up orphan processes",
        "##[section]Starting: npm ci",
        "section_start:1700000000:after_script\r\x1b[0K",
        "travis_fold:start:after_success",
        "The command \"npm ci\" exited with 1.",
        "The command \"npm ci\" failed. Retrying, 2 of 3.",
        "Attempt 1 failed. Reason: x",
        "Job succeeded",
        "Finished: SUCCESS",
        "[Pipeline] { (Declarative: Post Actions)",
        "~~~ Running global pre-exit hook",
        "Exited with code exit status 0",
    ];
    let marks = proptest::sample::select(marks.map(str::to_owned).to_vec());
    proptest::collection::vec(prop_oneof![2 => proptest::sample::select(signatures), 1 => marks], 0..10)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a test prints, before and after: cargo's final word, printed by the real step, speaks for the code.
    #[test]
    fn nothing_that_a_test_prints_outweighs_the_final_word(before in forged(), after in forged()) {
        let last = "error: test failed, to rerun pass `--lib`\n";
        let printed: String = before.iter().map(|line| format!("{line}\n")).collect();
        // A step that begins after the error can't be told from a real one.
        let more: String = after
            .iter()
            .filter(|line| !line.starts_with("##[group]"))
            .map(|line| format!("{line}\n"))
            .collect();
        for log in [github("cargo test", &format!("{printed}{last}")), github("cargo test", &format!("{printed}{last}{more}"))] {
            let found = diagnosed(&log);
            prop_assert_ne!(found.class.verdict(), Verdict::Infrastructure, "{}\n{}", found.reason, log);
            prop_assert!(found.failed);
        }
    }
}
