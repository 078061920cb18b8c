//! `regreen serve`, `regreen worker` and `regreen dispatch`: beside the fleet.

mod collector;
mod credential;
mod dashboard;
mod dispatch;
mod lines;
mod once;
mod stop;

use std::{
    collections::BTreeMap,
    hash::BuildHasher as _,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use regreen_engine::{Fleet, FleetConfig, JobPolicy, Lately, LiveCatalog, Network, state_root};
use regreen_forge::{
    Repository,
    hook::{Secret, Secrets, Sender},
};
use regreen_ledger::{BreakerPolicy, Ledger, Scrub};
use regreen_notify::{Address, Sink};
use regreen_server::{
    Api, Budgets, Calm, Doors, Hooks, Jobs, LedgerInbox, Limits, Log, Otlp, Pace, Pages, Sinks, Teller,
    Timetable, Worker,
    access::{Access, Proxy},
    schedule,
    shape::Worth,
};
use tokio::{net::TcpListener, sync::Notify};

pub use dispatch::dispatch;

use self::{lines::Lines, stop::Stop};
use crate::{
    args::{ServeArgs, WhichLedger, WorkArgs, WorkerArgs},
    config::{self, Config},
    context::{Context, runtime},
    credentials::secret_file,
    custom,
    exit::{self, Failed, INVALID, NOTHING_TO_READ, USAGE},
    log_store,
    record::{Scrubber, now},
    voice,
};

/// Takes webhooks, and does what comes of them.
pub fn serve(context: &Context, args: &ServeArgs) -> Result<u8, Failed> {
    let tokens = job_tokens(context, args)?;
    let hooks = hooks(context, args, tokens.is_empty())?;
    runtime()?.block_on(async {
        let parts = Parts::new(context, &args.work, |config| config).await?;
        let listener = TcpListener::bind(args.listen).await.map_err(|e| {
            let what = format!("can't listen on {}: {e}", args.listen);
            Failed::new(NOTHING_TO_READ, what).help("name another place with --listen ADDRESS:PORT")
        })?;
        let stop = Stop::listen().map_err(|e| Failed::new(exit::BUG, e))?;
        how_to_look(context, args, &listener);
        let inbox = LedgerInbox::new(parts.ledger.clone(), parts.bell.clone());
        let inbox = Arc::new(inbox.with_comments(parts.comments));
        let (limits, log) = (Limits::default(), parts.log.clone());
        let access = Access::new(parts.ledger.clone(), log.clone());
        let access = match (parts.proxy.clone(), args.read_here) {
            (Some(_), true) => {
                let what = "--read-here and [serve.proxy] do not go together: a proxy leads here";
                return Err(Failed::new(USAGE, what).help("leave --read-here out"));
            }
            (Some(proxy), false) => access.behind(proxy),
            (None, true) => access.reading_here(),
            (None, false) => access,
        };
        let jobs = Jobs {
            ledger: parts.ledger.clone(),
            policy: parts.jobs.clone(),
            tokens,
            access: access.clone(),
            log: log.clone(),
        };
        let catalog = parts.catalog.clone();
        // A handle of their own for looks: a long one holds up no work.
        let record = Ledger::at_read_only(&address(context, &args.work.at), scrub(context)).await?;
        let record_for_figures = record.clone();
        let api = Api {
            ledger: parts.ledger.clone(),
            record: record.clone(),
            access: access.clone(),
            catalog: catalog.clone(),
            bell: parts.bell.clone(),
            breaker: parts.breaker,
            budgets: parts.budgets,
            worth: parts.worth,
            clock: now,
            log: log.clone(),
            sinks: parts.kinds(),
        };
        let pages = Pages {
            ledger: record,
            writes: parts.ledger.clone(),
            bell: parts.bell.clone(),
            catalog,
            settings: dashboard::settings(context, &parts.config, &parts.ledger, args)?,
            worth: parts.worth,
            access,
            clock: now,
            log: log.clone(),
            sinks: parts.kinds(),
        };
        let doors = Doors { jobs: Some(jobs), api: Some(api), pages: Some(pages) };
        let taking = regreen_server::serve(listener, hooks, inbox, doors, limits, log, stop.asked());
        let sending = async {
            let Some(otlp) = parts.otlp(record_for_figures) else { return };
            otlp.run(stop.asked()).await;
        };
        let all = async {
            if args.no_work {
                let ((), _drained) = tokio::join!(sending, taking);
            } else {
                let working = parts.work(&args.work, &stop);
                let ((), (), _drained) = tokio::join!(sending, working, taking);
            }
        };
        Ok(stop.unless_pressed_again(all).await)
    })
}

/// Says how what is on record can be seen.
fn how_to_look(context: &Context, args: &ServeArgs, listener: &TcpListener) {
    let at = listener.local_addr().unwrap_or(args.listen);
    let how = match args.read_here {
        true => "without a token on this machine",
        false => "with a token (`regreen token create --name NAME`), or start with --read-here",
    };
    voice::progress(context, &format!("to look: http://{at}/ {how}"));
}

/// Does the work alone.
pub fn worker(context: &Context, args: &WorkerArgs) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let pass = |config| match args.once.once {
            true => once::for_a_pass(context, &args.once, config),
            false => config,
        };
        let parts = Parts::new(context, &args.work, pass).await?;
        if parts.fleets.is_empty() {
            let what = "there is no credential by which a CI host could be asked";
            return Err(Failed::new(USAGE, what).help(
                "name a file with --github-token-file or --gitlab-token-file, or set REGREEN_GITHUB_TOKEN or REGREEN_GITLAB_TOKEN",
            ));
        }
        if args.once.once {
            return once::once(context, args, parts).await;
        }
        let stop = Stop::listen().map_err(|e| Failed::new(exit::BUG, e))?;
        Ok(stop.unless_pressed_again(parts.work(&args.work, &stop)).await)
    })
}

