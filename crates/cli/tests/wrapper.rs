//! The wrapped command's verdict and output pass through `regreen run` as they are; nothing of it is left running; its
//! limits hold. On a terminal: `terminal.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod support;

use std::{
    fs,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use regreen_lab::{Fault, PackageManager, PathGlob, Script, Until};
use support::{
    processes,
    stage::{REGREEN, Said, Stage, said, shell_code, start_into},
};

/// Variable by which every process of one test is found.
const MARK: &str = "TEST_WRAPPED";
/// More than any process takes to die that was told to.
const PATIENCE: Duration = Duration::from_secs(20);

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

#[test]
fn a_reader_that_goes_away_ends_the_command_as_without_us() {
    let stage = Stage::new(PackageManager::Cargo);
    let script = |run: &str| format!("{{ {run} yes; echo $? >\"$1\"; }} | head -n 1");
    let code_of = |run: &str| {
        let file = stage.base().join("code");
        let mut command = stage.program("sh");
        let run = said(command.args(["-c", &script(run), "sh"]).arg(&file));
        assert_eq!(run.out, b"y\n", "{}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
        fs::read_to_string(file).unwrap()
    };
    assert_eq!(code_of(&format!("'{REGREEN}' run --")), code_of(""));
}

#[test]
fn closed_outputs_are_no_reason_to_fail() {
    let stage = Stage::new(PackageManager::Cargo);
    for (script, code) in [("exit 0", 0), ("exit 3", 3)] {
        let closed = format!("'{REGREEN}' run -- sh -c '{script}' >&- 2>&-");
        let run = said(stage.program("sh").args(["-c", &closed]));
        assert_eq!(run.code, code, "{script}");
    }
}

#[test]
fn what_it_left_running_is_ended_before_we_end() {
    let stage = Stage::new(PackageManager::Cargo);
    // The second daemon does not heed a request to end.
    for (code, ignored) in [(0, "HUP"), (3, "HUP TERM")] {
        let script = format!(
            "sleep 1000 & (setsid sh -c 'trap \"\" {ignored}; echo there >daemon; while :; do sleep 1; done' \
             >/dev/null 2>&1 &); until test -s daemon; do sleep 0.01; done; rm daemon; echo done; exit {code}"
        );
        let mark = format!("left-{}-{code}", std::process::id());
        let run = said(stage.regreen(&["run", "--", "sh", "-c", &script]).env(MARK, &mark));
        assert_eq!((run.code, run.out.as_slice()), (code, &b"done\n"[..]), "{}", run.err);
        assert_eq!(processes::with_entry(&format!("{MARK}={mark}")), [], "left running");
    }
}

#[test]
fn it_may_be_left_running_on_request() {
    let stage = Stage::new(PackageManager::Cargo);
    let mark = format!("leave-{}", std::process::id());
    let entry = format!("{MARK}={mark}");
    let script = "setsid sleep 1000 & echo done";
    let run = said(stage.regreen(&["run", "--leave-background", "--", "sh", "-c", script]).env(MARK, &mark));
    assert_eq!((run.code, run.out.as_slice()), (0, &b"done\n"[..]), "{}", run.err);
    let left = processes::with_entry(&entry);
    assert_eq!(left.len(), 1, "{left:?}");
    let ended = Command::new("kill").args(["-9", &left[0].0.to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(processes::wait_until_gone(&entry, PATIENCE), []);
}

/// A command that does nothing any more.
fn hang(limit: &str) -> Said {
    let stage = Stage::new(PackageManager::Cargo);
    let mark = format!("hang-{limit}-{}", std::process::id());
    let script = "echo begun; sh -c 'sleep 4711; :' tangerine5walrus7umbrella & wait";
    let mut command = stage.regreen(&["run", limit, "2s", "--", "sh", "-c", script]);
    let run = said(command.env(MARK, &mark).env("MY_TOKEN", "tangerine5walrus7umbrella"));
    assert_eq!((run.code, run.out.as_slice()), (124, &b"begun\n"[..]), "{}", run.err);
    assert_eq!(processes::with_entry(&format!("{MARK}={mark}")), [], "left running");
    // What hung is shown, without the secret in its arguments.
    assert!(run.err.contains("  sleep 4711"), "{}", run.err);
    assert!(run.err.contains("***") && !run.err.contains("tangerine"), "{}", run.err);
    assert!(run.err.contains("nothing was done"), "a hang alone proves nothing: {}", run.err);
    let incidents = said(&mut stage.regreen(&["incidents", "list"]));
    assert!(String::from_utf8_lossy(&incidents.out).contains("unknown"), "{incidents:?}");
    run
}

#[test]
fn silence_ends_the_tree_and_it_is_said_what_hung() {
    let run = hang("--idle-timeout");
    assert!(run.own_lines().contains("it said nothing more"), "{}", run.err);
}

#[test]
fn a_time_out_ends_the_tree_and_it_is_said_what_hung() {
    let run = hang("--timeout");
    assert!(run.own_lines().contains("it took too long"), "{}", run.err);
}

#[test]
fn what_it_printed_when_it_passed_is_no_cause() {
    let stage = Stage::new(PackageManager::Cargo);
    let lines = "echo 'npm error code ECONNRESET'; echo 'npm error network read ECONNRESET'";
    let script = format!("{lines}; test ! -e broken");
    let run = |remember: &str| {
        let mut command = stage.regreen(&["run", "--", "sh", "-c", &script]);
        said(command.env("REGREEN_REMEMBER_PASSED", remember))
    };
    assert_eq!(run("0").code, 0);
    assert!(!stage.state_home().exists(), "it was remembered all the same");
    let passed = run("1");
    assert_eq!((passed.code, passed.own_lines().as_str()), (0, ""));
    fs::write(stage.project.root().join("broken"), "").unwrap();
    let failed = run("1");
    assert_eq!(failed.code, 1);
    assert!(failed.own_lines().contains("a passing run prints that line too"), "{}", failed.err);
    let forgotten = run("0");
    assert_eq!(forgotten.code, 1);
    assert!(forgotten.own_lines().contains("network-timeout"), "{}", forgotten.err);
    let wrong = run("yes");
    assert_eq!(wrong.code, 1);
    assert!(wrong.own_lines().contains("REGREEN_REMEMBER_PASSED: 0 or 1"), "{}", wrong.err);
}

#[test]
fn a_command_that_hung_says_its_last_line_and_what_to_try() {
    let stage = Stage::new(PackageManager::Cargo);
    let script = "echo 'Continue? [y/N]'; sleep 60";
    let run = said(stage.regreen(&["run"]).args(["--idle-timeout", "300ms", "--", "sh", "-c", script]));
    assert_eq!(run.code, 124);
    let own = run.own_lines();
    assert!(own.contains("its last line, 1: Continue? [y/N]; by its last line, it asks a question"), "{own}");
    assert!(own.contains("nothing was done (unknown-cause)"), "{own}");
}
