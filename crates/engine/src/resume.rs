//! What a process that died left behind: its children are ended, and its run is brought to its end by the journal.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use regreen_domain::{Outcome, Plan};
use regreen_ledger::{Closing, Incident, Ledger, State as LedgerState};
use regreen_process::{RunId, marker};
use regreen_saga::{BoxFuture, Drive, Ended, OpenGate, StepEvent, execute, roll_back};
use regreen_steps::{Cause, NobodyAsked, Rerun, RerunEnd, World, kinds};
use regreen_tools::{Job, Overlay};

use crate::{
    closing,
    error::EngineError,
    handle::{Engine, now, owner_token},
    playbooks::{COMMAND, prepare_plan},
    rollback,
    state::{Lock, State, lock, try_lock},
};

/// How a found run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// The incident.
    pub incident: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it was not healed.
    pub why: String,
}

/// Longest that the processes of a killed run may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);

/// A resumed run never repeats the wrapped command.
struct NeverAgain;

impl Rerun for NeverAgain {
    fn rerun(&self, _: Overlay) -> BoxFuture<'_, Result<RerunEnd, String>> {
        Box::pin(async { Err("a resumed run never repeats the wrapped command".to_owned()) })
    }
}

impl Engine {
    /// Brings every run that died in this workspace to its end: healed where everything had been verified but the
    /// record, else as before. Nothing happens while the process that owns a run is alive.
    ///
    /// # Errors
    /// [`EngineError`]; what could not be done can be tried again.
    pub async fn resume(&self, job: &Job, state: &State) -> Result<Vec<Resumed>, EngineError> {
        // A folder that somebody else could have prepared says nothing that may be believed.
        state.make()?;
        let fail = |source| crate::StateError::Folder { path: state.workspace_lock(), source };
        let Some(_lock) = try_lock(&state.workspace_lock()).map_err(fail)? else { return Ok(Vec::new()) };
        let ledger = self.open_ledger(state).await?;
        let resumed = self.end_dead_runs(&ledger, state, job).await?;
        ledger.close_file().await;
        Ok(resumed)
    }

    /// The same for whoever holds the workspace's lock: no run that is on record can be alive then.
    pub(crate) async fn end_dead_runs(
        &self,
        ledger: &Ledger,
        state: &State,
        job: &Job,
    ) -> Result<Vec<Resumed>, EngineError> {
        let mut resumed = Vec::new();
        for incident in ledger.open_incidents().await? {
            resumed.push(self.resume_one(ledger, state, job, &incident).await?);
        }
        self.clear_what_was_closed(ledger, state).await?;
        Ok(resumed)
    }

    /// A process can die between closing a run and clearing up after it: the marker then names a closed incident.
    async fn clear_what_was_closed(&self, ledger: &Ledger, state: &State) -> Result<(), EngineError> {
        let Ok(named) = std::fs::read_to_string(state.open_marker()) else { return Ok(()) };
        let Some(incident) = ledger.incident(named.trim()).await? else { return Ok(()) };
        if incident.state == LedgerState::Closed && incident.outcome() != Some(Outcome::Stuck) {
            closing::clear(ledger, state, &incident.id).await?;
        }
        Ok(())
    }

    async fn resume_one(
        &self,
        ledger: &Ledger,
        state: &State,
        job: &Job,
        incident: &Incident,
    ) -> Result<Resumed, EngineError> {
        // First the orphans: what they still write must not come after the undo.
        if let Some(run) = incident.run_marker.as_ref().and_then(|m| RunId::new(m.clone()).ok()) {
            let ended = tokio::task::spawn_blocking(move || marker::end_all(&run, GRACE)).await;
            ended
                .map_err(|e| EngineError::Survivors(e.to_string()))?
                .map_err(|e| EngineError::Survivors(e.to_string()))?;
        }
        let owner = owner_token();
        ledger.take_over(&incident.id, &owner, now()).await?;
        let Some(plan) = incident.plan() else {
            // It died between the diagnosis and the decision: nothing was touched.
            ledger.close_incident(&incident.id, &owner, Outcome::LeftAlone).await?;
            closing::clear(ledger, state, &incident.id).await?;
            let why = "it ended before anything was decided".to_owned();
            return Ok(Resumed { incident: incident.id.clone(), outcome: Outcome::LeftAlone, why });
        };
        self.may_take_back(ledger, &incident.id, &plan).await?;
        let deadline = Instant::now() + self.config.recovery_timeout;
        let mut cache_locks = Vec::new();
        for root in closing::quarantined_roots(ledger, &incident.id).await? {
            cache_locks.push(lock(&state.cache_lock(&root), deadline, || {}).await?);
        }
        let job = &marked(job, incident.run_marker.as_deref());
        let world = self.found_world(job, state, &plan, incident.attempt);
        let steps = prepare_plan(&plan, &kinds(&world))?;
        let mut journal = ledger.journal(&incident.id, &owner, now);
        let ended = execute(&incident.id, &steps, &mut journal, &OpenGate, Drive::Resume).await?;
        let (outcome, why) = match ended {
            Ended::Verified => (Outcome::Healed, String::new()),
            Ended::RolledBack { why } => (Outcome::RolledBack, why),
            Ended::Stuck { why } => (Outcome::Stuck, why),
            Ended::Waits { why } => return Err(EngineError::Waits(why)),
        };
        ledger.close_incident(&incident.id, &owner, outcome).await?;
        if outcome != Outcome::Stuck {
            closing::clear(ledger, state, &incident.id).await?;
        }
        Ok(Resumed { incident: incident.id.clone(), outcome, why })
    }

