//! A failure, from the moment the command ended to its outcome.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use regreen_catalog::Catalog;
use regreen_detect::{Detection, ExitFacts};
use regreen_domain::{
    CommandFacts, CommandKind, Diagnosis, Finding, Host, Mode, Outcome, PackageName, Refusal,
};
use regreen_ledger::{Ledger, NewIncident, Scrub};
use regreen_logs::Dropped;
use regreen_mask::Masker;
use regreen_steps::{Change, Limit, Rerun, Snapshot};
use regreen_tools::{Job, all, memory::Kills};

use crate::{
    attempt::{Attempt, Run, Tried},
    config::Config,
    counsel::Counsellor,
    error::EngineError,
    event::{Event, Voice},
    held::{Got, Held},
    interrupted::{Progress, asked},
    look::{Look, Scene, look},
    setting::place,
    state::State,
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
    /// The fleet that is asked and told, where there is one.
    pub counsellor: Option<Arc<dyn Counsellor>>,
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
    /// When it was started, in milliseconds since 1970.
    pub began: i64,
    /// How long it ran.
    pub ran: Duration,
    /// The end of its output, raw: it lives in memory only.
    pub output: Vec<u8>,
    /// What lay before `output`.
    pub dropped: Dropped,
    /// Marks the processes of this run.
    pub run: String,
    /// What the last passing run of the same command printed, as [`regreen_detect::Baseline::hashes`] gives it; empty
    /// where none is known.
    pub usual: Vec<u64>,
    /// What the kernel had killed for want of memory when it began; `None` where nobody looked.
    pub kills: Option<Kills>,
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
    /// The host that the deciding line names, where it is one.
    pub host: Option<Host>,
    /// The package that it names.
    pub package: Option<PackageName>,
}

/// The masker, as the ledger's belt and braces.
struct Scrubber(Arc<Masker>);

impl Scrub for Scrubber {
    fn scrub(&self, text: &str) -> String {
        self.0.mask(text).into_owned()
    }
}

impl Engine {
    /// Brings a failure to its end. `rerun` runs the wrapped command once more, and tells whether somebody asks for an end.
    ///
    /// # Errors
    /// [`EngineError`]: Regreen's own failure, or an end that was asked for. The job's verdict stands.
    pub async fn handle(
        &self,
        failure: Failure,
        state: &State,
        rerun: Arc<dyn Rerun>,
    ) -> Result<Handled, EngineError> {
        let progress = Progress::default();
        let work = self.bring_to_its_end(failure, state, rerun.clone(), &progress);
        self.unless_asked_to_end(state, &rerun, &progress, work).await
    }

