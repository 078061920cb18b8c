//! `regreen worker --once`: one pass over the work, for where no process stays.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use regreen_engine::{EndedRun, FleetConfig, Foreseen, Hand, fleet_run_of};
use regreen_forge::{Conclusion, Repository, RunRef, Status, hook::Sender};
use regreen_ledger::{Incident, IncidentFilter, Ledger, State};
use regreen_server::{Calm, Happening, Log, Pace, Part, Task, Teller, Worker};
use tokio::time::{Instant, sleep};

use super::{Parts, node, stop::Stop};
use crate::{
    args::{OnceArgs, OnceFormat, OnlyPart, WorkArgs, WorkerArgs},
    context::Context,
    exit::{self, Failed, REMOTE},
    output::{
        pass::{self, Seen},
        print::print,
        step,
    },
    record::now,
};

/// Between two looks at what is followed.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// Most incidents that are looked through for those that a pass changed.
const RECENT: u32 = 500;

/// Does what is ready, and says what came of it.
pub(super) async fn once(context: &Context, args: &WorkerArgs, mut parts: Parts) -> Result<u8, Failed> {
    let heard =
        Arc::new(Heard { log: parts.log.clone(), settled: Mutex::default(), trouble: Mutex::default() });
    parts.log = heard.clone();
    let stop = Stop::listen().map_err(|e| Failed::new(exit::BUG, e))?;
    let pass = Pass { context, work: &args.work, once: &args.once, parts: &parts, heard: &heard };
    let done = tokio::select! {
        done = pass.go() => done,
        () = stop.asked() => Ok(exit::INTERRUPTED),
    };
    parts.ledger.close_file().await;
    done
}

struct Pass<'a> {
    context: &'a Context,
    work: &'a WorkArgs,
    once: &'a OnceArgs,
    parts: &'a Parts,
    heard: &'a Arc<Heard>,
}

