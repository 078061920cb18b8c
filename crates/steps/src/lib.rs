//! The generic step kinds, one file each. They reach the world through [`World`], and change it only with the
//! executor's `Touch` in hand.

mod added;
mod addresses;
mod await_approval;
mod command;
mod files;
mod free_space;
mod installs_the_same;
mod limit_jobs;
mod nothing_else_changed;
mod quarantine_entries;
mod raise_heap;
mod raise_retries;
mod refill_entries;
mod repair_lockfile;
mod repaired_by_another;
mod rerun_command;
mod rerun_jobs;
mod snapshot;
mod tool_consistent;
mod use_mirror;
mod wait_until_reachable;
mod world;
mod written;

use std::sync::Arc;

use regreen_saga::{AnyStep, KindFacts, Step as _, Undo};

pub use files::{SavedFile, keep_state_copy, sha256, state_copy};
pub use quarantine_entries::{QUARANTINE, forget, quarantined_root};
pub use regreen_lockfile::Repair;
pub use rerun_jobs::{Host, may_be_lost};
pub use snapshot::{Change, Snapshot};
pub use world::{Answer, Approvals, Cause, Limit, Mirror, NobodyAsked, Rerun, RerunEnd, World};
pub use written::{Written, written};

/// The steps that end every plan, whatever its playbook says: a healing that skipped one would not be verified.
pub const CLOSING: [&str; 3] = ["nothing-else-changed", "rerun-command", "tool-consistent"];

/// Whether a step of this kind takes away what it can't put back.
pub fn is_lasting(kind: &str) -> bool {
    kind_facts().iter().any(|facts| facts.kind == kind && facts.undo == Undo::Compensate)
}

/// The step kind that writes the tool's lockfile.
pub const LOCKFILE_WRITER: &str = repair_lockfile::RepairLockfile::KIND;

/// The kinds of the steps that end a plan of these kinds which may write these files: [`CLOSING`], and what a written
/// lockfile must show besides. None at the CI host: there is no workspace, and the step itself sees to it that every job ends
/// green.
pub fn closing<'k>(mut kinds: impl Iterator<Item = &'k str>, paths: &[String]) -> Vec<&'static str> {
    if kinds.any(is_remote) {
        return Vec::new();
    }
    let writes = paths.iter().any(|path| path.contains("{lockfile}") || written::is_lockfile(path));
    CLOSING.into_iter().chain(writes.then_some(installs_the_same::InstallsTheSame::KIND)).collect()
}

/// Whether a step of this kind works at the CI host, and not in the job.
pub fn is_remote(kind: &str) -> bool {
    kind == rerun_jobs::RerunJobs::KIND
}

/// Every step kind that works at the CI host.
pub fn remote_kinds(host: &Arc<Host>) -> Vec<Arc<dyn AnyStep>> {
    vec![Arc::new(rerun_jobs::RerunJobs(host.clone()))]
}

macro_rules! step_kinds {
    ($($module:ident::$step:ident),+ $(,)?) => {
        /// Every step kind that works in a job, bound to this world.
        pub fn kinds(world: &Arc<World>) -> Vec<Arc<dyn AnyStep>> {
            vec![$(Arc::new($module::$step(world.clone()))),+]
        }

        /// Every step kind without a world: what a playbook must know of it.
        pub fn kind_facts() -> Vec<KindFacts> {
            let remote = KindFacts::of::<rerun_jobs::RerunJobs>();
            vec![$(KindFacts::of::<$module::$step>()),+, remote]
        }
    };
}

step_kinds! {
    await_approval::AwaitApproval,
    command::Command,
    free_space::FreeSpace,
    installs_the_same::InstallsTheSame,
    limit_jobs::LimitJobs,
    nothing_else_changed::NothingElseChanged,
    quarantine_entries::QuarantineEntries,
    raise_heap::RaiseHeap,
    raise_retries::RaiseRetries,
    refill_entries::RefillEntries,
    repair_lockfile::RepairLockfile,
    repaired_by_another::RepairedByAnother,
    rerun_command::RerunCommand,
    tool_consistent::ToolConsistent,
    use_mirror::UseMirror,
    wait_until_reachable::WaitUntilReachable,
}
