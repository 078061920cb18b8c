//! Travis: folds around what it does itself, and after each command a line that says how it ended.
//!
//! The marks are those of `travis-ci/travis-build` (`lib/travis/build/bash`): `travis_fold`, `travis_result`,
//! `travis_assert`.

use super::{Dialect, Mark, Stamps, bare, holds, name, number, stamp};
use crate::Stamp;

pub(super) struct Travis;

/// Folds of Travis itself: folds of other names are a tool's, inside of a step.
const STEPS: [&str; 12] = [
    "worker_info",
    "system_info",
    "git.",
    "services",
    "apt",
    "cache.",
    "before_install",
    "install",
    "before_script",
    "script",
    "before_deploy",
    "deploy",
];

/// Folds that come after the work.
const CLEANUPS: [&str; 5] = ["after_", "before_cache", "cache.2", "cache.store", "dpl_"];

impl Dialect for Travis {
    fn fits(&self, sample: &[u8]) -> bool {
        holds(sample, &["travis_fold:start:", "travis_time:start:"])
    }

    /// `travis_time:end:0a1b:start=1700000000000000000,finish=1700000001000000000,duration=1000000000`
    fn stamps(&self, line: &[u8]) -> Option<Stamps> {
        let Some(times) = after(line, b"travis_time:end:") else {
            return stamp::stamp(line).map(|stamp| (stamp, stamp));
        };
        let time = |name| Some(Stamp::mark(i64::try_from(number(after(times, name)?)?).ok()? / 1_000_000));
        Some((time(b"start=")?, time(b"finish=")?))
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["travis_fold:", "exited with "])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let line = bare(line);
        if let Some(fold) = after(line, b"travis_fold:start:") {
            let fold = fold.split(|b| matches!(b, b'\r' | b'\x1b' | b' ')).next().unwrap_or_default();
            let is = |names: &[&str]| names.iter().any(|name| fold.starts_with(name.as_bytes()));
            return match () {
                () if is(&CLEANUPS) => Mark::Cleanup(name(fold)),
                () if is(&STEPS) => Mark::Step(name(fold)),
                () => Mark::None,
            };
        }
        if let Some(fold) = after(line, b"travis_fold:end:") {
            let own = STEPS.iter().any(|name| fold.starts_with(name.as_bytes()));
            return if own { Mark::Ended { failed: false, name: None } } else { Mark::None };
        }
        ended(line).unwrap_or(Mark::None)
    }
}

/// `The command "npm test" exited with 1.`, `The command "npm ci" failed and exited with 1 during install.`; the
/// command can span several lines, of which this is the last.
fn ended(line: &[u8]) -> Option<Mark> {
    let at = memchr::memmem::rfind(line, b"exited with ")?;
    let before = line[..at].strip_suffix(b"failed and ").unwrap_or(&line[..at]);
    let command = before.trim_ascii_end().strip_suffix(b"\"")?;
    let code = number(&line[at + b"exited with ".len()..])?;
    if !line.ends_with(b".") {
        return None;
    }
    let command = command.strip_prefix(b"The command \"").map(name);
    Some(Mark::Ended { failed: code != 0, name: command })
}

fn after<'l>(line: &'l [u8], literal: &[u8]) -> Option<&'l [u8]> {
    memchr::memmem::rfind(line, literal).map(|at| &line[at + literal.len()..])
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_commands_that_failed_are_read() {
        let (format, steps, lines) = told(
            "travis_fold:start:worker_info\r\u{1b}[0KWorker information\n\
             travis_fold:end:worker_info\r\u{1b}[0K\n\
             travis_fold:start:install.1\r\u{1b}[0Ktravis_time:start:0a\r\u{1b}[0K$ npm ci\n\
             travis_fold:end:install.1\r\u{1b}[0K\n\
             $ npm test\n\
             travis_fold:start:a.tool\r\n\
             1 failing\n\
             travis_fold:end:a.tool\r\n\
             \u{1b}[31;1mThe command \"npm test\" exited with 1.\u{1b}[0m\n\
             $ npm run docs\n\
             \u{1b}[32;1mThe command \"npm run docs\" exited with 0.\u{1b}[0m\n\
             travis_fold:start:after_failure\n\
             curl: (6) Could not resolve host: x.example\n\
             travis_fold:end:after_failure\n\
             \n\
             Done. Your build exited with 1.\n",
        );
        assert_eq!(format, "travis");
        let ran: Vec<_> = steps.iter().filter(|s| s.starts_with("npm")).collect();
        assert_eq!(ran, ["npm test: Failed", "npm run docs: Passed"]);
        assert_eq!(lines[0], "5 $ npm test");
        assert_eq!(lines[2], "7 1 failing");
        assert!(!lines.iter().any(|line| line.contains("curl")), "{lines:?}");
        assert_eq!(lines.last().map(String::as_str), Some("16 Done. Your build exited with 1."));
    }

    #[test]
    fn a_build_that_says_it_exited_with_0_passed() {
        let log = "travis_fold:start:git.checkout\n$ git clone\ntravis_fold:end:git.checkout\n\
                   curl: (22) The requested URL returned error: 403\nThe command \"make\" exited with 0.\n\n\
                   Done. Your build exited with 0.\n";
        assert!(crate::read(log.as_bytes(), &crate::ReadOptions::default()).passed());
    }
}
