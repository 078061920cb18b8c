//! A failure, from the moment the command ended to its outcome.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_catalog::Catalog;
use regreen_decide::{Breaker, Case, History, decide};
use regreen_detect::ExitFacts;
use regreen_domain::{
    CommandFacts, Decision, Diagnosis, Finding, Outcome, Plan, Refusal, Risk, Standing, Verification,
    VerificationFactor,
};
use regreen_ledger::{
    BreakerKey, BreakerOutcome, BreakerState, Closing, Entry, JournalEntry, Ledger, NewIncident, Place, Scrub,
};
use regreen_logs::Dropped;
use regreen_mask::Masker;
use regreen_saga::{Drive, Ended, Gate, StepEvent, dry_run, execute};
use regreen_steps::{Change, Rerun, RerunEnd, Snapshot, World, kinds};
use regreen_tools::{Job, adapter, all};

use crate::{
    closing,
    config::Config,
    error::EngineError,
    event::{Event, Voice},
    look::{Look, look},
    playbooks::{join, prepare_plan},
    setting::{place, setting},
    state::{State, lock},
};

/// The pipeline with everything it needs.
pub struct Engine {
    /// What is known of failures and cures.
    pub catalog: Arc<Catalog>,
    /// What the operator wants.
    pub config: Config,
    /// Secrets out of everything.
    pub masker: Arc<Masker>,
    /// Tells people.
    pub voice: Arc<dyn Voice>,
}

/// A command that has just failed.
pub struct Failure {
    /// The command in its workspace.
    pub job: Job,
    /// What it is.
    pub command: CommandFacts,
    /// How it ended.
    pub exit: ExitFacts,
    /// Its exit code as a shell would show it.
    pub code: i32,
    /// The end of its output, raw: it lives in memory only.
    pub output: Vec<u8>,
    /// What lay before `output`.
    pub dropped: Dropped,
    /// Marks the processes of this run.
    pub run: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Handled {
    /// The exit code to end with: 0 once healed and verified, else the command's own.
    pub code: i32,
    /// How it ended.
    pub outcome: Outcome,
    /// The last diagnosis.
    pub diagnosis: Diagnosis,
    /// What the probes saw of it.
    pub findings: Vec<Finding>,
    /// The last decision's refusal, where nothing was done.
    pub because: Option<Refusal>,
    /// The last incident.
    pub incident: String,
}

/// The masker, as the ledger's belt and braces.
struct Scrubber(Arc<Masker>);

impl Scrub for Scrubber {
    fn scrub(&self, text: &str) -> String {
        self.0.mask(text).into_owned()
    }
}

/// The kill switch: a pause that another process wrote is seen before the next effect.
struct Switch<'a> {
    ledger: &'a Path,
}

impl Gate for Switch<'_> {
    fn may_act(&self) -> Result<(), String> {
        match self.ledger.with_file_name("paused").try_exists() {
            Ok(false) => Ok(()),
            Ok(true) => Err("healing was paused".to_owned()),
            Err(e) => Err(format!("the kill switch can't be read: {e}")),
        }
    }
}

/// Playbooks that are out of the question for this failure.
#[derive(Default)]
struct Tried {
    /// Their own looks said that they can't help here.
    passed_over: Vec<String>,
    /// They ran and did not help.
    ran: Vec<String>,
    /// One of those only waited and repeated: that may help another time.
    may_repeat: bool,
}

impl Tried {
    fn all(&self) -> Vec<String> {
        [self.passed_over.clone(), self.ran.clone()].concat()
    }
}

/// One attempt's end.
enum Attempt {
    /// Nothing more is done about this failure; what stood in the way, if anything did.
    Over(Outcome, Option<Refusal>),
    /// It was rolled back; the repeated command, where it came to that, failed like this.
    Again(Option<RerunEnd>),
}

