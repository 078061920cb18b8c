//! The wrapped command's verdict and output pass through `regreen run` as they are.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{Fault, PackageManager, PathGlob, Script, Until};
use support::stage::{Stage, said, shell_code, start_into};

#[test]
fn exit_codes_are_the_commands_own() {
    let stage = Stage::new(PackageManager::Cargo);
    for (arguments, code) in [
        (&["--", "true"][..], 0),
        (&["--", "sh", "-c", "exit 3"], 3),
        (&["--", "sh", "-c", "exit 255"], 255),
        (&["--", "/etc/passwd"], 126),
        (&["--", "no-such-program-anywhere"], 127),
        (&["--", "sh", "-c", "kill -9 $$"], 137),
        (&["--", "sh", "-c", "kill -TERM $$"], 143),
        (&["--timeout", "300ms", "--", "sleep", "60"], 124),
        (&["--idle-timeout", "300ms", "--", "sh", "-c", "echo begun; sleep 60"], 124),
    ] {
        let mut command = stage.regreen(&["run"]);
        let run = said(command.args(arguments));
        assert_eq!(run.code, code, "{arguments:?}: {}", run.err);
    }
}

#[test]
fn both_outputs_pass_byte_for_byte() {
    let stage = Stage::new(PackageManager::Cargo);
    // Every byte value, no newline at the end, and more than any buffer in between.
    let mut bytes: Vec<u8> = (0..=255).collect();
    bytes.extend(b"line\r\n\x1b[31m".repeat(100_000));
    bytes.extend((0..=255).rev());
    let file = stage.base().join("bytes");
    fs::write(&file, &bytes).unwrap();
    let file = file.display().to_string();
    for code in [0, 3] {
        let script = format!("cat '{file}'; cat '{file}' >&2; exit {code}");
        let output = stage.regreen(&["run", "--", "sh", "-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout == bytes, "standard output differs");
        assert!(output.stderr.starts_with(&bytes), "standard error differs");
        let own = &output.stderr[bytes.len()..];
        assert_eq!(own.is_empty(), code == 0, "{}", String::from_utf8_lossy(own));
    }
}

#[test]
fn the_command_reads_our_standard_input() {
    let stage = Stage::new(PackageManager::Cargo);
    let mut command = stage.regreen(&["run", "--", "cat"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"from outside").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"from outside");
}

#[test]
fn whoever_interrupts_gets_an_end_and_no_healing() {
    let stage = Stage::new(PackageManager::Cargo);
    // A download that stalls: left alone it would end in a time-out that Regreen heals.
    stage.lab.set_script(Script::fault(PathGlob::CARGO_CRATES, Fault::Stall, Until::Times(9)));
    let said = stage.base().join("said");
    let mut child = start_into(stage.run_install().env("CARGO_HTTP_TIMEOUT", "60"), &said);
    let until = Instant::now() + Duration::from_secs(30);
    while stage.lab.requests().iter().all(|r| !r.path.contains("/dl/")) {
        assert!(Instant::now() < until, "cargo asked for nothing: {:?}", stage.lab.requests());
        sleep(Duration::from_millis(10));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let code = shell_code(child.wait().unwrap());
    let text = fs::read_to_string(&said).unwrap();
    assert_eq!(code, 130, "{text}");
    assert_eq!(stage.installs(), 1, "{text}");
    assert!(!stage.state_home().exists(), "nothing was to be looked at: {text}");
    assert!(!text.contains("regreen:"), "{text}");
}
