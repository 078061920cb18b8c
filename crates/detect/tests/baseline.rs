//! What a passing run prints too is no cause: the laws of a baseline.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::sync::LazyLock;

use proptest::prelude::*;
use regreen_catalog::Catalog;
use regreen_detect::{Baseline, Circumstances, Detector};
use regreen_domain::{Diagnosis, Verdict};
use regreen_logs::{Log, ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));
static MASKER: LazyLock<Masker> = LazyLock::new(|| Masker::new(["planted-secret-value"]));

fn log(text: &str) -> Log<'static> {
    read(text.as_bytes(), &ReadOptions::default())
}

fn diagnose(text: &str, passing: Option<&str>) -> Diagnosis {
    let baseline = passing.map(|passing| {
        let mut baseline = Baseline::new(&MASKER);
        baseline.add(&log(passing));
        baseline
    });
    let scan = DETECTOR.scan_beside(&log(text), &Circumstances::default(), baseline.as_ref());
    DETECTOR.conclude(&scan, &[], &MASKER).diagnosis
}

const NOISE: &str = "npm error code ECONNRESET\nnpm error network read ECONNRESET\n";
const FAILED: &str = "npm error code E401\nnpm error Unable to authenticate, need: Basic realm=\"x\"\n";

#[test]
fn the_line_that_only_the_failing_run_prints_is_the_cause() {
    let passing = format!("{NOISE}added 9 packages in 303ms\n");
    let alone = diagnose(&format!("{NOISE}done in 1 s\n"), None);
    assert_eq!(alone.class.id(), "network-timeout");
    let beside = diagnose(&format!("{NOISE}done in 1 s\n"), Some(&passing));
    assert_ne!(beside.class.verdict(), Verdict::Infrastructure, "{}", beside.reason);
    let other = diagnose(&format!("{NOISE}{FAILED}"), Some(&passing));
    assert_eq!(other.class.id(), "credential-failure", "{}", other.reason);
    assert!(other.reason.contains("a passing run prints the same: 2 line(s)"), "{}", other.reason);
    assert_eq!(other.evidence[0].line, 3);
}

#[test]
fn the_reason_is_said_where_nothing_is_left() {
    let text = format!(
        "{NOISE}npm error A complete log of this run can be found in: /x\n##[error]Process completed with exit code 1.\n"
    );
    let found = diagnose(&text, Some(NOISE));
    assert!(found.failed);
    assert!(found.reason.contains("but a passing run prints that line too"), "{}", found.reason);
}

#[test]
fn a_secret_that_changes_is_the_same_line() {
    let line = |secret: &str| {
        format!(
            "fatal: unable to access 'https://x:{secret}@host.example/a.git/': The requested URL returned error: 503\n"
        )
    };
    let found = diagnose(&line("planted-secret-value"), Some(&line("another-one-0123")));
    assert_eq!(found.pattern, None, "{}", found.reason);
}

/// Logs of the catalogue's own examples, alone or mixed.
fn examples() -> Vec<&'static str> {
    CATALOG.patterns().iter().flat_map(|p| p.examples.iter().map(|e| e.log.as_str())).collect()
}

#[test]
fn no_example_is_infrastructure_beside_itself() {
    for example in examples() {
        let found = diagnose(example, Some(example));
        let sure = found.class.verdict() == Verdict::Infrastructure && found.confidence.value() >= 0.85;
        assert!(!sure && found.pattern.is_none(), "{}: {example}", found.reason);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_unrelated_baseline_changes_nothing(i in any::<prop::sample::Index>(), j in any::<prop::sample::Index>()) {
        let all = examples();
        let text = format!("{}\n{}\n", i.get(&all), j.get(&all));
        let unrelated = "   Compiling nothing v0.1.0\nall of it went as it always does\n";
        prop_assert_eq!(diagnose(&text, Some(unrelated)), diagnose(&text, None));
        prop_assert_eq!(diagnose(&text, Some("")), diagnose(&text, None));
    }

    #[test]
    fn any_mixture_beside_itself_is_never_healable(picked in prop::collection::vec(any::<prop::sample::Index>(), 1..5)) {
        let all = examples();
        let text: String = picked.iter().map(|i| format!("{}\n", i.get(&all))).collect();
        let found = diagnose(&text, Some(&text));
        prop_assert!(found.pattern.is_none(), "{}", found.reason);
        prop_assert!(found.class.verdict() != Verdict::Infrastructure || found.confidence.value() < 0.85);
    }

    #[test]
    fn no_baseline_makes_anything_more_certain_to_be_infrastructure(
        picked in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
        passing in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let all = examples();
        let one = |picked: &[prop::sample::Index]| -> String { picked.iter().map(|i| format!("{}\n", i.get(&all))).collect() };
        // Some of what failed stands in the passing run too.
        let text = one(&picked);
        let passing = format!("{}{}", one(&passing), one(&picked[1..]));
        let (beside, bare) = (diagnose(&text, Some(&passing)), diagnose(&text, None));
        if beside.class.verdict() == Verdict::Infrastructure && beside.confidence.value() >= 0.85 {
            prop_assert_eq!(beside.class, bare.class);
            prop_assert!(beside.confidence <= bare.confidence);
        }
    }

    #[test]
    fn stored_and_read_again_it_is_the_same(lines in prop::collection::vec("[a-z 0-9/.]{0,30}", 0..20), line in "[a-z 0-9/.]{0,30}") {
        let mut baseline = Baseline::new(&MASKER);
        baseline.add(&log(&lines.join("\n")));
        let again = Baseline::stored(baseline.hashes(), &MASKER);
        for line in lines.iter().chain([&line]) {
            prop_assert_eq!(baseline.holds(line), again.holds(line));
        }
    }
}
