//! One attempt at one failure: the decision, the locks, the run of the plan, and its end.

use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    time::Instant,
};

use regreen_decide::{Case, History, Spent, decide};
use regreen_domain::{
    Decision, HealableClass, Outcome, Plan, Refusal, Risk, Standing, Verification, VerificationFactor,
};
use regreen_ledger::{BreakerKey, BreakerOutcome, Closing, Entry, JournalEntry, Ledger, Place};
use regreen_saga::{BoxFuture, Drive, Ended, Foreseen, Gate, StepEvent, applied, dry_run, execute};
use regreen_steps::{CLOSING, Rerun, RerunEnd, Snapshot, World, kinds, sha256};
use regreen_tools::adapter;

use crate::{
    approval::{Asked, Considered},
    closing,
    counsel::Counsel,
    error::EngineError,
    event::Event,
    experience, foreseen,
    handle::{Engine, Failure, millis, now},
    held::Held,
    interrupted::{self, Progress},
    look::Look,
    playbooks::{join, prepare_plan},
    setting::setting,
    state::State,
};

/// The kill switch: a pause that another process wrote is seen before the next effect, and somebody's wish to end.
pub(crate) struct Switch<'a> {
    pub(crate) ledger: &'a Path,
    pub(crate) rerun: &'a dyn Rerun,
}

impl Gate for Switch<'_> {
    fn stopped(&self) -> BoxFuture<'_, String> {
        Box::pin(async { interrupted::says(self.rerun.asked_to_end(1).await) })
    }

    fn may_act(&self) -> Result<(), String> {
        if let Some(signal) = interrupted::asked(self.rerun) {
            return Err(interrupted::says(signal));
        }
        match self.ledger.with_file_name("paused").try_exists() {
            Ok(false) => Ok(()),
            Ok(true) => Err("healing was paused".to_owned()),
            Err(e) => Err(format!("the kill switch can't be read: {e}")),
        }
    }
}

/// Playbooks that are out of the question for this failure.
#[derive(Default)]
pub(crate) struct Tried {
    /// Their ids, the latest last, and whether they ran and did not help; else their own looks said that they can't.
    playbooks: Vec<(String, bool)>,
    /// One of those only waited and repeated: that may help another time.
    may_repeat: bool,
}

impl Tried {
    fn all(&self) -> Vec<String> {
        self.playbooks.iter().map(|(id, _)| id.clone()).collect()
    }
}

/// One attempt's end.
pub(crate) enum Attempt {
    /// Nothing more is done about this failure; what stood in the way, if anything did.
    Over(Outcome, Option<Refusal>),
    /// It was rolled back; the repeated command, where it came to that, failed like this.
    Again(Option<RerunEnd>),
}

/// One attempt at one failure.
pub(crate) struct Run<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) ledger: &'a Ledger,
    pub(crate) state: &'a State,
    pub(crate) failure: &'a Failure,
    pub(crate) place: &'a Place,
    pub(crate) incident: &'a str,
    pub(crate) owner: &'a str,
    pub(crate) attempt: u32,
    pub(crate) deadline: Instant,
    /// When the command had ended.
    pub(crate) ended: Instant,
    /// Milliseconds from there to the decision: what Regreen adds to a command that fails, whatever comes of it.
    pub(crate) overhead: OnceLock<u64>,
    pub(crate) snapshot: &'a Option<Snapshot>,
    pub(crate) rerun: &'a Arc<dyn Rerun>,
    pub(crate) progress: &'a Progress,
}

