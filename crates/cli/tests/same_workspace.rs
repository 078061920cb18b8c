//! Two runs in one workspace: the one that waits for a healer that is killed ends the dead run first, and heals then.
//! What a later `regreen resume` finds is closed: nothing is taken back under a healed workspace.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{
    fs,
    path::PathBuf,
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{Fault, PackageManager, Script, Until, damage::LockfileDamage};
use support::{
    aftermath, processes,
    stage::{Break, Stage, said, shell_code, start_into},
};

const PATIENCE: Duration = Duration::from_secs(60);
const TRIAL: &str = "TEST_TRIAL";

#[test]
fn who_waits_for_a_healer_that_is_killed_ends_its_run_and_heals() {
    let stage = Stage::broken(PackageManager::Npm, Break::Lockfile(LockfileDamage::Truncated));
    let mark = format!("{}-same", std::process::id());
    // The first look at the lockfile needs no registry; the command's second run hangs there.
    stage.lab.set_script(Script::fault("/**", Fault::Stall, Until::Forever));
    let mut runs: Vec<(Child, PathBuf)> = ["one", "two"]
        .iter()
        .map(|name| {
            let said = stage.base().join(name);
            (start_into(stage.run_install().env(TRIAL, &mark), &said), said)
        })
        .collect();
    let waits = |said: &PathBuf| {
        fs::read_to_string(said).unwrap().contains("another regreen is healing this workspace; waiting")
    };
    let until = Instant::now() + PATIENCE;
    while !(stage.installs() == 3 && runs.iter().any(|(_, said)| waits(said))) {
        let told: Vec<String> = runs.iter().map(|(_, said)| fs::read_to_string(said).unwrap()).collect();
        assert!(Instant::now() < until, "one did not heal while the other waited: {told:?}");
        sleep(Duration::from_millis(5));
    }
    let healer = runs.iter().position(|(_, said)| !waits(said)).unwrap();
    let (mut dead, _) = runs.remove(healer);
    let (mut waiting, told) = runs.remove(0);
    assert!(dead.try_wait().unwrap().is_none(), "the healer's second run was to hang");
    stage.lab.set_script(Script::sound());
    dead.kill().unwrap();
    dead.wait().unwrap();

    let code = shell_code(waiting.wait().unwrap());
    let told = fs::read_to_string(told).unwrap();
    assert_eq!(code, 0, "{told}");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good, "{told}");
    assert_eq!(processes::wait_until_gone(&format!("{TRIAL}={mark}"), PATIENCE), []);

    let resumed = said(&mut stage.regreen(&["resume"]));
    assert_eq!(resumed.code, 0, "{}", resumed.err);
    assert_eq!(resumed.err, "regreen: nothing stands open here\n");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good, "what was healed stays healed");
    aftermath::state_is_closed(&stage.state()).unwrap();
    aftermath::audit_verifies(&stage.state()).unwrap();
}
