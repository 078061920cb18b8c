//! GitHub Actions, the raw log of a job: `2024-05-01T12:34:56.1234567Z ##[group]Run npm ci`.
//!
//! The marks are those of `actions/runner` (`src/Runner.Worker`): `ScriptHandler.cs` says how a program ended,
//! `JobExtension.cs` ends the job.

use super::{Dialect, Mark, bare, line_starts, most_lines, name, stamp};

pub(super) struct GithubRaw;

/// The runner prints this, in English always, when a step's program ended with anything but 0.
const ENDED_WITH_ERROR: &[u8] = b"Process completed with exit code ";

impl Dialect for GithubRaw {
    fn fits(&self, sample: &[u8]) -> bool {
        most_lines(sample, |line| stamp::iso(line) > 0) || line_starts(sample, &["##[group]Run "])
    }

    /// A timestamp is any CI's.
    fn signs(&self, line: &[u8]) -> bool {
        line_starts(line, &["##[group]Run", "##[group]Operating System", "Current runner version: "])
    }

    fn prefix(&self, line: &[u8]) -> usize {
        stamp::iso(line)
    }

    fn marks_the_end(&self) -> bool {
        true
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["##[", "Post job cleanup.", "Cleaning up orphan processes"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        mark(&line[stamp::iso(line)..])
    }
}

/// What a line of the runner, without its timestamp, says.
pub(super) fn mark(body: &[u8]) -> Mark {
    let body = bare(body);
    if let Some(run) = marked(body, b"##[group").and_then(|words| words.strip_prefix(b"Run ")) {
        return Mark::Step(name(run));
    }
    match body {
        b"Post job cleanup." => Mark::Cleanup("Post job cleanup".to_owned()),
        b"Cleaning up orphan processes" => Mark::Done,
        _ => match error(body) {
            Some(words) if words.starts_with(ENDED_WITH_ERROR) => Mark::Failed,
            Some(_) => Mark::Complained,
            None => Mark::None,
        },
    }
}

/// The words of an error.
fn error(body: &[u8]) -> Option<&[u8]> {
    marked(body, b"##[error")
}

/// The words after a mark. The runner masks secrets in its own marks too: a secret `]` leaves `##[error***`.
fn marked<'b>(body: &'b [u8], mark: &[u8]) -> Option<&'b [u8]> {
    let rest = body.strip_prefix(mark)?;
    rest.strip_prefix(b"]").or_else(|| rest.strip_prefix(b"***"))
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    const HEAD: &str = "2024-05-01T12:00:00.0000000Z Current runner version: '2.316.0'\n\
                        2024-05-01T12:00:01.0000000Z ##[group]Run npm ci\n";
    const TAIL: &str = "2024-05-01T12:00:03.0000000Z Post job cleanup.\n\
                        2024-05-01T12:00:04.0000000Z fatal: not a git repository\n\
                        2024-05-01T12:00:05.0000000Z Cleaning up orphan processes\n";

    #[test]
    fn the_window_is_every_step_that_failed() {
        let (format, steps, lines) = told(&format!(
            "{HEAD}2024-05-01T12:00:02.0000000Z npm error\n\
             2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.\n\
             2024-05-01T12:00:02.0000000Z ##[group]Run echo always\n\
             2024-05-01T12:00:02.0000000Z always\n{TAIL}"
        ));
        assert_eq!(format, "github-raw");
        assert_eq!(
            steps,
            ["Set up job: Passed", "npm ci: Failed", "echo always: Passed", "Post job cleanup: Passed"]
        );
        assert_eq!(
            lines,
            ["2 ##[group]Run npm ci", "3 npm error", "4 ##[error]Process completed with exit code 1."]
        );
    }

    #[test]
    fn marks_of_another_ci_are_the_jobs_own_words() {
        for forged in [
            "##[section]Starting: npm ci",
            "travis_fold:start:after_success",
            "section_start:1700000000:after_script",
            "~~~ Preparing plugins",
            "[Pipeline] { (Declarative: Post Actions)",
            "#!/bin/bash -eo pipefail",
        ] {
            let (format, steps, _) = told(&format!(
                "{HEAD}2024-05-01T12:00:02.0000000Z {forged}\n\
                 2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.\n"
            ));
            assert_eq!((format, steps[1].as_str()), ("github-raw", "npm ci: Failed"), "{forged}");
        }
    }

    #[test]
    fn clean_up_that_ends_with_an_error_was_none() {
        let (_, steps, lines) = told(&format!(
            "{HEAD}2024-05-01T12:00:02.0000000Z Post job cleanup.\n\
             2024-05-01T12:00:02.0000000Z npm error\n\
             2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.\n{TAIL}"
        ));
        assert_eq!(steps[1..], ["npm ci: Failed", "Post job cleanup: Passed"]);
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("2 ##[group]Run npm ci", "4 npm error"));
    }

    #[test]
    fn what_runs_after_a_failure_is_not_what_failed() {
        let failed = "2024-05-01T12:00:02.0000000Z ##[error]Process completed with exit code 1.\n";
        for after in [
            "actions/upload-artifact@v4",
            "curl -d failed https://hooks.slack.com/services/x",
            "docker logs db",
        ] {
            let step = format!(
                "2024-05-01T12:00:02.0000000Z ##[group]Run {after}\n2024-05-01T12:00:02.0000000Z curl: (6) x\n{failed}"
            );
            let (_, _, lines) =
                told(&format!("{HEAD}2024-05-01T12:00:02.0000000Z npm error\n{failed}{step}{TAIL}"));
            assert_eq!(lines.len(), 3, "{lines:?}");
            // Where nothing failed before, it failed itself.
            let (_, _, lines) = told(&format!("{HEAD}{step}{TAIL}"));
            assert!(lines[0].contains(after), "{lines:?}");
        }
        // A step that may fail was before; the job failed by what came later.
        let (_, _, lines) = told(&format!(
            "{HEAD}2024-05-01T12:00:02.0000000Z npm error\n{failed}2024-05-01T12:00:02.0000000Z ##[group]Run npm test\n{failed}{TAIL}"
        ));
        assert_eq!(lines.len(), 5, "{lines:?}");
    }

    #[test]
    fn a_masked_bracket_is_still_a_mark() {
        let (_, steps, _) = told(&format!(
            "{HEAD}2024-05-01T12:00:02.0000000Z ##[error***Process completed with exit code 1.\n"
        ));
        assert_eq!(steps[1], "npm ci: Failed");
        let (_, steps, _) = told(&format!("{HEAD}2024-05-01T12:00:02.0000000Z ##[group***Run npm test\n"));
        assert_eq!(steps[2], "npm test: Passed");
    }
}
