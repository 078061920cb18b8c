//! `regreen lockfile watch [PATH…]`: lockfiles are checked whenever they change, and what changed in them is said.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use regreen_engine::{Event, Voice};
use regreen_lockfile::{
    Format, Lockfile, SemanticDiff, Severity, examine, examine_agreement, examine_changes,
};
use regreen_show::harmless::harmless;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};

use super::against::Against;
use crate::{
    args::{PlainOrJson, WatchArgs},
    context::{Context, runtime},
    exit::{BUG, FINE, Failed, NOTHING_TO_READ, PROBLEMS},
    lockfiles,
    output::{
        lockfile::{
            Changes, Checked,
            watched::{self, Happened},
        },
        print::print,
    },
    voice::Terminal,
};

/// So long nothing more must happen before a change is looked at: tools write in several steps.
const QUIET: Duration = Duration::from_millis(150);
/// Longest that is waited for that.
const LONGEST: Duration = Duration::from_secs(2);
/// How often files are looked at where the kernel can't tell.
const FALLBACK: Duration = Duration::from_secs(2);

/// Watches until it is ended.
pub fn watch(context: &Context, args: &WatchArgs) -> Result<u8, Failed> {
    runtime()?.block_on(async {
        let workspace = context.workspace()?;
        let against = match &args.against {
            Some(typed) => Some(Against::new(workspace, typed).await?),
            // Without a commit there is nothing to compare the first look with.
            None => Against::new(workspace, "HEAD").await.ok(),
        };
        let mut watching = Watching { context, args, known: BTreeMap::new(), unreadable: false };
        let found = watching.find();
        if found.is_empty() {
            let help = lockfiles::names_known();
            return Err(Failed::new(NOTHING_TO_READ, "there is no lockfile to watch").help(help));
        }
        // Watched before the first look, so that no change falls between.
        let (mut changed, watcher) = watching.watcher(&found);
        let mut worst = None;
        for (path, format) in &found {
            worst = worst.max(watching.first(path, *format, against.as_ref()).await?);
        }
        if args.once {
            return Ok(match (watching.unreadable, worst) {
                (true, _) => NOTHING_TO_READ,
                (false, Some(Severity::Error)) => PROBLEMS,
                _ => FINE,
            });
        }
        let every = args.interval.or(watcher.is_none().then_some(FALLBACK));
        let how = every.map_or("the kernel says when".to_owned(), |e| {
            format!("every {}", humantime::format_duration(e))
        });
        let voice = Terminal::new(context);
        let many =
            if found.len() == 1 { "1 lockfile".to_owned() } else { format!("{} lockfiles", found.len()) };
        voice.tell(Event::Progress(&format!("watching {many} ({how}); Ctrl-C ends it")));
        let (mut end, mut term) = signals()?;
        loop {
            let tick = async {
                match every {
                    Some(every) => sleep(every).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = end.recv() => return Ok(FINE),
                _ = term.recv() => return Ok(FINE),
                Some(()) = changed.recv() => settle(&mut changed).await,
                // What is being written is looked at when it is done.
                () = tick => if watching.differs() { sleep(QUIET).await },
            }
            watching.look_again()?;
        }
    })
}

fn signals() -> Result<(tokio::signal::unix::Signal, tokio::signal::unix::Signal), Failed> {
    let handler = |kind| signal(kind).map_err(|e| Failed::new(BUG, format!("no handler for signals: {e}")));
    Ok((handler(SignalKind::interrupt())?, handler(SignalKind::terminate())?))
}

/// Waits until nothing more happens for a moment.
async fn settle(changed: &mut UnboundedReceiver<()>) {
    let quiet = async { while timeout(QUIET, changed.recv()).await.is_ok_and(|more| more.is_some()) {} };
    let _longest = timeout(LONGEST, quiet).await;
}

/// A lockfile as it was at the last look.
struct Known {
    bytes: Vec<u8>,
    /// The last version of it that could be read.
    lockfile: Option<Lockfile>,
}

struct Watching<'c> {
    context: &'c Context,
    args: &'c WatchArgs,
    known: BTreeMap<PathBuf, Known>,
    unreadable: bool,
}