impl Engine {
    /// Brings a failure to its end. `rerun` runs the wrapped command once more.
    ///
    /// # Errors
    /// [`EngineError`]: Regreen's own failure. The job's verdict stands.
    pub async fn handle(
        &self,
        mut failure: Failure,
        state: &State,
        rerun: Arc<dyn Rerun>,
    ) -> Result<Handled, EngineError> {
        let deadline = Instant::now() + self.config.recovery_timeout;
        let mut snapshot = self.snapshot(&failure.job).await;
        let (mut seen, mut detect_ms) = self.look_at(&failure).await;
        // Said before anything that can fail: a broken ledger takes nobody's diagnosis away.
        self.voice.tell(Event::Diagnosed(&seen.detection.diagnosis));
        state.make()?;
        let ledger = self.open_ledger(state).await?;
        let place = place(&failure.job, &failure.run).await;
        let mut tried = Tried::default();
        let mut code = failure.code;
        let mut attempt = 1;
        loop {
            let diagnosis = seen.detection.diagnosis.clone();
            let incident = self.new_id(attempt);
            let owner = owner_token();
            ledger
                .open_incident(&NewIncident {
                    id: &incident,
                    owner: &owner,
                    opened_at: now(),
                    command_ended_at: Some(now() - i64::try_from(detect_ms).unwrap_or(0)),
                    place: place.clone(),
                    command: self.masked_argv(&failure.job),
                    exit_code: Some(failure.code),
                    diagnosis: &diagnosis,
                    run_marker: Some(failure.run.clone()),
                    attempt,
                    detect_ms: Some(detect_ms),
                })
                .await?;
            let run = Run {
                engine: self,
                ledger: &ledger,
                state,
                failure: &failure,
                place: &place,
                incident: &incident,
                owner: &owner,
                attempt,
                deadline,
                snapshot: &snapshot,
                rerun: &rerun,
            };
            match run.attempt(&seen, &mut tried).await? {
                Attempt::Over(outcome, because) => {
                    ledger.close_file().await;
                    let code = if outcome == Outcome::Healed { 0 } else { code };
                    let findings = seen.findings;
                    return Ok(Handled { code, outcome, diagnosis, findings, because, incident });
                }
                Attempt::Again(end) => {
                    attempt += 1;
                    if let Some(end) = end.filter(|end| end.code != 0) {
                        code = end.code;
                        failure.code = end.code;
                        failure.exit =
                            ExitFacts { code: Some(end.code), signal: None, timed_out: false, idle: false };
                        failure.output = end.log;
                        failure.dropped = Dropped { lines: end.dropped_lines, bytes: 0 };
                        (seen, detect_ms) = self.look_at(&failure).await;
                        self.voice.tell(Event::Diagnosed(&seen.detection.diagnosis));
                        // Another cause than before is another failure: its playbooks have not been tried.
                        if seen.detection.diagnosis.class != diagnosis.class {
                            tried = Tried::default();
                        }
                    }
                    // What the command's own second run wrote is the command's; it is reported, and is no change of ours.
                    let now = self.snapshot(&failure.job).await;
                    if let (Some(before), Some(now)) = (&snapshot, &now) {
                        self.report_own_writes(&before.changes(now));
                    }
                    snapshot = now;
                }
            }
        }
    }

    fn report_own_writes(&self, changes: &[Change]) {
        if let [first, rest @ ..] = changes {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let text = format!("the command's own second run wrote {}{more}", first.path());
            self.voice.tell(Event::Progress(&text));
        }
    }

    /// Diagnoses, and says how many milliseconds that took.
    async fn look_at(&self, failure: &Failure) -> (Look, u64) {
        let begun = Instant::now();
        let Failure { job, command, exit, output, dropped, .. } = failure;
        let seen = look(&self.catalog, job, command, *exit, output, *dropped, &self.masker).await;
        (seen, millis(begun.elapsed()))
    }

    async fn snapshot(&self, job: &Job) -> Option<Snapshot> {
        let root = job.workspace.root.clone();
        let take = move || {
            let but: Vec<&str> = all().iter().flat_map(|a| a.install_folders()).copied().collect();
            Snapshot::take(&root, &but)
        };
        let snapshot = tokio::task::spawn_blocking(take).await.ok()?;
        if !snapshot.is_whole() {
            self.voice.tell(Event::Warning("the workspace is too large to be watched for foreign changes"));
        }
        snapshot.is_whole().then_some(snapshot)
    }

    /// Opens the ledger of a state folder.
    ///
    /// # Errors
    /// [`EngineError::Ledger`].
    pub async fn open_ledger(&self, state: &State) -> Result<Ledger, EngineError> {
        Ok(Ledger::open(&state.ledger(), Arc::new(Scrubber(self.masker.clone()))).await?)
    }

    pub(crate) fn progress(&self) -> Arc<dyn Fn(&str) + Send + Sync> {
        let voice = self.voice.clone();
        Arc::new(move |text| voice.tell(Event::Progress(text)))
    }

