//! What many logs come to, in four formats.

pub mod html;
pub mod json;
pub mod markdown;
pub mod plain;

use std::path::Path;

use regreen_domain::{FailureClass, Verdict};
use regreen_show::harmless::harmless;

use crate::tally::{Cause, Share, Tally};

/// How it is called what is done about a failure, in the order of [`crate::tally::ACTIONS`], and what that means.
pub const WORDS: [(&str, &str); 3] = [
    ("heal", "by a playbook, once a probe confirms it"),
    ("suggest", "the infrastructure: advice for a person"),
    ("leave alone", "the project's own code, or not diagnosed"),
];

/// How the time was found.
pub const HOW: &str = "from the first to the last time stamp of each log";

/// How many logs there are of what.
fn summary(tally: &Tally<'_>) -> String {
    let unread = match tally.unreadable {
        0 => String::new(),
        n => format!("; {n} could not be read"),
    };
    format!("{}: {} failed, {} passed{unread}", logs(tally.logs()), tally.failed.logs, tally.passed)
}

fn logs(n: u64) -> String {
    if n == 1 { "1 log".to_owned() } else { format!("{n} logs") }
}

/// How much of the time is known, as a sentence; nothing where none is.
fn timing(failed: Share) -> Option<String> {
    (failed.timed > 0).then(|| {
        let of = if failed.timed == failed.logs { "all".to_owned() } else { failed.timed.to_string() };
        format!("Time is {HOW}; {of} of the {} failed ones have stamps.", failed.logs)
    })
}

/// A time for people; nothing where none is known.
fn time(share: Share) -> String {
    let minutes = share.took.as_secs_f64() / 60.0;
    match share {
        Share { timed: 0, .. } => String::new(),
        _ if share.took.is_zero() => "0 min".to_owned(),
        _ if minutes < 10.0 => format!("{minutes:.1} min"),
        _ if minutes < 600.0 => format!("{minutes:.0} min"),
        _ => format!("{:.0} h", minutes / 60.0),
    }
}

/// A share in percent.
fn percent(part: u64, of: u64) -> String {
    if part > 0 && part * 200 < of {
        return "<1 %".to_owned();
    }
    format!("{:.0} %", part as f64 * 100.0 / (of.max(1)) as f64)
}

/// What would have been done about a cause: `heal`, or of how many logs what.
fn would(cause: &Cause<'_>) -> String {
    let [heal, suggest, none] = cause.group.by_action;
    let by = |words: &str| match cause.playbook {
        Some(playbook) => format!("{words} by `{playbook}`"),
        None => words.to_owned(),
    };
    match (heal, suggest, none) {
        (_, 0, 0) => by("heal"),
        (0, _, 0) => "suggest".to_owned(),
        (0, 0, _) => WORDS[2].0.to_owned(),
        (0, suggest, none) => format!("suggest {suggest}, leave {none} alone"),
        (heal, suggest, 0) => format!("{}, suggest {suggest}", by(&format!("heal {heal}"))),
        (heal, suggest, none) => {
            format!("{}, suggest {suggest}, leave {none} alone", by(&format!("heal {heal}")))
        }
    }
}

/// The class for people, with its verdict.
fn class(class: FailureClass) -> String {
    match class.verdict() {
        Verdict::Unknown => "not diagnosed".to_owned(),
        verdict => format!("{verdict}: {class}"),
    }
}

/// The text of the example's line.
fn evidence(cause: &Cause<'_>) -> Option<String> {
    cause.example.line.as_ref().map(|(_, _, text)| harmless(text)).filter(|text| !text.trim().is_empty())
}

