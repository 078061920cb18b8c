//! GitLab: sections of the runner, and `ERROR: Job failed` or `Job succeeded` at the end.
//!
//! Sections as in <https://docs.gitlab.com/ci/jobs/job_logs/>, their names as in `gitlab-org/gitlab-runner`
//! (`common/build_stage.go` and `common/build.go`). A script can open sections of its own; they lie inside of a step.

use super::{Dialect, Mark, Stamps, holds, name, number, stamp};
use crate::Stamp;

pub(super) struct Gitlab;

const START: &[u8] = b"section_start:";

/// What the runner does for the job, in order.
const STEPS: [&str; 12] = [
    "resolve_secrets",
    "prepare_executor",
    "prepare_script",
    "get_sources",
    "restore_cache",
    "download_artifacts",
    "build_script",
    "step_script",
    "release_script",
    "archive_cache",
    "upload_artifacts_on_success",
    "user_script",
];

/// What comes after a failure, or does not change how the job ends.
const CLEANUPS: [&str; 4] =
    ["after_script", "archive_cache_on_failure", "upload_artifacts_on_failure", "cleanup_file_variables"];

impl Dialect for Gitlab {
    fn fits(&self, sample: &[u8]) -> bool {
        holds(sample, &["section_start:", "Running with gitlab-runner "])
    }

    fn marks_failures(&self) -> bool {
        false
    }

    fn stamps(&self, line: &[u8]) -> Option<Stamps> {
        let section = || {
            let at = [START, b"section_end:"]
                .iter()
                .find_map(|s| Some(memchr::memmem::find(line, s)? + s.len()))?;
            let seconds = i64::try_from(number(&line[at..])?).ok()?;
            Some(Stamp::mark(seconds.checked_mul(1000)?))
        };
        let stamp = stamp::stamp(line).or_else(section)?;
        Some((stamp, stamp))
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["section_start:"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        // One line can end a section and start the next.
        let Some(at) = memchr::memmem::rfind(line, START) else { return Mark::None };
        let mut parts = line[at + START.len()..].splitn(2, |b| *b == b':');
        let is_time =
            parts.next().is_some_and(|time| !time.is_empty() && time.iter().all(u8::is_ascii_digit));
        let Some(section) = parts.next().filter(|_| is_time) else { return Mark::None };
        let section = section.split(|b| matches!(b, b'\r' | b'[' | b'\x1b')).next().unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|name| name.as_bytes() == section);
        match () {
            () if is(&CLEANUPS) => Mark::Cleanup(name(section)),
            () if is(&STEPS) => Mark::Step(name(section)),
            () => Mark::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_last_step_before_the_clean_up_failed() {
        let (format, steps, lines) = told(
            "Running with gitlab-runner 17.0.0\n\
             section_start:1700000000:get_sources\r\u{1b}[0K\u{1b}[36;1mGetting source\u{1b}[0;m\n\
             section_end:1700000001:get_sources\r\u{1b}[0Ksection_start:1700000001:step_script\r\u{1b}[0KExecuting\n\
             section_start:1700000002:my_own[collapsed=true]\r\u{1b}[0KMine\n\
             npm error code E503\n\
             section_end:1700000003:step_script\r\u{1b}[0Ksection_start:1700000003:after_script\r\u{1b}[0KAfter\n\
             curl: (6) Could not resolve host\n\
             section_end:1700000004:after_script\r\u{1b}[0K\n\
             \u{1b}[31;1mERROR: Job failed: exit code 1\n\u{1b}[0;m\n",
        );
        assert_eq!(format, "gitlab");
        assert_eq!(steps[1..], ["get_sources: Passed", "step_script: Failed", "after_script: Passed"]);
        assert_eq!(
            lines,
            ["3 Executing", "4 Mine", "5 npm error code E503", "9 ERROR: Job failed: exit code 1", "10 "]
        );
    }
}