    fn masked_argv(&self, job: &Job) -> Vec<String> {
        job.argv.iter().map(|a| self.masker.mask(a).into_owned()).collect()
    }

    /// Sortable by time, unique on this machine.
    fn new_id(&self, attempt: u32) -> String {
        format!("{:011x}-{:x}-{attempt}", now(), std::process::id())
    }
}

/// One attempt at one failure.
struct Run<'a> {
    engine: &'a Engine,
    ledger: &'a Ledger,
    state: &'a State,
    failure: &'a Failure,
    place: &'a Place,
    incident: &'a str,
    owner: &'a str,
    attempt: u32,
    deadline: Instant,
    snapshot: &'a Option<Snapshot>,
    rerun: &'a Arc<dyn Rerun>,
}

impl Run<'_> {
    async fn attempt(&self, seen: &Look, tried: &mut Tried) -> Result<Attempt, EngineError> {
        let begun = Instant::now();
        let (decision, world, key) = loop {
            let world = self.world(&[]);
            let (decision, key) = self.decide(seen, &tried.all(), &world).await?;
            if matches!(decision, Decision::Nothing { because: Refusal::Blocked }) && tried.may_repeat {
                tried.may_repeat = false;
                tried.ran.clear();
                continue;
            }
            let Decision::Heal(plan) = &decision else { break (decision, world, key) };
            // Looks only: a playbook that can't help here makes room for the next before anything is on record.
            let world = self.world(&plan.paths);
            match self.refusal(plan, &world).await? {
                None => break (decision, world, key),
                Some(why) => {
                    self.engine.voice.tell(Event::PassedOver { playbook: &plan.playbook, why: &why });
                    tried.passed_over.push(plan.playbook.clone());
                }
            }
        };
        self.ledger
            .decided(self.incident, self.owner, &decision, Some(millis(begun.elapsed())), now())
            .await?;
        self.engine.voice.tell(Event::Decided(&decision));
        let plan = match decision {
            Decision::Heal(_) if self.engine.config.dry_run => {
                return self.close_untouched(Outcome::Suggested, None).await;
            }
            Decision::Heal(plan) => plan,
            Decision::Suggest { because: Refusal::ModeApprove, .. } => {
                self.ledger.await_approval(self.incident, self.owner, now()).await?;
                return Ok(Attempt::Over(Outcome::AwaitingApproval, Some(Refusal::ModeApprove)));
            }
            Decision::Suggest { because, .. } => {
                return self.close_untouched(Outcome::Suggested, Some(because)).await;
            }
            Decision::Nothing { because } => {
                return self.close_untouched(Outcome::LeftAlone, Some(because)).await;
            }
        };
        let policy = self.engine.config.breaker;
        if let Entry::Refused { .. } = self.ledger.breaker_enter(&key, policy, self.incident, now()).await? {
            return self.close_untouched(Outcome::Suggested, Some(Refusal::BreakerOpen)).await;
        }
        let waiting =
            || self.engine.voice.tell(Event::Progress("another regreen is healing this workspace; waiting"));
        let (_held, waited) = match lock(&self.state.workspace_lock(), self.deadline, waiting).await {
            Err(crate::StateError::Busy(_)) => {
                return self.close_untouched(Outcome::Suggested, Some(Refusal::Busy)).await;
            }
            other => other?,
        };
        let held =
            match self.engine.cache_locks(self.state, &self.failure.job, &plan.steps, self.deadline).await {
                Err(EngineError::State(crate::StateError::Busy(_))) => {
                    return self.close_untouched(Outcome::Suggested, Some(Refusal::Busy)).await;
                }
                other => other?,
            };
        tried.ran.push(plan.playbook.clone());
        tried.may_repeat |= plan.risk == Risk::Low;
        // Somebody else was at work here: what was to be healed may be whole by now.
        if (waited || held.iter().any(|(_, waited)| *waited)) && self.refusal(&plan, &world).await?.is_some()
        {
            return self.heal(&whole_by_now(plan), seen, world, &key).await;
        }
        self.heal(&plan, seen, world, &key).await
    }

    async fn decide(
        &self,
        seen: &Look,
        tried: &[String],
        world: &Arc<World>,
    ) -> Result<(Decision, BreakerKey), EngineError> {
        let engine = self.engine;
        let diagnosis = &seen.detection.diagnosis;
        let tool = diagnosis.tool.as_ref();
        let key = BreakerKey {
            class: diagnosis.class.id().to_owned(),
            service: tool.map_or_else(|| "none".to_owned(), ToString::to_string),
            repository: self.place.repository.clone().unwrap_or_default(),
        };
        let breaker = match self.ledger.breaker(&key, engine.config.breaker, now()).await? {
            BreakerState::Open { .. } | BreakerState::HalfOpen { probe: Some(_) } => Breaker::Open,
            BreakerState::Closed | BreakerState::HalfOpen { probe: None } => Breaker::Closed,
        };
        let paths = tool.and_then(adapter).and_then(|a| a.lockfile(&self.failure.job));
        let paths = paths.map(|place| place.path.to_string()).into_iter().collect();
        let mut setting = setting(&self.failure.job, &engine.config, paths).await;
        setting.yes |= self.approved(diagnosis).await?;
        let history = History {
            attempts: self.ledger.attempts(self.place).await?,
            last_try: None,
            breaker,
            paused: self.ledger.paused("workspace").await?.is_some(),
            tried: tried.to_vec(),
        };
        let playbooks = join(&engine.catalog, &kinds(world))?;
        let decision = decide(&Case {
            diagnosis,
            findings: &seen.findings,
            command: &self.failure.command,
            playbooks: &playbooks,
            policy: &engine.config.policy,
            setting: &setting,
            history: &history,
            now: now(),
        });
        Ok((decision, key))
    }

    /// Whether a person has approved the same failure of this workspace. An approval is good for one attempt.
    async fn approved(&self, diagnosis: &Diagnosis) -> Result<bool, EngineError> {
        let fingerprint = diagnosis.fingerprint.as_str();
        let approved = self.ledger.open_incidents().await?.into_iter().find(|i| {
            i.id != self.incident && i.approval.is_some() && i.diagnosis.fingerprint == fingerprint
        });
        let Some(approved) = approved else { return Ok(false) };
        self.ledger.take_over(&approved.id, self.owner, now()).await?;
        self.ledger.close(&approved.id, self.owner, &Closing::new(Outcome::LeftAlone), now()).await?;
        Ok(true)
    }

    /// Why the plan's own looks say that it can't help.
    async fn refusal(&self, plan: &Plan, world: &Arc<World>) -> Result<Option<String>, EngineError> {
        let steps = prepare_plan(plan, &kinds(world))?;
        let looks = dry_run(self.incident, &steps).await;
        Ok(looks.into_iter().find_map(|(id, answer)| answer.err().map(|why| format!("{id}: {why}"))))
    }

    async fn heal(
        &self,
        plan: &Plan,
        seen: &Look,
        world: Arc<World>,
        key: &BreakerKey,
    ) -> Result<Attempt, EngineError> {
        let engine = self.engine;
        let incident = self.incident;
        engine.voice.tell(Event::Healing { playbook: &plan.playbook, incident, attempt: self.attempt });
        let steps = prepare_plan(plan, &kinds(&world))?;
        let marker = self.state.open_marker();
        std::fs::write(&marker, incident)
            .map_err(|source| crate::StateError::Folder { path: marker, source })?;
        let begun = Instant::now();
        let mut journal = self.ledger.journal(incident, self.owner, now);
        let ledger = self.state.ledger();
        let gate = Switch { ledger: &ledger };
        let ended = execute(incident, &steps, &mut journal, &gate, Drive::Fresh).await?;
        let took = millis(begun.elapsed());
        let facts = self.ledger.facts(incident).await?;
        let end = world.take_rerun();
        let command_ms = end.as_ref().map(|e| millis(e.duration));
        let (outcome, why) = match &ended {
            Ended::Verified => (Outcome::Healed, String::new()),
            Ended::RolledBack { why } => (Outcome::RolledBack, why.clone()),
            Ended::Stuck { why } => (Outcome::Stuck, why.clone()),
        };
        let patch = match outcome {
            Outcome::Healed => {
                closing::patch(self.state, &self.failure.job, incident, &facts, &engine.masker)
                    .map_err(EngineError::CleanUp)?
            }
            _ => None,
        };
        let mut closing_record = Closing::new(outcome);
        closing_record.verification = Some(verification(plan, &ended));
        closing_record.patch = patch.clone();
        closing_record.exit_code = Some(if outcome == Outcome::Healed { 0 } else { self.failure.code });
        closing_record.act_ms = Some(took.saturating_sub(command_ms.unwrap_or(0)));
        closing_record.command_ms = command_ms;
        closing_record.overhead_ms = closing_record.act_ms;
        self.ledger.close(incident, self.owner, &closing_record, now()).await?;
        let verdict =
            if outcome == Outcome::Healed { BreakerOutcome::Success } else { BreakerOutcome::Failure };
        self.ledger.breaker_outcome(key, incident, verdict, now()).await?;
        // Stuck: the copies stay, because a person needs them.
        if outcome != Outcome::Stuck {
            closing::clear(self.ledger, self.state, incident).await?;
        }
        match outcome {
            Outcome::Healed => {
                let done = done(&facts, &engine.masked_argv(&self.failure.job).join(" "));
                let path = patch.as_ref().and_then(|p| p.path.as_deref());
                let wrong = wrong(plan, seen);
                engine.voice.tell(Event::Healed { incident, wrong: &wrong, done: &done, patch: path });
                Ok(Attempt::Over(Outcome::Healed, None))
            }
            Outcome::Stuck => {
                engine.voice.tell(Event::Stuck { incident, why: &why });
                Ok(Attempt::Over(Outcome::Stuck, None))
            }
            _ => {
                engine.voice.tell(Event::RolledBack { incident, why: &why });
                Ok(Attempt::Again(end))
            }
        }
    }

    async fn close_untouched(
        &self,
        outcome: Outcome,
        because: Option<Refusal>,
    ) -> Result<Attempt, EngineError> {
        self.ledger.close(self.incident, self.owner, &Closing::new(outcome), now()).await?;
        // After a try that was rolled back, the last word is that it was.
        Ok(Attempt::Over(if self.attempt > 1 { Outcome::RolledBack } else { outcome }, because))
    }

    fn world(&self, paths: &[String]) -> Arc<World> {
        Arc::new(World {
            job: self.failure.job.clone(),
            state: self.state.folder().to_owned(),
            mirrors: self.engine.config.mirrors.clone(),
            rerun: self.rerun.clone(),
            snapshot: self.snapshot.clone(),
            paths: paths.to_vec(),
            deadline: self.deadline,
            attempt: self.attempt,
            seed: u64::from(std::process::id()) ^ u64::from_le_bytes(now().to_le_bytes()),
            progress: self.engine.progress(),
            last_rerun: Mutex::new(None),
        })
    }
}

