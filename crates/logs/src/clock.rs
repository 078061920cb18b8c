//! When lines were written, where the CI says so: how long a job took, and how long it was silent.

use std::time::Duration;

use crate::{Format, Line, Log};

/// So many lines are looked at for a stamp, from the log's beginning and from its end.
const LOOKED_AT: usize = 400;

/// Of so many lines from the first stamp on (or up to the last) at least half have one: otherwise it is a word of the
/// output, no stamp.
const NEIGHBOURS: usize = 40;

/// No job takes longer.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

const DAY: i64 = 24 * 3600 * 1000;

/// When a line was written, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    ms: i64,
    /// Since 1970; else since midnight, or since the job began.
    dated: bool,
    /// A mark that only a CI writes, on lines of its own.
    mark: bool,
}

impl Stamp {
    /// So many milliseconds since 1970.
    pub(crate) const fn moment(ms: i64) -> Stamp {
        Stamp { ms, dated: true, mark: false }
    }

    /// So many milliseconds on a clock without a date.
    pub(crate) const fn clock(ms: i64) -> Stamp {
        Stamp { ms, dated: false, mark: false }
    }

    /// So many milliseconds since 1970, by a mark that stands on few lines.
    pub(crate) const fn mark(ms: i64) -> Stamp {
        Stamp { ms, dated: true, mark: true }
    }

    /// The time from an earlier stamp to this one; of a clock without a date, less than a day. `None` where one has a
    /// date and the other none, where it is not later, or by more than a week: then one of them is no stamp.
    pub fn since(self, earlier: Stamp) -> Option<Duration> {
        let ms = match (earlier.dated, self.dated) {
            (true, true) => self.ms - earlier.ms,
            (false, false) if self.ms < earlier.ms => self.ms - earlier.ms + DAY,
            (false, false) => self.ms - earlier.ms,
            _ => return None,
        };
        u64::try_from(ms).ok().map(Duration::from_millis).filter(|took| *took <= LONGEST)
    }
}

/// First and last stamp that a line speaks of: most speak of one moment.
pub(crate) type Stamps = (Stamp, Stamp);

/// The stamp with which the log begins, where these are its first bytes; of them, no more are looked at than a reader that
/// begins near the end has.
pub(crate) fn first(bytes: &[u8], format: Format) -> Option<Stamp> {
    let head = &bytes[..bytes.len().min(Format::SAMPLE)];
    let lines = || head.split(|b| *b == b'\n').take(LOOKED_AT);
    sound(lines, format).map(|(first, _)| first)
}

/// The stamp with which the log ends, where these are its last bytes.
pub(crate) fn last(bytes: &[u8], format: Format) -> Option<Stamp> {
    let lines = || bytes.rsplit(|b| *b == b'\n').take(LOOKED_AT);
    sound(lines, format).map(|(_, last)| last)
}

/// The first stamps among the lines, where their neighbours have some too.
fn sound<'l, L: Iterator<Item = &'l [u8]>>(lines: impl Fn() -> L, format: Format) -> Option<Stamps> {
    let stamps = |line: &[u8]| format.dialect().stamps(line);
    let at = lines().position(|line| stamps(line).is_some())?;
    let found = lines().nth(at).and_then(stamps)?;
    if found.0.mark {
        return Some(found);
    }
    let neighbours = lines().skip(at).filter(|line| !line.trim_ascii().is_empty()).take(NEIGHBOURS);
    let (stamped, all) = neighbours
        .fold((0, 0), |(stamped, all), line| (stamped + usize::from(stamps(line).is_some()), all + 1));
    (stamped * 2 >= all).then_some(found)
}

impl Log<'_> {
    /// How long the job took: from the first to the last stamp of the whole log, not of its window only. `None` where
    /// the CI stamps no lines.
    pub fn took(&self) -> Option<Duration> {
        self.took
    }
}

