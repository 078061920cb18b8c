//! `regreen lockfile repair [PATH…]`: damaged lockfiles made whole by what their history held, outside of any job.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
};

use regreen_domain::RelPath;
use regreen_engine::{Event, Voice, unified};
use regreen_lockfile::{
    Format, Lockfile, NoRepair, Repair, Suspect, Version, acceptable, choose, diff, parse,
};
use regreen_show::harmless::harmless;
use regreen_tools::{
    Workspace, commit_file,
    git::{self, Trusted},
    locks,
};

use super::{
    propose::{Made, Proposer},
    put::put,
    resolve::{NotCompleted, complete, resolving},
};
use crate::{
    args::{PlainOrJson, RepairArgs, RepairOutput},
    commands::report,
    context::{Context, runtime},
    exit::{FINE, Failed, INTERRUPTED, NEEDS_A_PERSON, NOTHING_TO_READ, PROBLEMS, REMOTE, ROLLED_BACK},
    lockfiles,
    output::{
        lockfile::repaired::{self, Repaired, State},
        print::print,
    },
    voice::Terminal,
};

/// Repairs every lockfile in the order given. One that can't be repaired does not stop the rest.
pub fn repair(context: &Context, args: &RepairArgs) -> Result<u8, Failed> {
    let workspace = context.workspace()?;
    runtime()?.block_on(async {
        let against = match &args.against {
            Some(typed) => Some(named(&workspace, typed).await?),
            None => None,
        };
        let proposer = match args.pull_request {
            true => {
                let typed = args.against.as_deref();
                Some(Proposer::new(context, &args.propose, args.dry_run, typed, &workspace).await?)
            }
            false => None,
        };
        let repairer = Repairer { context, args, workspace, against, proposer, interrupted: Cell::new(false) };
        let mut codes = Vec::new();
        let mut whole = 0;
        if repairer.against.is_none()
            && let Trusted::Unreachable(branch) = git::trusted(&repairer.workspace).await
        {
            let words = format!(
                "the base branch `{branch}` of this pull request is not in this clone, so no history is believed; fetch it, or name a commit by --against"
            );
            Terminal::new(context).tell(Event::Warning(&words));
        }
        for (path, format) in files(context, args, &mut codes) {
            match repairer.repair(&path, format).await {
                Ok(repaired) => {
                    codes.push(code(&repaired.state));
                    whole += usize::from(repaired.state == State::Whole);
                    repairer.tell(&repaired)?;
                }
                Err(failed) => codes.push(report(context, &failed)),
            }
            if repairer.interrupted.get() {
                return Ok(INTERRUPTED);
            }
        }
        if whole > 0 && args.format == PlainOrJson::Plain {
            let said = if whole == 1 { "1 lockfile is".to_owned() } else { format!("{whole} lockfiles are") };
            Terminal::new(context).tell(Event::Progress(&format!("{said} whole")));
        }
        let order = [NOTHING_TO_READ, REMOTE, ROLLED_BACK, NEEDS_A_PERSON, PROBLEMS];
        Ok(order.into_iter().find(|code| codes.contains(code)).unwrap_or(FINE))
    })
}

async fn named(workspace: &Workspace, typed: &str) -> Result<String, Failed> {
    let unknown = || Failed::new(NOTHING_TO_READ, format!("--against: git knows no commit `{typed}`"));
    let help = "fetch it first, e.g. `git fetch origin main`";
    git::commit(workspace, typed).await.ok_or_else(|| unknown().help(help))
}

