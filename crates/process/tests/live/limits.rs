//! Time-outs end the whole tree, whatever it does against it.
//!
//! A limit that the script must have got ready for is long enough for a machine that does much else.

use std::fs;

use tempfile::TempDir;

use crate::wrapper::{output, pid_in, report, state, wrap};

#[test]
fn a_time_out_ends_a_tree_that_ignores_being_asked() {
    let folder = TempDir::new().unwrap();
    let script = "trap '' TERM; echo $$ >a; sh -c 'trap \"\" TERM; echo $$ >b; while :; do sleep 1; done' & \
                  setsid sh -c 'trap \"\" TERM; echo $$ >c; while :; do sleep 1; done' & \
                  while :; do sleep 1; done";
    let done =
        wrap(&["--timeout", "3", "--grace", "0.2"], script).current_dir(folder.path()).output().unwrap();
    assert_eq!(done.status.code(), Some(124));
    for file in ["a", "b", "c"] {
        assert_eq!(state(pid_in(&folder.path().join(file))), None, "{file} still runs");
    }
}

#[test]
fn a_command_that_heeds_the_request_may_clean_up() {
    let done = output(&["--timeout", "2"], "trap 'echo cleaned; exit 0' TERM; while :; do sleep 0.05; done");
    assert_eq!(done.status.code(), Some(124));
    assert_eq!(done.stdout, b"cleaned\n");
}

#[test]
fn silence_ends_it_and_the_tree_is_shown() {
    let (code, report) = report(&["--idle-timeout", "2"], "echo working; sleep 4711 & sleep 4712");
    assert_eq!(code, 124);
    assert!(report.contains(" Idle "), "{report}");
    assert!(report.contains("  sleep 4711") && report.contains("  sleep 4712"), "{report}");
}

#[test]
fn a_command_that_prints_is_not_idle() {
    let script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo $i; sleep 0.2; done";
    let (code, report) = report(&["--idle-timeout", "2.5"], script);
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_limit_ends_even_a_stopped_command() {
    let done = output(&["--timeout", "0.3", "--grace", "0.2"], "kill -STOP $$");
    assert_eq!(done.status.code(), Some(124));
}

#[test]
fn a_limit_holds_even_if_nobody_reads_the_output() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = wrap(&["--timeout", "0.3", "--grace", "0.2"], "exec yes");
    command.stdout(std::os::fd::OwnedFd::from(writer));
    let code = command.status().unwrap().code();
    assert_eq!(code, Some(124));
    drop(reader);
}

#[test]
fn a_limit_that_is_not_reached_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let script = "echo out >&2; exit 5";
    let options = ["--timeout", "60", "--idle-timeout", "60"];
    let done = wrap(&options, script).current_dir(folder.path()).output().unwrap();
    assert_eq!((done.status.code(), done.stderr.as_slice()), (Some(5), &b"out\n"[..]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
