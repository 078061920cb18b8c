//! `rerun-jobs`: the failed jobs of a run once more, by the CI host.
//!
//! Only for exactly the commit and attempt that were diagnosed. Whether it helped is seen when the next attempt has ended,
//! which can take hours: until then its check says so, and no process waits.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use regreen_forge::{Conclusion, Diagnosed, Forge, ForgeError, Job, NotAllowed, Repository, RunRef, Status};
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

/// What the steps at a CI host share.
pub struct Host {
    /// The host.
    pub forge: Arc<dyn Forge>,
    /// The run, as it was diagnosed.
    pub diagnosed: Diagnosed,
    /// Asked right before anything is sent.
    may_send: Box<dyn Fn() -> bool + Send + Sync>,
    stumbled: Mutex<Option<ForgeError>>,
    /// How long the jobs of the attempt that was looked at last ran, together; 0 where none was seen to end.
    ran_ms: AtomicU64,
    /// The host shows no trace of a request that may have been lost.
    no_trace: AtomicBool,
}

impl Host {
    /// This host, for this run.
    pub fn new(forge: Arc<dyn Forge>, diagnosed: Diagnosed) -> Host {
        Host {
            forge,
            diagnosed,
            may_send: Box::new(|| true),
            stumbled: Mutex::default(),
            ran_ms: AtomicU64::new(0),
            no_trace: AtomicBool::new(false),
        }
    }

    /// The same, which sends nothing more while this says no.
    #[must_use]
    pub fn only_while(self, may_send: impl Fn() -> bool + Send + Sync + 'static) -> Host {
        Host { may_send: Box::new(may_send), ..self }
    }

    /// Whether what was sent last may have been lost, and the host, asked just now, shows the run as it was before.
    pub fn shows_no_trace(&self) -> bool {
        self.no_trace.load(Ordering::SeqCst)
    }

    /// How long the jobs that ran again took, together, as far as the last look showed them ended, in milliseconds.
    pub fn ran_ms(&self) -> Option<u64> {
        Some(self.ran_ms.load(Ordering::SeqCst)).filter(|ms| *ms > 0)
    }

    /// Why nothing can be asked of the host for now, where that is so. What was begun is no failure then: it has to wait.
    pub fn stumbled(&self) -> Option<ForgeError> {
        self.stumbled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what passes, or what a person will put right.
    fn note(&self, error: &ForgeError) {
        if error.has_to_wait() {
            self.must_wait(error.clone());
        }
    }

    fn must_wait(&self, error: ForgeError) {
        *self.stumbled.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Whether this receipt is of a request of which nobody knows whether it arrived.
pub fn may_be_lost(receipt: &serde_json::Value) -> bool {
    receipt.get("unsure").and_then(serde_json::Value::as_bool).unwrap_or_default()
}

/// The step.
pub(crate) struct RerunJobs(pub(crate) Arc<Host>);

/// No arguments.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {}

/// What is to run again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    repository: String,
    run: u64,
    commit: String,
    /// The attempt that failed.
    attempt: u32,
    /// Names of its jobs that failed.
    jobs: Vec<String>,
}

/// What runs again.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The attempt that runs them.
    attempt: u32,
    /// It was there already: by a try whose answer was lost, or by somebody else.
    found: bool,
    /// Its answer was lost, and looking told nothing: it may never have arrived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unsure: bool,
    jobs: Vec<String>,
    said: String,
}

impl Before {
    fn diagnosed(&self) -> Result<Diagnosed, String> {
        let repository = Repository::parse(&self.repository).ok_or("the journal names no repository")?;
        let run = RunRef { repository, run_id: self.run };
        Ok(Diagnosed { run, head_sha: self.commit.clone(), attempt: self.attempt })
    }

    fn receipt(&self, attempt: u32, found: bool) -> Receipt {
        let said = match self.jobs.as_slice() {
            [job] => format!("the job `{job}` ran again, as attempt {attempt}"),
            jobs => format!("{} failed jobs ran again, as attempt {attempt}", jobs.len()),
        };
        Receipt { attempt, found, unsure: false, jobs: self.jobs.clone(), said }
    }
}

impl Step for RerunJobs {
    const KIND: &'static str = "rerun-jobs";
    const EXPLAIN: &'static str = "Lets the CI host run the failed jobs of a run again, once, for exactly the commit and attempt that were diagnosed; \
                                   each of them must end green. Only `regreen serve` does that.";
    // A run that has begun leaves its trace; where it is still under way, it is cancelled.
    const UNDO: Undo = Undo::Compensate;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, _: &Args) -> Result<Before, Refused> {
        let Host { forge, diagnosed, .. } = &*self.0;
        let refused = |e: ForgeError| {
            self.0.note(&e);
            Refused(e.to_string())
        };
        let run = forge.run(&diagnosed.run).await.map_err(refused)?;
        if run.head_sha != diagnosed.head_sha {
            return Err(Refused("the run is of another commit than the one that was diagnosed".to_owned()));
        }
        if run.attempt != diagnosed.attempt {
            return Err(Refused(format!("the run is at attempt {} by now", run.attempt)));
        }
        if run.status != Status::Completed {
            return Err(Refused("the run has not ended".to_owned()));
        }
        let jobs = forge.jobs(&diagnosed.run, diagnosed.attempt).await.map_err(refused)?;
        let failed = |job: &Job| job.conclusion.is_some_and(Conclusion::failed);
        let jobs: Vec<String> = jobs.into_iter().filter(failed).map(|job| job.name).collect();
        if jobs.is_empty() {
            return Err(Refused("none of its jobs failed".to_owned()));
        }
        Ok(Before {
            repository: diagnosed.run.repository.as_str().to_owned(),
            run: diagnosed.run.run_id,
            commit: diagnosed.head_sha.clone(),
            attempt: diagnosed.attempt,
            jobs,
        })
    }

