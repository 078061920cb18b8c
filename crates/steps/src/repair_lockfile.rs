//! `repair-lockfile`: the smallest semantic change that makes a damaged lockfile whole again.
//!
//! In this order: the trusted history's last good version; a three-way merge of conflict markers; single checksums
//! that the trusted history contradicts; and where the manifest has moved on since, the last good version completed by
//! the tool's own resolver with scripts off. Every result is checked by the same rules, whoever made it.

use std::{fmt::Write as _, sync::Arc};

use regreen_domain::RelPath;
use regreen_lockfile::{
    Agreement, Lockfile, checksum_of, diff, hosts, merge, parse, replace_checksum, split_conflict,
};
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    Adapter,
    locks::{self, LockLook, NoLook},
};
use serde::{Deserialize, Serialize};

use crate::{
    files::{SavedFile, read, sha256, state_copy},
    rerun_command::rewritten_by_command,
    world::World,
};

/// The step.
pub(crate) struct RepairLockfile(pub(crate) Arc<World>);

/// Whose lockfile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    tool: String,
}

/// The lockfile before, and what is to become of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    /// Path below the workspace.
    path: String,
    /// The file.
    saved: SavedFile,
    /// SHA-256 of the text that is to be written.
    new: String,
    /// How it was come by.
    repair: Repair,
}

/// How a lockfile is repaired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Repair {
    /// The last good version of the trusted history.
    Restore {
        /// Its commit.
        commit: String,
    },
    /// Both sides of an unresolved merge, entry by entry.
    Merge,
    /// Checksums that the trusted history held for the same name, version and source.
    Checksums {
        /// How many.
        count: usize,
    },
    /// The last good version, completed by the tool's own resolver.
    Resolve {
        /// Its commit.
        commit: String,
    },
}

impl Repair {
    /// What is done to the lockfile at `path`, in a clause.
    fn said(&self, path: &str) -> String {
        let short = |commit: &str| commit.get(..10).unwrap_or(commit).to_owned();
        match self {
            Repair::Restore { commit } => format!("restored {path} as commit {} holds it", short(commit)),
            Repair::Merge => format!("merged both sides of {path} entry by entry"),
            Repair::Checksums { count } => {
                format!("put {count} checksum(s) that the history held back into {path}")
            }
            Repair::Resolve { commit } => {
                format!("completed {path} of commit {} with the tool's own resolver", short(commit))
            }
        }
    }
}

/// What was done.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Path below the workspace.
    path: String,
    /// How.
    repair: Repair,
    /// SHA-256 of the file as it is now.
    sha256: String,
    /// The semantic change, for people.
    summary: String,
    /// What was done, in a clause.
    said: String,
}

