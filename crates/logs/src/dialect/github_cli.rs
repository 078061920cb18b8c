//! GitHub Actions as `gh run view --log` and `--log-failed` print it: `job<TAB>step<TAB>timestamp line`.

use super::github_raw::{mark, timestamp};
use super::{Dialect, Mark, most_lines};

pub(super) struct GithubCli;

/// What `gh` writes where it can't tell the step.
const UNKNOWN_STEP: &[u8] = b"UNKNOWN STEP";

impl Dialect for GithubCli {
    fn fits(&self, sample: &[u8]) -> bool {
        most_lines(sample, |line| self.prefix(line) > 0)
    }

    fn prefix(&self, line: &[u8]) -> usize {
        let Some((_, _, rest)) = columns(line) else { return 0 };
        match timestamp(rest) {
            0 => 0,
            length => line.len() - rest.len() + length,
        }
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        None
    }

    fn mark(&self, line: &[u8]) -> Mark {
        mark(&line[self.prefix(line)..])
    }

    fn place<'l>(&self, line: &'l [u8]) -> Option<(&'l [u8], &'l [u8])> {
        let (job, step, _) = columns(line)?;
        (step != UNKNOWN_STEP).then_some((job, step))
    }

    fn marks_failures(&self) -> bool {
        true
    }
}

fn columns(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = memchr::memchr(b'\t', line)?;
    let second = first + 1 + memchr::memchr(b'\t', &line[first + 1..])?;
    Some((&line[..first], &line[first + 1..second], &line[second + 1..]))
}