impl Pass<'_> {
    async fn go(&self) -> Result<u8, Failed> {
        let began = now();
        let (runs, old) = self.named().await;
        let (seen, mut nothing) = match self.once.dry_run {
            true => self.foresee(runs).await?,
            false => (self.work(runs, began).await?, Vec::new()),
        };
        nothing.splice(0..0, old);
        let filter = IncidentFilter { own: true, limit: RECENT, ..IncidentFilter::default() };
        let recent = self.parts.ledger.incidents(&filter).await?;
        let open = recent.iter().filter(|incident| incident.state != State::Closed).count();
        match self.once.format {
            OnceFormat::Json => print(&pass::json(&seen))?,
            OnceFormat::Plain | OnceFormat::Github => print(&pass::plain(&seen, &nothing))?,
        };
        if self.once.format == OnceFormat::Github {
            step::outputs(self.context, &pass::outputs(&seen, open))?;
            step::summary(self.context, &pass::summary(&self.parts.catalog.known().catalog, &seen))?;
        }
        Ok(if self.heard.is_troubled() { REMOTE } else { exit::FINE })
    }

    /// The runs that were named, but for those that are too old; and what is to be said of these.
    async fn named(&self) -> (Vec<(Sender, EndedRun)>, Vec<String>) {
        let (mut runs, mut old) = (Vec::new(), Vec::new());
        let github = self.once.runs.iter().map(|run| (Sender::GitHub, run));
        for (sender, run) in github.chain(self.once.runs_gitlab.iter().map(|run| (Sender::GitLab, run))) {
            if self.is_old(sender, run).await {
                let age = humantime::format_duration(self.once.max_age);
                old.push(format!("run {} of {} began more than {age} ago", run.run_id, run.repository));
            } else {
                runs.push((sender, EndedRun { run: run.clone(), attempt: None }));
            }
        }
        (runs, old)
    }

    /// Whether its latest attempt began too long ago. What the host does not say now is asked again by whoever looks at the run.
    async fn is_old(&self, sender: Sender, run: &RunRef) -> bool {
        let Some(fleet) = self.parts.fleets.get(&sender) else { return false };
        let Ok(run) = fleet.forge.run(run).await else { return false };
        let began = run.started_at.unwrap_or(run.created_at);
        SystemTime::now().duration_since(began).is_ok_and(|age| age > self.once.max_age)
    }

    async fn work(&self, runs: Vec<(Sender, EndedRun)>, began: i64) -> Result<Vec<Seen>, Failed> {
        let Parts { ledger, fleets, log, bell, .. } = self.parts;
        let part = match self.once.only {
            None => Part::All,
            Some(OnlyPart::Runs) => Part::Runs,
            Some(OnlyPart::Telling) => Part::Telling,
        };
        let watched = self
            .watched()
            .into_iter()
            .map(|(sender, repository)| Task::Sweep { sender, repository, slot: began }.listed(began));
        let named = runs.into_iter().map(|(sender, ended)| by_hand(sender, ended));
        let listed: Vec<_> = named.chain(watched).collect();
        ledger.enqueue(&listed.iter().map(|listed| listed.work()).collect::<Vec<_>>()).await?;
        let pace = Pace { part, lease: self.work.lease, look_back: self.once.max_age, ..Pace::default() };
        let worker = Worker::new(ledger.clone(), fleets.clone(), node(), pace, log.clone(), bell.clone());
        worker.drain().await?;
        if let Some(patience) = self.once.follow {
            self.follow(&worker, patience).await?;
        }
        if part != Part::Runs && !self.parts.sinks.is_empty() {
            let (ledger, log, sinks) = (ledger.clone(), log.clone(), self.parts.sinks.clone());
            let node = format!("{}-teller", node());
            let teller = Arc::new(Teller { ledger, sinks, node, calm: Calm::default(), log });
            while teller.step().await? {}
        }
        self.changed(began).await
    }

    /// Looks at what runs again until all of it has ended, or for so long.
    async fn follow(&self, worker: &Worker, patience: Duration) -> Result<(), Failed> {
        let until = Instant::now() + patience;
        loop {
            let open = IncidentFilter { state: Some(State::Open), own: true, ..IncidentFilter::default() };
            let open = self.parts.ledger.incidents(&open).await?;
            let runs: Vec<_> = open.iter().filter_map(fleet_run_of).collect();
            self.heard.seen(open.iter().filter(|incident| fleet_run_of(incident).is_some()));
            if runs.is_empty() {
                return Ok(());
            }
            let looks: Vec<_> = runs
                .into_iter()
                .map(|(sender, run, _)| by_hand(sender, EndedRun { run, attempt: None }))
                .collect();
            self.parts.ledger.enqueue(&looks.iter().map(|look| look.work()).collect::<Vec<_>>()).await?;
            worker.drain().await?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            sleep(LOOK_AGAIN.min(left)).await;
        }
    }

    /// The incidents that this pass opened, changed, followed or came to an end with, newest first.
    async fn changed(&self, began: i64) -> Result<Vec<Seen>, Failed> {
        let filter = IncidentFilter { own: true, limit: RECENT, ..IncidentFilter::default() };
        let recent = self.parts.ledger.incidents(&filter).await?;
        let settled = self.heard.settled();
        let is_of_it = |i: &&Incident| i.changed_at >= began || settled.contains(&i.id);
        Ok(recent.iter().filter(is_of_it).filter_map(Seen::of).collect())
    }

    async fn foresee(&self, mut runs: Vec<(Sender, EndedRun)>) -> Result<(Vec<Seen>, Vec<String>), Failed> {
        for (sender, repository) in self.watched() {
            runs.extend(self.failed(sender, &repository).await?);
        }
        let (mut seen, mut nothing) = (Vec::new(), Vec::new());
        let (ledger, owner): (&Ledger, _) = (&self.parts.ledger, node());
        for (sender, ended) in runs {
            let Some(fleet) = self.parts.fleets.get(&sender) else { continue };
            let hand = Hand { ledger, owner: &owner, now };
            let run = format!("run {} of {}", ended.run.run_id, ended.run.repository);
            match fleet.foresee(&hand, &ended).await? {
                Foreseen::Incident(prospect) => seen.push(Seen::of_prospect(&prospect)),
                Foreseen::Known(incident) => seen.extend(Seen::of(&incident)),
                Foreseen::Nothing(why) => nothing.push(format!("{run}: {why}")),
                Foreseen::Stumbled(why) => {
                    self.heard.trouble();
                    nothing.push(format!("{run}: {why}"));
                }
            }
        }
        Ok((seen, nothing))
    }

    /// The failed runs of a repository that are on no record yet.
    async fn failed(
        &self,
        sender: Sender,
        repository: &Repository,
    ) -> Result<Vec<(Sender, EndedRun)>, Failed> {
        let Some(fleet) = self.parts.fleets.get(&sender) else { return Ok(Vec::new()) };
        let since = SystemTime::now().checked_sub(self.once.max_age).unwrap_or(SystemTime::UNIX_EPOCH);
        let (mut from, mut found) = (None, Vec::new());
        loop {
            let page = fleet.forge.failed_runs_since(repository, since, from.as_ref()).await;
            let page = page.map_err(|e| Failed::new(REMOTE, format!("failed runs of {repository}: {e}")))?;
            for run in page.runs {
                let run_ref = RunRef { repository: repository.clone(), run_id: run.reference.run_id };
                let ended = EndedRun { run: run_ref, attempt: Some(run.attempt) };
                let failed =
                    run.status == Status::Completed && run.conclusion.is_some_and(Conclusion::failed);
                if failed && !fleet.knows(&self.parts.ledger, &ended).await? {
                    found.push((sender, ended));
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(found),
            }
        }
    }

    fn watched(&self) -> Vec<(Sender, Repository)> {
        let github = self.work.watch.iter().map(|repository| (Sender::GitHub, repository.clone()));
        let gitlab = self.work.watch_gitlab.iter().map(|project| (Sender::GitLab, project.clone()));
        github.chain(gitlab).collect()
    }
}

