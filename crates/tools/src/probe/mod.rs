//! Probes: what the workspace, the cache and the remotes say, against what the log says.

mod cache;
mod checksum;
mod clock;
mod disk;
mod dns;
mod lockfile;
mod memory;
mod remote;

pub use cache::cache;
pub use checksum::{Suspect, checksum};
pub use clock::clock;
pub use disk::disk;
pub use lockfile::lockfile;
pub use memory::{heap, memory};
pub use remote::remote;

use regreen_domain::{FailureClass, Finding, Standing, Tool};

/// Ids of all probes; the catalogue holds their measured counts.
pub const IDS: [&str; 10] =
    ["cache", "checksum", "clock", "disk", "dns", "lockfile", "manifest", "memory", "remote", SHARED_REPAIR];

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