impl Run<'_> {
    /// Decides, and carries out what was decided.
    pub(crate) async fn attempt(
        &self,
        seen: &Look,
        tried: &mut Tried,
        held: &mut Held,
        busy: bool,
    ) -> Result<Attempt, EngineError> {
        let begun = Instant::now();
        let counsel = self.counsel(seen).await;
        let (decision, world, key) = loop {
            let world = self.world(&[], seen, held);
            let (decision, key) = self.decide(seen, &tried.all(), counsel.as_ref()).await?;
            let none_left = Decision::Nothing { because: Refusal::Blocked };
            let none_named = Decision::Nothing { because: Refusal::NoFallback };
            if (decision == none_left || decision == none_named) && tried.may_repeat {
                tried.may_repeat = false;
                tried.playbooks.retain(|(_, ran)| !ran);
                continue;
            }
            let Decision::Heal(plan) = &decision else { break (decision, world, key) };
            if busy {
                break (decision, world, key);
            }
            // Looks only: a playbook that can't help here makes room for the next before anything is on record.
            let world = self.world(&plan.paths, seen, held);
            match self.refusal(plan, &world).await? {
                None => break (decision, world, key),
                Some(why) => {
                    self.engine.voice.tell(Event::PassedOver { playbook: &plan.playbook, why: &why });
                    tried.playbooks.push((plan.playbook.clone(), false));
                }
            }
        };
        self.ledger
            .decided(
                self.incident,
                self.owner,
                &decision,
                Some(&key.inputs),
                Some(millis(begun.elapsed())),
                now(),
            )
            .await?;
        self.overhead.get_or_init(|| millis(self.ended.elapsed()));
        self.engine.voice.tell(Event::Decided(&decision));
        let plan = match decision {
            Decision::Heal(plan) if self.engine.config.dry_run => {
                let steps = prepare_plan(&plan, &kinds(&world))?;
                let looks = dry_run(self.incident, &steps).await;
                let (playbook, risk) = (&plan.playbook, plan.risk);
                let paths = match plan.paths.is_empty() {
                    true => "no file of the workspace".to_owned(),
                    false => plan.paths.join(", "),
                };
                let text =
                    format!("dry run: the playbook `{playbook}` (risk {risk}, may write {paths}) would do:");
                self.engine.voice.tell(Event::Progress(&text));
                for line in foreseen::lines(&plan, &steps, &looks) {
                    self.engine.voice.tell(Event::Progress(&line));
                }
                return self.close_untouched(Outcome::Suggested, None).await;
            }
            Decision::Heal(_) if busy => {
                return self.close_untouched(Outcome::Suggested, Some(Refusal::Busy)).await;
            }
            Decision::Heal(plan) => plan,
            Decision::Suggest { because: because @ (Refusal::ModeApprove | Refusal::Demoted), .. } => {
                self.ledger.await_approval(self.incident, self.owner, now()).await?;
                return Ok(Attempt::Over(Outcome::AwaitingApproval, Some(because)));
            }
            Decision::Suggest { because, .. } => {
                return self.close_untouched(Outcome::Suggested, Some(because)).await;
            }
            Decision::Nothing { because } => {
                return self.close_untouched(Outcome::LeftAlone, Some(because)).await;
            }
        };
        let _acting = self.progress.act();
        let policy = self.engine.config.breaker;
        if let Entry::Refused { .. } =
            self.ledger.breaker_enter(&key.breaker, policy, self.incident, now()).await?
        {
            return self.close_untouched(Outcome::Suggested, Some(Refusal::BreakerOpen)).await;
        }
        tried.playbooks.push((plan.playbook.clone(), true));
        tried.may_repeat |= plan.risk == Risk::Low;
        // Jobs that wait for this cache go on side by side with a command that only runs again.
        if !plan.steps.iter().any(|step| step.kind == "quarantine-entries") {
            held.release_cache();
        }
        self.heal(&plan, seen, world, &key, held).await
    }

    async fn decide(
        &self,
        seen: &Look,
        tried: &[String],
        counsel: Option<&Counsel>,
    ) -> Result<(Decision, Considered), EngineError> {
        let engine = self.engine;
        let diagnosis = &seen.detection.diagnosis;
        let tool = diagnosis.tool.as_ref();
        let key = BreakerKey {
            class: diagnosis.class.id().to_owned(),
            service: tool.map_or_else(|| "none".to_owned(), ToString::to_string),
            repository: self.place.repository.clone().unwrap_or_default(),
        };
        let breaker = experience::seen(&self.ledger.breaker(&key, engine.config.breaker, now()).await?);
        let paths = tool.and_then(adapter).and_then(|a| a.lockfile(&self.failure.job));
        let paths: Vec<String> = paths.map(|place| place.path.to_string()).into_iter().collect();
        let playbooks = join(&engine.catalog, diagnosis.pattern.as_deref(), engine.config.allow_commands)?;
        let fitting =
            playbooks.iter().filter(|p| diagnosis.class.healable().is_some_and(|c| p.heals.contains(&c)));
        let mut declared: Vec<String> = fitting.flat_map(|p| p.paths_for(tool, &paths)).collect();
        declared.retain(|path| !paths.contains(path));
        declared.sort();
        declared.dedup();
        let setting = setting(&self.failure.job, &engine.config, paths, &declared).await;
        let repository = self.place.repository.as_deref();
        let (records, spent) =
            experience::experience(self.ledger, repository, diagnosis, self.incident, now()).await?;
        let mut history = History {
            attempts: self.ledger.attempts(self.place).await?,
            records,
            spent,
            // Of other repositories a job knows nothing.
            organisation: Spent::default(),
            seed: Some(seed_of(self.incident)),
            breaker,
            time_used_up: Instant::now() >= self.deadline,
            paused: self.ledger.paused("workspace").await?.is_some(),
            service_down: false,
            tried: tried.to_vec(),
        };
        if let Some(counsel) = counsel {
            counsel.add_to(&mut history);
        }
        let case = Case {
            diagnosis,
            findings: &seen.findings,
            command: &self.failure.command,
            playbooks: &playbooks,
            policy: &engine.config.policy,
            setting: &setting,
            history: &history,
            now: now(),
        };
        if let Some(counsel) = counsel {
            // Which playbook would do it says which mode holds.
            let playbook = match decide(&case) {
                Decision::Heal(plan) | Decision::Suggest { plan, .. } => Some(plan.playbook),
                Decision::Nothing { .. } => None,
            };
            let policy = counsel.tighten(case.policy, playbook.as_deref());
            return self.decide_with_approval(&Case { policy: &policy, ..case }, key).await;
        }
        self.decide_with_approval(&case, key).await
    }

    /// Why the plan's own looks say that it can't help.
    async fn refusal(&self, plan: &Plan, world: &Arc<World>) -> Result<Option<String>, EngineError> {
        let steps = prepare_plan(plan, &kinds(world))?;
        let looks = dry_run(self.incident, &steps).await;
        Ok(looks.into_iter().find_map(|(id, foreseen)| match foreseen {
            Foreseen::Refused(why) => Some(format!("{id}: {why}")),
            _ => None,
        }))
    }

    async fn heal(
        &self,
        plan: &Plan,
        seen: &Look,
        world: Arc<World>,
        key: &Considered,
        held: &Held,
    ) -> Result<Attempt, EngineError> {
        let engine = self.engine;
        let incident = self.incident;
        if let Some(over) = self.use_approval(key).await? {
            return Ok(over);
        }
        engine.voice.tell(Event::Healing { playbook: &plan.playbook, incident, attempt: self.attempt });
        let steps = prepare_plan(plan, &kinds(&world))?;
        self.state.mark_open(incident)?;
        // Before anything is done too: whoever dies in the middle of it has taken the damage out of a neighbour's sight.
        // In a workspace, its end by the next run brings the damage back.
        if plan.class == HealableClass::CacheCorruption {
            self.note_repair(plan, held);
        }
        let begun = Instant::now();
        let mut journal = self.ledger.journal(incident, self.owner, now);
        let ledger = self.state.ledger();
        let gate = Switch { ledger: &ledger, rerun: &**self.rerun };
        let ended = execute(incident, &steps, &mut journal, &gate, Drive::Fresh).await?;
        let took = millis(begun.elapsed());
        let facts = self.ledger.facts(incident).await?;
        let end = world.take_rerun();
        let again_ms = end.as_ref().map_or(0, |e| millis(e.duration));
        let verify_ms = verifying_ms(&facts).map(|ms| ms.saturating_sub(again_ms));
        let (outcome, why) = match &ended {
            Ended::Verified => (Outcome::Healed, String::new()),
            Ended::RolledBack { why } => (Outcome::RolledBack, why.clone()),
            Ended::Stuck { why } => (Outcome::Stuck, why.clone()),
            Ended::Waits { why } => return Err(EngineError::Waits(why.clone())),
        };
        let patch = match outcome {
            Outcome::Healed => {
                closing::patch(self.state, &self.failure.job, incident, &facts, &engine.masker)
                    .map_err(EngineError::CleanUp)?
            }
            _ => None,
        };
        let (patch, diff) = patch.unzip();
        let mut closing_record = self.closing(outcome);
        closing_record.verification = Some(verification(plan, &ended, &facts));
        closing_record.patch = patch.clone();
        // Who asks for an end says nothing of what heals.
        let by_repeat = end.as_ref().filter(|end| end.interrupted).map(|end| end.code);
        let called_off = by_repeat.or_else(|| interrupted::asked(&**self.rerun).map(|signal| 128 + signal));
        closing_record.exit_code = Some(match outcome {
            Outcome::Healed => 0,
            _ => called_off.unwrap_or(self.failure.code),
        });
        closing_record.act_ms = Some(took.saturating_sub(again_ms).saturating_sub(verify_ms.unwrap_or(0)));
        closing_record.verify_ms = verify_ms;
        self.ledger.close(incident, self.owner, &closing_record, now()).await?;
        // For people: without it nothing else is amiss.
        if let Some(diff) = diff
            && let Err(e) = self.ledger.keep_patch(incident, &diff, now()).await
        {
            engine.voice.tell(Event::Warning(&format!("the patch could not be kept with its incident: {e}")));
        }
        let verdict = match outcome {
            Outcome::Healed => BreakerOutcome::Success,
            Outcome::RolledBack if called_off.is_some() => BreakerOutcome::Abandoned,
            _ => BreakerOutcome::Failure,
        };
        self.ledger.breaker_outcome(&key.breaker, incident, verdict, now()).await?;
        // Stuck: the copies stay, because a person needs them.
        if outcome != Outcome::Stuck {
            closing::clear(self.ledger, self.state, incident).await?;
        }
        match outcome {
            Outcome::Healed => {
                self.note_repair(plan, held);
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
                // A person who said no, or nothing, was asked about this failure: no other playbook goes round that.
                match self.is_unapproved().await? {
                    true => Ok(Attempt::Over(Outcome::RolledBack, None)),
                    false => Ok(Attempt::Again(end)),
                }
            }
        }
    }

    /// Whether a step asked a person, who did not agree.
    async fn is_unapproved(&self) -> Result<bool, EngineError> {
        let question = self.ledger.incident(self.incident).await?.and_then(|incident| incident.question);
        Ok(question.is_some_and(|question| question.answer.is_none_or(|answer| !answer.granted)))
    }

    /// Only neighbours would miss the note.
    fn note_repair(&self, plan: &Plan, held: &Held) {
        if let Err(e) = held.note_repair(plan.class, now()) {
            self.engine.voice.tell(Event::Warning(&e.to_string()));
        }
    }

    /// This outcome, with what is known of every attempt.
    fn closing(&self, outcome: Outcome) -> Closing {
        let command_ms = Some(millis(self.failure.ran));
        Closing { command_ms, overhead_ms: self.overhead.get().copied(), ..Closing::new(outcome) }
    }

    async fn close_untouched(
        &self,
        outcome: Outcome,
        because: Option<Refusal>,
    ) -> Result<Attempt, EngineError> {
        self.ledger.close(self.incident, self.owner, &self.closing(outcome), now()).await?;
        // After a try that was rolled back, the last word is that it was.
        Ok(Attempt::Over(if self.attempt > 1 { Outcome::RolledBack } else { outcome }, because))
    }

    fn world(&self, paths: &[String], seen: &Look, held: &Held) -> Arc<World> {
        Arc::new(World {
            job: self.failure.job.clone(),
            cause: seen.cause(),
            state: self.state.folder().to_owned(),
            mirrors: self.engine.config.mirrors.clone(),
            rerun: self.rerun.clone(),
            snapshot: self.snapshot.clone(),
            locked_cache: held.cache().map(Path::to_owned),
            repaired_by_another: seen.was_repaired_by_another(),
            paths: paths.to_vec(),
            allow_commands: self.engine.config.allow_commands,
            yes: self.engine.config.yes,
            approvals: Arc::new(Asked {
                ledger: self.ledger.clone(),
                incident: self.incident.to_owned(),
                owner: self.owner.to_owned(),
            }),
            deadline: self.deadline,
            attempt: self.attempt,
            seed: u64::from(std::process::id()) ^ u64::from_le_bytes(now().to_le_bytes()),
            progress: self.engine.progress(),
            last_rerun: Mutex::new(None),
        })
    }
}