impl Step for RepairLockfile {
    const KIND: &'static str = "repair-lockfile";
    const EXPLAIN: &'static str = "Makes a damaged lockfile whole by the smallest change: the last good version of the trusted history, a merge of both sides, single checksums that the history held, or the last good version completed by the tool's own resolver.";
    const UNDO: Undo = Undo::Exact;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, _: &Look, args: &Args) -> Result<Before, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let look = self.look(adapter).await?;
        let (repair, new) = choose(&look, adapter.resolver_for(&self.0.job).is_some())?;
        let path = self.0.job.workspace.root.join(look.place.path.as_str());
        let (saved, _) = SavedFile::look(&path).map_err(|e| Refused(format!("{}: {e}", look.place.path)))?;
        if saved.sha256.as_deref() != Some(&sha256(&look.bytes)) {
            return Err(Refused(format!("{} is being written to", look.place.path)));
        }
        Ok(Before { path: look.place.path.to_string(), saved, new: sha256(&new), repair })
    }

    async fn apply(&self, touch: &Touch, args: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let adapter = self.0.adapter(&args.tool).map_err(ApplyError::NoEffect)?;
        let path = self.0.job.workspace.root.join(&before.path);
        let copy = state_copy(&self.0.state, &touch.incident, &touch.step);
        let look = self.look(adapter).await.map_err(ApplyError::no_effect)?;
        // An earlier try of the same run has written it; what it wrote is not looked at for a repair again.
        if sha256(&look.bytes) != before.new {
            let (repair, new) =
                choose(&look, adapter.resolver_for(&self.0.job).is_some()).map_err(ApplyError::no_effect)?;
            if repair != before.repair || sha256(&new) != before.new {
                return Err(ApplyError::no_effect(format!("{} changed since it was looked at", before.path)));
            }
            before.saved.replace(touch, &path, &copy, &new).map_err(ApplyError::unknown)?;
        }
        if let Repair::Resolve { .. } = before.repair {
            self.resolve(adapter).await?;
        }
        let now = self.look(adapter).await.map_err(ApplyError::unknown)?;
        let summary = summary(&look, &now);
        Ok(Receipt {
            path: before.path.clone(),
            repair: before.repair.clone(),
            sha256: sha256(&now.bytes),
            summary,
            said: before.repair.said(&before.path),
        })
    }

    async fn verify(&self, _: &Look, args: &Args, receipt: &Receipt) -> Result<Seen, Refused> {
        let adapter = self.0.adapter(&args.tool).map_err(Refused)?;
        let look = self.look(adapter).await?;
        if sha256(&look.bytes) != receipt.sha256 {
            return Ok(Seen::NotThere(format!("{} was written to by something else", receipt.path)));
        }
        let allowed = match &receipt.repair {
            Repair::Resolve { .. } => {
                adapter.remotes(&self.0.job).await.into_iter().map(|r| r.host.to_ascii_lowercase()).collect()
            }
            _ => Vec::new(),
        };
        Ok(match acceptable(&look, &look.bytes, &allowed) {
            Ok(_) => Seen::There,
            Err(why) => Seen::NotThere(why),
        })
    }

    async fn undo(
        &self,
        touch: &Touch,
        _: &Args,
        before: &Before,
        receipt: Option<&Receipt>,
    ) -> Result<(), UndoError> {
        // The journal is read back: its paths are checked like any other.
        let below = RelPath::parse(&before.path)
            .ok_or_else(|| UndoError("no path below the workspace".to_owned()))?;
        let path = self.0.job.workspace.root.join(below.as_str());
        let now = read(&path).map_err(|e| UndoError(format!("{}: {e}", before.path)))?.map(|b| sha256(&b));
        let by_command =
            receipt.is_some_and(|r| rewritten_by_command(touch, &before.path, &r.sha256, now.as_deref()));
        let ours = now == before.saved.sha256
            || now.as_ref() == Some(&before.new)
            || receipt.is_some_and(|r| now.as_ref() == Some(&r.sha256))
            || (receipt.is_none() && matches!(before.repair, Repair::Resolve { .. }))
            || by_command;
        // What somebody wrote since is not Regreen's to overwrite.
        if !ours {
            return Err(UndoError(format!("{} was changed by something else since", before.path)));
        }
        if by_command {
            let path = &before.path;
            (self.0.progress)(&format!("the command's own second run rewrote {path}; it is put back too"));
        }
        let copy = state_copy(&self.0.state, &touch.incident, &touch.step);
        before.saved.restore(touch, &path, &copy).map_err(|e| UndoError(format!("{}: {e}", before.path)))
    }
}

impl RepairLockfile {
    async fn look(&self, adapter: &dyn Adapter) -> Result<LockLook, Refused> {
        locks::look(&self.0.job, adapter).await.map_err(|no| match no {
            NoLook::NoLockfile => Refused("there is no lockfile".to_owned()),
            NoLook::Unreadable(why) => Refused(why),
        })
    }

    async fn resolve(&self, adapter: &dyn Adapter) -> Result<(), ApplyError> {
        let resolver = adapter
            .resolver_for(&self.0.job)
            .ok_or_else(|| ApplyError::unknown("this tool has no resolver"))?;
        (self.0.progress)(&format!("completing the lockfile: {}", resolver.argv.join(" ")));
        let limit = self.0.time_left();
        let ran = self.0.job.workspace.quietly(&resolver.argv, &resolver.env, Some(limit)).await;
        let ran = ran.ok_or_else(|| ApplyError::unknown("the resolver could not be run in time"))?;
        match ran.code {
            Some(0) => Ok(()),
            code => Err(ApplyError::unknown(format!(
                "`{}` ended with {}",
                resolver.argv.join(" "),
                code.map_or("a signal".to_owned(), |c| format!("exit code {c}"))
            ))),
        }
    }
}

/// The repair to make and the text to write for it.
fn choose(look: &LockLook, can_resolve: bool) -> Result<(Repair, Vec<u8>), Refused> {
    if look.damage().is_none() {
        return correct_checksums(look);
    }
    for (commit, bytes, lock) in look.readable_versions() {
        if agrees(look, &lock) && keeps_what_is_readable(look, &lock) && bytes != look.bytes {
            return Ok((Repair::Restore { commit: commit.to_owned() }, bytes.to_vec()));
        }
    }
    if let Some(merged) = merge_sides(look) {
        return Ok((Repair::Merge, merged));
    }
    match look.readable_versions().next() {
        Some((commit, bytes, _)) if can_resolve => {
            Ok((Repair::Resolve { commit: commit.to_owned() }, bytes.to_vec()))
        }
        Some(_) => Err(Refused("no version of the trusted history fits the present manifest".to_owned())),
        None => Err(Refused(format!(
            "the trusted history holds no good version of {}; regenerate it and review the change",
            look.place.path
        ))),
    }
}

fn correct_checksums(look: &LockLook) -> Result<(Repair, Vec<u8>), Refused> {
    let lock = look.parsed.as_ref().map_err(|e| Refused(e.to_string()))?;
    let odd = look.odd_checksums(lock);
    if odd.is_empty() {
        return Err(Refused(format!("{} is whole and agrees with the trusted history", look.place.path)));
    }
    let mut text = look.bytes.clone();
    for odd in &odd {
        text = replace_checksum(look.place.format, &text, &odd.key, Some(&odd.found), &odd.known)
            .map_err(|e| Refused(e.to_string()))?;
    }
    acceptable(look, &text, &[]).map_err(Refused)?;
    Ok((Repair::Checksums { count: odd.len() }, text))
}