impl Line<'_> {
    /// When it was written, where it says so.
    pub fn stamp(&self) -> Option<Stamp> {
        let whole = self.columns_before == 0;
        whole.then(|| self.format.dialect().stamps(self.raw)).flatten().map(|(_, last)| last)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::io::Cursor;

    use super::*;
    use crate::{ReadOptions, Source, read};

    fn seconds(log: &str) -> (&'static str, Option<f64>) {
        let log = read(log.as_bytes(), &ReadOptions::default());
        (log.format().id(), log.took().map(|took| took.as_secs_f64()))
    }

    #[test]
    fn every_dialect_with_stamps_says_how_long_it_took() {
        for (log, want) in [
            (
                "2024-05-01T23:59:50.5000000Z ##[group]Run x\n2024-05-02T00:01:00.0000000Z ok\n",
                ("github-raw", Some(69.5)),
            ),
            (
                "a\tb\t2024-02-28T12:00:00.0Z x\na\tb\t2024-03-01T12:00:00.0Z y\n",
                ("github-cli", Some(172_800.0)),
            ),
            (
                "2024-05-01T12:00:00.0Z ##[section]Starting: a\n2024-05-01T12:00:07.0Z ##[section]Finishing: a\n",
                ("azure", Some(7.0)),
            ),
            (
                "Running with gitlab-runner 17\nsection_start:1700000000:get_sources\r\u{1b}[0Kx\ny\n\
                 section_end:1700000090:step_script\r\u{1b}[0K\nERROR: Job failed: exit code 1\n",
                ("gitlab", Some(90.0)),
            ),
            (
                "2024-05-01T12:00:00.000000Z 00O Running with gitlab-runner 17\n2024-05-01T12:00:05.250000Z 00O x\n",
                ("gitlab", Some(5.25)),
            ),
            (
                "travis_fold:start:git.checkout\ntravis_time:start:1\n\
                 travis_time:end:1:start=1700000000000000000,finish=1700000001500000000,duration=1500000000\n\
                 $ make\ntravis_time:end:2:start=1700000002000000000,finish=1700000012000000000,duration=10\nx\n",
                ("travis", Some(12.0)),
            ),
            (
                "\u{1b}_bk;t=1700000000000\u{7}~~~ Running commands\n\u{1b}_bk;t=1700000004000\u{7}x\n",
                ("buildkite", Some(4.0)),
            ),
            (
                "Started by user admin\n[Pipeline] {\n[2024-05-01T12:00:00.000Z] + make\n[2024-05-01T12:01:00.000Z] x\n\
                 [Pipeline] }\nFinished: FAILURE\n",
                ("jenkins", Some(60.0)),
            ),
            (
                "[00:00:00] Build started\n[00:00:01] git clone -q x\n[00:02:00] appveyor\n",
                ("appveyor", Some(120.0)),
            ),
            ("====>> Spin up\n#!/bin/bash -eo pipefail\nx\n", ("circleci", None)),
            ("23:59:58 a\n23:59:59 b\n00:00:08 c\n", ("plain", Some(10.0))),
            ("one\ntwo\n", ("plain", None)),
            ("", ("plain", None)),
        ] {
            assert_eq!(seconds(log), want, "{log}");
        }
    }

    #[test]
    fn a_moment_that_the_output_names_is_no_stamp() {
        let output = "a\nb\nc\nd\n";
        assert_eq!(
            seconds(&format!("2024-05-01T12:00:00Z begun\n{output}2024-05-01T13:00:00Z over\n")).1,
            None
        );
        assert_eq!(seconds("2024-05-02T12:00:00Z a\n2024-05-01T13:00:00Z b\n").1, None);
        let impossible = read(b"2024-13-99T12:00:00Z a\n24:61:00 b\n", &ReadOptions::default());
        assert!(impossible.lines().all(|line| line.stamp().is_none()));
    }

    #[test]
    fn of_a_long_file_that_is_read_from_its_end_too() {
        let line = |s: u64| {
            format!("2024-05-01T{:02}:{:02}:{:02}.0Z {}\n", s / 3600, s / 60 % 60, s % 60, "x".repeat(1000))
        };
        let long: String = (0..40_000).map(line).collect();
        let end = "2024-05-01T11:06:40.0Z ##[error]Process completed with exit code 1.\n\
                   2024-05-01T11:06:41.0Z Post job cleanup.\n";
        let long = format!(
            "2024-05-01T00:00:00.0Z ##[group]Run x\n{long}2024-05-01T11:06:40.0Z ##[group]Run y\n{end}"
        );
        let tail = Source::default().read_file(&mut Cursor::new(long.as_bytes())).unwrap();
        assert!(tail.unread > 0);
        assert_eq!(tail.log.took(), Some(Duration::from_secs(40_001)));
        assert_eq!(read(long.as_bytes(), &ReadOptions::default()).took(), tail.log.took());
    }

    #[test]
    fn lines_say_when_they_were_written() {
        let log =
            read(b"[00:00:01] Build started\nx\n[00:00:09] git clone -q appveyor\n", &ReadOptions::default());
        let stamps: Vec<_> = log.lines().map(|line| line.stamp()).collect();
        let [Some(first), None, Some(last)] = stamps[..] else { panic!("{stamps:?}") };
        assert_eq!(last.since(first), Some(Duration::from_secs(8)));
    }
}
