//! Jenkins: the console of a job. A pipeline marks its stages; `Finished: FAILURE` is the last line.
//!
//! The marks are those of the plugins workflow-job (`[Pipeline]`), pipeline-model-definition (`Declarative: …`,
//! `Stage "…" skipped due to earlier failure(s)`) and of the core (`Finished:`).

use super::{Dialect, Mark, bare, line_starts, name, stamp};

pub(super) struct Jenkins;

impl Dialect for Jenkins {
    fn fits(&self, sample: &[u8]) -> bool {
        line_starts(
            sample,
            &["[Pipeline] ", "Started by ", "Running in Durability level", "Building in workspace "],
        )
    }

    fn marks_failures(&self) -> bool {
        false
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["[Pipeline] { (", "skipped due to earlier failure", "Post stage"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let line = bare(&line[stamp::length(line)..]);
        if let Some(stage) = line.strip_prefix(b"[Pipeline] { (").and_then(|rest| rest.strip_suffix(b")")) {
            let cleanup = stage == b"Declarative: Post Actions";
            return if cleanup { Mark::Cleanup(name(stage)) } else { Mark::Step(name(stage)) };
        }
        if line == b"Post stage" {
            return Mark::Cleanup(name(line));
        }
        let skipped = line.starts_with(b"Stage \"") && line.ends_with(b"skipped due to earlier failure(s)");
        if skipped { Mark::Skipped } else { Mark::None }
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_last_stage_that_ran_failed() {
        let (format, steps, lines) = told(
            "Started by user admin\n\
             [Pipeline] stage\n\
             [Pipeline] { (Build)\n\
             [2024-05-01T12:00:00.000Z] + make\n\
             [2024-05-01T12:00:00.000Z] make: *** [all] Error 2\n\
             [Pipeline] }\n\
             [Pipeline] { (Deploy)\n\
             Stage \"Deploy\" skipped due to earlier failure(s)\n\
             [Pipeline] { (Declarative: Post Actions)\n\
             curl: (6) Could not resolve host: chat.example\n\
             [Pipeline] End of Pipeline\n\
             ERROR: script returned exit code 2\n\
             Finished: FAILURE\n",
        );
        assert_eq!(format, "jenkins");
        assert_eq!(steps[1..], ["Build: Failed", "Deploy: Passed", "Declarative: Post Actions: Passed"]);
        assert_eq!(lines[2], "5 make: *** [all] Error 2");
        assert_eq!(lines.last().map(String::as_str), Some("13 Finished: FAILURE"));
        assert!(!lines.iter().any(|line| line.contains("curl")));
    }

    #[test]
    fn what_runs_after_a_failure_is_not_what_failed() {
        for after in ["Post stage\n[Pipeline] sh", "[Pipeline] }\n[Pipeline] { (Notify Slack)"] {
            let (_, steps, lines) = told(&format!(
                "Started by user admin\n[Pipeline] {{ (Build)\n+ make\nmake: *** [all] Error 2\n{after}\n\
                 curl: (6) Could not resolve host: chat.example\n[Pipeline] End of Pipeline\nFinished: FAILURE\n"
            ));
            assert_eq!(steps[1], "Build: Failed", "{after}");
            assert!(!lines.iter().any(|line| line.contains("curl")), "{lines:?}");
        }
        // Where nothing failed before, it failed itself.
        let log = "Started by user admin\n[Pipeline] { (Build)\n+ make\nok\n[Pipeline] { (Notify Slack)\ncurl: (6) x\nFinished: FAILURE\n";
        assert_eq!(told(log).1[2], "Notify Slack: Failed");
    }

    #[test]
    fn without_stages_all_is_read() {
        let (_, steps, lines) = told("Started by timer\n+ make\nmake: *** Error 2\nFinished: FAILURE\n");
        assert!(steps.is_empty());
        assert_eq!(lines.len(), 4);
    }
}
