//! The name of a run, as it stands in the environment of every process of that run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The environment variable that names the run. A run inside a run appends to it, so that ending the outer one finds
/// the inner one's processes too.
pub(crate) const VARIABLE: &str = "REGREEN_RUN";

const SEPARATOR: u8 = b',';
const MAX_LENGTH: usize = 128;

/// The name of a run: 1 to 128 ASCII letters, digits, `-`, `_` or `.`.
///
/// It can't be empty, because an empty target must never come to mean "every process".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(String);

/// The text is no name of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run id is 1 to 128 letters, digits, `-`, `_` or `.`")]
pub struct InvalidRunId;

impl RunId {
    /// Checks the text.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidRunId> {
        let text = text.into();
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(sound) {
            true => Ok(Self(text)),
            false => Err(InvalidRunId),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The variable's value for a child of this run, when ours is `inherited`.
    pub(crate) fn value_for_child(&self, inherited: Option<&OsStr>) -> OsString {
        let mut value = inherited.map(OsStr::as_bytes).unwrap_or_default().to_vec();
        if !value.is_empty() {
            value.push(SEPARATOR);
        }
        value.extend_from_slice(self.0.as_bytes());
        OsString::from_vec(value)
    }

    /// Whether a process with this environment block (`NAME=value`, NUL-separated) belongs to the run.
    pub(crate) fn marks(&self, environ: &[u8]) -> bool {
        environ
            .split(|&byte| byte == 0)
            .filter_map(|entry| entry.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"="))
            .any(|value| value.split(|&byte| byte == SEPARATOR).any(|id| id == self.0.as_bytes()))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_ambiguous_name_is_refused() {
        for text in ["", "a,b", "a b", "a\0b", "a=b", &"x".repeat(129)] {
            assert_eq!(RunId::new(text), Err(InvalidRunId), "{text:?}");
        }
        assert!(RunId::new("x".repeat(128)).is_ok());
    }

    #[test]
    fn a_name_marks_only_its_own_environment() {
        let id = RunId::new("run-1").unwrap();
        for (environ, marked) in [
            (&b"PATH=/bin\0REGREEN_RUN=run-1\0"[..], true),
            (b"REGREEN_RUN=outer,run-1\0", true),
            (b"REGREEN_RUN=run-1,inner\0", true),
            (b"REGREEN_RUN=run-10\0", false),
            (b"REGREEN_RUN=\0", false),
            (b"XREGREEN_RUN=run-1\0", false),
            (b"OTHER=REGREEN_RUN=run-1\0", false),
            (b"REGREEN_RUN_ID=run-1\0", false),
            (b"", false),
        ] {
            assert_eq!(id.marks(environ), marked, "{:?}", String::from_utf8_lossy(environ));
        }
    }

    #[test]
    fn a_run_inside_a_run_carries_both_names() {
        let inner = RunId::new("inner").unwrap();
        assert_eq!(inner.value_for_child(None), "inner");
        assert_eq!(inner.value_for_child(Some(OsStr::new("outer"))), "outer,inner");
    }
}
