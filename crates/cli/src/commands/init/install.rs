//! How a runner gets the program: the release that this is, by its checksum, or the source of this version.

use std::{env, fs};

use sha2::{Digest as _, Sha256};

/// Where releases and the source are.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The target of a release, where this was built as one: the release workflow sets it.
const RELEASE: Option<&str> = option_env!("REGREEN_RELEASE_TARGET");

/// How a runner gets the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Install {
    /// This very program, from the release.
    Release {
        /// The target that it was built for.
        target: String,
        /// Its SHA-256, in hex.
        sha256: String,
    },
    /// Built from the source of this version, and kept in a cache.
    Source,
}

impl Install {
    /// The release that this program is, if it is one for runners on x86-64; else the source.
    pub fn of_this() -> Install {
        let target = RELEASE.filter(|target| target.starts_with("x86_64-unknown-linux"));
        let own = env::current_exe().and_then(fs::read);
        match (target, own) {
            (Some(target), Ok(own)) => {
                let sha256 = Sha256::digest(&own).iter().map(|byte| format!("{byte:02x}")).collect();
                Install::Release { target: target.to_owned(), sha256 }
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

    /// Lines of an environment in YAML.
    pub fn env(&self) -> String {
        match self {
            Install::Release { target, sha256 } => {
                let url = format!("{REPOSITORY}/releases/download/v{VERSION}/regreen-{target}.tar.gz");
                format!("REGREEN_RELEASE: \"{url}\"\n# Of the program in it.\nREGREEN_SHA256: \"{sha256}\"")
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

    /// Lines of a shell that put it at `$RUNNER_TEMP/regreen/regreen`.
    pub fn shell(&self) -> &'static str {
        match self {
            Install::Release { .. } => {
                r#"curl --fail --silent --show-error --location --proto =https --retry 3 "$REGREEN_RELEASE" |
  tar --extract --gzip --directory "$RUNNER_TEMP/regreen" regreen
echo "$REGREEN_SHA256  $RUNNER_TEMP/regreen/regreen" | sha256sum --check --quiet"#
            }
            Install::Source => {
                r#"[ -x regreen-built/bin/regreen ] ||
  cargo install --quiet --locked --git "$REGREEN_SOURCE" --tag "v$REGREEN_VERSION" --root regreen-built regreen-cli
cp regreen-built/bin/regreen "$RUNNER_TEMP/regreen/regreen""#
            }
        }
    }
}
