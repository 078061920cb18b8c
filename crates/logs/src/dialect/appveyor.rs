//! AppVeyor: one list of commands; `Command exited with code 1` ends the work, what follows is clean-up.
//!
//! As in <https://www.appveyor.com/docs/build-configuration/>.

use super::{Dialect, Mark, bare, holds, line_starts, number, stamp};

pub(super) struct Appveyor;

impl Dialect for Appveyor {
    fn fits(&self, sample: &[u8]) -> bool {
        line_starts(sample, &["Build started"]) && holds(sample, &["appveyor", "APPVEYOR", "git clone -q"])
    }

    fn mark_literals(&self) -> Option<&'static [&'static str]> {
        Some(&["Command exited with code ", "Build started"])
    }

    fn mark(&self, line: &[u8]) -> Mark {
        let line = bare(&line[stamp::length(line)..]);
        if line == b"Build started" {
            return Mark::Step("build".to_owned());
        }
        let code = line.strip_prefix(b"Command exited with code ").and_then(number);
        code.map_or(Mark::None, |code| Mark::Ended { failed: code != 0, name: None })
    }
}

#[cfg(test)]
mod tests {
    use crate::dialect::tests::told;

    #[test]
    fn the_work_ends_with_the_command_that_failed() {
        let (format, steps, lines) = told(
            "[00:00:00] Build started\n\
             [00:00:00] git clone -q https://x.example/y.git C:\\projects\\y\n\
             [00:00:09] npm error code E503\n\
             [00:00:09] Command exited with code 1\n\
             [00:00:10] Error uploading artifact to the storage\n",
        );
        assert_eq!(format, "appveyor");
        assert_eq!(steps[0], "build: Failed");
        assert_eq!(lines.len(), 4);
    }
}
