//! `refill-entries`: fetches anew what was taken out of a cache, where the cache knows what it was and with which digest.
//! Only from the registries that the tool is configured to use, and nothing goes in that has not exactly that digest. An
//! entry that can't be had is left to the tool, which fetches it when it needs it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use regreen_domain::RelPath;
use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use regreen_tools::{
    cache::{self, Cache, Digest, Origin},
    remote::{self, Answer},
};
use serde::{Deserialize, Serialize};

use crate::{
    files::{create_private, write_durably},
    quarantine_entries::{place, room, taken_out},
    world::World,
};

/// The step.
pub(crate) struct RefillEntries(pub(crate) Arc<World>);

/// Which cache.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Args {
    cache: String,
    /// The registry to use in place of the tool's own.
    registry: Option<String>,
}

/// What is to be fetched.
#[derive(Serialize, Deserialize)]
pub(crate) struct Before {
    root: PathBuf,
    wanted: Vec<Wanted>,
}

/// An entry with its digest.
#[derive(Serialize, Deserialize)]
struct Wanted {
    path: String,
    name: String,
    algorithm: String,
    digest: String,
    urls: Vec<String>,
}

/// What was fetched.
#[derive(Serialize, Deserialize)]
pub(crate) struct Receipt {
    fetched: Vec<String>,
    left: Vec<String>,
    /// What was done, in a clause.
    said: String,
}

/// Longest that one entry may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Step for RefillEntries {
    const KIND: &'static str = "refill-entries";
    const EXPLAIN: &'static str = "Fetches anew what was taken out of a package cache, from the tool's own registries, where the cache knows its digest; only bytes of that digest go in. What can't be had is left to the tool.";
    // A sound entry more in a cache is nothing worth taking back.
    const UNDO: Undo = Undo::Inert;
    const RESUME: Resume = Resume::Repeat;
    type Args = Args;
    type Before = Before;
    type Receipt = Receipt;

    async fn preflight(&self, look: &Look, args: &Args) -> Result<Before, Refused> {
        let cache = known(&args.cache)?;
        // Before the entries are out nothing is known of them: a dry run ends here.
        let Some((root, entries)) = look.receipts.values().find_map(taken_out) else {
            return Ok(Before { root: PathBuf::new(), wanted: Vec::new() });
        };
        let entries: Vec<RelPath> = entries.iter().filter_map(|e| RelPath::parse(e)).collect();
        let origins = {
            let (root, entries) = (root.clone(), entries.clone());
            tokio::task::spawn_blocking(move || cache.origins(&root, &entries)).await
        };
        let origins = origins.map_err(|e| Refused(e.to_string()))?;
        let remotes = cache::registries(cache, &self.0.job, args.registry.as_deref()).await;
        let mut wanted = Vec::new();
        for (path, origin) in entries.iter().zip(origins) {
            let Some(Origin { digest: Some((algorithm, digest)), .. }) = &origin else { continue };
            let (algorithm, digest) = ((*algorithm).to_owned(), digest.clone());
            let Some(origin) = &origin else { continue };
            let urls = cache.addresses(origin, &remotes).await;
            if !urls.is_empty() {
                wanted.push(Wanted {
                    path: path.to_string(),
                    name: origin.name.clone(),
                    algorithm,
                    digest,
                    urls,
                });
            }
        }
        Ok(Before { root, wanted })
    }

    async fn apply(&self, touch: &Touch, _: &Args, before: &Before) -> Result<Receipt, ApplyError> {
        let (mut fetched, mut left) = (Vec::new(), Vec::new());
        for (number, wanted) in before.wanted.iter().enumerate() {
            (self.0.progress)(&format!("fetching {}", wanted.name));
            let scratch = room(touch, &before.root).join(format!("new-{number}"));
            match self.refill(&before.root, wanted, &scratch).await {
                Ok(()) => fetched.push(wanted.path.clone()),
                Err(why) => left.push(format!("{}: {why}", wanted.path)),
            }
        }
        let said = format!("fetched {} of {} anew", fetched.len(), before.wanted.len());
        Ok(Receipt { fetched, left, said })
    }

    async fn verify(&self, _: &Look, args: &Args, _: &Receipt) -> Result<Seen, Refused> {
        // Each was compared with its digest before it went in.
        known(&args.cache).map(|_| Seen::There)
    }

    async fn undo(&self, _: &Touch, _: &Args, _: &Before, _: Option<&Receipt>) -> Result<(), UndoError> {
        Ok(())
    }
}

fn known(id: &str) -> Result<&'static dyn Cache, Refused> {
    cache::by_id(id).ok_or_else(|| Refused(format!("`{id}` is no known cache")))
}

impl RefillEntries {
    /// Fetches one entry; the error says why it is left to the tool.
    async fn refill(&self, root: &Path, wanted: &Wanted, scratch: &Path) -> Result<(), String> {
        let place = place(root, &wanted.path).map_err(|e| e.to_string())?;
        if place.symlink_metadata().is_ok() {
            // Somebody was faster, or an earlier try.
            return Ok(());
        }
        let mut why = "no registry has it".to_owned();
        for url in &wanted.urls {
            let bytes = match remote::fetch(url, PATIENCE.min(self.0.time_left())).await {
                Ok(bytes) => bytes,
                Err(answer) => {
                    why = not_given(&answer);
                    continue;
                }
            };
            if !Digest::of(&wanted.algorithm, &bytes).is_some_and(|digest| digest.is_hex(&[&wanted.digest])) {
                why = "the registry gives other bytes now".to_owned();
                continue;
            }
            return put(scratch, &place, &bytes).map_err(|e| e.to_string());
        }
        Err(why)
    }
}

/// Why a registry's answer is no entry.
fn not_given(answer: &Answer) -> String {
    match answer {
        Answer::Serves { status } | Answer::Unwell { status, .. } => format!("the registry answers {status}"),
        Answer::Silent { stage, .. } => format!("the registry does not give it: {stage}"),
        Answer::Unusable { why } => format!("the registry can't be asked: {why}"),
    }
}

/// Whole or not at all, a power cut included.
fn put(scratch: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    scratch.parent().map_or(Ok(()), create_private)?;
    write_durably(scratch, bytes, 0o644)?;
    place.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::rename(scratch, place)
}