/// The seed of an incident's draws: another one for each, the same whenever it is decided again.
pub(crate) fn seed_of(incident: &str) -> u64 {
    let digest = sha256(incident.as_bytes());
    digest.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or_default()
}

/// Milliseconds from the first closing step to the last fact; `None` where it did not come to that.
fn verifying_ms(facts: &[JournalEntry]) -> Option<u64> {
    let first = facts.iter().find(|entry| CLOSING.contains(&entry.fact.step.as_str()))?;
    u64::try_from(facts.last()?.at.saturating_sub(first.at)).ok()
}

/// What was wrong: the class, and what confirmed it.
fn wrong(plan: &Plan, seen: &Look) -> String {
    let confirmed = seen.findings.iter().find(|f| f.standing == Standing::Confirms);
    let says = confirmed.map_or(seen.detection.diagnosis.reason.as_str(), |f| f.says.as_str());
    format!("{}: {says}", plan.class.id())
}

/// What the steps say they did, in their order.
fn done(facts: &[JournalEntry], command: &str) -> String {
    let done = applied(facts.iter().map(|entry| &entry.fact)).into_iter();
    let said = done.filter_map(|(_, receipt)| receipt.get("said")?.as_str().map(str::to_owned));
    let mut clauses: Vec<String> = said.collect();
    clauses.push(format!("`{command}` then ran green"));
    clauses.join("; ")
}

fn verification(plan: &Plan, ended: &Ended, facts: &[JournalEntry]) -> Verification {
    let left_out = |step: &str| {
        facts.iter().find_map(|entry| match &entry.fact.event {
            StepEvent::Skipped { why } if entry.fact.step == step => Some(why.clone()),
            _ => None,
        })
    };
    let failed = match ended {
        Ended::Verified => None,
        Ended::RolledBack { why } | Ended::Stuck { why } | Ended::Waits { why } => {
            why.split_once(": ").map(|(step, _)| step.to_owned())
        }
    };
    let mut factors = Vec::new();
    let mut reached = true;
    for step in &plan.steps {
        if let Some(why) = left_out(&step.id) {
            let says = format!("left out: {why}");
            factors.push(VerificationFactor { name: step.kind.clone(), held: None, says });
            continue;
        }
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
