//! `command`: a command of the operator's, word for word as the operator wrote it: no hole, no shell, nothing that a log
//! or a repository says. Only an operator's playbook can hold one, and only where the operator's configuration allows it.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use regreen_domain::RelPath;
use regreen_process::{
    Status,
    quiet::{self, QuietCommand, QuietError},
};
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{adapter, recognise};
use serde::{Deserialize, Serialize};

use crate::{
    files::{self, SavedFile, sha256, state_copy},
    rerun_command::rewritten_by_command,
    world::World,
    written::{Written, is_lockfile},
};

/// The step.
pub(crate) struct Command(pub(crate) Arc<World>);

/// What to run, and what takes it back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    argv: Words,
    undo: Option<Words>,
}

/// A program and its arguments.
#[derive(Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Words(Vec<String>);

impl TryFrom<Vec<String>> for Words {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, Self::Error> {
        match words.first() {
            None => Err("a command without a program"),
            Some(program) if program.is_empty() => Err("a command without a program"),
            // Whatever stands at a relative path is the repository's.
            Some(program) if program.contains('/') && !program.starts_with('/') => {
                Err("a program is an absolute path, or a name that is looked for in PATH")
            }
            Some(_) => Ok(Words(words)),
        }
    }
}

/// How it ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Its exit code.
    code: i32,
    /// How long it took, in milliseconds.
    ms: u64,
    /// What was done, in a clause.
    said: String,
    /// Which of the files that the plan may write it wrote, and the lockfile besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<Written>,
}

/// The files that it may write as they were, and the lockfile besides: whatever the command does, that is put back.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    files: Vec<Kept>,
}

/// One of them.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Below the workspace.
    path: String,
    saved: SavedFile,
}

/// The name of the copy of a file, by its place among those that are kept.
fn copy_name(look: &Look, at: usize) -> String {
    format!("{}.{at}", look.step)
}

/// Longest that it may take where its step has no limit of its own.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest line, in bytes, that is given as the reason.
const LONGEST_LINE: usize = 400;
/// Bytes of each of its streams that are kept, for the line that says why it failed.
const KEPT: usize = 64 * 1024;
/// Longest that what takes it back may take: it is not cut by the time for recovery.
const UNDO_LONGEST: Duration = Duration::from_secs(300);

impl Step for Command {
    const KIND: &'static str = "command";
    const EXPLAIN: &'static str = "Runs a command that the operator wrote, in the workspace, quietly and without a shell; it must end with 0. Only in an operator's own playbook, and only where the operator's configuration says `allow-commands = true`. `undo` takes it back; without one a person is called where it would have to be.";
    const UNDO: Undo = Undo::Compensate;
    // Nothing is known of what it does: a later process takes it back and never runs it again.
    const RESUME: Resume = Resume::Never;
    type Args = Args;
    // An older version kept none.
    type Before = Option<Before>;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<Option<Before>, Refused> {
        for words in std::iter::once(&args.argv).chain(&args.undo) {
            self.allowed(words).and_then(|()| self.names_nothing_of_the_checkout(words)).map_err(Refused)?;
        }
        let mut files = Vec::new();
        for path in self.may_write() {
            let saved = SavedFile::look(&self.0.job.workspace.root.join(&path));
            let (saved, _) = saved.map_err(|e| Refused(format!("{path}: {e}")))?;
            files.push(Kept { path, saved });
        }
        Ok(Some(Before { files }))
    }

    async fn apply(
        &self,
        touch: &Touch,
        args: &Args,
        before: &Option<Before>,
    ) -> Result<Receipt, ApplyError> {
        self.allowed(&args.argv).map_err(ApplyError::NoEffect)?;
        self.names_nothing_of_the_checkout(&args.argv).map_err(ApplyError::NoEffect)?;
        let kept = before.iter().flat_map(|before| &before.files);
        for (at, file) in kept.clone().enumerate() {
            let path = self.0.job.workspace.root.join(&file.path);
            let copied = file.saved.keep_copy(&path, &self.copy(touch, at));
            copied.map_err(|e| ApplyError::no_effect(format!("{}: {e}", file.path)))?;
        }
        let limit = LONGEST.min(self.0.time_left());
        (self.0.progress)(&format!("running the operator's command {}", args.argv.0.join(" ")));
        let ended = self.run(&args.argv, limit).await;
        let (code, ms) = ended.map_err(ApplyError::NoEffect)?.map_err(ApplyError::Unknown)?;
        let mut files = Vec::new();
        for (at, Kept { path, saved }) in kept.enumerate() {
            let now = files::read(&self.0.job.workspace.root.join(path));
            let now = now.map_err(|e| ApplyError::unknown(format!("{path}: {e}")))?;
            let (from, to) = (saved.sha256.clone(), now.as_deref().map(sha256));
            if from != to {
                files.push(Written { path: path.clone(), from, to, copy: copy_name(touch, at) });
            }
        }
        Ok(Receipt { code, ms, said: format!("ran {}", args.argv.0.join(" ")), files })
    }