    /// Takes back what a closed incident did, on a person's word.
    ///
    /// # Errors
    /// [`EngineError::Refused`] where there is nothing to take back, or somebody has written to the file since; else
    /// what could not be done can be tried again.
    pub async fn roll_back(
        &self,
        job: &Job,
        state: &State,
        id: &str,
        actor: &str,
        why: &str,
    ) -> Result<Resumed, EngineError> {
        state.make()?;
        let fail = |source| crate::StateError::Folder { path: state.workspace_lock(), source };
        let lock = try_lock(&state.workspace_lock()).map_err(fail)?;
        let _lock: Lock = lock.ok_or(crate::StateError::Busy(Duration::ZERO))?;
        let ledger = self.open_ledger(state).await?;
        let incident = ledger.incident(id).await?;
        let incident =
            incident.ok_or_else(|| regreen_ledger::LedgerError::UnknownIncident { id: id.to_owned() })?;
        rollback::prepare(&ledger, state, job, &incident).await?;
        let plan =
            incident.plan().ok_or_else(|| EngineError::Catalog("the incident has no plan".to_owned()))?;
        self.may_take_back(&ledger, id, &plan).await?;
        let owner = owner_token();
        match incident.state {
            LedgerState::Closed => ledger.reopen(id, &owner, actor, why, now()).await?,
            LedgerState::Open | LedgerState::AwaitingApproval | LedgerState::Approved => {
                ledger.take_over(id, &owner, now()).await?
            }
        }
        let job = &marked(job, incident.run_marker.as_deref());
        let world = self.found_world(job, state, &plan, incident.attempt);
        let steps = prepare_plan(&plan, &kinds(&world))?;
        let mut journal = ledger.journal(id, &owner, now);
        let (outcome, why) = match roll_back(id, &steps, &mut journal, why).await? {
            Ended::Stuck { why } => (Outcome::Stuck, why),
            Ended::RolledBack { why } => (Outcome::RolledBack, why),
            Ended::Verified | Ended::Waits { .. } => (Outcome::RolledBack, why.to_owned()),
        };
        ledger.close_incident(id, &owner, outcome).await?;
        if outcome != Outcome::Stuck {
            closing::clear(&ledger, state, id).await?;
        }
        ledger.close_file().await;
        Ok(Resumed { incident: id.to_owned(), outcome, why })
    }

    /// What the operator's commands did is taken back by the operator's commands: without leave for those the run stands
    /// still rather than being stuck.
    async fn may_take_back(&self, ledger: &Ledger, incident: &str, plan: &Plan) -> Result<(), EngineError> {
        let is_command = |id: &str| plan.steps.iter().any(|step| step.id == id && step.kind == COMMAND);
        let facts = ledger.facts(incident).await?;
        let begun =
            facts.iter().any(|entry| entry.fact.event == StepEvent::Started && is_command(&entry.fact.step));
        if begun && !self.config.allow_commands {
            return Err(EngineError::Refused(format!(
                "incident {incident} ran commands of the operator's, and the configuration in force does not allow \
                 those; name the configuration that does with REGREEN_CONFIG"
            )));
        }
        Ok(())
    }

    /// The world of a run that another process began.
    pub(crate) fn found_world(&self, job: &Job, state: &State, plan: &Plan, attempt: u32) -> Arc<World> {
        Arc::new(World {
            job: job.clone(),
            cause: Cause::default(),
            state: state.folder().to_owned(),
            mirrors: Vec::new(),
            rerun: Arc::new(NeverAgain),
            snapshot: None,
            locked_cache: None,
            repaired_by_another: false,
            paths: plan.paths.clone(),
            allow_commands: self.config.allow_commands,
            yes: false,
            // A found run turns back: nobody is asked whether it may go on.
            approvals: Arc::new(NobodyAsked),
            deadline: Instant::now() + self.config.recovery_timeout,
            attempt,
            seed: 0,
            progress: self.progress(),
            last_rerun: Mutex::new(None),
        })
    }
}

/// The job with the mark of the run that is brought to its end: what is started to take it back can be found again.
fn marked(job: &Job, run: Option<&str>) -> Job {
    let mut job = job.clone();
    job.workspace.run = run.and_then(|run| RunId::new(run.to_owned()).ok()).or(job.workspace.run);
    job
}

/// Shorthand for an end without more to record.
trait CloseIncident {
    async fn close_incident(&self, id: &str, owner: &str, outcome: Outcome) -> Result<(), EngineError>;
}

impl CloseIncident for Ledger {
    async fn close_incident(&self, id: &str, owner: &str, outcome: Outcome) -> Result<(), EngineError> {
        Ok(self.close(id, owner, &Closing::new(outcome), now()).await?)
    }
}
