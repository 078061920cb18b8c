//! The lab suite: every file of `crates/lab/scenarios` through the real `regreen run` and the real package manager.
//!
//! One test a scenario, and at the end a table with the times to recover. With `REGREEN_LAB_RECORD=FILE` nothing is
//! healed and nothing judged: every shape of every scenario is looked at (`--mode observe`), and one line of JSON a
//! run is appended for `cargo xtask measure --lab FILE`.

#![allow(clippy::print_stdout, reason = "a harness of its own tells its results")]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use regreen_lab::scenario::{Scenario, load};
use regreen_lab::suite::{self, Judged, Reach, Verdict};

/// What was judged so far.
type Results = Arc<Mutex<Vec<Judged>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/scenarios");
    let scenarios = match load(&folder) {
        Ok(scenarios) => scenarios,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let results = Results::default();
    let trials = match std::env::var_os("REGREEN_LAB_RECORD") {
        Some(file) => recorded(&scenarios, &PathBuf::from(file)),
        None => judged(scenarios, &results),
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    let results = results.lock().unwrap_or_else(PoisonError::into_inner);
    if !results.is_empty() {
        println!("{}", suite::table(&results));
    }
    conclusion.exit_code()
}

/// One test a scenario.
fn judged(scenarios: Vec<Scenario>, results: &Results) -> Vec<Trial> {
    let trial = |scenario: Scenario| {
        let results = Arc::clone(results);
        Trial::test(scenario.id.clone(), move || judge(&scenario, &results))
    };
    scenarios.into_iter().map(trial).collect()
}

fn judge(scenario: &Scenario, results: &Results) -> Result<(), Failed> {
    let judged = suite::run(scenario, binary(), Reach::Heal).map_err(|error| told(&error))?;
    let verdict = match &judged.verdict {
        Verdict::Healed | Verdict::RightlyLeftAlone => Ok(()),
        Verdict::Wrong(why) => {
            let (title, report, stderr) = (&scenario.title, &judged.report, &judged.stderr);
            Err(Failed::from(format!("{title}\n- {}\n{report:#?}\n{stderr}", why.join("\n- "))))
        }
    };
    results.lock().unwrap_or_else(PoisonError::into_inner).push(judged);
    verdict
}

/// One test a scenario's shape.
fn recorded(scenarios: &[Scenario], file: &Path) -> Vec<Trial> {
    let mut trials = Vec::new();
    for scenario in scenarios {
        let varied = scenario.variants.iter().map(|variant| scenario.varied(variant));
        for (shape, scenario) in std::iter::once(scenario.clone()).chain(varied).enumerate() {
            let file = file.to_owned();
            let name = format!("{}-{shape}", scenario.id);
            trials.push(Trial::test(name, move || record(&scenario, shape, &file)));
        }
    }
    trials
}

fn record(scenario: &Scenario, shape: usize, file: &Path) -> Result<(), Failed> {
    let judged = suite::run(scenario, binary(), Reach::Observe).map_err(|error| told(&error))?;
    let row = suite::record(scenario, shape, &judged)
        .ok_or_else(|| Failed::from(format!("Regreen reported nothing:\n{}", judged.stderr)))?;
    let mut file = OpenOptions::new().create(true).append(true).open(file).map_err(|error| told(&error))?;
    // One write: several threads append.
    file.write_all(row.as_bytes()).map_err(|error| told(&error))
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_regreen"))
}

/// An error with all its causes.
fn told(error: &(dyn std::error::Error + 'static)) -> Failed {
    let causes = std::iter::successors(Some(error), |error| error.source());
    Failed::from(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
