//! `regreen report --github OWNER/REPO` and `--gitlab GROUP/PROJECT`: the failed jobs of a repository's history, read and
//! never changed.

use std::{
    io::{self, Cursor, IsTerminal, Write},
    path::Path,
    time::{Duration, SystemTime},
};

use regreen_catalog::Catalog;
use regreen_engine::{EngineError, State, state_root};
use regreen_forge::{
    Conclusion, Credential, Forge, ForgeError, GitHub, GitLab, Job, NotAllowed, Options, Quota, Repository,
    Run, Secret,
};
use regreen_logs::{Log, Source};
use regreen_show::{Diagnosed, harmless::harmless};

use super::read::{Kept, Line, seconds};
use crate::commands::itself::{catalogue_digest, model_digest};
use crate::{
    args::ReportArgs,
    context::{Context, runtime},
    credentials::github_token,
    exit::{Failed, LEDGER, NOTHING_TO_READ, REMOTE, USAGE},
    tally::{Counted, Tally},
};

/// Longer than this is not waited for a limit.
const PATIENCE: Duration = Duration::from_secs(120);

/// A host that is asked, and what is said of it.
pub struct Host {
    client: Box<dyn Forge>,
    repository: Repository,
    /// Its address.
    url: String,
    name: &'static str,
    /// Where its token is taken from, and what that has to be good for.
    token: &'static str,
    may: &'static str,
}

impl Host {
    /// The one that was named; `None` where none was.
    pub fn of(context: &Context, args: &ReportArgs) -> Result<Option<Host>, Failed> {
        if let Some(typed) = &args.github {
            let parsed = Repository::parse(typed).filter(|found| !found.owner().contains('/'));
            let repository = parsed.ok_or_else(|| is_none("--github", typed, "OWNER/REPO"))?;
            let credential = github_token(context).map_or(Credential::None, Credential::Token);
            let client = GitHub::new(&args.api_url, credential, Options::default());
            let client = client.map_err(|e| Failed::new(USAGE, format!("--api-url: {e}")))?;
            return Ok(Some(Host {
                client: Box::new(client),
                repository,
                url: args.api_url.clone(),
                name: "GitHub",
                token: "GITHUB_TOKEN or GH_TOKEN",
                may: "may read actions",
            }));
        }
        let Some(typed) = &args.gitlab else { return Ok(None) };
        let repository = Repository::parse(typed);
        let repository = repository.ok_or_else(|| is_none("--gitlab", typed, "GROUP/PROJECT"))?;
        let token = context.secret("GITLAB_TOKEN").map(|token| Secret::new(&token));
        let client = GitLab::new(&args.gitlab_url, token, Options::default());
        let client = client.map_err(|e| Failed::new(USAGE, format!("--gitlab-url: {e}")))?;
        Ok(Some(Host {
            client: Box::new(client),
            repository,
            url: args.gitlab_url.clone(),
            name: "GitLab",
            token: "GITLAB_TOKEN",
            may: "has the scope `read_api`",
        }))
    }
}

fn is_none(option: &str, typed: &str, form: &str) -> Failed {
    Failed::new(USAGE, format!("{option}: `{}` is not {form}", harmless(typed)))
}

/// Reads a repository's history and counts it; says what kept it from reading all, if anything did.
pub fn read<'c>(
    context: &Context,
    args: &ReportArgs,
    host: Host,
    catalog: &'c Catalog,
    diagnose: &dyn Fn(&str, &Log<'_>) -> Diagnosed<'c>,
    tally: &mut Tally<'c>,
) -> Result<Option<Failed>, Failed> {
    let since = SystemTime::now().checked_sub(args.since).unwrap_or(SystemTime::UNIX_EPOCH);
    let (root, _) = state_root(&context.env);
    let state = |e: io::Error| {
        let help = "set XDG_STATE_HOME to a folder that only you can write to";
        Failed::new(LEDGER, format!("what was read can't be kept: {e}")).help(help)
    };
    let made_by = made_by(catalog);
    // A folder of its own for each repository at each address, as each workspace has one.
    let own = format!("{} {}", host.url, host.repository.as_str().to_ascii_lowercase());
    let folder = State::of(&root, Path::new(&own));
    folder.make().map_err(EngineError::State)?;
    let kept = Kept::open(folder.folder(), &made_by).map_err(state)?;
    let mut reader = Reader { context, host, diagnose, kept, said: false, read: 0, known: 0 };
    let stopped = runtime()?.block_on(reader.all(since));
    reader.done();
    reader.kept.count(catalog, since, tally);
    match stopped {
        Ok(()) => Ok(None),
        Err(Stop::State(e)) => Err(state(e)),
        Err(Stop::Forge(e)) => Ok(Some(reader.failed(&e))),
    }
}

/// A diagnosis is kept as long as the same program with the same patterns would make it.
fn made_by(catalog: &Catalog) -> String {
    format!("{} {} {}", env!("CARGO_PKG_VERSION"), catalogue_digest(catalog), model_digest())
}

enum Stop {
    Forge(ForgeError),
    State(io::Error),
}

impl From<ForgeError> for Stop {
    fn from(error: ForgeError) -> Self {
        Stop::Forge(error)
    }
}

struct Reader<'a, 'c> {
    context: &'a Context,
    host: Host,
    diagnose: &'a dyn Fn(&str, &Log<'_>) -> Diagnosed<'c>,
    kept: Kept,
    said: bool,
    read: u64,
    known: u64,
}