/// Where figures are sent, how often, and what is sent beside.
type Collector = (Address, Duration, collector::Headers);

/// What the parts of a node share.
struct Parts {
    ledger: Ledger,
    /// What is known, for all of them.
    catalog: Arc<LiveCatalog>,
    fleets: BTreeMap<Sender, Arc<Fleet>>,
    jobs: JobPolicy,
    breaker: BreakerPolicy,
    budgets: Budgets,
    worth: Worth,
    proxy: Option<Proxy>,
    collector: Option<Collector>,
    log: Arc<dyn Log>,
    bell: Arc<Notify>,
    /// Whether commands in comments are obeyed.
    comments: bool,
    /// Ways out to people, by name.
    sinks: BTreeMap<String, Sink>,
    /// What the operator said.
    config: Config,
}

impl Parts {
    async fn new(
        context: &Context,
        args: &WorkArgs,
        changed: impl Fn(FleetConfig) -> FleetConfig,
    ) -> Result<Parts, Failed> {
        let workspace = context.workspace()?;
        let config = config::operators(context, args.config.as_deref(), &workspace)?;
        // First: it reads files with secrets, and what is opened after it masks them.
        let hosts = credential::hosts(context, args)?;
        // Only where one is named: a variable that other programs read holds nobody up.
        let collector = match config.collector() {
            Some((address, every)) => Some((address, every, collector::headers(context)?)),
            None => None,
        };
        config.outages_at_one_of(hosts.len())?;
        let sinks = config.sinks(context)?;
        let ledger = log_store::with(context, open(context, &args.at).await?, &config)?;
        let keep_logs = log_store::named(context, &config)? != log_store::NONE;
        let known = custom::known_beside_a_fleet(context, args.config.as_deref(), &workspace)?;
        known.warnings.iter().for_each(|warning| voice::warning(context, warning));
        let catalog = LiveCatalog::new(known.catalog);
        let mut fleets = BTreeMap::new();
        for (sender, forge) in hosts {
            let fleet = Fleet {
                sender,
                catalog: catalog.clone(),
                config: changed(FleetConfig { keep_logs, ..config.fleet() }),
                masker: context.masker(),
                forge,
                remotes: Arc::new(Network),
                lately: Lately::default(),
            };
            fleets.insert(sender, Arc::new(fleet));
        }
        if fleets.is_empty() {
            voice::warning(
                context,
                "no credential by which a CI host could be asked: webhooks are kept, and nothing is done about them",
            );
        }
        let log: Arc<dyn Log> = Arc::new(Lines::new(context.masker()));
        let jobs = JobPolicy { fleet: (!fleets.is_empty()).then(|| config.fleet()), ..config.jobs() };
        let FleetConfig { comments, breaker, .. } = config.fleet();
        Ok(Parts {
            ledger,
            catalog,
            fleets,
            jobs,
            breaker,
            budgets: Budgets::of(&config.fleet()),
            worth: config.worth(),
            proxy: config.proxy(),
            collector,
            log,
            bell: Arc::new(Notify::new()),
            comments,
            sinks,
            config,
        })
    }