    async fn verify(&self, _: &Look, _: &Args, _: &Receipt) -> Result<Seen, Refused> {
        Ok(Seen::There)
    }

    async fn undo(
        &self,
        touch: &Touch,
        args: &Args,
        before: &Option<Before>,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        let undone = self.run_undo(args).await;
        // Whatever became of that.
        for (at, file) in before.iter().flat_map(|before| &before.files).enumerate() {
            self.put_back(touch, at, file, receipt)?;
        }
        undone
    }
}

impl Command {
    async fn run_undo(&self, args: &Args) -> Result<(), UndoError> {
        let Some(undo) = &args.undo else {
            let why = format!("the operator's command {} has no way back", args.argv.0.join(" "));
            return Err(UndoError(why));
        };
        self.allowed(undo).map_err(UndoError)?;
        self.run(undo, UNDO_LONGEST).await.and_then(|ended| ended).map(drop).map_err(UndoError)
    }

    /// The files of the workspace that it may write, and the lockfile.
    fn may_write(&self) -> Vec<String> {
        let job = &self.0.job;
        let argv: Vec<OsString> = job.argv.iter().map(Into::into).collect();
        let tool = recognise(&argv).tool;
        let lockfile = tool.as_ref().and_then(adapter).and_then(|adapter| adapter.lockfile(job));
        let mut paths = self.0.paths.clone();
        paths
            .extend(lockfile.map(|place| place.path.to_string()).filter(|path| !self.0.paths.contains(path)));
        paths
    }

    fn copy(&self, touch: &Touch, at: usize) -> PathBuf {
        state_copy(&self.0.state, &touch.incident, &copy_name(touch, at))
    }

    /// A file as it was before the command.
    fn put_back(
        &self,
        touch: &Touch,
        at: usize,
        file: &Kept,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        let Kept { path, saved } = file;
        let fail = |e: std::io::Error| UndoError(format!("{path}: {e}"));
        // The journal is read back: its paths are checked like any other.
        let below =
            RelPath::parse(path).ok_or_else(|| UndoError("no path below the workspace".to_owned()))?;
        let at_path = self.0.job.workspace.root.join(below.as_str());
        let now = files::read(&at_path).map_err(fail)?.as_deref().map(sha256);
        if let Some(receipt) = receipt {
            // What it did not write is not its to put back.
            let written = receipt.files.iter().find(|written| written.path == *path);
            let Some(Written { to, .. }) = written else { return Ok(()) };
            let from = to.as_deref().unwrap_or_default();
            let by_command = rewritten_by_command(touch, path, from, now.as_deref());
            // What neither the plan nor its repeated command left there is somebody else's.
            if now != saved.sha256 && now != *to && !by_command {
                return Err(UndoError(format!("{path} was changed by something else since")));
            }
        }
        saved.restore(touch, &at_path, &self.copy(touch, at)).map_err(fail)
    }

    /// Asked before every run: a plan that another process made gives no leave.
    fn allowed(&self, words: &Words) -> Result<(), String> {
        if !self.0.allow_commands {
            return Err("the operator's configuration does not allow commands".to_owned());
        }
        self.program(words).map(drop)
    }

