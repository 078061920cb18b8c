//! CircleCI: the shell's line before each step, `Exited with code exit status 1` after one that failed.
//!
//! `====>> Spin up environment` heads the steps of `circleci local execute`. Both as shown in
//! <https://circleci.com/docs/how-to-use-the-circleci-local-cli/>.

use super::{Dialect, Mark, bare, holds, line_starts, name, number, stamp};

pub(super) struct Circleci;

/// The ways in which it says how a program ended.
const ENDS: [&[u8]; 3] =
    [b"Exited with code exit status ", b"Exited with code ", b"CircleCI received exit code "];

impl Dialect for Circleci {
    fn fits(&self, sample: &[u8]) -> bool {
        line_starts(sample, &["#!/bin/bash -eo pipefail", "#!/bin/sh -eo pipefail", "====>> "])
            || holds(sample, &["circleci/picard", "Build-agent version "])
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["#!/bin/", "====>> ", "xited with code ", "received exit code "])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let line = bare(&line[stamp::length(line)..]);
        if line.starts_with(b"#!/bin/") && line.ends_with(b"pipefail") {
            return Mark::Step("run".to_owned());
        }
        if let Some(step) = line.strip_prefix(b"====>> ") {
            return Mark::Step(name(step));
        }
        let code = ENDS.iter().find_map(|end| number(line.strip_prefix(*end)?));
        code.map_or(Mark::None, |code| Mark::Ended { failed: code != 0, name: None })
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_step_that_exited_with_an_error_is_read() {
        let (format, steps, lines) = told(
            "====>> Spin up environment\n\
             Build-agent version 1.0.0\n\
             ====>> npm ci\n\
             #!/bin/bash -eo pipefail\n\
             npm ci\n\
             npm error code E503\n\
             \n\
             Exited with code exit status 1\n\
             Step failed\n",
        );
        assert_eq!(format, "circleci");
        assert_eq!(steps[2], "run: Failed");
        assert_eq!(lines[2], "6 npm error code E503");
    }
}