impl Reader<'_, '_> {
    async fn all(&mut self, since: SystemTime) -> Result<(), Stop> {
        let mut cursor = None;
        loop {
            let listed =
                self.host.client.failed_runs_since(&self.host.repository, since, cursor.as_ref()).await;
            let page = match listed {
                Err(e) => {
                    self.wait_or(e).await?;
                    continue;
                }
                Ok(page) => page,
            };
            for run in &page.runs {
                let up_to = self.kept.read_up_to(run.reference.run_id);
                if up_to >= run.attempt {
                    self.known += 1;
                    continue;
                }
                let lines = self.run(run, up_to).await?;
                self.kept.add(lines).map_err(Stop::State)?;
                self.read += 1;
                self.say();
            }
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// The failed jobs of a run's attempts after the ones that are known.
    async fn run(&self, run: &Run, up_to: u32) -> Result<Vec<Line>, Stop> {
        let mut lines = Vec::new();
        for attempt in up_to + 1..=run.attempt {
            let jobs = loop {
                match self.host.client.jobs(&run.reference, attempt).await {
                    // An attempt that was deleted, or is too old.
                    Err(ForgeError::NotFound { .. }) => break Vec::new(),
                    Err(e) => self.wait_or(e).await?,
                    Ok(jobs) => break jobs,
                }
            };
            let failed = |job: &&Job| {
                job.conclusion.is_some_and(|c| matches!(c, Conclusion::Failure | Conclusion::TimedOut))
            };
            // A job that an attempt took over from an earlier one is that one's.
            let own = |job: &&Job| job.attempt == attempt;
            for job in jobs.iter().filter(failed).filter(own) {
                lines.push(self.job(run, attempt, job).await?);
            }
        }
        lines.push(Line::Run { run: run.reference.run_id, attempt: run.attempt });
        Ok(lines)
    }

    async fn job(&self, run: &Run, attempt: u32, job: &Job) -> Result<Line, Stop> {
        let (id, at) = (run.reference.run_id, seconds(run.created_at));
        let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        let name = format!("{} / {} (run {id}{again})", run.name, job.name);
        let masked = harmless(&self.context.masker().mask(&name));
        let unread = |why: String| Line::Unread { run: id, at, name: masked.clone(), why };
        let log = loop {
            match self.host.client.job_log(&job.reference).await {
                Ok(log) => break log,
                Err(ForgeError::NotAllowed { why: NotAllowed::Gone, .. } | ForgeError::NotFound { .. }) => {
                    return Ok(unread(format!("{} does not have its log any more", self.host.name)));
                }
                Err(e @ ForgeError::TooLarge { .. }) => return Ok(unread(harmless(&e.to_string()))),
                Err(e) => self.wait_or(e).await?,
            }
        };
        let log = match Source::default().read(Cursor::new(&log.bytes)) {
            Ok(log) => log,
            Err(e) => return Ok(unread(harmless(&self.context.masker().mask(&e.to_string())))),
        };
        let took = log.took().or(job.took());
        let of = Counted::of((self.diagnose)(&name, &log), None);
        Ok(Line::Job {
            run: id,
            at,
            name: of.example.input,
            failed: of.failed,
            class: of.class.id().to_owned(),
            action: of.action.to_owned(),
            fingerprint: of.fingerprint,
            pattern: of.pattern.map(|pattern| pattern.id.clone()),
            playbook: of.playbook.map(str::to_owned),
            place: of.example.line,
            confidence: of.example.confidence,
            took_ms: took.and_then(|took| u64::try_from(took.as_millis()).ok()),
        })
    }

    /// Waits for a limit that is soon over; every other error is the end.
    async fn wait_or(&self, error: ForgeError) -> Result<(), Stop> {
        let ForgeError::RateLimited { until, quota } = &error else { return Err(error.into()) };
        let wait = until.duration_since(SystemTime::now()).unwrap_or_default();
        if wait > PATIENCE || *quota == Quota::Hourly {
            return Err(error.into());
        }
        let _closed = writeln!(
            io::stderr().lock(),
            "regreen: {} asks to slow down; going on at {} UTC",
            self.host.name,
            clock(*until)
        );
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn failed(&self, error: &ForgeError) -> Failed {
        let Host { repository: name, token, may, .. } = &self.host;
        let shown = harmless(&self.context.masker().mask(&error.to_string()));
        let (code, help) = match error {
            ForgeError::RateLimited { until, .. } => (
                REMOTE,
                format!(
                    "run the same command again after {} UTC: it goes on where it stopped",
                    clock(*until)
                ),
            ),
            ForgeError::NotFound { .. } => {
                (NOTHING_TO_READ, format!("is it `{name}`, and may the token in {token} read it?"))
            }
            ForgeError::Denied { .. } => {
                (REMOTE, format!("see that the token in {token} is good, and {may}"))
            }
            _ => (REMOTE, "run the same command again later: it goes on where it stopped".to_owned()),
        };
        Failed::new(code, shown).help(help)
    }

    /// How far it has come, on one line of a terminal.
    fn say(&mut self) {
        if io::stderr().is_terminal() {
            self.said = true;
            let _closed = write!(
                io::stderr().lock(),
                "\rregreen: {} runs read, {} known from before",
                self.read,
                self.known
            );
        }
    }

    fn done(&self) {
        if self.said {
            let _closed = write!(io::stderr().lock(), "\r{:60}\r", "");
        }
    }
}

/// A time of day.
fn clock(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