/// What holds for a pass: the mode that was asked for, where no rule says less; never the workflow that this is a job of. Its ledger may
/// be handed on in a cache, and be lost: attempts count by the host's word too.
pub(super) fn for_a_pass(context: &Context, once: &OnceArgs, mut config: FleetConfig) -> FleetConfig {
    if let Some(mode) = once.mode {
        // Nothing earns more than what was asked for.
        config.policy.mode = mode;
        config.policy.promotion = config.policy.promotion.filter(|promotion| promotion.to <= mode);
        for rule in &mut config.rules {
            rule.mode = rule.mode.min(mode);
        }
    }
    config.keep_logs &= !once.dry_run;
    config.own_workflow = own_workflow(context);
    config.attempts_of_host = true;
    config
}

/// The workflow that this is a job of: `OWNER/REPO/.github/workflows/heal.yml@refs/heads/main` names its repository and file.
fn own_workflow(context: &Context) -> Option<(Repository, String)> {
    let value = |name: &str| context.env.get(OsStr::new(name))?.to_str().map(str::to_owned);
    let (reference, repository) = (value("GITHUB_WORKFLOW_REF")?, value("GITHUB_REPOSITORY")?);
    let path = reference.strip_prefix(&repository)?.strip_prefix('/')?;
    let path = path.split('@').next().filter(|path| !path.is_empty())?;
    Some((Repository::parse(&repository)?.folded(), path.to_owned()))
}

/// A look that nobody has asked for yet: what was done about an attempt is not done twice all the same.
fn by_hand(sender: Sender, ended: EndedRun) -> regreen_server::Listed {
    Task::Run { sender, ended }.listed(now()).once_more("by-hand")
}

/// Hears what happens, and passes it on.
pub(super) struct Heard {
    log: Arc<dyn Log>,
    settled: Mutex<BTreeSet<String>>,
    trouble: Mutex<bool>,
}

impl Heard {
    fn seen<'i>(&self, incidents: impl Iterator<Item = &'i Incident>) {
        let mut settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(incidents.map(|incident| incident.id.clone()));
    }

    fn settled(&self) -> BTreeSet<String> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn trouble(&self) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn is_troubled(&self) -> bool {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Heard {
    fn tell(&self, happening: &Happening) {
        match happening {
            Happening::RunSettled { incident: Some(incident), .. } => {
                self.settled.lock().unwrap_or_else(PoisonError::into_inner).insert(incident.clone());
            }
            Happening::WorkFailed { .. }
            | Happening::WorkUnavailable { .. }
            | Happening::WorkGivenUp { .. } => {
                self.trouble();
            }
            _ => {}
        }
        self.log.tell(happening);
    }
}
