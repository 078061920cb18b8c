//! Buildkite: the agent heads what it does with `~~~`; a command that failed ends with `🚨 Error:`.
//!
//! The headers are those of `buildkite/agent` (`internal/job/executor.go`), as explained in
//! <https://buildkite.com/docs/pipelines/configure/managing-log-output>. `---` and `+++` are the command's own.

use super::{Dialect, Mark, Stamps, bare, holds, line_starts, name, number, stamp};
use crate::Stamp;

pub(super) struct Buildkite;

/// Headers of the agent.
const STEPS: [&str; 6] = ["Running ", "Preparing ", "Checking ", "Setting up ", "Sourcing ", "Loading "];

/// Headers of what comes after the command.
const CLEANUPS: [&str; 3] = ["Uploading artifacts", "Cleaning up", "Searching for artifacts"];

impl Dialect for Buildkite {
    fn fits(&self, sample: &[u8]) -> bool {
        holds(sample, &["\x1b_bk;t="]) || line_starts(sample, &["~~~ Running ", "~~~ Preparing "])
    }

    fn prefix(&self, line: &[u8]) -> usize {
        let mut length = 0;
        // ESC _ bk;t=1700000000000 BEL, before each line that the agent has read the clock for.
        while let Some(rest) = line[length..].strip_prefix(b"\x1b_bk;t=") {
            let Some(end) = memchr::memchr(0x07, rest) else { break };
            length += b"\x1b_bk;t=".len() + end + 1;
        }
        length + stamp::length(&line[length..])
    }

    fn stamps(&self, line: &[u8]) -> Option<Stamps> {
        let stamp = match line.strip_prefix(b"\x1b_bk;t=") {
            Some(ms) => Stamp::moment(i64::try_from(number(ms)?).ok()?),
            None => stamp::stamp(line)?,
        };
        Some((stamp, stamp))
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["~~~ ", "Error: The command ", "user command error"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let line = bare(&line[self.prefix(line)..]);
        if let Some(header) = line.strip_prefix(b"~~~ ") {
            // An emoji stands before some.
            let words = header.iter().position(u8::is_ascii_alphabetic).map_or(header, |at| &header[at..]);
            let is = |starts: &[&str]| starts.iter().any(|start| words.starts_with(start.as_bytes()));
            let after = holds(words, &["pre-exit hook", "post-command hook", "post-artifact hook"]);
            return match () {
                () if after || is(&CLEANUPS) => Mark::Cleanup(name(words)),
                () if is(&STEPS) => Mark::Step(name(words)),
                () => Mark::None,
            };
        }
        let failed = line.starts_with("🚨 Error: The command ".as_bytes())
            || line.starts_with(b"user command error: ");
        if failed { Mark::Failed } else { Mark::None }
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_command_that_failed_is_read() {
        let (format, steps, lines) = told(
            "\u{1b}_bk;t=1700000000000\u{7}~~~ Preparing working directory\n\
             \u{1b}_bk;t=1700000000000\u{7}$ cd /build\n\
             \u{1b}_bk;t=1700000000000\u{7}~~~ Running commands\n\
             \u{1b}_bk;t=1700000000000\u{7}--- a/file\n\
             \u{1b}_bk;t=1700000000000\u{7}npm error code E503\n\
             \u{1b}_bk;t=1700000000000\u{7}\u{1b}[31m🚨 Error: The command exited with status 1\u{1b}[0m\n\
             \u{1b}_bk;t=1700000000000\u{7}^^^ +++\n\
             \u{1b}_bk;t=1700000000000\u{7}~~~ Running global pre-exit hook\n\
             curl: (6) Could not resolve host\n",
        );
        assert_eq!(format, "buildkite");
        assert_eq!(steps[1], "Running commands: Failed");
        assert_eq!(lines[2], "5 npm error code E503");
        assert_eq!(lines.len(), 5);
    }

    /// Found by fuzzing: of a log without a last line feed, the last line stood twice in the window.
    #[test]
    fn a_last_line_without_end_is_read_once() {
        let (_, _, lines) =
            told("~~~ Running commands\nnpm error\n🚨 Error: The command exited with status 1");
        assert_eq!(lines.len(), 3, "{lines:?}");
    }
}
