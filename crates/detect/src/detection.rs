//! What a detection hands on: the diagnosis, what the deciding line captured, and every signature seen.

use std::collections::BTreeMap;

use crate::Hang;
use regreen_domain::{Diagnosis, FailureClass, Host, PackageName, Tool, Untrusted};

/// The answer of a detector.
#[derive(Debug, Clone)]
pub struct Detection {
    /// The diagnosis.
    pub diagnosis: Diagnosis,
    /// What the deciding pattern's holes captured. A log's words: they enter a step only through a typed hole.
    pub captures: BTreeMap<String, Untrusted>,
    /// Every signature in the window, in the order of the log, for choosing the probes.
    pub signatures: Vec<Signature>,
    /// Where nothing else names a cause: that the job was ended while it was silent, or took too long.
    pub hang: Option<Hang>,
}

/// One pattern seen in the window.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The pattern's id.
    pub pattern: String,
    /// Its class.
    pub class: FailureClass,
    /// Other classes that it can mean; a probe can tell.
    pub also: Vec<FailureClass>,
    /// The tool whose words it is.
    pub tool: Option<Tool>,
    /// Raw number of the line.
    pub line: u64,
    /// Whether that tool can have been speaking there.
    pub counts: bool,
    /// What its holes captured.
    pub captures: BTreeMap<String, Untrusted>,
}

impl Detection {
    /// The host that the deciding line names, where it is one.
    pub fn host(&self) -> Option<Host> {
        self.captures.get("host").and_then(Host::from_untrusted)
    }

    /// The package that the deciding line names, where it is one.
    pub fn package(&self) -> Option<PackageName> {
        self.captures.get("package").and_then(PackageName::from_untrusted)
    }
}
