//! GitHub Actions as `gh run view --log` and `--log-failed` print it: `job<TAB>step<TAB>timestamp line`.
//!
//! The columns are those of `pkg/cmd/run/view/view.go` in `cli/cli`.

use super::github_raw::mark;
use super::{Dialect, Mark, Place, Stamps, most_lines, stamp};

pub(super) struct GithubCli;

/// What `gh` writes where it can't tell the step.
const UNKNOWN_STEP: &[u8] = b"UNKNOWN STEP";

impl Dialect for GithubCli {
    fn fits(&self, sample: &[u8]) -> bool {
        most_lines(sample, |line| self.prefix(line) > 0)
    }

    fn prefix(&self, line: &[u8]) -> usize {
        let Some((_, _, rest)) = columns(line) else { return 0 };
        match stamp::iso(rest) {
            0 => 0,
            length => line.len() - rest.len() + length,
        }
    }

    fn stamps(&self, line: &[u8]) -> Option<Stamps> {
        let (_, _, rest) = columns(line)?;
        stamp::stamp(rest).map(|stamp| (stamp, stamp))
    }

    fn marks_the_end(&self) -> bool {
        true
    }

    /// Each line names its step, whatever it prints.
    fn cleanup_fails(&self) -> bool {
        true
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn mark(&self, line: &[u8]) -> Mark {
        mark(&line[self.prefix(line)..])
    }

    fn place<'l>(&self, line: &'l [u8]) -> Option<Place<'l>> {
        self.place_and_mark(line).0
    }

    fn place_and_mark<'l>(&self, line: &'l [u8]) -> (Option<Place<'l>>, Mark) {
        let Some((job, step, rest)) = columns(line) else { return (None, mark(line)) };
        match stamp::iso(rest) {
            0 => (None, mark(line)),
            stamp => {
                let step = (step != UNKNOWN_STEP).then_some(step);
                (Some(Place { job, step }), mark(&rest[stamp..]))
            }
        }
    }

    fn is_cleanup(&self, step: &[u8]) -> bool {
        step.starts_with(b"Post Run ") || step.starts_with(b"Post ") || step == b"Complete job"
    }
}

fn columns(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = memchr::memchr(b'\t', line)?;
    let second = first + 1 + memchr::memchr(b'\t', &line[first + 1..])?;
    Some((&line[..first], &line[first + 1..second], &line[second + 1..]))
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn of_several_jobs_the_failing_steps_are_read() {
        const LOG: &str = "lint\tRun ruff\t2024-05-01T12:00:00.0Z ##[group]Run ruff check\n\
             lint\tRun ruff\t2024-05-01T12:00:00.0Z F401 unused\n\
             lint\tRun ruff\t2024-05-01T12:00:00.0Z ##[error]Process completed with exit code 1.\n\
             lint\tComplete job\t2024-05-01T12:00:00.0Z Cleaning up orphan processes\n\
             docs\tRun make\t2024-05-01T12:00:00.0Z ok\n\
             docs\tComplete job\t2024-05-01T12:00:00.0Z Cleaning up orphan processes\n\
             test\tRun pytest\t2024-05-01T12:00:00.0Z 1 failed\n\
             test\tRun pytest\t2024-05-01T12:00:00.0Z ##[error]Process completed with exit code 1.\n";
        let (format, steps, lines) = told(LOG);
        assert_eq!(format, "github-cli");
        assert_eq!(steps[0], "Run ruff: Failed");
        assert_eq!(lines[1], "2 F401 unused");
        let each = crate::read(LOG.as_bytes(), &crate::ReadOptions::default()).by_job();
        let each: Vec<_> = each
            .iter()
            .map(|(job, log)| {
                let lines: Vec<u64> = log.lines().map(|line| line.number).collect();
                (job.as_deref().unwrap_or_default(), log.failed_step().unwrap_or_default(), lines)
            })
            .collect();
        assert_eq!(each, [("lint", "Run ruff", vec![1, 2, 3]), ("test", "Run pytest", vec![7, 8])]);
        assert_eq!(lines[3..], ["7 1 failed", "8 ##[error]Process completed with exit code 1."]);
    }
}
