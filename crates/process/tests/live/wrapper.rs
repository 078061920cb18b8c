//! Starts the wrapper and looks at what it does. Nothing here waits for a fixed time: what is awaited is polled for.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

pub(crate) use regreen_testkit::terminal::{state, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The example binary, which `cargo test` builds beside the tests.
pub(crate) fn wrapper() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let wrapper = test.parent().unwrap().parent().unwrap().join("examples/wrap");
    assert!(wrapper.exists(), "`cargo test --examples` builds {}", wrapper.display());
    wrapper
}

/// `wrap OPTIONS… -- sh -c SCRIPT`
pub(crate) fn wrap(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(wrapper());
    command.args(options).args(["--", "sh", "-c", script]).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub(crate) fn output(options: &[&str], script: &str) -> Output {
    wrap(options, script).output().unwrap()
}

/// Starts it with its output caught.
pub(crate) fn start(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs it to its end and gives the exit code and the wrapper's report.
pub(crate) fn report(options: &[&str], script: &str) -> (i32, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("report");
    let options = [&["--report", file.to_str().unwrap()], options].concat();
    let code = output(&options, script).status.code().unwrap();
    (code, fs::read_to_string(file).unwrap())
}

/// The pid that a script wrote with `echo $$ > file`.
pub(crate) fn pid_in(file: &std::path::Path) -> i32 {
    wait_for("a pid", || {
        let text = fs::read_to_string(file).ok()?;
        text.ends_with('\n').then(|| text.trim().parse().ok())?
    })
}

pub(crate) fn wait_until_gone(pid: i32) {
    wait_for("a process to end", || state(pid).is_none().then_some(()));
}

pub(crate) fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