/// A plan whose repair somebody else has made: only its closing steps are left.
fn whole_by_now(plan: Plan) -> Plan {
    let steps =
        plan.steps.into_iter().filter(|s| regreen_steps::CLOSING.contains(&s.kind.as_str())).collect();
    Plan { steps, ..plan }
}

/// What was wrong: the class, and what confirmed it.
fn wrong(plan: &Plan, seen: &Look) -> String {
    let confirmed = seen.findings.iter().find(|f| f.standing == Standing::Confirms);
    let says = confirmed.map_or(seen.detection.diagnosis.reason.as_str(), |f| f.says.as_str());
    format!("{}: {says}", plan.class.id())
}

/// What the steps say they did, in their order.
fn done(facts: &[JournalEntry], command: &str) -> String {
    let said = facts.iter().filter_map(|entry| match &entry.fact.event {
        StepEvent::Applied { receipt } => receipt.get("said")?.as_str().map(str::to_owned),
        _ => None,
    });
    let mut clauses: Vec<String> = said.collect();
    clauses.push(format!("`{command}` then ran green"));
    clauses.join("; ")
}

fn verification(plan: &Plan, ended: &Ended) -> Verification {
    let failed = match ended {
        Ended::Verified => None,
        Ended::RolledBack { why } | Ended::Stuck { why } => {
            why.split_once(": ").map(|(step, _)| step.to_owned())
        }
    };
    let mut factors = Vec::new();
    let mut reached = true;
    for step in &plan.steps {
        let this_failed = failed.as_deref() == Some(step.id.as_str());
        factors.push(VerificationFactor {
            name: step.kind.clone(),
            held: reached.then_some(!this_failed),
            says: if this_failed { format!("{ended:?}") } else { String::new() },
        });
        reached &= !this_failed;
    }
    Verification { factors }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Names this process in the ledger, so that one that was taken over can write nothing more.
pub(crate) fn owner_token() -> String {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    format!("{}-{:x}-{nanos:x}", std::process::id(), now())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
