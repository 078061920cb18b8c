//! The lab suite: every scenario of the lab is a really broken project, run through the real binary and the real
//! package manager. What can be healed must be; everything else must be left exactly as it was, and run once.
//!
//! Those that wait for long while another tool's like them are tried anyway are left out unless `--include-ignored` (of
//! cargo-nextest: `--run-ignored all`) asks for all of them.
//!
//! With `REGREEN_LAB_RECORD=FILE` each run appends a line for `cargo xtask measure --lab FILE`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{path::PathBuf, sync::atomic::AtomicBool};

use libtest_mimic::{Arguments, Failed, Trial};
use regreen_lab::scenario::{Arm, Scenario, Stage, judge};

#[path = "support/record.rs"]
mod record;

fn main() {
    let arguments = Arguments::from_args();
    let trials = Scenario::all()
        .unwrap()
        .into_iter()
        .map(|scenario| {
            let slow = scenario.slow;
            let trial = Trial::test(scenario.id.clone(), move || run(&scenario).map_err(Failed::from));
            trial.with_ignored_flag(slow)
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(scenario: &Scenario) -> Result<(), String> {
    let stage = Stage::set(scenario).map_err(|e| e.to_string())?;
    let regreen = Arm::Regreen(PathBuf::from(env!("CARGO_BIN_EXE_regreen")));
    let ran = stage.run(&regreen, &AtomicBool::new(false)).map_err(|e| e.to_string())?;
    record::run(&scenario.truth, &scenario.also, &ran.report);
    judge(scenario, &ran).map_err(|why| {
        let Scenario { id, title, .. } = scenario;
        let shown = String::from_utf8_lossy(&ran.output.stderr);
        format!("{id} ({title}) after {:.1?}: {why}\n{:#}\n{shown}", ran.took, ran.report)
    })
}