fn files(context: &Context, args: &RepairArgs, codes: &mut Vec<u8>) -> Vec<(PathBuf, Format)> {
    let mut files: Vec<(PathBuf, Format)> = Vec::new();
    for typed in &args.paths {
        match lockfiles::find(typed) {
            Ok(found) => files.extend(found),
            Err(e) => {
                let what = format!("{}: {e}", harmless(&typed.display().to_string()));
                let help = lockfiles::names_known();
                codes.push(report(context, &Failed::new(NOTHING_TO_READ, what).help(help)));
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|(path, _)| seen.insert(path.clone()));
    files
}

const fn code(state: &State) -> u8 {
    match state {
        State::Whole | State::Written | State::Committed(_) | State::Proposed => FINE,
        State::Repairable => PROBLEMS,
        State::NotRepaired => NEEDS_A_PERSON,
        State::PutBack => ROLLED_BACK,
    }
}

struct Repairer<'c> {
    context: &'c Context,
    args: &'c RepairArgs,
    workspace: Workspace,
    against: Option<String>,
    /// Where repaired lockfiles are proposed, where that is asked.
    proposer: Option<Proposer>,
    /// Whether somebody pressed Ctrl-C: then nothing more is begun.
    interrupted: Cell<bool>,
}

impl Repairer<'_> {
    async fn repair(&self, path: &Path, format: Format) -> Result<Repaired, Failed> {
        let shown = harmless(&self.context.masker().mask(&path.display().to_string()));
        let unreadable = |e: std::io::Error| Failed::new(NOTHING_TO_READ, format!("{shown}: {e}"));
        let bytes = lockfiles::read(path).map_err(unreadable)?;
        let format = format.of_content(&bytes);
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.canonicalize().map_err(unreadable)?,
            _ => self.workspace.root.clone(),
        };
        let ws = Workspace::new(folder, self.context.env.clone());
        let name = path.file_name().and_then(|n| n.to_str()).and_then(RelPath::parse);
        let name = name.ok_or_else(|| Failed::new(NOTHING_TO_READ, format!("{shown}: the name is odd")))?;
        let versions = match &self.against {
            Some(commit) => git::versions_from(&ws, commit, &name).await,
            None => git::versions(&ws, &name).await,
        };
        let history: Vec<Version> =
            versions.iter().filter_map(|(c, b)| Version::sound(format, c, b)).collect();
        let sides = locks::sides(&ws, &name).await;
        let agreement = |lock: &Lockfile| lockfiles::agreement(path, lock);
        let suspect = Suspect {
            name: &shown,
            format,
            bytes: &bytes,
            history: &history,
            sides: sides.as_ref(),
            agreement: &agreement,
            unneeded: &|lock| lockfiles::unneeded_at(path, lock),
        };
        let mut repaired = Repaired::new(shown.clone(), format, parse(format, &bytes));
        let chosen = match choose(&suspect, false) {
            Err(NoRepair::Impossible(why)) if self.args.with_tool => {
                self.resolved(&ws, path, &suspect, why, &mut repaired).await
            }
            other => other,
        };
        match chosen {
            Err(NoRepair::Whole(_)) => {}
            Err(NoRepair::Impossible(why)) => repaired.refused(why),
            Ok((repair, text)) => {
                let now = parse(format, &text).ok();
                let before =
                    parse(format, &bytes).ok().or_else(|| history.first().map(|v| v.lockfile.clone()));
                repaired.changes = before.zip(now).map(|(before, now)| diff(&before, &now));
                repaired.said = repair.said(&shown);
                repaired.state = State::Repairable;
                match &self.proposer {
                    Some(proposer) => {
                        let (ws, name, suspect, whole, repair) = (&ws, &name, &suspect, &text, &repair);
                        let made = Made { ws, path, name, suspect, whole, repair };
                        proposer.propose(self.context, &made, &mut repaired).await?;
                    }
                    None => self.give(&ws, path, &name, &bytes, &text, &mut repaired).await?,
                }
                repaired.repair = Some(repair);
            }
        }
        Ok(repaired)
    }

    /// The last good version as its tool completes it; what it made has to pass the same rules.
    async fn resolved(
        &self,
        ws: &Workspace,
        path: &Path,
        suspect: &Suspect<'_>,
        why: String,
        repaired: &mut Repaired,
    ) -> Result<(Repair, Vec<u8>), NoRepair> {
        let Some(adapter) = resolving(suspect.format) else {
            let tool = suspect.format.tool();
            return Err(NoRepair::Impossible(format!("{why}; {tool} is not asked to complete it")));
        };
        let (repair, good) = choose(suspect, true)?;
        let voice = Terminal::new(self.context);
        let argv = adapter.resolver().map(|r| r.argv.join(" ")).unwrap_or_default();
        voice.tell(Event::Progress(&format!("completing {}: {argv}", suspect.name)));
        let put_back = |why: String, repaired: &mut Repaired| {
            repaired.state = State::PutBack;
            NoRepair::Impossible(why)
        };
        let completed = match complete(ws, adapter, path, suspect.bytes, &good).await {
            Ok(completed) => completed,
            Err(NotCompleted::Failed(why)) => return Err(put_back(why, repaired)),
            Err(NotCompleted::Interrupted) => {
                self.interrupted.set(true);
                return Err(put_back("it was interrupted".to_owned(), repaired));
            }
        };
        let present = parse(suspect.format, suspect.bytes).ok();
        match acceptable(suspect, present.as_ref(), &completed.bytes, &completed.hosts) {
            Ok(_) => Ok((repair, completed.bytes)),
            Err(why) => Err(put_back(
                format!("what `{}` wrote is not acceptable: {why}", completed.command),
                repaired,
            )),
        }
    }

    /// Makes a patch of it, writes it or commits it, as was asked.
    async fn give(
        &self,
        ws: &Workspace,
        path: &Path,
        name: &RelPath,
        old: &[u8],
        new: &[u8],
        repaired: &mut Repaired,
    ) -> Result<(), Failed> {
        let args = self.args;
        if args.dry_run {
            return Ok(());
        }
        if !args.commit && args.output == RepairOutput::Patch {
            let (Ok(old), Ok(new)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
                repaired.no_patch("it is no text as it is; use `--output write`".to_owned());
                return Ok(());
            };
            let shown = path.strip_prefix("./").unwrap_or(path).display().to_string();
            let patch = unified(shown.trim_start_matches('/'), old, new);
            // What would be shown otherwise would not fit the file any more.
            match self.context.masker().would_change(patch.as_bytes()) {
                true => repaired.no_patch("the patch would show a secret; use `--output write`".to_owned()),
                false => repaired.patch = Some(patch),
            }
            return Ok(());
        }
        let cannot = |e: std::io::Error| Failed::new(NOTHING_TO_READ, format!("{}: {e}", repaired.input));
        put(path, old, new).map_err(cannot)?;
        repaired.state = State::Written;
        if args.commit {
            let message = format!("{} is whole again\n\nregreen lockfile repair: {}", name, repaired.said);
            match commit_file(ws, name, &message).await {
                Ok(commit) => repaired.state = State::Committed(commit),
                Err(why) => {
                    put(path, new, old).map_err(cannot)?;
                    repaired.state = State::PutBack;
                    repaired.why = Some(format!("it could not be committed: {why}"));
                }
            }
        }
        Ok(())
    }

    fn tell(&self, of: &Repaired) -> Result<(), Failed> {
        if self.args.format == PlainOrJson::Json {
            print(&repaired::json(of, &self.context.masker()))?;
            return Ok(());
        }
        let voice = Terminal::new(self.context);
        for line in repaired::sentences(of) {
            match of.state {
                State::NotRepaired | State::PutBack => voice.tell(Event::Warning(&line)),
                _ => voice.tell(Event::Progress(&line)),
            }
        }
        if let Some(draft) =
            of.pull_request.as_ref().filter(|sent| sent.opened.is_none() && self.args.dry_run)
        {
            print(&repaired::draft(draft))?;
        }
        if let Some(patch) = &of.patch {
            print(patch)?;
        }
        Ok(())
    }
}