fn merge_sides(look: &LockLook) -> Option<Vec<u8>> {
    let sides = split_conflict(&look.bytes).ok()?;
    let trusted = look.readable_versions().next().map(|(_, bytes, _)| bytes.to_vec());
    let base = sides.base.or(trusted);
    let merged = merge(look.place.format, base.as_deref(), &sides.ours, &sides.theirs).ok()?;
    if !merged.conflicts.is_empty() {
        return None;
    }
    let allowed: Vec<String> = [&sides.ours, &sides.theirs]
        .into_iter()
        .filter_map(|side| parse(look.place.format, side).ok())
        .flat_map(|lock| hosts(&lock))
        .collect();
    acceptable(look, &merged.text, &allowed).is_ok().then_some(merged.text)
}

/// The rules for every repaired lockfile: whole; in agreement with its manifest; no checksum that the trusted history
/// contradicts (invariant 6); no host that neither the history nor the configuration knows.
fn acceptable(look: &LockLook, text: &[u8], allowed_hosts: &[String]) -> Result<Lockfile, String> {
    let lock =
        look.sound(text).ok_or_else(|| format!("the repaired {} would not be whole", look.place.path))?;
    if let Agreement::Drift(reasons) = look.agreement(&lock) {
        return Err(format!("it would not agree with its manifest: {}", reasons.join("; ")));
    }
    if let Some(name) = contradicted(look, &lock) {
        return Err(format!("it would hold a checksum for {name} that the trusted history never held"));
    }
    let known: Vec<String> = look.readable_versions().flat_map(|(_, _, l)| hosts(&l)).collect();
    let present = look.parsed.as_ref().map(hosts).unwrap_or_default();
    let foreign = hosts(&lock)
        .into_iter()
        .find(|h| !known.contains(h) && !present.contains(h) && !allowed_hosts.contains(h));
    match foreign {
        Some(host) => Err(format!("it would fetch from {host}, which nothing names so far")),
        None => Ok(lock),
    }
}

/// An entry that the trusted history knows by name, version and source, but never with this checksum.
fn contradicted(look: &LockLook, lock: &Lockfile) -> Option<String> {
    let versions: Vec<Lockfile> = look.readable_versions().map(|(_, _, l)| l).collect();
    let foreign = lock.entries.iter().filter(|e| !e.local && !e.checksums.is_empty()).find(|entry| {
        let (version, source) = (entry.version.as_deref(), entry.source.as_deref());
        let mut known = versions.iter().flat_map(|v| checksum_of(v, &entry.name, version, source)).peekable();
        known.peek().is_some() && !known.any(|k| entry.checksums.contains(k))
    });
    foreign.map(|entry| entry.title())
}

fn agrees(look: &LockLook, lock: &Lockfile) -> bool {
    !matches!(look.agreement(lock), Agreement::Drift(_))
}

/// Where no manifest can say whether an older version is enough, what can still be read of the damaged text must stand
/// in it unchanged.
fn keeps_what_is_readable(look: &LockLook, lock: &Lockfile) -> bool {
    if matches!(look.agreement(lock), Agreement::Agrees) {
        return true;
    }
    let Some(rest) = readable_part(look) else { return false };
    rest.entries.iter().all(|entry| {
        lock.entries.iter().any(|known| known.key() == entry.key() && known.checksums == entry.checksums)
    })
}

/// The entries of a line-based lockfile that stand before its damage.
fn readable_part(look: &LockLook) -> Option<Lockfile> {
    let damage = look.damage()?;
    let lines: Vec<&[u8]> = look.bytes.split_inclusive(|b| *b == b'\n').collect();
    let mut upto = usize::try_from(damage.line().saturating_sub(1)).ok()?.min(lines.len());
    // Continued lines belong to the entry that is cut.
    while upto > 0 && lines[upto - 1].trim_ascii_end().ends_with(b"\\") {
        upto -= 1;
    }
    parse(look.place.format, &lines[..upto].concat()).ok()
}

fn summary(before: &LockLook, after: &LockLook) -> String {
    let Ok(now) = &after.parsed else { return String::new() };
    let mut text = String::new();
    let reference = before.parsed.as_ref().ok().cloned().map(|l| ("the file", l));
    let reference =
        reference.or_else(|| before.readable_versions().next().map(|(_, _, l)| ("the last good version", l)));
    match reference {
        Some((what, old)) => {
            let change = diff(&old, now);
            let said = if change.is_empty() { "no entry differs".to_owned() } else { change.to_string() };
            let _infallible = write!(text, "against {what}: {said}");
        }
        None => text.push_str("nothing to compare with"),
    }
    text
}
