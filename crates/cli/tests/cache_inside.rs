//! A package cache inside the checkout, as CI systems that keep only the checkout between jobs make people have it:
//! what the package manager writes there for itself is nobody's foreign change, and what somebody else writes is.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use regreen_lab::{
    PackageManager,
    damage::{CacheDamage, LockfileDamage},
};
use support::{
    aftermath,
    stage::{Break, Said, Stage, said},
    tree,
};

/// The stage with its cache moved into the checkout.
fn inside(manager: PackageManager, what: Break) -> Stage {
    let mut stage = Stage::broken(manager, what);
    let variable = if manager == PackageManager::Npm { "npm_config_cache" } else { "CARGO_HOME" };
    let place = place(&stage);
    fs::create_dir_all(&place).unwrap();
    if stage.project.cache().exists() {
        fs::remove_dir(&place).unwrap();
        fs::rename(stage.project.cache(), &place).unwrap();
    }
    stage.env(variable, &place);
    stage
}

fn place(stage: &Stage) -> PathBuf {
    stage.project.root().join(".package-manager")
}

#[track_caller]
fn healed(stage: &Stage, run: &Said, installs: usize) {
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(stage.installs(), installs, "{}", run.err);
    assert!(run.own_lines().contains("healed"), "{}", run.err);
    aftermath::nothing_left(stage).unwrap();
}

#[test]
fn a_lockfile_is_healed_beside_the_tools_own_logs() {
    for manager in [PackageManager::Npm, PackageManager::Cargo] {
        let stage = inside(manager, Break::Lockfile(LockfileDamage::Truncated));
        healed(&stage, &said(&mut stage.run_install()), 3);
        assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good, "{manager:?}");
    }
}

#[test]
fn a_cache_is_healed_where_it_is() {
    for (manager, damage) in
        [(PackageManager::Npm, CacheDamage::FolderIsFile), (PackageManager::Cargo, CacheDamage::Truncated)]
    {
        let stage = inside(manager, Break::Cache(damage));
        healed(&stage, &said(&mut stage.run_install()), 2);
    }
}

#[test]
fn somebody_elses_file_beside_the_cache_is_foreign() {
    let stage = inside(PackageManager::Npm, Break::Lockfile(LockfileDamage::Truncated));
    let before = tree::read(&stage.project.root(), &["node_modules", ".git", "_logs", "_cacache"]);
    // Written while Regreen repairs: by the git that it asks for the last good version.
    let shim = stage.base().join("bin/git");
    let foreign = place(&stage).join("foreign");
    let script =
        format!("#!/bin/sh\necho hello >'{}'\nPATH=${{PATH#*:}} exec git \"$@\"\n", foreign.display());
    fs::write(&shim, script).unwrap();
    fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    let run = said(&mut stage.run_install());
    assert_ne!(run.code, 0, "{}", run.err);
    assert_eq!(stage.installs(), 1, "{}", run.err);
    let after = tree::read(&stage.project.root(), &["node_modules", ".git", "_logs", "_cacache"]);
    assert_eq!(tree::differences(&before, &after), [".package-manager/foreign"], "{}", run.err);
}