    fn foresee(&self, _: &Args, before: &Before) -> Option<String> {
        Some(format!("run {} again at the CI host", before.jobs.join(", ")))
    }

    async fn apply(&self, _: &Touch, _: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let diagnosed = before.diagnosed().map_err(ApplyError::no_effect)?;
        match self.0.forge.rerun_failed_jobs_if(&diagnosed, &*self.0.may_send).await {
            Ok(rerun) => Ok(before.receipt(rerun.attempt, rerun.found)),
            // One's own try before a crash, or somebody else's: what was wanted is under way, and only once.
            Err(ForgeError::NotAllowed { why: NotAllowed::OtherAttempt { attempt }, .. })
                if attempt > before.attempt =>
            {
                Ok(before.receipt(before.attempt + 1, true))
            }
            // After a crash the host may show the old attempt while the new one is being made.
            Err(ForgeError::NotAllowed { why: NotAllowed::NotEnded, .. }) => {
                Ok(before.receipt(before.attempt + 1, true))
            }
            Err(e) if e.had_no_effect() => {
                self.0.note(&e);
                Err(ApplyError::no_effect(e))
            }
            // Whether it was sent can't be told now: the check sees what came of it. It is not sent again.
            Err(_) => Ok(Receipt { unsure: true, ..before.receipt(before.attempt + 1, true) }),
        }
    }

    async fn verify(&self, _: &Look, _: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        let Host { forge, diagnosed, .. } = &*self.0;
        let run = match forge.run(&diagnosed.run).await {
            Ok(run) => run,
            Err(e) => return Ok(unseen(&e)),
        };
        let attempt = receipt.attempt;
        let as_before = run.attempt < attempt && run.status == Status::Completed;
        self.0.no_trace.store(receipt.unsure && as_before, Ordering::SeqCst);
        if run.attempt < attempt || (run.attempt == attempt && run.status != Status::Completed) {
            return Ok(Seen::NotYet(format!("attempt {attempt} has not ended")));
        }
        let jobs = match forge.jobs(&diagnosed.run, attempt).await {
            Ok(jobs) => jobs,
            Err(e) => return Ok(unseen(&e)),
        };
        self.0.ran_ms.store(ran_ms(&jobs, attempt), Ordering::SeqCst);
        for name in &receipt.jobs {
            // Jobs may share a name: each of the newest counts, and there must be as many as failed.
            let named = || jobs.iter().filter(|job| job.name == *name);
            let newest = named().map(|job| job.attempt).max();
            let again: Vec<&Job> = named().filter(|job| Some(job.attempt) == newest).collect();
            if again.len() < receipt.jobs.iter().filter(|other| *other == name).count() {
                return Ok(Seen::NotThere(format!("attempt {attempt} has no job `{name}`, or too few")));
            }
            if again
                .iter()
                .any(|job| job.status == Status::Completed && job.conclusion != Some(Conclusion::Success))
            {
                return Ok(Seen::NotThere(format!("`{name}` did not end well in attempt {attempt}")));
            }
            if again.iter().any(|job| job.status != Status::Completed) {
                return Ok(Seen::NotYet(format!("`{name}` has not ended in attempt {attempt}")));
            }
        }
        Ok(Seen::There)
    }

    async fn undo(
        &self,
        _: &Touch,
        _: &Args,
        before: &Before,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        // What was found may be somebody else's, and nobody's run is cancelled but one's own.
        let Some(receipt) = receipt.filter(|receipt| !receipt.found) else { return Ok(()) };
        // Cancelling can be done again, so also where nobody knows whether it was done it is only put off.
        let failed = |e: ForgeError| {
            match &e {
                ForgeError::Unknown { what, why } => {
                    self.0.must_wait(ForgeError::Unreachable { what: what.clone(), why: why.clone() });
                }
                e => self.0.note(e),
            }
            UndoError(e.to_string())
        };
        let run = before.diagnosed().map_err(UndoError)?.run;
        let now = match self.0.forge.run(&run).await {
            Err(ForgeError::NotFound { .. }) => return Ok(()),
            now => now.map_err(failed)?,
        };
        if now.attempt != receipt.attempt || now.status == Status::Completed {
            return Ok(());
        }
        match self.0.forge.cancel(&run).await {
            Ok(()) | Err(ForgeError::NotAllowed { why: NotAllowed::Ended, .. }) => Ok(()),
            Err(e) => Err(failed(e)),
        }
    }
}

/// How long the jobs of this attempt ran, together: whatever the host repeated beside those that had failed, too.
fn ran_ms(jobs: &[Job], attempt: u32) -> u64 {
    let again = jobs.iter().filter(|job| job.attempt >= attempt);
    let ran = again.filter_map(|job| job.completed_at?.duration_since(job.started_at?).ok());
    ran.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}

/// What can't be seen because the host stumbles is seen later; what is gone did not help.
fn unseen(error: &ForgeError) -> Seen {
    if error.has_to_wait() { Seen::NotYet(error.to_string()) } else { Seen::NotThere(error.to_string()) }
}
