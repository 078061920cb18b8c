//! A cache repaired on a person's word: the same steps, journal, locks and kill switch as in a recovery, without a failed
//! command around it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Instant};

use regreen_domain::{
    Confidence, Decision, Diagnosis, FailureClass, Fingerprint, Flow, HealableClass, InfraClass, Outcome,
    Plan, PlannedStep, Risk, Tool,
};
use regreen_ledger::{Closing, NewIncident};
use regreen_saga::{Drive, Ended, Foreseen, StepEvent, dry_run, execute};
use regreen_steps::kinds;
use regreen_tools::{
    Cache, CacheScan, Job,
    cache::{Asked, Watch},
};
use serde_json::Value;

use crate::{
    attempt::Switch,
    closing,
    error::EngineError,
    event::Event,
    handle::{Engine, millis, now, owner_token},
    playbooks::prepare_plan,
    setting::place,
    state::{State, lock},
};

/// What is wanted.
pub struct CacheRepair {
    /// The cache.
    pub cache: &'static dyn Cache,
    /// Its folder.
    pub root: PathBuf,
    /// What was found damaged in it.
    pub scan: CacheScan,
    /// Whether what is taken out is fetched anew.
    pub prefetch: bool,
    /// The registry that fills the gap, where the tool's own is not known or not meant.
    pub registry: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheRepaired {
    /// A look before acting said no; nothing was touched.
    Refused(String),
    /// Every look said yes; nothing was touched, as was asked.
    WouldDo,
    /// Another run has repaired it since it was found damaged.
    SoundNow,
    /// It was done, or taken back.
    Ended {
        /// The incident.
        incident: String,
        /// How it ended.
        outcome: Outcome,
        /// Why, where it did not hold.
        why: String,
        /// What the steps say they did.
        said: Vec<String>,
        /// Entries that were fetched anew.
        fetched: Vec<String>,
        /// Entries that were not, and why.
        left: Vec<String>,
    },
}

impl Engine {
    /// Takes the damaged entries out of a cache, and fetches them anew where that is asked.
    ///
    /// # Errors
    /// [`EngineError`]: Regreen's own failure. What was begun is resumed or taken back by `regreen resume`.
    pub async fn repair_cache(
        &self,
        job: &Job,
        state: &State,
        wanted: &CacheRepair,
    ) -> Result<CacheRepaired, EngineError> {
        let deadline = Instant::now() + self.config.recovery_timeout;
        state.make()?;
        if !matches!(state.paused_marker().try_exists(), Ok(false)) {
            let why = "healing is paused here; `regreen unpause` ends that";
            return Ok(CacheRepaired::Refused(why.to_owned()));
        }
        let waiting = || self.voice.tell(Event::Progress("another regreen is healing here; waiting"));
        let _workspace = lock(&state.workspace_lock(), deadline, waiting).await?;
        let ledger = self.open_ledger(state).await?;
        self.end_dead_runs(&ledger, state, job).await?;
        // One that is marked and not on record here was closed as stuck: a person must look first.
        if let Ok(named) = std::fs::read_to_string(state.open_marker()) {
            let named = named.trim();
            return Ok(CacheRepaired::Refused(format!(
                "incident {named} is stuck; see `regreen incidents show {named}`"
            )));
        }
        let (cache_lock, _) = lock(&state.cache_lock(&wanted.root), deadline, waiting).await?;
        let incident = self.new_id(1);
        let plan = plan(wanted);
        let mut world = self.found_world(job, state, &plan, 1);
        if let Some(world) = Arc::get_mut(&mut world) {
            world.locked_cache = Some(wanted.root.clone());
        }
        let steps = prepare_plan(&plan, &kinds(&world))?;
        for (_, foreseen) in dry_run(&incident, &steps).await {
            if let Foreseen::Refused(why) = foreseen {
                // A run that was killed, and was brought to its end just now, or a neighbour may have repaired it.
                return Ok(match self.is_sound(wanted).await {
                    true => CacheRepaired::SoundNow,
                    false => CacheRepaired::Refused(why),
                });
            }
        }
        if self.config.dry_run {
            return Ok(CacheRepaired::WouldDo);
        }
        let owner = owner_token();
        let mut place = place(job, &incident).await;
        // It is no attempt at the job's failure.
        place.job = Some(incident.clone());
        let diagnosis = self.diagnosis(wanted);
        ledger
            .open_incident(&NewIncident {
                id: &incident,
                owner: &owner,
                opened_at: now(),
                command_ended_at: None,
                place,
                command: self.masked_argv(job),
                exit_code: None,
                diagnosis: &diagnosis,
                run_marker: None,
                attempt: 1,
                detect_ms: None,
            })
            .await?;
        ledger.decided(&incident, &owner, &Decision::Heal(plan), None, None, now()).await?;
        state.mark_open(&incident)?;
        cache_lock.note(HealableClass::CacheCorruption, now())?;
        let begun = Instant::now();
        let mut journal = ledger.journal(&incident, &owner, now);
        let path = state.ledger();
        let gate = Switch { ledger: &path, rerun: &*world.rerun };
        let ended = execute(&incident, &steps, &mut journal, &gate, Drive::Fresh).await?;
        let (outcome, why) = match ended {
            Ended::Verified => (Outcome::Healed, String::new()),
            Ended::RolledBack { why } => (Outcome::RolledBack, why),
            Ended::Stuck { why } => (Outcome::Stuck, why),
            Ended::Waits { why } => return Err(EngineError::Waits(why)),
        };
        let mut closing_record = Closing::new(outcome);
        closing_record.act_ms = Some(millis(begun.elapsed()));
        ledger.close(&incident, &owner, &closing_record, now()).await?;
        let (mut said, mut fetched, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for entry in ledger.facts(&incident).await? {
            let StepEvent::Applied { receipt } = entry.fact.event else { continue };
            said.extend(receipt.get("said").and_then(Value::as_str).map(str::to_owned));
            fetched.extend(texts(&receipt, "fetched"));
            left.extend(texts(&receipt, "left"));
        }
        if outcome == Outcome::Healed {
            cache_lock.note(HealableClass::CacheCorruption, now())?;
        }
        if outcome != Outcome::Stuck {
            closing::clear(&ledger, state, &incident).await?;
        }
        ledger.close_file().await;
        Ok(CacheRepaired::Ended { incident, outcome, why, said, fetched, left })
    }

    /// Whether a look through the cache finds no damage.
    async fn is_sound(&self, wanted: &CacheRepair) -> bool {
        let (cache, root) = (wanted.cache, wanted.root.clone());
        let look = move || cache.scan(&root, &Asked { workspace: None, watch: &Watch::default() });
        let scan = tokio::task::spawn_blocking(look).await;
        scan.is_ok_and(|scan| scan.damaged.is_empty() && scan.unreadable.is_empty())
    }

    /// What is on record as the cause: that a look through the cache found it damaged.
    fn diagnosis(&self, wanted: &CacheRepair) -> Diagnosis {
        let probe = self.catalog.probes().iter().find(|p| p.id == "cache");
        let first = wanted.scan.damaged.first();
        let first = first.map(|d| format!("{}: {}", d.path, d.why)).unwrap_or_default();
        Diagnosis {
            failed: true,
            class: FailureClass::Infra(InfraClass::Healable(HealableClass::CacheCorruption)),
            pattern: None,
            pattern_source: None,
            tool: Tool::new(wanted.cache.tool()),
            step: None,
            confidence: probe.map_or(Confidence::NONE, |p| Confidence::wilson(p.measured.counts())),
            confirmed: true,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            reason: self
                .masker
                .mask(&format!(
                    "{} entries of the cache {} are damaged; {first}",
                    wanted.scan.damaged.len(),
                    wanted.cache.id()
                ))
                .into_owned(),
            fingerprint: Fingerprint::from_digest(*b"regreen\0"),
            truncated: false,
        }
    }
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// On record under a name of its own: that a cache was cleaned says nothing of how a playbook heals failed commands.
fn plan(wanted: &CacheRepair) -> Plan {
    let step = |id: &str, kind: &str| {
        let mut args = BTreeMap::from([("cache".to_owned(), wanted.cache.id().to_owned())]);
        if let Some(url) = &wanted.registry {
            args.insert("registry".to_owned(), url.clone());
        }
        let (lists, flow) = (BTreeMap::new(), Flow::default());
        PlannedStep { id: id.to_owned(), kind: kind.to_owned(), args, lists, flow }
    };
    let mut steps = vec![step("quarantine", "quarantine-entries")];
    if wanted.prefetch {
        steps.push(step("refill", "refill-entries"));
    }
    Plan {
        class: HealableClass::CacheCorruption,
        playbook: "cache-repair".to_owned(),
        risk: Risk::Medium,
        steps,
        paths: Vec::new(),
    }
}
