//! A job that was ended while it was silent: its last line, the silence, what to try, and no cause.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{sync::LazyLock, time::Duration};

use proptest::prelude::*;
use regreen_catalog::Catalog;
use regreen_detect::{Circumstances, Detection, Detector, ExitFacts};
use regreen_domain::FailureClass;
use regreen_logs::{Dropped, ReadOptions, read};
use regreen_mask::Masker;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));

fn detect(log: &str, exit: Option<ExitFacts>) -> Detection {
    let options = match exit {
        Some(_) => ReadOptions::spool(Dropped::default()),
        None => ReadOptions::default(),
    };
    let log = read(log.as_bytes(), &options);
    let scan = DETECTOR.scan(&log, &Circumstances { command: None, exit });
    DETECTOR.conclude(&scan, &[], &Masker::new(["planted-secret-value"]))
}

/// Last line, seconds of silence, and a piece of the advice.
fn hang(log: &str) -> Option<(Option<u64>, Option<u64>, String)> {
    let hang = detect(log, None).hang?;
    Some((hang.line, hang.silent.map(|silent| silent.as_secs()), hang.advice))
}

#[track_caller]
fn hung(log: &str, line: u64, silent: Option<u64>, advice: &str) {
    let found = hang(log).unwrap();
    assert_eq!((found.0, found.1), (Some(line), silent), "{log}");
    assert!(found.2.contains(advice), "{}", found.2);
}

#[test]
fn each_platform_s_word_for_it() {
    let github = |end: &str| {
        format!(
            "2024-05-01T12:00:00.0Z ##[group]Run make\n2024-05-01T12:00:01.0Z Downloading https://a.example/b.jar\n\
             2024-05-01T12:30:01.0Z ##[error]{end}\n2024-05-01T12:30:02.0Z Post job cleanup.\n"
        )
    };
    hung(
        &github("The action 'Build' has timed out after 30 minutes."),
        2,
        Some(1800),
        "waits for a download",
    );
    hung(&github("The operation was canceled."), 2, Some(1800), "waits for a download");
    hung(
        "$ make test\n=== RUN   TestA\n\n\nNo output has been received in the last 10m0s, this potentially indicates a stalled \
         build or something wrong with the build itself.\nThe build has been terminated\n",
        2,
        Some(600),
        "a test hangs",
    );
    hung(
        "Waiting for cache lock\nToo long with no output (exceeded 10m0s): context deadline exceeded\n",
        1,
        Some(600),
        "waits for a lock",
    );
    hung(
        "x\nContinue? [y/N]\nERROR: Job failed: execution took longer than 1h0m0s seconds\n",
        2,
        None,
        "asks a question",
    );
}

#[test]
fn who_was_at_work_or_cancelled_at_once_did_not_hang() {
    let at = |second: u32, end: &str| {
        format!(
            "2024-05-01T12:00:00.0Z ##[group]Run make\n2024-05-01T12:00:{second:02}.0Z step\n2024-05-01T12:00:59.0Z ##[error]{end}\n"
        )
    };
    assert_eq!(hang(&at(50, "The operation was canceled.")), None);
    let (_, silent, advice) = hang(&at(50, "The action 'Build' has timed out after 30 minutes.")).unwrap();
    assert_eq!(silent, Some(9));
    assert!(advice.contains("at work until its end"), "{advice}");
    assert_eq!(hang("gcc -c a.c\na.c:3:9: error: expected expression\n"), None);
}

#[test]
fn a_command_that_regreen_ended_says_its_last_line() {
    let exit = Some(ExitFacts { signal: Some(15), idle: true, ..ExitFacts::default() });
    let found = detect("working\nUsing planted-secret-value\n\n", exit);
    let hang = found.hang.unwrap();
    assert_eq!((hang.line, hang.text.as_str(), hang.silent), (Some(2), "Using ***", None));
    assert!(
        found.diagnosis.reason.ends_with("said nothing more; its last line is line 2"),
        "{}",
        found.diagnosis.reason
    );
    assert_eq!(found.diagnosis.class, FailureClass::Unknown);
    let silent = detect("", exit);
    assert_eq!(silent.hang.unwrap().line, None);
    assert!(silent.diagnosis.reason.ends_with("it printed nothing at all"), "{}", silent.diagnosis.reason);
    assert!(detect("x\n", Some(ExitFacts { code: Some(1), ..ExitFacts::default() })).hang.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever was printed, a hang changes neither class nor confidence, and is said only where none is known.
    #[test]
    fn a_hang_names_no_cause(lines in prop::collection::vec("[ -~]{0,40}", 0..12), minutes in 0u32..59) {
        let log = format!("{}\nNo output has been received in the last {minutes}m0s, x\n", lines.join("\n"));
        let found = detect(&log, None);
        let healable = found.diagnosis.class.healable().map(regreen_domain::HealableClass::id);
        if let Some(hang) = found.hang {
            prop_assert!(matches!(healable, None | Some("runner-failure")));
            prop_assert_eq!(hang.silent, Some(Duration::from_secs(u64::from(minutes) * 60)));
        }
    }
}
