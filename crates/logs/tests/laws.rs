//! Laws of reading: hostile bytes are survived, numbers and columns mean the raw log, the window is the failure.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use proptest::prelude::*;
use regreen_logs::{Dropped, Format, ReadOptions, StepOutcome, read};
use regreen_mask::Masker;

fn lines(bytes: &[u8]) -> Vec<(u64, String)> {
    let log = read(bytes, &ReadOptions::default());
    log.lines().map(|line| (line.number, line.text().as_str().to_owned())).collect()
}

const JOB: &str = "\
2024-05-01T12:00:00.0000000Z Current runner version: '2.316.0'
2024-05-01T12:00:01.0000000Z ##[group]Run npm ci
2024-05-01T12:00:01.0000000Z \u{1b}[36;1mnpm ci\u{1b}[0m
2024-05-01T12:00:01.0000000Z ##[endgroup]
2024-05-01T12:00:02.0000000Z npm error code ECONNRESET
2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.
2024-05-01T12:00:03.0000000Z ##[group]Run actions/upload-artifact@v4
2024-05-01T12:00:03.0000000Z ##[endgroup]
2024-05-01T12:00:03.0000000Z ##[error]No files were found with the provided path
2024-05-01T12:00:04.0000000Z Post job cleanup.
";

#[test]
fn the_window_is_the_step_that_failed() {
    let log = read(JOB.as_bytes(), &ReadOptions::default());
    assert_eq!(log.format(), Format::GithubRaw);
    assert_eq!(log.failed_step(), Some("npm ci"));
    let outcomes: Vec<_> = log.steps().iter().map(|s| (s.name.as_str(), s.outcome)).collect();
    assert_eq!(
        outcomes,
        [
            ("Set up job", StepOutcome::Passed),
            ("npm ci", StepOutcome::Failed),
            ("actions/upload-artifact@v4", StepOutcome::Complained),
            ("Post job cleanup", StepOutcome::Passed),
        ]
    );
    let error = log.lines().find(|l| l.text().as_str().starts_with("npm error")).unwrap();
    assert_eq!((error.number, error.text().column(0)), (5, 30));
    assert!(!log.truncated() && !log.passed());
    assert_eq!(log.lines().last().unwrap().number, 6);
}

#[test]
fn a_job_without_a_mark_of_failure_passed() {
    let green: String = JOB.lines().filter(|l| !l.contains("##[error]")).map(|l| format!("{l}\n")).collect();
    assert!(read(green.as_bytes(), &ReadOptions::default()).passed());
    assert!(!read(b"npm error code E503\n", &ReadOptions::default()).passed());
}

#[test]
fn what_is_left_of_a_cut_line_is_not_read() {
    let shown = |bytes: &[u8], options: &ReadOptions| {
        let log = read(bytes, options);
        log.lines().map(|line| (line.number, line.text().as_str().to_owned())).collect::<Vec<_>>()
    };
    let cut = ReadOptions::spool(Dropped { lines: 3, bytes: 40 });
    let second = vec![(5, "npm error".to_owned())];
    assert_eq!(shown(b"half-of-a-token and the rest\nnpm error\n", &cut), second);
    assert_eq!(shown(b"half-of-a-token and the rest", &cut), [(4, "and the rest".to_owned())]);
    assert_eq!(shown(b"half-of-a-token", &cut), []);
    assert!(read(b"half-of-a-token\nnpm error\n", &cut).truncated());
    // One line that is longer than the window.
    let small = ReadOptions { window_bytes: 12, ..ReadOptions::default() };
    assert_eq!(shown(b"a-token-that-is-cut the rest", &small), [(1, "the rest".to_owned())]);
}

#[test]
fn the_github_cli_names_the_step_on_each_line() {
    let log = "\
build\tSet up job\t2024-05-01T12:00:00.0Z Runner
build\tRun npm ci\t2024-05-01T12:00:01.0Z ##[group]Run npm ci
build\tRun npm ci\t2024-05-01T12:00:02.0Z npm error code ECONNRESET
build\tRun npm ci\t2024-05-01T12:00:02.0Z ##[error]Process completed with exit code 1.
build\tPost checkout\t2024-05-01T12:00:03.0Z Post job cleanup.
";
    let log = read(log.as_bytes(), &ReadOptions::default());
    assert_eq!(log.format(), Format::GithubCli);
    assert_eq!(log.failed_step(), Some("Run npm ci"));
    let line = log.lines().nth(1).unwrap();
    assert_eq!((line.number, line.text().as_str()), (3, "npm error code ECONNRESET"));
    assert_eq!(line.text().column(0), 17 + 23 + 1);
}

#[test]
fn marks_in_the_output_of_an_own_command_are_forged() {
    let log = read(JOB.as_bytes(), &ReadOptions::spool(Dropped::default()));
    assert!(log.steps().is_empty() && log.failed_step().is_none());
    assert_eq!(log.first_line(), 1);
}

#[test]
fn lines_count_from_what_was_dropped() {
    let log = read(b"rest of 42\na\nb\n", &ReadOptions::spool(Dropped { lines: 41, bytes: 900 }));
    assert_eq!(log.lines().map(|l| l.number).collect::<Vec<_>>(), [43, 44]);
    assert!(log.truncated());
}

#[test]
fn after_what_was_dropped_no_two_bytes_are_a_byte_order_mark() {
    let bytes = b"rest of 42\n\xff\xfenpm error\n";
    let log = read(bytes, &ReadOptions::spool(Dropped { lines: 41, bytes: 900 }));
    let lines: Vec<_> = log.lines().map(|line| line.text().as_str().to_owned()).collect();
    assert_eq!(lines, ["\u{fffd}\u{fffd}npm error"]);
    // At the beginning of a log they are one.
    let log = read(&bytes[11..], &ReadOptions::default());
    assert!(!log.lines().any(|line| line.text().as_str().contains("npm")));
}

#[test]
fn the_window_starts_at_a_line_and_says_that_it_was_cut() {
    let options = ReadOptions { window_bytes: 9, ..ReadOptions::default() };
    let log = read(b"first line\nsecond\nx\n", &options);
    let read: Vec<_> = log.lines().map(|l| (l.number, l.text().as_str().to_owned())).collect();
    assert_eq!(read, [(2, "second".to_owned()), (3, "x".to_owned())]);
    assert!(log.truncated());
}

#[test]
fn encodings_and_line_ends() {
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain("añ\r\nb".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let want = vec![(1, "añ".to_owned()), (2, "b".to_owned())];
    assert_eq!(lines(&utf16), want);
    assert_eq!(lines("añ\r\nb\r\n".as_bytes()), want);
    assert_eq!(lines(b"\x1b]0;title\x07a\xc3\xb1\r\n\r\r\nb")[0], want[0]);
}

#[test]
fn a_hundred_megabytes_on_one_line_are_looked_at_no_further_than_the_cap() {
    let mut bytes = vec![b'x'; 2 * 1024 * 1024];
    bytes.extend_from_slice(b"\rlast state\n");
    assert_eq!(lines(&bytes), [(1, "last state".to_owned())]);
    let options = ReadOptions { line_bytes: 10, ..ReadOptions::default() };
    assert_eq!(read(&[b'y'; 100], &options).lines().next().unwrap().text().as_str().len(), 10);
}

#[test]
fn a_secret_cut_by_colour_is_found_because_decoding_comes_first() {
    let raw = format!("token {}\u{1b}[1m{}\n", "ghp_a1B2a1B2", "a1B2".repeat(7));
    let masker = Masker::new::<[&str; 0], &str>([]);
    let log = read(raw.as_bytes(), &ReadOptions::default());
    assert_eq!(masker.mask(log.lines().next().unwrap().text().as_str()), "token ***");
}

/// What repeats a mark or a hint without end costs no more than its bytes: with a square in it, this would not end.
#[test]
fn marks_without_end_are_read_in_time() {
    let failing = "2024-05-01T12:00:01.0Z ##[group]Run x\n2024-05-01T12:00:01.0Z ##[error]Process completed with exit code 1.\n";
    let undone = format!("{}{}\n", "a\u{1b}[m".repeat(16_000), "\u{8}".repeat(16_000));
    for (what, unit, times) in [
        ("attempts", "attempt \n", 800_000),
        ("attempts on one line", "attempt ", 900_000),
        ("steps that failed", failing, 60_000),
        ("folds", "travis_fold:start:install\nThe command \"x\" exited with 1.\n", 100_000),
        ("backspaces", &undone, 40),
    ] {
        let log = read(unit.repeat(times).as_bytes(), &ReadOptions::default());
        assert_eq!(log.last_attempt(), None, "{what}");
        assert!(log.steps().len() <= 4096 && log.lines().all(|line| line.text().column(0) > 0), "{what}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600), cap in 1usize..64) {
        let options = ReadOptions { window_bytes: cap * 8, line_bytes: cap, ..ReadOptions::default() };
        for options in [options, ReadOptions::default()] {
            let log = read(&bytes, &options);
            let mut last = log.first_line() - 1;
            for line in log.lines() {
                prop_assert_eq!(line.number, last + 1);
                last = line.number;
                let text = line.text();
                prop_assert!(text.as_str().chars().all(|c| c == '\t' || !c.is_control()));
                for byte in 0..=text.as_str().len() {
                    prop_assert!(text.column(byte) >= 1);
                }
                if let Some(after) = log.line_after(&line) {
                    prop_assert_eq!(log.line_before(&after).map(|l| l.start), Some(line.start));
                }
            }
        }
    }

    #[test]
    fn columns_point_at_the_raw_character(words in proptest::collection::vec("(\u{1b}\\[[0-9;]{0,4}m)?[a-zé]{1,6}", 1..8)) {
        let raw = words.concat();
        let log = read(raw.as_bytes(), &ReadOptions::default());
        let text = log.lines().next().unwrap().text();
        for (byte, c) in text.as_str().char_indices() {
            let column = text.column(byte) as usize;
            prop_assert_eq!(raw.chars().nth(column - 1), Some(c));
        }
    }

    #[test]
    fn the_same_window_reads_the_same_with_and_without_timestamps(words in proptest::collection::vec("[a-z ]{0,12}", 1..9)) {
        let plain: String = words.iter().map(|w| format!("{w}\n")).collect();
        let stamped: String = words.iter().map(|w| format!("2024-05-01T12:34:56.1234567Z {w}\n")).collect();
        let trim = |lines: Vec<(u64, String)>| -> Vec<_> { lines.into_iter().filter(|(_, t)| !t.is_empty()).collect() };
        prop_assert_eq!(trim(lines(plain.as_bytes())), trim(lines(stamped.as_bytes())));
    }
}
