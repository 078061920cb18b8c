//! `regreen rollback`: as before, or refused with nothing touched.

use std::fs;

use insta::assert_snapshot;
use regreen_lab::{
    PackageManager,
    damage::{CacheDamage, LockfileDamage},
};

use crate::{
    healed::healed,
    said::{ids, on},
    support::{
        aftermath,
        stage::{Break, Stage, said},
        tree,
    },
};

#[test]
fn a_healed_lockfile_is_put_back_byte_for_byte() {
    for (manager, damage) in [
        (PackageManager::Cargo, LockfileDamage::Truncated),
        (PackageManager::Cargo, LockfileDamage::WrongChecksum),
        (PackageManager::Cargo, LockfileDamage::ConflictMarkers),
        (PackageManager::Npm, LockfileDamage::Truncated),
    ] {
        let stage = Stage::broken(manager, Break::Lockfile(damage));
        let before = stage.checkout();
        assert_eq!(said(&mut stage.run_install()).code, 0, "{manager:?} {damage:?}");
        assert_ne!(fs::read(stage.project.lockfile()).unwrap(), stage.set);
        let id = ids(&stage).remove(0);
        // What people are offered is a patch that git takes.
        let patch = stage.state().patch(&id);
        let checked = stage.program("git").args(["apply", "--check", "-R"]).arg(patch).status().unwrap();
        assert!(checked.success(), "{manager:?} {damage:?}");
        let back = said(&mut stage.regreen(&["rollback", &id]));
        assert_eq!(back.code, 0, "{manager:?} {damage:?}: {}", back.err);
        assert_eq!(tree::differences(&before, &stage.checkout()), Vec::<String>::new());
        aftermath::nothing_left(&stage).unwrap();
        aftermath::audit_verifies(&stage.state()).unwrap();
    }
}

#[test]
fn it_is_said_recorded_and_done_once() {
    let (stage, id) = healed();
    assert_snapshot!(on(&stage, &["rollback", &id, "--reason", "it was meant to change"]), @r"
    exit code 0
    --- out
    rolled back: [INCIDENT A]; what Regreen wrote is as before
    ");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.set);
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident [INCIDENT A] is rolled back already; what Regreen wrote is as before
    ");
    let shown = on(&stage, &["incidents", "show", &id]);
    assert!(shown.contains("it was meant to change") && shown.contains("undone"), "{shown}");
    assert_snapshot!(on(&stage, &["rollback", "no-such"]), @r"
    exit code 3
    --- err
    regreen: error: there is no incident `no-such`
      help: `regreen incidents list` shows what there is
    ");
}

#[test]
fn what_somebody_wrote_since_is_not_overwritten() {
    let (stage, id) = healed();
    let mut text = fs::read(stage.project.lockfile()).unwrap();
    text.extend(b"# a person was here\n");
    fs::write(stage.project.lockfile(), &text).unwrap();
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: Cargo.lock is not as Regreen left it: somebody has written to it since; compare it with the patch [BASE]/state/regreen/[WORKSPACE]/patches/[INCIDENT A].patch and change it by hand, or take it from git
    ");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), text);
    fs::remove_file(stage.project.lockfile()).unwrap();
    assert_eq!(said(&mut stage.regreen(&["rollback", &id])).code, 14);
    assert!(!stage.project.lockfile().exists());
    // It can still be done once the file is again what Regreen left.
    fs::write(stage.project.lockfile(), &text[..text.len() - 20]).unwrap();
    assert_eq!(said(&mut stage.regreen(&["rollback", &id])).code, 0);
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.set);
}

#[test]
fn a_patch_that_is_gone_or_was_changed_is_not_believed() {
    let (stage, id) = healed();
    let now = fs::read(stage.project.lockfile()).unwrap();
    let patch = stage.state().patch(&id);
    let text = fs::read_to_string(&patch).unwrap();
    fs::write(&patch, text.replacen("\n+", "\n+x", 2)).unwrap();
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: the patch of incident [INCIDENT A] does not lead back to what Cargo.lock was; take the file from git
    ");
    fs::write(&patch, text.replacen("\n-", "\n-x", 2)).unwrap();
    assert_eq!(said(&mut stage.regreen(&["rollback", &id])).code, 14);
    fs::remove_file(&patch).unwrap();
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: the patch of incident [INCIDENT A] can't be read (No such file or directory (os error 2)); take the file from git: git checkout HEAD -- Cargo.lock
    ");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), now);
    aftermath::nothing_left(&stage).unwrap();
}

#[test]
fn a_healed_cache_has_nothing_to_put_back() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Cache(CacheDamage::Truncated));
    let healed = said(&mut stage.run_install());
    assert_eq!(healed.code, 0, "{}", healed.err);
    let id = ids(&stage).remove(0);
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident [INCIDENT A] was healed without writing to a tracked file: there is nothing to put back
    ");
}

#[test]
fn what_was_only_suggested_has_nothing_to_take_back() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let mut command = stage.regreen(&["run", "--mode", "suggest", "--"]);
    assert_eq!(said(command.args(stage.project.install_argv())).code, 101);
    let id = ids(&stage).remove(0);
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident [INCIDENT A] is suggested: nothing was done that could be taken back
    ");
    assert_snapshot!(on(&stage, &["approve", &id]), @r"
    exit code 14
    --- err
    regreen: error: incident `[INCIDENT A]` is closed, so it can't be approved
      help: `regreen incidents list --outcome awaiting-approval` shows what waits for a person's word
    ");
}

#[test]
fn copies_that_a_killed_rollback_left_are_cleared_away() {
    let (stage, id) = healed();
    let state = stage.state();
    // As it is after the copy was made and before the incident was opened again.
    fs::write(state.open_marker(), &id).unwrap();
    let copies = state.folder().join("before").join(&id);
    fs::create_dir_all(&copies).unwrap();
    fs::write(copies.join("repair"), &stage.set).unwrap();
    assert_eq!(said(&mut stage.regreen(&["resume"])).code, 0);
    aftermath::nothing_left(&stage).unwrap();
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good);
    // While another one is unfinished, nothing is taken back.
    fs::write(state.open_marker(), "another").unwrap();
    assert_snapshot!(on(&stage, &["rollback", &id]), @r"
    exit code 14
    --- err
    regreen: error: another recovery stands unfinished here; bring it to its end first with `regreen resume`
    ");
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good);
}
