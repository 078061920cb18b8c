//! What the fault proxy shall do: data, so that scenarios can be files.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The faults of one registry. An empty script is a sound registry.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Script {
    /// The whole registry is down: connections are refused. Counts from the moment the script is set.
    pub down: Option<Outage>,
    /// The first rule that matches a request and is not used up decides. No rule: the honest answer.
    pub rules: Vec<Rule>,
}

/// How long the whole registry refuses connections.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// Until another script is set.
    Forever,
    /// It listens again after so many seconds.
    Seconds(f64),
}

/// One fault, where it strikes, and for how long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// The request paths it is for.
    pub path: PathGlob,
    /// What happens to them.
    pub fault: Fault,
    /// When it ends.
    #[serde(default)]
    pub until: Until,
}

/// When a rule stops to matter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// Never.
    #[default]
    Forever,
    /// After it struck so many requests.
    Times(u32),
    /// So many seconds after it struck first.
    Seconds(f64),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The connection is reset (RST) instead of an answer.
    Reset,
    /// The connection is closed in good order, but without an answer.
    Close,
    /// The connection stays open and silent until the client gives up.
    Stall,
    /// Headers and half of the body, then reset.
    ResetBody,
    /// Headers and half of the body, then silence until the client gives up.
    StallBody,
    /// Headers with the full length and half of the body, then a close in good order.
    TruncateBody,
    /// One byte in the middle of the body is another one.
    FlipBody,
    /// An error status from the registry itself.
    #[serde(rename_all = "kebab-case")]
    Status {
        /// 429, 500, 502, 503, …
        code: u16,
        /// Seconds, as `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// The attacker's answer to this request: with a rule for artefacts only, the file alone is tampered with;
    /// with a rule for everything, the checksums in the metadata agree with it.
    Tampered,
}

impl Fault {
    /// The kebab-case id, as in scenario files and request logs.
    pub const fn id(self) -> &'static str {
        match self {
            Fault::Reset => "reset",
            Fault::Close => "close",
            Fault::Stall => "stall",
            Fault::ResetBody => "reset-body",
            Fault::StallBody => "stall-body",
            Fault::TruncateBody => "truncate-body",
            Fault::FlipBody => "flip-body",
            Fault::Status { .. } => "status",
            Fault::Tampered => "tampered",
        }
    }
}

impl Script {
    /// A sound registry.
    pub fn sound() -> Script {
        Script::default()
    }

    /// A registry that refuses every connection.
    pub fn down(outage: Outage) -> Script {
        Script { down: Some(outage), rules: Vec::new() }
    }

    /// One fault for the paths of a glob.
    pub fn fault(path: &str, fault: Fault, until: Until) -> Script {
        Script::sound().and(path, fault, until)
    }

    /// The same script with one more rule at its end.
    #[must_use]
    pub fn and(mut self, path: &str, fault: Fault, until: Until) -> Script {
        self.rules.push(Rule { path: PathGlob::new(path), fault, until });
        self
    }
}

/// A pattern for request paths: `*` is any run of characters but `/`, `**` any run at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathGlob(String);

impl PathGlob {
    /// Any path of any registry.
    pub const ANY: &'static str = "/**";
    /// npm's tarballs.
    pub const NPM_TARBALLS: &'static str = "/npm/*/-/*";
    /// cargo's downloads.
    pub const CARGO_CRATES: &'static str = "/cargo/dl/**";
    /// cargo's index entries.
    pub const CARGO_INDEX: &'static str = "/cargo/*/*/*";
    /// pip's wheels.
    pub const PIP_FILES: &'static str = "/pip/files/*";
    /// pip's index pages.
    pub const PIP_INDEX: &'static str = "/pip/simple/**";

    /// The glob as written.
    pub fn new(glob: &str) -> PathGlob {
        PathGlob(glob.to_owned())
    }

    /// Whether a request path (without query) is meant.
    pub fn matches(&self, path: &str) -> bool {
        glob_matches(self.0.as_bytes(), path.as_bytes())
    }
}

/// Back-tracking, but globs are written by us and have a handful of stars.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    if let Some(rest) = glob.strip_prefix(b"**") {
        return (0..=text.len()).any(|taken| glob_matches(rest, &text[taken..]));
    }
    match (glob.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            let run = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=run).any(|taken| glob_matches(rest, &text[taken..]))
        }
        (Some((wanted, glob)), Some((found, text))) if wanted == found => glob_matches(glob, text),
        _ => false,
    }
}

impl Outage {
    pub(crate) fn duration(self) -> Option<Duration> {
        match self {
            Outage::Forever => None,
            Outage::Seconds(seconds) => Some(whole_or_less(seconds)),
        }
    }
}

/// A negative or absurd number of seconds is none at all.
pub(crate) fn whole_or_less(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (glob, path, expected) in [
            ("/**", "/", true),
            ("/**", "/npm/a/-/a-1.0.0.tgz", true),
            (PathGlob::NPM_TARBALLS, "/npm/a/-/a-1.0.0.tgz", true),
            (PathGlob::NPM_TARBALLS, "/npm/a", false),
            (PathGlob::CARGO_INDEX, "/cargo/re/gr/regreen-lab-alpha", true),
            (PathGlob::CARGO_INDEX, "/cargo/config.json", false),
            (PathGlob::CARGO_INDEX, "/cargo/dl/regreen-lab-alpha/1.0.0/download", false),
            (PathGlob::CARGO_CRATES, "/cargo/dl/regreen-lab-alpha/1.0.0/download", true),
            (PathGlob::PIP_INDEX, "/pip/simple/regreen-lab-alpha/", true),
            ("/npm/*alpha", "/npm/regreen-lab-alpha", true),
            ("/npm/*alpha", "/npm/regreen-lab-beta", false),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(PathGlob::new(glob).matches(path), expected, "{glob} against {path}");
        }
    }

    #[test]
    fn a_script_is_readable_toml() {
        let script: Script = toml::from_str(
            r#"
            down = { seconds = 3.0 }

            [[rules]]
            path = "/npm/*/-/*"
            fault = { status = { code = 503, retry-after = 2 } }
            until = { times = 2 }

            [[rules]]
            path = "/**"
            fault = "stall"
            "#,
        )
        .expect("the example is valid");
        let expected = Script::down(Outage::Seconds(3.0))
            .and("/npm/*/-/*", Fault::Status { code: 503, retry_after: Some(2) }, Until::Times(2))
            .and("/**", Fault::Stall, Until::Forever);
        assert_eq!(script, expected);
    }
}