impl Watching<'_> {
    fn find(&self) -> Vec<(PathBuf, Format)> {
        let found: BTreeMap<PathBuf, Format> =
            self.args.paths.iter().filter_map(|typed| lockfiles::find(typed).ok()).flatten().collect();
        found.into_iter().collect()
    }

    /// Tells when something happens beside a lockfile; `None` where the kernel can't, or isn't to be asked.
    fn watcher(&self, found: &[(PathBuf, Format)]) -> (UnboundedReceiver<()>, Option<RecommendedWatcher>) {
        let (tell, changed) = unbounded_channel();
        if self.args.interval.is_some() || self.args.once {
            return (changed, None);
        }
        let happened = move |event: notify::Result<notify::Event>| {
            let looked_at = event.as_ref().is_ok_and(|e| e.kind.is_access());
            if !looked_at {
                let _ended = tell.send(());
            }
        };
        let watcher = notify::recommended_watcher(happened).and_then(|mut watcher| {
            let typed = self.args.paths.iter().filter(|p| p.is_dir()).cloned();
            let beside = found.iter().map(|(path, _)| match path.parent() {
                Some(folder) if folder != Path::new("") => folder.to_owned(),
                _ => PathBuf::from("."),
            });
            for folder in typed.chain(beside).collect::<BTreeSet<_>>() {
                watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            }
            Ok(watcher)
        });
        let fallen_back = |e: notify::Error| {
            let words =
                format!("the kernel can't tell when files change ({e}); they are looked at every 2 s");
            Terminal::new(self.context).tell(Event::Warning(&words));
        };
        (changed, watcher.map_err(fallen_back).ok())
    }

    async fn first(
        &mut self,
        path: &Path,
        format: Format,
        against: Option<&Against>,
    ) -> Result<Option<Severity>, Failed> {
        let bytes = match lockfiles::read(path) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.cannot(path, &e);
                return Ok(None);
            }
        };
        let format = format.of_content(&bytes);
        let examined = examine(format, &bytes, None);
        let mut since = None;
        let mut judged = Vec::new();
        if let Some(against) = against
            && let Changes::Since(diff, findings) =
                against.compare(path, format, examined.lockfile.as_ref()).await.changes
        {
            since = Some(*diff);
            judged = findings;
        }
        let worst = self.say(Happened::First, path, format, &bytes, examined, since, judged)?;
        Ok(worst)
    }

    /// Whether any lockfile is another than at the last look.
    fn differs(&self) -> bool {
        let found = self.find();
        found.len() != self.known.len()
            || found.iter().any(|(path, _)| {
                let known = self.known.get(path).map(|k| k.bytes.as_slice());
                lockfiles::read(path).ok().as_deref() != known
            })
    }

    /// Says everything that is another than at the last look.
    fn look_again(&mut self) -> Result<(), Failed> {
        let found = self.find();
        let gone: Vec<PathBuf> =
            self.known.keys().filter(|k| !found.iter().any(|(p, _)| p == *k)).cloned().collect();
        for path in gone {
            // Between two steps of a tool's rename it may be nowhere.
            if !path.exists() {
                self.known.remove(&path);
                self.gone(&path)?;
            }
        }
        for (path, format) in found {
            let bytes = match lockfiles::read(&path) {
                Ok(bytes) => bytes,
                Err(e) => {
                    self.cannot(&path, &e);
                    continue;
                }
            };
            let (happened, before) = match self.known.get(&path) {
                Some(known) if known.bytes == bytes => continue,
                Some(known) => (Happened::Changed, known.lockfile.clone()),
                None => (Happened::Came, None),
            };
            let format = format.of_content(&bytes);
            let examined = examine(format, &bytes, None);
            let same = before.filter(|b| b.format == format);
            let compared = same.zip(examined.lockfile.as_ref()).map(|(old, new)| examine_changes(&old, new));
            let (since, judged) = compared.map_or((None, Vec::new()), |(diff, found)| (Some(diff), found));
            self.say(happened, &path, format, &bytes, examined, since, judged)?;
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "all that one look gave")]
    fn say(
        &mut self,
        happened: Happened,
        path: &Path,
        format: Format,
        bytes: &[u8],
        examined: regreen_lockfile::Examined,
        since: Option<SemanticDiff>,
        judged: Vec<regreen_lockfile::Finding>,
    ) -> Result<Option<Severity>, Failed> {
        let masker = self.context.masker();
        let agreement = examined.lockfile.as_ref().map(|lockfile| lockfiles::agreement(path, lockfile));
        let mut findings = examined.findings;
        findings.extend(agreement.iter().flat_map(examine_agreement));
        findings.extend(judged);
        findings.sort_by_key(|f| f.line);
        let text = String::from_utf8_lossy(bytes);
        let shown = harmless(&masker.mask(&path.display().to_string()));
        let checked = Checked::new(
            shown,
            format,
            examined.lockfile.as_ref(),
            &text,
            findings,
            agreement,
            None,
            &masker,
        );
        let worst = checked.worst();
        print(&match self.args.format {
            PlainOrJson::Plain => {
                watched::plain(happened, &checked, since.as_ref(), self.context.colour_stdout())
            }
            PlainOrJson::Json => watched::json(happened, &checked, since.as_ref()),
        })?;
        // What can't be read now is compared with the last version that could.
        let before = self.known.remove(path).and_then(|k| k.lockfile);
        let known = Known { bytes: bytes.to_vec(), lockfile: examined.lockfile.or(before) };
        self.known.insert(path.to_owned(), known);
        Ok(worst)
    }

    fn gone(&self, path: &Path) -> Result<(), Failed> {
        let shown = harmless(&self.context.masker().mask(&path.display().to_string()));
        print(&match self.args.format {
            PlainOrJson::Plain => format!("{shown}: gone\n"),
            PlainOrJson::Json => watched::gone(&shown),
        })?;
        Ok(())
    }

    fn cannot(&mut self, path: &Path, why: &io::Error) {
        self.unreadable = true;
        let words = format!("{}: {why}", path.display());
        Terminal::new(self.context).tell(Event::Warning(&words));
    }
}
