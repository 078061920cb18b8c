//! `regreen run` on a terminal: the command is on one too, and the person at it keeps Ctrl-C, Ctrl-Z and the window.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::fs;

use regreen_lab::{Fault, PackageManager, PathGlob, Script, Until, damage::LockfileDamage};
use regreen_testkit::terminal::{state, wait_for};
use support::{
    aftermath, screen,
    stage::{Break, Stage},
};

#[test]
fn the_command_sees_terminals_and_its_bytes_pass_unchanged() {
    let stage = Stage::new(PackageManager::Cargo);
    let script = "test -t 0 && test -t 1 && test -t 2 && printf 'a\\nb\\r\\n\\tc\\033[1m\\001\\377\\0end'";
    let mut session = screen::regreen(&stage, true, &["run", "--", "sh", "-c", script]);
    assert_eq!(session.ended().code(), Some(0));
    session.wait_for_text("end");
    assert_eq!(session.bytes(), b"a\nb\r\n\tc\x1b[1m\x01\xff\0end");
}

#[test]
fn after_a_failure_our_words_come_last_and_the_code_is_its_own() {
    let stage = Stage::new(PackageManager::Cargo);
    let mut session =
        screen::regreen(&stage, true, &["run", "--", "sh", "-c", "printf 'its words\\n'; exit 9"]);
    assert_eq!(session.ended().code(), Some(9));
    session.wait_for_text("nothing was done");
    assert!(session.text().starts_with("its words\n"), "{}", session.text());
}

#[test]
fn a_terminal_for_one_stream_only() {
    let stage = Stage::new(PackageManager::Cargo);
    let mut session = screen::shell(&stage);
    session.type_text("$R -- sh -c 'test -t 1; echo out-$? >&2; test -t 2; echo err-$? >&2' | cat\n");
    session.wait_for_text("out-1");
    session.wait_for_text("err-0");
}

#[test]
fn the_window_size_is_seen_and_followed() {
    let stage = Stage::new(PackageManager::Cargo);
    let script = "echo now-$(stty size <&2); trap 'echo then-$(stty size <&2)' WINCH; echo rea''dy; \
                  while :; do sleep 0.02; done";
    let mut session = screen::regreen(&stage, false, &["run", "--", "sh", "-c", script]);
    session.wait_for_text("now-33 77");
    session.wait_for_text("ready");
    session.resize((44, 111));
    session.wait_for_text("then-44 111");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
}

#[test]
fn ctrl_c_ends_the_command_and_nothing_is_looked_at() {
    let stage = Stage::new(PackageManager::Cargo);
    let script = "echo pid=$$\\;; exec sleep 1000";
    let mut session = screen::regreen(&stage, false, &["run", "--", "sh", "-c", script]);
    let command = session.number_after("pid=");
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130));
    assert_eq!(state(command), None);
    assert!(!stage.state_home().exists(), "{}", session.text());
    assert!(!session.text().contains("regreen:"), "{}", session.text());
}

#[test]
fn ctrl_z_stops_and_fg_goes_on() {
    let stage = Stage::new(PackageManager::Cargo);
    let mut session = screen::shell(&stage);
    session.type_text("$R -- sh -c 'echo pid=$$\\;; exec sleep 1000'\n");
    let command = session.number_after("pid=");
    for _ in 0..2 {
        wait_for("it to run", || (state(command) == Some('S')).then_some(()));
        session.type_text("\x1a");
        wait_for("it to stop", || (state(command) == Some('T')).then_some(()));
        // Only a shell that has the terminal back reads this.
        session.type_text("echo back-''again\n");
        session.wait_for_text("back-again");
        session.clear();
        session.type_text("fg\n");
    }
    wait_for("it to run", || (state(command) == Some('S')).then_some(()));
    session.type_text("\x03");
    wait_for("it to end", || state(command).is_none().then_some(()));
    session.type_text("echo code=$?\\;\n");
    assert_eq!(session.number_after("code="), 130);
}

#[test]
fn a_person_at_the_terminal_is_asked_by_the_command_and_has_it_back_after_a_healing() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    let mut session = screen::shell(&stage);
    session.type_text(&format!("$R -- {}; echo code=$?\\;\n", stage.project.install_argv().join(" ")));
    assert_eq!(session.number_after("code="), 0, "{}", session.text());
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.good);
    session.type_text("read x; echo mine-$x\ntyped\n");
    session.wait_for_text("mine-typed");
}

#[test]
fn ctrl_c_during_the_second_run_gives_everything_back() {
    let stage = Stage::broken(PackageManager::Cargo, Break::Lockfile(LockfileDamage::Truncated));
    // The first run ends at the lockfile; the second gets as far as a download, which stalls.
    stage.lab.set_script(Script::fault(PathGlob::CARGO_CRATES, Fault::Stall, Until::Times(9)));
    let argv = [&["run", "--"][..], stage.project.install_argv()].concat();
    let mut session = screen::regreen(&stage, false, &argv);
    wait_for("a download", || stage.lab.requests().iter().any(|r| r.path.contains("/dl/")).then_some(()));
    session.type_text("\x03");
    assert_eq!(session.ended().code(), Some(130), "{}", session.text());
    assert_eq!(stage.installs(), 2, "{}", session.text());
    assert_eq!(fs::read(stage.project.lockfile()).unwrap(), stage.set, "{}", session.text());
    aftermath::nothing_left(&stage).unwrap();
    aftermath::audit_verifies(&stage.state()).unwrap();
}