/// The example's file as a relative or absolute reference (RFC 3986): never one with a scheme, whatever its name.
fn link(cause: &Cause<'_>) -> Option<String> {
    let file: &Path = cause.example.file.as_deref()?;
    let mut uri = if file.is_absolute() { String::new() } else { "./".to_owned() };
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(*byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    // Of a path such as `//host`, the first part would be a host.
    let uri = if uri.starts_with("//") { format!("/.{uri}") } else { uri };
    Some(match &cause.example.line {
        Some((line, ..)) => format!("{uri}#L{line}"),
        None => uri,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::{path::PathBuf, sync::LazyLock, time::Duration};

    use regreen_catalog::Catalog;
    use regreen_detect::{Baseline, Detector};
    use regreen_logs::{ReadOptions, read};
    use regreen_mask::Masker;

    use super::*;
    use crate::commands::diagnosed;

    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| regreen_builtin::catalog().unwrap());
    static DETECTOR: LazyLock<Detector<'static>> = LazyLock::new(|| Detector::new(&CATALOG));
    static MASKER: LazyLock<Masker> = LazyLock::new(|| Masker::new(["planted-secret-value"]));

    /// The tally of logs by name and text.
    fn tally(logs: &[(&str, &str)]) -> Tally<'static> {
        let mut tally = Tally::default();
        for (name, text) in logs {
            let log = read(text.as_bytes(), &ReadOptions::default());
            let of = diagnosed(&DETECTOR, &CATALOG, &Baseline::new(&MASKER), &MASKER, name, &log);
            tally.add(of, Some(PathBuf::from(name)), log.took());
        }
        tally
    }

    fn pages(tally: &Tally<'_>) -> [(&'static str, String); 4] {
        [
            ("plain", plain::page(tally)),
            ("markdown", markdown::page(tally)),
            ("html", html::page(tally)),
            ("json", json::page(tally)),
        ]
    }

    /// Every log is in each count exactly once: by action, by class, by cause.
    #[test]
    fn counts_add_up() {
        let examples = CATALOG.patterns().iter().flat_map(|p| p.examples.iter());
        let names: Vec<(String, &str)> =
            examples.enumerate().step_by(7).map(|(i, e)| (format!("{i}.log"), e.log.as_str())).collect();
        let logs: Vec<(&str, &str)> = names.iter().map(|(name, log)| (name.as_str(), *log)).collect();
        let tally = tally(&logs);
        assert!(logs.len() > 50);
        assert_eq!(tally.logs(), logs.len() as u64);
        let failed = tally.failed.logs;
        assert_eq!(tally.by_action.iter().map(|s| s.logs).sum::<u64>(), failed);
        assert_eq!(tally.classes.values().map(|(_, g)| g.all.logs).sum::<u64>(), failed);
        assert_eq!(tally.causes().iter().map(|c| c.group.all.logs).sum::<u64>(), failed);
        for group in tally.classes.values().map(|(_, g)| g).chain(tally.causes().iter().map(|c| &c.group)) {
            assert_eq!(group.by_action.iter().sum::<u64>(), group.all.logs);
        }
        let counts: Vec<u64> = tally.causes().iter().map(|c| c.group.all.logs).collect();
        assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
        assert!(plain::page(&tally).lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn one_cause_in_many_logs_is_one_cause_with_the_time_of_all() {
        let at = |minute: u32, end: u32| {
            format!(
                "2024-05-01T12:{minute:02}:00.0Z ##[group]Run npm ci\n2024-05-01T12:{minute:02}:01.0Z npm error code ECONNRESET\n\
                 2024-05-01T12:{end:02}:00.0Z ##[error]Process completed with exit code 1.\n"
            )
        };
        let (a, b) = (at(0, 3), at(10, 20));
        let tally = tally(&[("a.log", &a), ("b.log", &b), ("c.log", "npm error code ECONNRESET\n")]);
        let causes = tally.causes();
        assert_eq!((causes.len(), causes[0].group.all.logs, causes[0].group.all.timed), (1, 3, 2));
        assert_eq!(causes[0].group.all.took, Duration::from_secs(13 * 60));
        assert!(plain::page(&tally).contains("2 of the 3 failed ones have stamps"));
    }

    #[test]
    fn nothing_of_a_log_gets_out_of_its_place() {
        let name = "javascript:alert(1)\"><script>|`.log";
        let text = "a.c:3:9: error: </code></pre><script>alert(1)</script> | ``` planted-secret-value\u{1b}[2J\n::error::x\n";
        let tally = tally(&[(name, text), ("//evil.example/x.log", text)]);
        for (format, page) in pages(&tally) {
            assert!(!page.contains("planted-secret-value") && !page.contains('\u{1b}'), "{format}: {page}");
            assert!(!page.lines().any(|line| line.starts_with("::")), "{format}: {page}");
        }
        let html = html::page(&tally);
        assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{html}");
        assert!(
            html.contains("href=\"./javascript%3Aalert%281%29%22%3E%3Cscript%3E%7C%60.log#L1\""),
            "{html}"
        );
        let markdown = markdown::page(&tally);
        assert!(
            !markdown.contains("](javascript") && !markdown.replace("\\|", "").contains("| ```"),
            "{markdown}"
        );
    }

    #[test]
    fn without_a_failure_there_is_no_table() {
        let tally = tally(&[("a.log", "Started by x\n+ make\nFinished: SUCCESS\n")]);
        assert_eq!(plain::page(&tally), "1 log: 0 failed, 1 passed\n");
        for (format, page) in pages(&tally) {
            assert!(!page.contains("<table") && !page.contains("NaN"), "{format}: {page}");
        }
    }
}
