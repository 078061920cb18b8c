//! The orphans of a killed run are found and ended, and nobody else is.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use regreen_process::{RunId, marker};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn pid_in(file: &Path) -> i32 {
    wait_for("a pid", || fs::read_to_string(file).ok()?.strip_suffix('\n')?.parse().ok())
}

fn runs(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn wrapper() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join("examples/wrap")
}

/// Ids of their own, so that tests running at once don't meet.
fn run_id(name: &str) -> RunId {
    RunId::new(format!("test-{name}-{}", std::process::id())).unwrap()
}

fn pids(run: &RunId) -> Vec<i32> {
    let mut pids: Vec<i32> = marker::survivors(run).unwrap().iter().map(|pid| pid.as_raw_pid()).collect();
    pids.sort_unstable();
    pids
}

#[test]
fn a_killed_wrapper_leaves_orphans_that_are_found_and_ended() {
    let folder = TempDir::new().unwrap();
    let run = run_id("orphans");
    // One in the group, one in a session of its own that won't go when asked, and its child without the variable.
    let script = "echo $$ >a; setsid sh -c 'trap \"\" TERM; echo $$ >b; env -i sh -c \"echo \\$\\$ >c; exec sleep 1000\"; \
                  while :; do sleep 1; done' & exec sleep 1000";
    let mut wrapped = Command::new(wrapper())
        .args(["--run-id", run.as_str(), "--", "sh", "-c", script])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let orphans = ["a", "b", "c"].map(|name| pid_in(&folder.path().join(name)));
    wrapped.kill().unwrap();
    wrapped.wait().unwrap();

    let mut expected = orphans.to_vec();
    expected.sort_unstable();
    wait_for("the three of them", || (pids(&run) == expected).then_some(()));
    let ended = marker::end_all(&run, Duration::from_millis(300)).unwrap();
    // The one that won't go starts another `sleep` when its child is gone.
    assert!(ended >= 3, "{ended}");
    assert!(orphans.iter().all(|pid| !runs(*pid)));
    assert_eq!(pids(&run), []);
}

#[test]
fn nobody_else_is_touched() {
    let run = run_id("mine");
    let mut other = Command::new("sleep")
        .arg("1000")
        .env("REGREEN_RUN", format!("{run}0"))
        .env("NOT_REGREEN_RUN", run.as_str())
        .spawn()
        .unwrap();
    assert_eq!(marker::end_all(&run, Duration::ZERO).unwrap(), 0);
    assert!(other.try_wait().unwrap().is_none());
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_run_within_the_run_belongs_to_it() {
    let folder = TempDir::new().unwrap();
    let (outer, inner) = (run_id("outer"), run_id("inner"));
    // In the background of a shell that ends at once: what we started ourselves is no survivor.
    let script = format!("'{}' --run-id {outer} -- sh -c \"$1\" & echo $! >wrapper", wrapper().display());
    let inner_script =
        &format!("'{}' --run-id {inner} -- sh -c 'echo $$ >pid; exec sleep 1000'", wrapper().display());
    let started = Command::new("sh")
        .args(["-c", &script, "sh", inner_script])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(started.success());
    let innermost = pid_in(&folder.path().join("pid"));
    // While it becomes `sleep` it can't be seen.
    wait_for("the inner run", || pids(&inner).contains(&innermost).then_some(()));
    wait_for("the outer run", || pids(&outer).contains(&innermost).then_some(()));
    let wrapper = Pid::from_raw(pid_in(&folder.path().join("wrapper"))).unwrap();
    kill_process(wrapper, Signal::KILL).unwrap();
    marker::end_all(&outer, Duration::from_secs(5)).unwrap();
    assert!(!runs(innermost));
    assert_eq!((pids(&outer), pids(&inner)), (vec![], vec![]));
}
