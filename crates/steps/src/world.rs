//! What steps may reach: the job, Regreen's own state folder, the operator's mirrors, and the way to run the
//! wrapped command once more.

use std::{
    path::PathBuf,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use regreen_domain::{HealableClass, PackageName, Resource, Tool};
use regreen_saga::BoxFuture;
use regreen_tools::{Adapter, Job, Overlay, Trouble, adapter, runtime::Runtime};

use tokio::time::timeout;

use crate::snapshot::Snapshot;

/// How often it is said of long work that it goes on.
const OFTEN: Duration = Duration::from_secs(10);

/// A mirror that the operator configured, outside the checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The tool it serves.
    pub tool: Tool,
    /// Its address.
    pub url: String,
}

/// The limit that ended a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It took too long.
    Time,
    /// It printed nothing for too long.
    Silence,
}

/// How a repeated command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunEnd {
    /// Its exit code as a shell would show it.
    pub code: i32,
    /// The end of its output, raw: it lives in memory only.
    pub log: Vec<u8>,
    /// Lines of its output that lie before `log`.
    pub dropped_lines: u64,
    /// Bytes of its output that lie before `log`.
    pub dropped_bytes: u64,
    /// Whether a limit ended it.
    pub limit: Option<Limit>,
    /// Whether somebody interrupted it: who pressed Ctrl-C wants an end, not another try.
    pub interrupted: bool,
    /// How long it ran.
    pub duration: Duration,
}

/// Port to the live terminal: runs the wrapped command once more, output untouched.
pub trait Rerun: Send + Sync {
    /// Runs it with `overlay` added, and gives its end. The error says why it could not be started.
    fn rerun(&self, overlay: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>>;

    /// Ready once somebody asked so often for an end while Regreen itself was at work, with the number of the signal.
    /// Never, where nobody can ask.
    fn asked_to_end(&self, _times: u32) -> BoxFuture<'_, i32> {
        Box::pin(std::future::pending())
    }
}

/// What the diagnosis says that a step may use: facts of closed kinds, and names that went through their holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its class.
    pub class: Option<HealableClass>,
    /// What went wrong on the wire.
    pub trouble: Trouble,
    /// The package that the log blames. It only selects among the lockfile's own entries.
    pub package: Option<PackageName>,
    /// What was used up.
    pub resource: Option<Resource>,
    /// Whose heap it was, where it was a heap.
    pub runtime: Option<Runtime>,
    /// When the command began: what is younger may be its own.
    pub began: SystemTime,
}

impl Default for Cause {
    /// Nothing is known, and everything is younger than the command.
    fn default() -> Self {
        Cause {
            class: None,
            trouble: Trouble::default(),
            package: None,
            resource: None,
            runtime: None,
            began: SystemTime::UNIX_EPOCH,
        }
    }
}

/// A person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Yes or no.
    pub granted: bool,
    /// Whose word.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// Port to the people who may have to agree in the middle of a run.
pub trait Approvals: Send + Sync {
    /// Puts the question of a step on record, once, and gives the answer where there is one. The error says why nobody
    /// can be asked.
    fn ask<'a>(&'a self, step: &'a str, question: &'a str) -> BoxFuture<'a, Result<Option<Answer>, String>>;
}

/// Nobody can be asked.
pub struct NobodyAsked;

impl Approvals for NobodyAsked {
    fn ask<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Option<Answer>, String>> {
        Box::pin(async { Err("nobody can be asked".to_owned()) })
    }
}

/// What the steps of one run share.
pub struct World {
    /// The wrapped command in its workspace.
    pub job: Job,
    /// What the diagnosis says; nothing when a run is resumed.
    pub cause: Cause,
    /// Regreen's state folder for this workspace, 0700.
    pub state: PathBuf,
    /// The operator's mirrors, in order of preference.
    pub mirrors: Vec<Mirror>,
    /// Runs the wrapped command again.
    pub rerun: Arc<dyn Rerun>,
    /// The workspace as it was when the command ended; absent when a run is resumed.
    pub snapshot: Option<Snapshot>,
    /// The cache whose lock this run holds: no other may be changed.
    pub locked_cache: Option<PathBuf>,
    /// Whether another Regreen healed, since the command began, what the command stumbled over.
    pub repaired_by_another: bool,
    /// Paths below the workspace that this plan may write.
    pub paths: Vec<String>,
    /// Whether the operator's configuration allows commands of the operator's own.
    pub allow_commands: bool,
    /// The user said `--yes`.
    pub yes: bool,
    /// Asks people.
    pub approvals: Arc<dyn Approvals>,
    /// When Regreen's own work must be over.
    pub deadline: Instant,
    /// Which attempt this is, from 1: later ones wait longer.
    pub attempt: u32,
    /// Seed for jitter.
    pub seed: u64,
    /// Told to the person who waits.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
    /// The last repeated command's end.
    pub last_rerun: Mutex<Option<RerunEnd>>,
}

impl World {
    /// The adapter of the tool with this name.
    pub(crate) fn adapter(&self, tool: &str) -> Result<&'static dyn Adapter, String> {
        Tool::new(tool).as_ref().and_then(adapter).ok_or_else(|| format!("`{tool}` is not a supported tool"))
    }

    /// Time left for Regreen's own work. What the repeated command took is not counted.
    pub(crate) fn time_left(&self) -> Duration {
        let deadline = self.deadline + self.last_rerun_took().unwrap_or_default();
        deadline.saturating_duration_since(Instant::now())
    }

    /// Awaits `work` that may take `limit`, and says now and then that it goes on.
    pub(crate) async fn saying<T>(&self, what: &str, limit: Duration, work: impl Future<Output = T>) -> T {
        let most = limit.as_secs_f64().ceil();
        let say = |so_far: Duration| {
            (self.progress)(&format!("still {what}: {} s so far, {most:.0} s at most", so_far.as_secs()));
        };
        saying(OFTEN, say, work).await
    }

    /// Takes what the last repeated command left.
    pub fn take_rerun(&self) -> Option<RerunEnd> {
        self.last_rerun.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether somebody interrupted the last repeated command.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.last_rerun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|end| end.interrupted)
    }

    /// How long the last repeated command ran.
    pub(crate) fn last_rerun_took(&self) -> Option<Duration> {
        self.last_rerun.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|end| end.duration)
    }

    pub(crate) fn keep_rerun(&self, end: RerunEnd) {
        *self.last_rerun.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }
}

/// Awaits `work`, and says after every `often` for how long by now.
async fn saying<T>(often: Duration, say: impl Fn(Duration), work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let begun = Instant::now();
    loop {
        match timeout(often, work.as_mut()).await {
            Ok(done) => return done,
            Err(_) => say(begun.elapsed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::poll_fn, task::Poll};

    use super::*;

    #[tokio::test]
    async fn long_work_is_spoken_of_until_it_ends() {
        let said = Cell::new(0);
        let work = poll_fn(|_| if said.get() < 3 { Poll::Pending } else { Poll::Ready("done") });
        let say = |_| said.set(said.get() + 1);
        assert_eq!(saying(Duration::from_millis(1), say, work).await, "done");
        assert_eq!(said.get(), 3);
    }
}
