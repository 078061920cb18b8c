//! A line that is a pattern's.

use std::collections::BTreeMap;

use regreen_domain::Untrusted;

/// A line of the log that is a pattern's, unmasked: it never leaves this crate as it is.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// Index of the pattern in the catalogue.
    pub(crate) pattern: usize,
    /// Raw line number.
    pub(crate) line: u64,
    /// Raw column of the match.
    pub(crate) column: u32,
    /// Where the line begins in the window.
    pub(crate) start: usize,
    /// The decoded line.
    pub(crate) text: String,
    /// What its captures hold.
    pub(crate) captures: BTreeMap<String, Untrusted>,
    /// Whether it can be the word of the tool whose pattern it is.
    pub(crate) counts: bool,
    /// Whether a passing run prints the line too: then it does not count.
    pub(crate) usual: bool,
    /// The line that describes what this one sums up.
    pub(crate) detail: Option<Detail>,
}

/// A line that describes a failure which another one sums up, unmasked too.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    /// Raw line number.
    pub(crate) line: u64,
    /// Raw column of the match.
    pub(crate) column: u32,
    /// The decoded line.
    pub(crate) text: String,
}
