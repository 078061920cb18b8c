//! Words that say how something ended: of each CI about the job, of tools about their work.

use crate::dialect::bare;

/// What a line says about how the job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// The CI says that the job failed.
    JobFailed,
    /// The CI says that it passed.
    JobPassed,
    /// A tool says that what it was asked for is done.
    WorkDone,
}

/// How much a line reads like an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// It does not.
    None,
    /// It holds a word that errors hold.
    Faint,
    /// It starts with a word that programs of all kinds put before an error, or a tool gives up in it.
    Loud,
}

/// Lines of CIs that say it failed, by how they start.
const JOB_FAILED: [&str; 22] = [
    // Travis
    "Your build has been stopped.",
    "The build has been terminated",
    "The job exceeded the maximum ",
    "No output has been received in the last ",
    // Jenkins
    "Finished: FAILURE",
    "Finished: ABORTED",
    "Finished: UNSTABLE",
    "Finished: NOT_BUILT",
    // GitLab
    "ERROR: Job failed",
    "ERROR: Failed to remove network for build",
    // GitHub, as a browser copies it
    "##[error]",
    "Error: Process completed with exit code ",
    "Error: The operation was canceled.",
    // Buildkite
    "🚨 Error: ",
    "user command error: ",
    // AppVeyor
    "Build execution time has reached the maximum allowed time",
    // CircleCI
    "Too long with no output",
    // Hosts of sites: Cloudflare, Netlify, Render, Vercel
    "Failed: build command exited with code: ",
    "Failed: error occurred while ",
    "Build script returned non-zero exit code: ",
    "==> Build failed",
    "Error: Command \"",
];

/// Lines of CIs that end with an exit code, by how they start.
const EXITED: [&str; 8] = [
    "Done. Your build exited with ",
    "Exited with code exit status ",
    "Exited with code ",
    "CircleCI received exit code ",
    "Command exited with code ",
    "Process exited with code ",
    "Exit status: ",
    "Job's exit code: ",
];

/// Lines of CIs that say it passed, whole.
const JOB_PASSED: [&str; 5] = [
    "Finished: SUCCESS",
    "Job succeeded",
    "Build success",
    "==> Build successful 🎉",
    "Success: Your site was deployed!",
];

/// Lines of tools that say that their work is done, by what they hold.
const WORK_DONE: [&str; 28] = [
    "BUILD SUCCESS",
    "Build succeeded.",
    "Build completed successfully",
    "[success] Total time",
    "test result: ok.",
    "Finished `",
    "Finished dev",
    "Finished release",
    "Successfully installed ",
    "Successfully built ",
    "Successfully tagged ",
    "Bundle complete!",
    "found 0 vulnerabilities",
    "up to date, audited ",
    "➤ YN0000: Done",
    "All checks passed!",
    "All matched files use Prettier code style!",
    "Success: no issues found",
    " passed in ",
    " 0 failures",
    " 0 failed",
    "Test Suites: ",
    "All tests passed",
    "Deploy complete!",
    "Apply complete!",
    "Compiled successfully",
    "Complete!",
    "Tests passed",
];

/// The same, by how they start: within a line these words can mean anything.
const WORK_DONE_STARTS: [&str; 3] = ["OK (", "Done in ", "Done, without errors"];

/// What the line, decoded and without its prefix, says about how the job ended.
pub(crate) fn said(line: &str) -> Option<Said> {
    let line = line.trim();
    if let Some(code) = EXITED.iter().find_map(|start| line.strip_prefix(start)) {
        let digits = code.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        return match digits.trim_start_matches('0') {
            _ if digits.is_empty() => None,
            "" => Some(Said::JobPassed),
            _ => Some(Said::JobFailed),
        };
    }
    if JOB_PASSED.contains(&line) {
        return Some(Said::JobPassed);
    }
    if JOB_FAILED.iter().any(|start| line.starts_with(start)) {
        return Some(Said::JobFailed);
    }
    let says = WORK_DONE.iter().any(|words| line.contains(words))
        || WORK_DONE_STARTS.iter().any(|words| line.starts_with(words));
    let done = says && alarm(line) == Alarm::None;
    done.then_some(Said::WorkDone)
}

/// Words that programs of all kinds put before an error.
const STARTS: [&str; 20] = [
    "error",
    "fatal",
    "failed",
    "failure",
    "panic",
    "exception",
    "traceback",
    "e:",
    "err!",
    "npm err",
    "##[error",
    "abort",
    "critical",
    "severe",
    "could not ",
    "cannot ",
    "can't ",
    "unable to ",
    "killed",
    "🚨",
];

/// What tools say in the middle of a line when they give up.
const GIVES_UP: [&str; 12] = [
    ": error:",
    ": fatal:",
    " error: ",
    "error ts",
    "failed with errors",
    "*** [",
    "exited with code 1",
    "exit code: 1",
    "build failed",
    "segmentation fault",
    "internal compiler error",
    "returned a non-zero code",
];

