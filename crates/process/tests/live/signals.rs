//! Signals that are sent to the wrapper reach the command, and the wrapper stays until it has ended.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::wrapper::{send, start, wait_for, wrap, wrapper};

/// Waits for the line `ready`.
fn ready(child: &mut Child) {
    let mut line = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(&line, b"ready\n");
}

fn pid(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
}

#[test]
fn each_is_passed_on() {
    let signals = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];
    for (signal, name) in signals.into_iter().zip(["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"]) {
        let script = format!("trap 'echo got; exit 33' {name}; echo ready; while :; do sleep 0.02; done");
        let mut child = start(wrap(&[], &script));
        ready(&mut child);
        send(pid(&child), signal);
        let done = child.wait_with_output().unwrap();
        assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(33), &b"got\n"[..]), "{name}");
    }
}

#[test]
fn a_command_that_does_not_heed_them_ends_by_them() {
    let mut child = start(wrap(&[], "echo ready; exec sleep 1000"));
    ready(&mut child);
    send(pid(&child), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn the_second_request_sets_a_term() {
    let script = "trap 'echo again' INT TERM; echo ready; while :; do sleep 0.02; done";
    // Long enough for it to say that it heard the second one.
    let mut child = start(wrap(&["--grace", "3"], script));
    ready(&mut child);
    let mut heard = [0; 6];
    for _ in 0..2 {
        send(pid(&child), Signal::INT);
        child.stdout.as_mut().unwrap().read_exact(&mut heard).unwrap();
    }
    assert_eq!(child.wait().unwrap().code(), Some(137));
}

/// `nohup`, and background jobs of scripts: an ignored signal stays ignored, for us and for the command.
#[test]
fn what_was_ignored_stays_ignored() {
    let script = format!(
        "trap '' HUP; exec '{}' -- sh -c 'echo ready; kill -HUP $$; read x; exit 8'",
        wrapper().display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::piped());
    let mut child = start(command);
    ready(&mut child);
    send(pid(&child), Signal::HUP);
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(8));
}

#[test]
fn an_ignored_sigchld_does_not_cost_the_verdict() {
    let script = format!("trap '' CHLD; exec '{}' -- sh -c 'exit 9'", wrapper().display());
    assert_eq!(Command::new("sh").args(["-c", &script]).status().unwrap().code(), Some(9));
}

/// A Ctrl-C while Regreen thinks about the failure must not be lost.
#[test]
fn after_the_run_a_signal_ends_us_as_it_did_before() {
    let mut command = wrap(&["--linger"], "echo ready");
    command.stdin(Stdio::piped());
    let mut child = start(command);
    ready(&mut child);
    // Either the run is still going on, and the signal comes too late for the command, or it is over.
    wait_for("us to end", || {
        send(pid(&child), Signal::TERM);
        child.try_wait().unwrap()
    });
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[test]
fn stopping_us_stops_the_command_and_continuing_continues_it() {
    let mut child = start(wrap(&[], "echo ready; echo $$; exec sleep 1000"));
    ready(&mut child);
    let mut text = Vec::new();
    while text.last() != Some(&b'\n') {
        let mut byte = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    let command: i32 = String::from_utf8(text).unwrap().trim().parse().unwrap();
    send(pid(&child), Signal::TSTP);
    let state = crate::wrapper::state;
    wait_for("the command to stop", || (state(command) == Some('T')).then_some(()));
    wait_for("us to stop", || (state(pid(&child)) == Some('T')).then_some(()));
    send(pid(&child), Signal::CONT);
    wait_for("the command to go on", || (state(command) != Some('T')).then_some(()));
    send(pid(&child), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(143));
}
