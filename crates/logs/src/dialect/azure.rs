//! Azure Pipelines: timestamps as GitHub's, `##[section]Starting: npm ci`, `##[error]Bash exited with code '1'.`
//!
//! The marks are those of `microsoft/azure-pipelines-agent` (`src/Agent.Worker`) and of its tasks.

use super::{Dialect, Mark, bare, holds, name, stamp};

pub(super) struct Azure;

impl Dialect for Azure {
    fn fits(&self, sample: &[u8]) -> bool {
        holds(sample, &["##[section]Starting: "])
    }

    fn prefix(&self, line: &[u8]) -> usize {
        stamp::iso(line)
    }

    fn marks_the_end(&self) -> bool {
        true
    }

    fn cleanup_fails(&self) -> bool {
        true
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["##["])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let body = bare(&line[stamp::iso(line)..]);
        if let Some(task) = body.strip_prefix(b"##[section]Starting: ") {
            let cleanup = task.starts_with(b"Post-job") || task == b"Finalize Job";
            return if cleanup { Mark::Cleanup(name(task)) } else { Mark::Step(name(task)) };
        }
        if body == b"##[section]Finishing: Finalize Job" {
            return Mark::Done;
        }
        match body.strip_prefix(b"##[error]") {
            Some(words) if holds(words, &["exited with code", "failed with exit code"]) => Mark::Failed,
            Some(_) => Mark::Complained,
            None => Mark::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_task_that_failed_is_read() {
        let (format, steps, lines) = told(
            "2024-05-01T12:00:00.0000000Z ##[section]Starting: Build\n\
             2024-05-01T12:00:00.0000000Z ##[section]Starting: Initialize job\n\
             2024-05-01T12:00:00.0000000Z ##[section]Finishing: Initialize job\n\
             2024-05-01T12:00:00.0000000Z ##[section]Starting: npm ci\n\
             2024-05-01T12:00:00.0000000Z npm error code E503\n\
             2024-05-01T12:00:00.0000000Z ##[error]Bash exited with code '1'.\n\
             2024-05-01T12:00:00.0000000Z ##[section]Finishing: npm ci\n\
             2024-05-01T12:00:00.0000000Z ##[section]Starting: Post-job: Checkout\n\
             2024-05-01T12:00:00.0000000Z ##[error]The process could not be stopped.\n\
             2024-05-01T12:00:00.0000000Z ##[section]Finishing: Finalize Job\n",
        );
        assert_eq!(format, "azure");
        assert_eq!(steps[2], "npm ci: Failed");
        assert_eq!(lines.first().map(String::as_str), Some("4 ##[section]Starting: npm ci"));
        assert_eq!(lines.last().map(String::as_str), Some("7 ##[section]Finishing: npm ci"));
    }
}
