//! What a command leaves running is ended, unless it is to be left; and it never makes us hang.

use std::fs;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::wrapper::{output, pid_in, report, send, state, wait_until_gone, wrap};

#[test]
fn a_background_child_that_holds_the_output_is_gone() {
    let folder = TempDir::new().unwrap();
    let script = "sh -c 'echo $$ >pid; exec sleep 1000' & until test -s pid; do sleep 0.01; done; echo done";
    let done = wrap(&[], script).current_dir(folder.path()).output().unwrap();
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(0), &b"done\n"[..]));
    assert_eq!(state(pid_in(&folder.path().join("pid"))), None);
}

#[test]
fn a_daemon_in_a_session_of_its_own_is_gone() {
    let folder = TempDir::new().unwrap();
    let script = "(setsid sh -c 'trap \"\" TERM HUP; echo $$ >pid; while :; do sleep 1; done' >/dev/null 2>&1 &) ; \
                  until test -s pid; do sleep 0.01; done; exit 4";
    let done = wrap(&["--grace", "0.2"], script).current_dir(folder.path()).output().unwrap();
    assert_eq!(done.status.code(), Some(4));
    assert_eq!(state(pid_in(&folder.path().join("pid"))), None);
}

#[test]
fn they_are_counted() {
    let (code, report) = report(&[], "sleep 1000 & (setsid sleep 1000 &); exit 6");
    assert_eq!(code, 6);
    assert!(report.contains("left_behind=2"), "{report}");
    let (_, report) = crate::wrapper::report(&[], "sleep 0.01; true");
    assert!(report.contains("left_behind=0"), "{report}");
}

#[test]
fn they_may_be_left() {
    let folder = TempDir::new().unwrap();
    let script =
        "setsid sh -c 'echo $$ >pid; exec sleep 1000' & until test -s pid; do sleep 0.01; done; echo done";
    let done = wrap(&["--leave-background"], script).current_dir(folder.path()).output().unwrap();
    assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(0), &b"done\n"[..]));
    let pid = pid_in(&folder.path().join("pid"));
    assert!(state(pid).is_some());
    send(pid, Signal::KILL);
    wait_until_gone(pid);
}

/// Output that a process substitution still has in its hands belongs to the command.
#[test]
fn a_filter_that_outlives_the_command_may_finish() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("filter"),
        "while read line; do sleep 0.02; echo \"filtered $line\"; done\n",
    )
    .unwrap();
    let script = "mkfifo fifo; sh filter <fifo & exec >fifo; echo 1; echo 2; echo 3";
    let done = wrap(&[], script).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "filtered 1\nfiltered 2\nfiltered 3\n");
}

#[test]
fn many_short_orphans_leave_no_zombies() {
    // All of them are children of the wrapper at once, which is given time to notice.
    let script = "i=0; while test $i -lt 50; do (true &) ; i=$((i+1)); done; \
                  zombies() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c \") Z $PPID \"; }; \
                  tries=0; while test $(zombies) -gt 0 && test $tries -lt 300; do sleep 0.02; tries=$((tries+1)); done; \
                  zombies";
    assert_eq!(output(&[], script).stdout, b"0\n");
}
