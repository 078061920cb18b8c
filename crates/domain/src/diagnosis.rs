//! What the failure is, how sure that is, and why.

use std::fmt;

use crate::{Confidence, Evidence, FailureClass, PatternSource, Tool};

/// The answer to "why did this job fail?".
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// Whether a failure was found at all.
    pub failed: bool,
    /// The root cause's class.
    pub class: FailureClass,
    /// Id of the catalogue pattern that decided.
    pub pattern: Option<String>,
    /// Whose that pattern is: another one of the same id may be known elsewhere, or later.
    pub pattern_source: Option<PatternSource>,
    /// The tool that failed.
    pub tool: Option<Tool>,
    /// The step of the job that failed, where the log names one.
    pub step: Option<String>,
    /// Confidence in `class`.
    pub confidence: Confidence,
    /// Whether a probe of the workspace or the remote confirmed the signature.
    pub confirmed: bool,
    /// Root first, symptoms after.
    pub evidence: Vec<Evidence>,
    /// The runners-up, surest first.
    pub alternatives: Vec<Alternative>,
    /// One sentence that says why.
    pub reason: String,
    /// The same failure in another job or repository has the same fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether a part of the log lay outside the window that was read.
    pub truncated: bool,
}

/// A class that was considered and not chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alternative {
    /// The class.
    pub class: FailureClass,
    /// Confidence in it.
    pub confidence: Confidence,
}

/// A stable name of a failure: lower-case hex, 16 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// From the first eight bytes of a digest.
    pub fn from_digest(digest: [u8; 8]) -> Self {
        Fingerprint(digest.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// Reads a stored fingerprint back.
    pub fn parse(text: &str) -> Option<Self> {
        let ok = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        ok.then(|| Fingerprint(text.to_owned()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
