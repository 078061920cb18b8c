//! Quiet commands: captured, capped, ended in time.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use regreen_process::Status;
use regreen_process::quiet::{self, QuietCommand, QuietError};
use tempfile::TempDir;

fn sh(script: &str) -> QuietCommand {
    QuietCommand::new(["sh", "-c", script])
}

async fn pid_in(file: &Path) -> i32 {
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if let Some(pid) =
            fs::read_to_string(file).ok().and_then(|text| text.strip_suffix('\n')?.parse().ok())
        {
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no pid in {}", file.display());
}

async fn wait_until_gone(pid: i32) {
    let until = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(Instant::now() < until, "{pid} still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn both_streams_and_the_code_are_captured() {
    let done = quiet::run(sh("echo out; echo err >&2; exit 3")).await.unwrap();
    assert_eq!(done.status, Status::Exit(3));
    assert_eq!((done.stdout.text(), done.stderr.text()), ("out\n".into(), "err\n".into()));
    assert!(!done.timed_out && !done.stdout.truncated && !done.stderr.truncated);
    let done = quiet::run(sh("kill -9 $$")).await.unwrap();
    assert_eq!(done.status, Status::Signal(9));
}

#[tokio::test]
async fn it_reads_nothing_and_has_the_environment_that_it_is_given() {
    let folder = TempDir::new().unwrap();
    let mut command = sh("cat; echo ${NEW-unset} ${HOME-unset}; pwd -P");
    command.cwd = Some(folder.path().to_owned());
    command.env = vec![("NEW".into(), "value".into())];
    command.env_removed = vec!["HOME".into()];
    let done = quiet::run(command).await.unwrap();
    let real = folder.path().canonicalize().unwrap();
    assert_eq!(done.stdout.text(), format!("value unset\n{}\n", real.display()));
}

#[tokio::test]
async fn more_than_the_cap_is_read_and_dropped() {
    let mut command = sh("head -c 3000000 /dev/zero; head -c 1000 /dev/zero >&2; echo end >&2");
    command.output_cap = 1004;
    let done = quiet::run(command).await.unwrap();
    assert_eq!(done.status, Status::Exit(0));
    assert_eq!((done.stdout.bytes.len(), done.stdout.truncated), (1004, true));
    assert_eq!((done.stderr.bytes.len(), done.stderr.truncated), (1004, false));
}

#[tokio::test]
async fn its_time_is_limited_for_the_whole_group() {
    let folder = TempDir::new().unwrap();
    let mut command =
        sh("echo begun; sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & wait");
    command.cwd = Some(folder.path().to_owned());
    (command.timeout, command.grace) = (Duration::from_secs(2), Duration::from_millis(200));
    let done = quiet::run(command).await.unwrap();
    assert!(done.timed_out);
    // The leader heeds it, the other is killed.
    assert_eq!((done.status, done.stdout.text()), (Status::Signal(15), "begun\n".into()));
    wait_until_gone(pid_in(&folder.path().join("pid")).await).await;
}

/// A leader that goes at once, and a worker that takes its time to tidy up, and says so.
const TIDY: &str = "sh -c 'trap \"sleep 0.2; echo tidied; echo tidied >tidied; exit 0\" TERM; echo $$ >pid; \
                    while :; do sleep 0.05; done' & wait";

#[tokio::test]
async fn whoever_is_out_of_time_may_tidy_up() {
    let folder = TempDir::new().unwrap();
    let mut command = sh(TIDY);
    command.cwd = Some(folder.path().to_owned());
    (command.timeout, command.grace) = (Duration::from_millis(500), Duration::from_secs(30));
    let done = quiet::run(command).await.unwrap();
    assert_eq!((done.timed_out, done.stdout.text()), (true, "tidied\n".into()));
    assert!(folder.path().join("tidied").exists() && done.duration < Duration::from_secs(20));
    // One that stands still can't heed it, and is woken first.
    let done = quiet::run(QuietCommand {
        timeout: Duration::from_millis(300),
        grace: Duration::from_secs(30),
        ..sh("trap 'echo woken; exit 7' TERM; kill -STOP $$")
    });
    let done = done.await.unwrap();
    assert_eq!((done.status, done.timed_out, done.stdout.text()), (Status::Exit(7), true, "woken\n".into()));
}

#[tokio::test]
async fn dropping_the_future_ends_the_group() {
    let folder = TempDir::new().unwrap();
    let mut command = sh("sh -c 'echo $$ >pid; exec sleep 1000' & wait");
    command.cwd = Some(folder.path().to_owned());
    let running = tokio::spawn(quiet::run(command));
    let pid = pid_in(&folder.path().join("pid")).await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    wait_until_gone(pid).await;
}

#[tokio::test]
async fn whoever_is_let_go_may_tidy_up_and_is_gone_when_that_returns() {
    let folder = TempDir::new().unwrap();
    // More than a pipe holds is said on the way out, to somebody who no longer listens.
    for (script, stays, tidied) in [
        (TIDY.replace("echo tidied;", "head -c 200000 /dev/zero;"), Duration::from_secs(30), true),
        (TIDY.replace("sleep 0.2", "sleep 1000"), Duration::from_millis(200), false),
    ] {
        let (pid_file, mark) = (folder.path().join("pid"), folder.path().join("tidied"));
        let _none = (fs::remove_file(&pid_file), fs::remove_file(&mark));
        let command = QuietCommand { cwd: Some(folder.path().to_owned()), grace: stays, ..sh(&script) };
        let running = tokio::spawn(quiet::run(command));
        let pid = pid_in(&pid_file).await;
        running.abort();
        assert!(running.await.unwrap_err().is_cancelled());
        let state = fs::read_to_string(format!("/proc/{pid}/stat"));
        assert!(state.as_ref().is_ok_and(|state| state.contains(") Z ")) || state.is_err(), "{state:?}");
        assert_eq!(mark.exists(), tidied, "{script}");
    }
}

#[tokio::test]
async fn what_it_leaves_running_does_not_hold_us() {
    let done = quiet::run(sh("sleep 1000 & setsid sleep 3 & echo done")).await.unwrap();
    assert_eq!((done.status, done.stdout.text()), (Status::Exit(0), "done\n".into()));
    assert!(done.duration < Duration::from_secs(3));
}

#[tokio::test]
async fn what_can_not_be_started_is_an_error() {
    assert!(matches!(quiet::run(QuietCommand::new(Vec::<String>::new())).await, Err(QuietError::Empty)));
    let missing = quiet::run(QuietCommand::new(["no-such-program-anywhere"])).await;
    assert!(matches!(missing, Err(QuietError::Start { .. })));
}