    /// A word that names something of the checkout could have the repository's own script run. What the plan may write as a
    /// lockfile is data. Not asked before an undo: what its words name may be what the command has made.
    fn names_nothing_of_the_checkout(&self, words: &Words) -> Result<(), String> {
        let workspace = &self.0.job.workspace;
        let checkout = workspace.checkout();
        let real = checkout.canonicalize().unwrap_or_else(|_| checkout.to_owned());
        let data = |path: &Path| {
            let mut declared = self.0.paths.iter().filter(|path| is_lockfile(path));
            declared.any(|declared| path == workspace.root.join(declared))
        };
        for word in words.0.iter().skip(1) {
            // Of `--file=fix.py` the part behind the sign too.
            let behind = word.split_once('=').map(|(_, behind)| behind);
            for named in std::iter::once(word.as_str()).chain(behind).filter(|named| !named.is_empty()) {
                let path = workspace.root.join(named);
                let (relative, there) = (!named.starts_with('/'), path.symlink_metadata().is_ok());
                let inside = relative
                    || path.starts_with(checkout)
                    || path.canonicalize().is_ok_and(|path| path.starts_with(&real));
                // `build` is a subcommand as often as a folder.
                let a_word = path.is_dir() && !named.contains('/') && !named.starts_with('.');
                if there && inside && !a_word && !data(&path) {
                    return Err(format!(
                        "`{word}` names something of the checkout, and nothing of a checkout is run; name what lies \
                         outside by its absolute path"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The program: as it is named, or the first of its name in PATH; never one of the checkout, by whatever link.
    fn program(&self, words: &Words) -> Result<PathBuf, String> {
        let workspace = &self.0.job.workspace;
        let checkout = workspace.checkout();
        let real = checkout.canonicalize().unwrap_or_else(|_| checkout.to_owned());
        let inside = |path: &Path| {
            path.starts_with(checkout) || path.canonicalize().is_ok_and(|path| path.starts_with(&real))
        };
        let name = words.0.first().map_or("", String::as_str);
        if name.starts_with('/') {
            let path = PathBuf::from(name);
            return match inside(&path) {
                true => Err(format!("{name} lies in the checkout, and nothing of a checkout is run")),
                false => Ok(path),
            };
        }
        let folders = workspace.env.get(OsStr::new("PATH")).map(std::env::split_paths).into_iter().flatten();
        let mut candidates = folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
        let found = candidates.find(|path| path.is_file() && !inside(path));
        found.ok_or_else(|| format!("there is no program `{name}` in PATH outside the checkout"))
    }

    /// The outer error: it was not started; the inner one: it was, and did not end well.
    async fn run(&self, words: &Words, limit: Duration) -> Result<Result<(i32, u64), String>, String> {
        let workspace = &self.0.job.workspace;
        let shown = words.0.join(" ");
        let program = self.program(words)?.into_os_string();
        let argv = std::iter::once(program).chain(words.0.iter().skip(1).map(OsString::from));
        let ran = quiet::run(QuietCommand {
            cwd: Some(workspace.root.clone()),
            env: workspace.env.clone().into_iter().collect(),
            timeout: limit,
            output_cap: KEPT,
            run_id: workspace.run.clone(),
            ..QuietCommand::new(argv)
        });
        let ran = self.0.saying(&format!("running {shown}"), limit, ran).await;
        let ran = match ran {
            Ok(ran) => ran,
            Err(error) => return no_end(&error).map(Err),
        };
        if ran.timed_out {
            return Ok(Err(format!("{shown} did not end within {limit:.0?}")));
        }
        let how = match ran.status {
            Status::Exit(0) => {
                return Ok(Ok((0, u64::try_from(ran.duration.as_millis()).unwrap_or(u64::MAX))));
            }
            Status::Exit(code) => format!("ended with exit code {code}"),
            Status::Signal(signal) => format!("was ended by signal {signal}"),
        };
        let text = ran.stderr.text();
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        // It is masked where it is shown and kept. What is cut first could hide a secret's end from that.
        let last = if ran.stderr.truncated || last.len() > LONGEST_LINE { "" } else { last };
        Ok(Err(if last.is_empty() { format!("{shown} {how}") } else { format!("{shown} {how}: {last}") }))
    }
}

/// Why it is not known how it ended: the inner one where it was started, so that it may have had an effect.
fn no_end(error: &QuietError) -> Result<String, String> {
    let below = std::error::Error::source(error).map_or(String::new(), |source| format!(": {source}"));
    let why = format!("{error}{below}");
    match error {
        QuietError::Wait { .. } => Ok(why),
        QuietError::Empty | QuietError::Start { .. } => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_was_started_and_lost_may_have_had_an_effect() {
        let (program, source) = ("fix".to_owned(), io::Error::other("no such child"));
        let lost = no_end(&QuietError::Wait { program: program.clone(), source });
        assert_eq!(lost, Ok("lost track of fix: no such child".to_owned()));
        let source = io::Error::other("not executable");
        let never = no_end(&QuietError::Start { program, source });
        assert_eq!(never, Err("cannot start fix: not executable".to_owned()));
    }
}
