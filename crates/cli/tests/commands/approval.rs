//! The mode `approve`: a person's word, one failure, one playbook, one run.

use std::fs;

use insta::assert_snapshot;
use regreen_lab::{PackageManager, damage::LockfileDamage};

use crate::{
    said::{ids, on, tell},
    support::{
        aftermath,
        stage::{Break, Stage, said},
    },
};

fn run(stage: &Stage) -> i32 {
    let mut command = stage.regreen(&["run", "--mode", "approve", "--"]);
    command.args(stage.project.install_argv());
    said(&mut command).code
}

fn lockfile(stage: &Stage) -> Vec<u8> {
    fs::read(stage.project.lockfile()).unwrap()
}

#[test]
fn an_approved_recovery_is_done_by_the_next_run_and_by_no_other() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    assert_eq!(run(&stage), 101);
    assert_eq!(lockfile(&stage), stage.set);
    let asked = ids(&stage).remove(0);
    assert_snapshot!(on(&stage, &["incidents", "list"]), @r"
    exit code 0
    --- out
    [INCIDENT A]  [TIME]  awaiting-approval  lockfile-corruption  cargo fetch --locked
    ");
    assert_snapshot!(on(&stage, &["approve", &asked]), @r"
    exit code 0
    --- out
    approved: [INCIDENT A], to be healed by `repair-lockfile`
    It is done by the next run that fails in the same way, within 24 hours: regreen run -- cargo fetch --locked
    ");
    assert_snapshot!(on(&stage, &["incidents", "list", "--outcome", "approved"]), @r"
    exit code 0
    --- out
    [INCIDENT A]  [TIME]  approved  lockfile-corruption  cargo fetch --locked
    ");
    // It waits for a run; a resume does not carry it out.
    assert_snapshot!(on(&stage, &["resume"]), @r"
    exit code 0
    --- err
    regreen: nothing stands open here
    ");
    assert_eq!(lockfile(&stage), stage.set);
    // Looking without acting does not use it up.
    let mut look = stage.regreen(&["run", "--mode", "approve", "--dry-run", "--"]);
    assert_eq!(said(look.args(stage.project.install_argv())).code, 101);
    assert_eq!(run(&stage), 0);
    assert_eq!(lockfile(&stage), stage.good);
    assert_snapshot!(on(&stage, &["incidents", "list"]), @r"
    exit code 0
    --- out
    [INCIDENT A]  [TIME]  healed       lockfile-corruption  cargo fetch --locked
    [INCIDENT B]  [TIME]  suggested    lockfile-corruption  cargo fetch --locked
    [INCIDENT C]  [TIME]  handed-over  lockfile-corruption  cargo fetch --locked
    ");
    let carried_out = ids(&stage).remove(0);
    let shown = on(&stage, &["incidents", "show", &asked]);
    assert!(shown.contains("handed-over; carried out by"), "{shown}");
    let shown = said(&mut stage.regreen(&["incidents", "show", &carried_out]));
    assert!(String::from_utf8_lossy(&shown.out).contains(&format!("as incident {asked}")));
    assert_snapshot!(on(&stage, &["incidents", "replay", &carried_out]), @r"
    exit code 0
    --- out
    on record: heal by `repair-lockfile`, decided by regreen 0.1.0
    the playbooks that fitted, by a draw from how each did here before
      repair-lockfile            [DRAW]  0 of 0 healed
      rerun-after-shared-repair  [DRAW]  0 of 0 healed
    decided again from the same inputs: the same
    ");
    // The same failure once more needs another word.
    fs::write(stage.project.lockfile(), &stage.set).unwrap();
    assert_eq!(run(&stage), 101);
    assert_eq!(lockfile(&stage), stage.set);
    assert_snapshot!(on(&stage, &["approve", &asked]), @r"
    exit code 14
    --- err
    regreen: error: incident `[INCIDENT A]` is closed, so it can't be approved
      help: `regreen incidents list --outcome awaiting-approval` shows what waits for a person's word
    ");
    aftermath::audit_verifies(&stage.state()).unwrap();
    aftermath::nothing_left(&stage).unwrap();
}

#[test]
fn a_denied_recovery_is_not_done() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    assert_eq!(run(&stage), 101);
    let first = ids(&stage).remove(0);
    assert_snapshot!(on(&stage, &["deny", &first, "--reason", "the branch is frozen"]), @r"
    exit code 0
    --- out
    denied: [INCIDENT A]; nothing is done about it
    ");
    assert_snapshot!(on(&stage, &["approve", &first]), @r"
    exit code 14
    --- err
    regreen: error: incident `[INCIDENT A]` is closed, so it can't be approved
      help: `regreen incidents list --outcome awaiting-approval` shows what waits for a person's word
    ");
    assert_eq!(run(&stage), 101);
    let second = ids(&stage).remove(0);
    assert_eq!(said(&mut stage.regreen(&["approve", &second])).code, 0);
    assert_eq!(said(&mut stage.regreen(&["deny", &second])).code, 0);
    assert_eq!(run(&stage), 101);
    assert_eq!(lockfile(&stage), stage.set);
    let shown = on(&stage, &["incidents", "show", &first]);
    assert!(shown.contains("the branch is frozen"), "{shown}");
}

#[test]
fn an_approval_does_not_lift_what_yes_lifts() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    // On a laptop a file with uncommitted changes is not touched, whoever approved what.
    let laptop = |arguments: &[&str]| {
        let mut command = stage.regreen(arguments);
        command.args(stage.project.install_argv()).env_remove("CI");
        tell(&mut command, stage.base())
    };
    let asked = laptop(&["run", "--mode", "approve", "--"]);
    assert!(asked.contains("(mode-approve)"), "{asked}");
    let id = ids(&stage).remove(0);
    assert_eq!(said(&mut stage.regreen(&["approve", &id])).code, 0);
    let refused = laptop(&["run", "--mode", "approve", "--"]);
    assert!(refused.contains("(uncommitted-changes)"), "{refused}");
    assert_eq!(lockfile(&stage), stage.set);
    // What was not done did not use the word up.
    assert_eq!(said(&mut stage.regreen(&["deny", &id])).code, 0);
}
