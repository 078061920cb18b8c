//! The generic step kinds, one file each. They reach the world through [`World`], and change it only with the
//! executor's `Touch` in hand.

mod files;
mod nothing_else_changed;
mod quarantine_entries;
mod repair_lockfile;
mod repaired_by_another;
mod rerun_command;
mod snapshot;
mod tool_consistent;
mod use_mirror;
mod wait_until_reachable;
mod world;

use std::sync::Arc;

use regreen_saga::AnyStep;

pub use files::{SavedFile, state_copy};
pub use quarantine_entries::{QUARANTINE, forget, quarantined_root};
pub use repair_lockfile::Repair;
pub use snapshot::{Change, Snapshot};
pub use world::{Mirror, Rerun, RerunEnd, World};

/// The steps that end every plan, whatever its playbook says: a healing that skipped one would not be verified.
pub const CLOSING: [&str; 3] = ["nothing-else-changed", "rerun-command", "tool-consistent"];

/// Every step kind, bound to this world.
pub fn kinds(world: &Arc<World>) -> Vec<Arc<dyn AnyStep>> {
    vec![
        Arc::new(nothing_else_changed::NothingElseChanged(world.clone())),
        Arc::new(quarantine_entries::QuarantineEntries(world.clone())),
        Arc::new(repair_lockfile::RepairLockfile(world.clone())),
        Arc::new(repaired_by_another::RepairedByAnother(world.clone())),
        Arc::new(rerun_command::RerunCommand(world.clone())),
        Arc::new(tool_consistent::ToolConsistent(world.clone())),
        Arc::new(use_mirror::UseMirror(world.clone())),
        Arc::new(wait_until_reachable::WaitUntilReachable(world.clone())),
    ]
}