    /// Works, and sweeps, until it is asked to stop.
    async fn work(&self, args: &WorkArgs, stop: &Stop) {
        let at_once = usize::from(args.at_once);
        let pace = Pace { at_once, lease: args.lease, ..Pace::default() };
        let (ledger, log, bell) = (self.ledger.clone(), self.log.clone(), self.bell.clone());
        if self.fleets.is_empty() {
            return stop.asked().await;
        }
        let sweeping = {
            let at = |sender| move |repository: &Repository| (sender, repository.clone());
            let github = args.watch.iter().map(at(Sender::GitHub));
            let watched = github.chain(args.watch_gitlab.iter().map(at(Sender::GitLab))).collect();
            let table = Timetable { watched, every: args.sweep_every, keep_days: self.config.keep_days() };
            schedule(ledger.clone(), table, log.clone(), bell.clone(), stop.asked())
        };
        let telling = self.tell(stop);
        let worker = Worker::new(ledger, self.fleets.clone(), node(), pace, log, bell);
        tokio::join!(worker.run(stop.asked()), sweeping, telling);
    }
}

impl Parts {
    /// What sends the figures, where a collector is named.
    fn otlp(&self, record: Ledger) -> Option<Otlp> {
        let (address, every, headers) = self.collector.clone()?;
        Some(Otlp {
            address,
            headers,
            every,
            node: node(),
            ledger: record,
            breaker: self.breaker,
            worth: self.worth,
            sinks: self.kinds(),
            log: self.log.clone(),
        })
    }

    /// The sinks, with their kinds.
    fn kinds(&self) -> Sinks {
        self.sinks.iter().map(|(name, sink)| (name.clone(), sink.kind())).collect()
    }

    /// Sends notices, until it is asked to stop.
    async fn tell(&self, stop: &Stop) {
        if self.sinks.is_empty() {
            return;
        }
        let (ledger, log, sinks) = (self.ledger.clone(), self.log.clone(), self.sinks.clone());
        // By a name of its own: the worker gives back what was claimed in its name and it does not know of.
        let node = format!("{}-teller", node());
        let teller = Teller { ledger, sinks, node, calm: Calm::default(), log };
        Arc::new(teller).run(stop.asked()).await;
    }
}

/// Opens the fleet's ledger.
///
/// # Errors
/// The ledger's own.
pub async fn open(context: &Context, args: &WhichLedger) -> Result<Ledger, Failed> {
    Ok(Ledger::at(&address(context, args), scrub(context)).await?)
}

/// Where the fleet's ledger is.
fn address(context: &Context, args: &WhichLedger) -> String {
    match &args.ledger {
        Some(address) => address.clone(),
        None => state_root(&context.env).0.join("fleet/ledger.db").display().to_string(),
    }
}

fn scrub(context: &Context) -> Arc<dyn Scrub> {
    Arc::new(Scrubber(context.masker()))
}

/// Unique for each start of the program, and for people to know it by.
fn node() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // In containers every process may have the same number. The hasher's keys are the system's random ones.
    let random = std::hash::RandomState::new().hash_one(since);
    format!("n{}-{:x}-{random:016x}", std::process::id(), since.as_millis())
}

/// By which tokens jobs are known.
fn job_tokens(context: &Context, args: &ServeArgs) -> Result<Secrets, Failed> {
    secrets(context, &args.job_token_file, "REGREEN_JOB_TOKEN")
}

/// The secrets of these files and of this variable.
fn secrets(context: &Context, files: &[PathBuf], variable: &str) -> Result<Secrets, Failed> {
    let mut secrets = Vec::new();
    for path in files {
        let weak = |e| Failed::new(INVALID, format!("{}: {e}", path.display()));
        secrets.push(Secret::new(&secret_file(context, path)?).map_err(weak)?);
    }
    if let Some(text) = context.secret(variable) {
        let weak = |e| Failed::new(INVALID, format!("the variable {variable}: {e}"));
        secrets.push(Secret::new(&text).map_err(weak)?);
    }
    Ok(Secrets::new(secrets))
}

/// Who may send webhooks; somebody must be able to, where nobody else may ask for anything.
fn hooks(context: &Context, args: &ServeArgs, needed: bool) -> Result<Hooks, Failed> {
    let mut hooks = Hooks::default();
    for (sender, files, variable) in [
        (Sender::GitHub, &args.github_secret_file, "REGREEN_GITHUB_WEBHOOK_SECRET"),
        (Sender::GitLab, &args.gitlab_secret_file, "REGREEN_GITLAB_WEBHOOK_TOKEN"),
    ] {
        let secrets = secrets(context, files, variable)?;
        if !secrets.is_empty() {
            hooks = hooks.with(sender, secrets);
        }
    }
    if needed && hooks.is_empty() {
        let what = "there is no secret by which a webhook could be proven";
        return Err(Failed::new(USAGE, what).help(
            "name a file with --github-secret-file or --gitlab-secret-file, or set REGREEN_GITHUB_WEBHOOK_SECRET or \
             REGREEN_GITLAB_WEBHOOK_TOKEN; `openssl rand -hex 32` makes one",
        ));
    }
    Ok(hooks)
}