/// Words that errors hold.
const HELD: [&str; 22] = [
    "error",
    "fail",
    "exception",
    "denied",
    "refused",
    "timed out",
    "timeout",
    "not found",
    "no such",
    "invalid",
    "unable",
    "cannot",
    "could not",
    "forbidden",
    "unauthorized",
    "expired",
    "mismatch",
    "corrupt",
    "exceed",
    "killed",
    "missing",
    "incompatible",
];

/// Errors that are none.
const NONE: [&str; 14] = [
    "errors: 0",
    "error: 0",
    "failed: 0",
    "failures: 0",
    "0 errors",
    "0 error(s)",
    " 0 failed",
    "0 failures",
    "no errors",
    "no error",
    "without error",
    "errors 0",
    "-error",
    "--fail",
];

/// How much the line, decoded, reads like an error.
pub fn alarm(line: &str) -> Alarm {
    let line = line.trim_start_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '[' | '*' | '>' | '-' | '×' | '✗' | '✖' | '✘' | '│' | '●' | '➤' | '⨯')
    });
    let mut lower: String = line.chars().take(400).collect();
    lower.make_ascii_lowercase();
    if NONE.iter().any(|words| lower.contains(words)) {
        return Alarm::None;
    }
    // A test's name, an option or a file is no error: "error" must be followed by what ends a word.
    let starts = STARTS.iter().any(|word| {
        let rest = lower.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(['_', '/', '.']))
    });
    if starts || GIVES_UP.iter().any(|words| lower.contains(words)) {
        return Alarm::Loud;
    }
    if HELD.iter().any(|word| lower.contains(word)) { Alarm::Faint } else { Alarm::None }
}

/// Whether a wrapper says here that what ran before failed and is run again: `travis_retry`, the action
/// `nick-fields/retry`, and scripts in their manner.
pub(crate) fn tries_again(line: &[u8]) -> bool {
    let line = bare(line);
    let at = |literal: &[u8]| memchr::memmem::find(line, literal);
    if let Some(start) = at(b"failed. Retrying, ") {
        return line[start + 18..].first().is_some_and(u8::is_ascii_digit);
    }
    let Some(start) = at(b"ttempt ") else { return false };
    let rest = &line[start + 7..];
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits > 0
        && (rest[digits..].starts_with(b" failed. Reason:")
            || rest[digits..].starts_with(b" failed, retrying")
            || rest[digits..].starts_with(b" failed. Retrying"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_says_about_the_end() {
        for (line, want) in [
            ("Done. Your build exited with 0.", Some(Said::JobPassed)),
            ("Done. Your build exited with 1.", Some(Said::JobFailed)),
            ("Done. Your build exited with 10.", Some(Said::JobFailed)),
            ("Finished: SUCCESS", Some(Said::JobPassed)),
            ("Finished: UNSTABLE", Some(Said::JobFailed)),
            ("Job succeeded", Some(Said::JobPassed)),
            ("ERROR: Job failed: exit code 1", Some(Said::JobFailed)),
            ("Exited with code exit status 1", Some(Said::JobFailed)),
            ("Error: Process completed with exit code 2.", Some(Said::JobFailed)),
            ("[INFO] BUILD SUCCESS", Some(Said::WorkDone)),
            ("======= 5 passed in 0.12s =======", Some(Said::WorkDone)),
            ("==== 1 failed, 5 passed in 0.12s ====", None),
            ("Test Suites: 1 failed, 5 passed, 6 total", None),
            ("a Job succeeded here", None),
            ("hello", None),
        ] {
            assert_eq!(said(line), want, "{line}");
        }
    }

    #[test]
    fn what_reads_like_an_error() {
        for (line, want) in [
            ("error: x", Alarm::Loud),
            ("  Error: y", Alarm::Loud),
            ("FATAL: z", Alarm::Loud),
            ("[ERROR] a", Alarm::Loud),
            ("✖ failed", Alarm::Loud),
            ("npm ERR! x", Alarm::Loud),
            ("➤ YN0000: · Failed with errors in 2s", Alarm::Loud),
            ("make[2]: *** [all] Error 2", Alarm::Loud),
            ("src/a.c:3:1: error: no", Alarm::Loud),
            ("curl: (7) Failed to connect to x.example port 443: Connection refused", Alarm::Faint),
            ("0 errors", Alarm::None),
            ("Errors: 0", Alarm::None),
            ("error_test.go", Alarm::Faint),
            ("hello", Alarm::None),
            ("", Alarm::None),
        ] {
            assert_eq!(alarm(line), want, "{line}");
        }
    }

    #[test]
    fn wrappers_that_try_again() {
        for line in [
            "\u{1b}[31;1mThe command \"npm ci\" failed. Retrying, 2 of 3.\u{1b}[0m",
            "##[warning]Attempt 1 failed. Reason: Child_process exited with error code 1",
        ] {
            assert!(tries_again(line.as_bytes()), "{line}");
        }
        for line in
            ["Attempt 1 of 3", "attempt failed", "The command \"npm ci\" failed 3 times.", "Retrying, 2"]
        {
            assert!(!tries_again(line.as_bytes()), "{line}");
        }
    }
}
