//! Probes: what the workspace, the cache and the remotes say, against what the log says.

mod cache;
mod checksum;
mod dns;
mod lockfile;
mod remote;

pub use cache::cache;
pub use checksum::{Suspect, checksum};
pub use lockfile::lockfile;
pub use remote::remote;

use regreen_domain::{FailureClass, Finding, Standing, Tool};

/// Ids of all probes; the catalogue holds their measured counts.
pub const IDS: [&str; 7] = ["cache", "checksum", "dns", "lockfile", "manifest", "remote", SHARED_REPAIR];

/// Id of the look for a neighbour's healing of the same cache or workspace.
pub const SHARED_REPAIR: &str = "shared-repair";

/// A finding, shortly.
fn finding(
    probe: &'static str,
    tool: Tool,
    class: impl Into<FailureClass>,
    standing: Standing,
    subject: impl Into<String>,
    says: impl Into<String>,
) -> Finding {
    Finding { probe, tool, class: class.into(), standing, subject: subject.into(), says: says.into() }
}
