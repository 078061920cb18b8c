//! Log × catalogue × findings → diagnosis.
//!
//! The log is hostile text: a failing test can print the last words of any tool. So a line counts as a tool's word
//! only where that tool can be speaking (see [`Circumstances`] and the catalogue's banners), code evidence that
//! comes last or is final beats infrastructure, and what can't be put in order is `unknown`.
//!
//! One pass finds the signatures ([`Detector::scan`]); the conclusion is drawn from them, first without and, once
//! the probes have looked, with findings ([`Detector::conclude`]). The same window gives the same verdict.

mod admit;
mod around;
mod baseline;
mod believed;
mod candidates;
mod circumstances;
mod conclude;
mod describe;
mod detection;
mod detector;
mod evidence;
mod fingerprint;
mod hang;
mod hit;
mod literals;
pub mod model;
mod prove;
mod ranking;
mod scan;
mod settle;
mod speaker;
mod unknown;
mod weigh;

pub use admit::{Admitted, admit};
pub use baseline::Baseline;
pub use circumstances::{Circumstances, ExitFacts};
pub use detection::{Detection, Signature};
pub use detector::Detector;
pub use hang::Hang;
pub use prove::{Problem, prove};
pub use scan::Scan;
pub use weigh::Study;

use regreen_catalog::Catalog;
use regreen_domain::{CommandFacts, Finding};
use regreen_logs::Log;
use regreen_mask::Masker;

/// Scans and concludes at once. To probe in between, or beside a [`Baseline`], use a [`Detector`].
pub fn diagnose(
    log: &Log<'_>,
    catalog: &Catalog,
    findings: &[Finding],
    command: Option<&CommandFacts>,
    masker: &Masker,
    exit: Option<ExitFacts>,
) -> Detection {
    let detector = Detector::new(catalog);
    let scan = detector.scan(log, &Circumstances { command, exit });
    detector.conclude(&scan, findings, masker)
}