    async fn bring_to_its_end(
        &self,
        mut failure: Failure,
        state: &State,
        rerun: Arc<dyn Rerun>,
        progress: &Progress,
    ) -> Result<Handled, EngineError> {
        let mut ended = Instant::now();
        let mut deadline = ended + self.config.recovery_timeout;
        let mut snapshot = self.snapshot(&failure.job).await;
        let mut seen = self.look_at(&failure, state).await;
        let mut detect_ms = millis(ended.elapsed());
        // Said before anything that can fail: a broken ledger takes nobody's diagnosis away.
        self.tell(&seen.detection);
        state.make()?;
        let ledger = self.open_ledger(state).await?;
        let place = place(&failure.job, &failure.run).await;
        let mut tried = Tried::default();
        let mut code = failure.code;
        let mut attempt = 1;
        let mut held = Held::default();
        loop {
            // The locks come before the looks. Whoever had to wait for one, or found a run that died, looks again.
            let busy = loop {
                if !self.could_act(&failure) {
                    break false;
                }
                match held.take(self, state, &failure.job, &seen, deadline).await? {
                    Got::Already => break false,
                    Got::Busy => break true,
                    got => {
                        let found = self.end_dead_runs(&ledger, state, &failure.job).await?;
                        if got == Got::AtOnce && found.is_empty() {
                            continue;
                        }
                        let told = seen.detection.diagnosis.clone();
                        seen = self.look_at(&failure, state).await;
                        // What was told before its turn came is as old as it was then.
                        if seen.detection.diagnosis != told {
                            detect_ms = millis(ended.elapsed());
                            self.tell(&seen.detection);
                        }
                        snapshot = self.snapshot(&failure.job).await;
                    }
                }
            };
            let diagnosis = seen.detection.diagnosis.clone();
            let incident = self.new_id(attempt);
            let owner = owner_token();
            ledger
                .open_incident(&NewIncident {
                    id: &incident,
                    owner: &owner,
                    opened_at: now(),
                    command_ended_at: Some(now() - i64::try_from(millis(ended.elapsed())).unwrap_or(0)),
                    place: place.clone(),
                    command: self.masked_argv(&failure.job),
                    exit_code: Some(failure.code),
                    diagnosis: &diagnosis,
                    run_marker: Some(failure.run.clone()),
                    attempt,
                    detect_ms: Some(detect_ms),
                })
                .await?;
            progress.opened(&incident, &owner);
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
                ended,
                overhead: OnceLock::new(),
                snapshot: &snapshot,
                rerun: &rerun,
                progress,
            };
            let attempted = run.attempt(&seen, &mut tried, &mut held, busy).await?;
            progress.closed();
            self.tell_the_fleet(&ledger, &incident).await?;
            let over = match &attempted {
                Attempt::Over(outcome @ Outcome::Healed, because) => Some((0, *outcome, *because)),
                // What could not be put back stays so, whoever asked for an end.
                Attempt::Over(outcome, because) => {
                    Some((asked(&*rerun).map_or(code, shell_code), *outcome, *because))
                }
                // Who wants an end gets no other try.
                Attempt::Again(end) => {
                    let by_repeat = end.as_ref().filter(|end| end.interrupted).map(|end| end.code);
                    let asked = by_repeat.or_else(|| asked(&*rerun).map(shell_code));
                    asked.map(|code| (code, Outcome::RolledBack, None))
                }
            };
            if let Some((code, outcome, because)) = over {
                ledger.close_file().await;
                let (host, package) = (seen.detection.host(), seen.detection.package());
                let findings = seen.findings;
                return Ok(Handled { code, outcome, diagnosis, findings, because, incident, host, package });
            }
            match attempted {
                Attempt::Over(..) => {}
                Attempt::Again(end) => {
                    attempt += 1;
                    let ran_again = end.is_some();
                    // The repeated command's own time is not Regreen's.
                    deadline += end.as_ref().map_or(Duration::ZERO, |end| end.duration);
                    if let Some(end) = end.filter(|end| end.code != 0) {
                        code = end.code;
                        failure.code = end.code;
                        failure.exit = ExitFacts {
                            code: Some(end.code),
                            signal: None,
                            timed_out: end.limit == Some(Limit::Time),
                            idle: end.limit == Some(Limit::Silence),
                        };
                        ended = Instant::now();
                        failure.ran = end.duration;
                        failure.began = now() - i64::try_from(millis(end.duration)).unwrap_or(0);
                        // Counted from when it was looked at last, which was before the command ran again.
                        failure.kills = Some(seen.kills);
                        failure.output = end.log;
                        failure.dropped = Dropped { lines: end.dropped_lines, bytes: end.dropped_bytes };
                        seen = self.look_at(&failure, state).await;
                        detect_ms = millis(ended.elapsed());
                        self.tell(&seen.detection);
                        // Another cause than before is another failure: its playbooks have not been tried.
                        if seen.detection.diagnosis.class != diagnosis.class {
                            tried = Tried::default();
                        }
                    }
                    // What the command's own second run wrote is the command's; it is reported, and is no change of ours.
                    let now = self.snapshot(&failure.job).await;
                    if let (true, Some(before), Some(now)) = (ran_again, &snapshot, &now) {
                        self.report_own_writes(&before.changes(now));
                    }
                    snapshot = now;
                }
            }
        }
    }

    /// Tells the fleet how an incident ended, where there is one.
    async fn tell_the_fleet(&self, ledger: &Ledger, incident: &str) -> Result<(), EngineError> {
        let Some(fleet) = &self.counsellor else { return Ok(()) };
        if let Some(ended) = ledger.incident(incident).await? {
            let kept = match &ended.patch {
                Some(_) => ledger.patch_of(incident).await?,
                None => None,
            };
            let diff = match kept {
                Some(hash) => ledger.log(&hash).await?,
                None => None,
            };
            fleet.tell(&ended, diff.as_deref()).await;
        }
        Ok(())
    }

    /// Says what was found, and of a command that hung what to try.
    fn tell(&self, found: &Detection) {
        self.voice.tell(Event::Diagnosed(&found.diagnosis));
        if let Some(hang) = &found.hang {
            let last =
                hang.line.map_or(String::new(), |line| format!("its last line, {line}: {}; ", hang.text));
            self.voice.tell(Event::Progress(&format!("{last}{}", hang.advice)));
        }
    }

    fn report_own_writes(&self, changes: &[Change]) {
        if let [first, rest @ ..] = changes {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            let text = format!("the command's own second run wrote {}{more}", first.path());
            self.voice.tell(Event::Progress(&text));
        }
    }

    /// Whether anything could come of a decision but words. Where nothing can, nobody waits for a lock.
    fn could_act(&self, failure: &Failure) -> bool {
        let Config { policy, yes, rerun_always, .. } = &self.config;
        let repeatable = match failure.command.kind {
            CommandKind::Install | CommandKind::Build | CommandKind::Test => true,
            CommandKind::Opaque => *rerun_always,
            CommandKind::Deploy => false,
        };
        let mode = match policy.mode {
            Mode::Observe => false,
            Mode::Suggest => *yes,
            Mode::Approve | Mode::Auto => true,
        };
        repeatable && mode
    }

    /// Diagnoses.
    async fn look_at(&self, failure: &Failure, state: &State) -> Look {
        let Failure { job, command, exit, began, output, dropped, usual, kills, .. } = failure;
        let scene = Scene { job, command, exit: *exit, began: *began, usual, state, kills: kills.as_ref() };
        look(&self.catalog, &scene, output, *dropped, &self.masker).await
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

    pub(crate) fn masked_argv(&self, job: &Job) -> Vec<String> {
        job.argv.iter().map(|a| self.masker.mask(a).into_owned()).collect()
    }

    /// Sortable by time, unique on this machine.
    pub(crate) fn new_id(&self, attempt: u32) -> String {
        format!("{:011x}-{:x}-{attempt}", now(), std::process::id())
    }
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

/// As a shell shows the end by a signal.
fn shell_code(signal: i32) -> i32 {
    128 + signal
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
