//! How a runner gets the program: the release that this is, by its checksum, or the source of this version.

use std::{env, fs};

use sha2::{Digest as _, Sha256};

/// Where releases and the source are.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Whether this is the program of a release for the processors of hosted runners: the release workflow sets the variable.
const IS_RELEASE: bool =
    option_env!("REGREEN_RELEASE").is_some() && cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// How a runner gets the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Install {
    /// This very program, from the release.
    Release {
        /// Its SHA-256, in hex.
        sha256: String,
    },
    /// Built from the source of this version, and kept in a cache.
    Source,
}

impl Install {
    /// The release that this program is, if it is one for runners on x86-64; else the source.
    pub fn of_this() -> Install {
        match env::current_exe().and_then(fs::read) {
            Ok(own) if IS_RELEASE => {
                let sha256 = Sha256::digest(&own).iter().map(|byte| format!("{byte:02x}")).collect();
                Install::Release { sha256 }
            }
            _ => Install::Source,
        }
    }

    /// Longest that a job may take which sets it up first, in minutes.
    pub fn minutes(&self) -> &'static str {
        match self {
            Install::Release { .. } => "15",
            Install::Source => "45",
        }
    }

    /// What has to be there before it works; `None`: nothing that is not there already.
    pub fn wants(&self) -> Option<String> {
        match self {
            Install::Release { .. } => None,
            Install::Source => Some(format!(
                "it builds Regreen from its source: the tag v{VERSION} must be at {REPOSITORY}; until then set the variable REGREEN_BINARY"
            )),
        }
    }

    /// Lines of an environment in YAML.
    pub fn env(&self) -> String {
        match self {
            Install::Release { sha256 } => {
                // The program as it is and no archive: a program can't know the checksum of what it is packed into, and
                // what is fetched is checked before anything reads it.
                let url = format!("{REPOSITORY}/releases/download/v{VERSION}/regreen-linux-amd64");
                format!("REGREEN_RELEASE: \"{url}\"\nREGREEN_PROGRAM_SHA256: \"{sha256}\"")
            }
            Install::Source => format!(
                "# This was written by a Regreen that is no release: the program is built from the source of its version, and\n\
                 # kept in the cache.\nREGREEN_SOURCE: \"{REPOSITORY}\""
            ),
        }
    }

    /// Steps of a workflow that fetch what an earlier run has built.
    pub fn github_restore(&self, cache: &str) -> String {
        match self {
            Install::Release { .. } => String::new(),
            Install::Source => format!(
                "      - name: Restore what was built
        uses: actions/cache@{cache}
        with:
          path: regreen-built
          key: regreen-built-{VERSION}-${{{{ runner.os }}}}-${{{{ runner.arch }}}}
"
            ),
        }
    }

    /// Lines of a shell that put it at `$RUNNER_TEMP/regreen/regreen`, and end badly where they can't.
    pub fn shell(&self) -> String {
        format!("{}\n{}", self.fetch(), self.take())
    }

    /// The same, where its absence ends nothing: only another program than the one that was meant does.
    pub fn shell_if_it_can_be_had(&self) -> String {
        let take: String = self.take().lines().map(|line| format!("  {line}\n")).collect();
        format!("if {}; then\n{take}fi", self.fetch())
    }

    /// A command of a shell that fetches it.
    fn fetch(&self) -> &'static str {
        match self {
            Install::Release { .. } => {
                r#"[ "$(uname -sm)" = "Linux x86_64" ] &&
  curl --fail --silent --show-error --location --proto =https --retry 3 \
    --output "$RUNNER_TEMP/regreen/fetched" "$REGREEN_RELEASE""#
            }
            Install::Source => {
                r#"[ -x regreen-built/bin/regreen ] ||
  cargo install --quiet --locked --git "$REGREEN_SOURCE" --tag "v$REGREEN_VERSION" --root regreen-built regreen-cli"#
            }
        }
    }

    /// Lines that take what was fetched, if it is what was meant.
    fn take(&self) -> &'static str {
        match self {
            Install::Release { .. } => {
                r#"echo "$REGREEN_PROGRAM_SHA256  $RUNNER_TEMP/regreen/fetched" | sha256sum -c - > /dev/null || exit 1
chmod 700 "$RUNNER_TEMP/regreen/fetched"
mv "$RUNNER_TEMP/regreen/fetched" "$RUNNER_TEMP/regreen/regreen""#
            }
            Install::Source => r#"cp regreen-built/bin/regreen "$RUNNER_TEMP/regreen/regreen""#,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::Install;

    #[test]
    fn a_release_is_taken_only_if_it_is_the_program_that_was_meant() {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"mkdir -p regreen bin && echo program > released && sha256sum released | cut -d ' ' -f 1
                      printf '#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\ncp released "$2"\n' > bin/curl && chmod +x bin/curl"#;
        let bash = |script: &str, sha256: &str| {
            let path = format!("{}/bin:{}", folder.path().display(), std::env::var("PATH").unwrap());
            let mut bash = Command::new("bash");
            bash.args(["-e", "-o", "pipefail", "-c", script]).current_dir(folder.path()).env("PATH", path);
            bash.env("RUNNER_TEMP", folder.path())
                .env("REGREEN_PROGRAM_SHA256", sha256)
                .env("REGREEN_RELEASE", "https://x");
            bash.output().unwrap()
        };
        let made = bash(script, "");
        assert!(made.status.success(), "{made:?}");
        let sha256 = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let install = Install::Release { sha256: sha256.clone() };
        let program = folder.path().join("regreen/regreen");
        let wrong = sha256.replace(|c: char| c.is_ascii_digit(), "a");
        for shell in [install.shell(), install.shell_if_it_can_be_had()] {
            assert!(!bash(&shell, &wrong).status.success());
            assert!(!program.exists(), "what was not meant lies where it would be called");
            let got = bash(&shell, &sha256);
            assert!(got.status.success(), "{got:?}");
            assert_eq!(fs::read_to_string(&program).unwrap(), "program\n");
            fs::remove_file(&program).unwrap();
        }
        assert!(install.env().contains(&sha256));
        // Where nothing comes, nothing is there; whether that is an end is for the caller to say.
        fs::remove_file(folder.path().join("released")).unwrap();
        assert!(!bash(&install.shell(), &sha256).status.success());
        assert!(bash(&install.shell_if_it_can_be_had(), &sha256).status.success() && !program.exists());
    }
}
