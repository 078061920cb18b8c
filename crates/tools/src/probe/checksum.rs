//! A download did not match its checksum: is the lockfile the odd one out, were the bytes damaged on their way, or
//! does the registry really serve something else?

use std::time::Duration;

use regreen_domain::{
    Finding,
    HealableClass::{LockfileCorruption, NetworkTimeout},
    PackageName, Standing,
};
use regreen_lockfile::{Checksum, Entry, Lockfile};

use super::finding;
use crate::{
    adapter::{Adapter, Job},
    locks::LockLook,
    remote::fetch,
};

/// Which entries the log blames, through typed holes only.
#[derive(Debug, Clone, Default)]
pub struct Suspect {
    /// By name.
    pub packages: Vec<PackageName>,
}

/// Longest that one download may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries that are fetched at most.
const MOST: usize = 3;
/// Entries that a lockfile may have for all to be fetched, where the log names no package at all.
const MOST_UNNAMED: usize = 16;

/// Fetches what the registry serves now for the suspects and compares it with the lockfile, without trusting either
/// the log or the registry's own metadata. To be asked only where the lockfile is whole and agrees with history.
pub async fn checksum(job: &Job, adapter: &dyn Adapter, look: &LockLook, suspect: &Suspect) -> Vec<Finding> {
    let tool = adapter.tool();
    let Ok(lock) = &look.parsed else { return Vec::new() };
    let mut suspects: Vec<&Entry> =
        lock.entries.iter().filter(|e| !e.local && !e.checksums.is_empty()).collect();
    // Composer names no package: each one of a short lockfile may be meant, and all of them must be right.
    let unnamed = suspect.packages.is_empty();
    if !unnamed {
        suspects.retain(|e| blamed(e, suspect));
        suspects.truncate(MOST);
    } else if suspects.len() > MOST_UNNAMED {
        suspects.clear();
    }
    let cannot_tell = |says: String| {
        vec![finding("checksum", tool.clone(), LockfileCorruption, Standing::CannotTell, "", says)]
    };
    let bare = lock.entries.iter().filter(|e| !e.local && e.checksums.is_empty() && blamed(e, suspect));
    for entry in bare.take(MOST) {
        if breaks_its_promise(job, adapter, lock, entry).await {
            let title = entry.title();
            let says = format!(
                "the registry serves other bytes for {title} than it promises; this can be tampering"
            );
            return vec![finding("checksum", tool, LockfileCorruption, Standing::Forbids, title, says)];
        }
    }
    if suspects.is_empty() {
        return cannot_tell("the log names no entry of the lockfile".to_owned());
    }
    let mut findings = Vec::new();
    for entry in suspects {
        let title = entry.title();
        let urls = adapter.artifact_urls(job, entry).await;
        let mut served = Vec::new();
        for url in urls.iter().take(MOST) {
            if let Ok(bytes) = fetch(url, PATIENCE).await {
                served.extend(compared(adapter, lock, entry, url, &bytes));
            }
        }
        let any = |of: Served| served.contains(&of);
        if served.is_empty() {
            let says = cannot_tell(format!("{title} can't be fetched for comparison"));
            if unnamed {
                // It may be the one that was damaged; what the others are shows nothing.
                return says;
            }
            findings.extend(says);
        } else if any(Served::AsLocked) && any(Served::NotKnown) && is_set(entry) {
            findings.extend(cannot_tell(format!(
                "the registry serves a file of {title} that the lockfile knows and one that it doesn't know, and nothing \
                 tells which of them was asked for"
            )));
        } else if any(Served::AsLocked) && !any(Served::Other) {
            let says = format!(
                "the registry serves {title} with the lockfile's checksum now; it was damaged on its way"
            );
            findings.push(finding("checksum", tool.clone(), NetworkTimeout, Standing::Confirms, title, says));
        } else {
            let says = format!(
                "the registry serves other bytes for {title} than the lockfile was made from, and no trusted history \
                 contradicts the lockfile; this can be tampering"
            );
            findings.push(finding(
                "checksum",
                tool.clone(),
                LockfileCorruption,
                Standing::Forbids,
                title,
                says,
            ));
        }
    }
    findings
}

/// Whether what the registry serves is not what it promises. That the two agree would say nothing.
async fn breaks_its_promise(job: &Job, adapter: &dyn Adapter, lock: &Lockfile, entry: &Entry) -> bool {
    let Some(promise) = adapter.promised(job, entry).await else { return false };
    for url in adapter.artifact_urls(job, entry).await.iter().take(MOST) {
        if let Ok(bytes) = fetch(url, PATIENCE).await
            && adapter.matches(lock, entry, &promise, &bytes) == Some(false)
        {
            return true;
        }
    }
    false
}

fn blamed(entry: &Entry, suspect: &Suspect) -> bool {
    suspect.packages.iter().any(|name| name.as_str().eq_ignore_ascii_case(&entry.name))
}

/// What the registry serves under one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Served {
    /// With the checksum that the lockfile has for it.
    AsLocked,
    /// Not the bytes that the lockfile has a checksum for under this name.
    Other,
    /// A file of which the lockfile has neither the name nor the checksum; it may have been published later.
    NotKnown,
}

/// What `bytes` are, which an address served; `None` where they can't be compared.
fn compared(
    adapter: &dyn Adapter,
    lock: &Lockfile,
    entry: &Entry,
    url: &str,
    bytes: &[u8],
) -> Option<Served> {
    let path = url.split(['#', '?']).next().unwrap_or(url);
    let file = path.rsplit('/').next();
    let own: Vec<&Checksum> =
        entry.artefacts().filter(|(name, _)| name.is_some() && *name == file).map(|(_, c)| c).collect();
    let any = |of: &[&Checksum]| {
        of.iter().try_fold(false, |any, c| Some(any || adapter.matches(lock, entry, c, bytes)?))
    };
    let every: Vec<&Checksum> = entry.checksums.iter().collect();
    Some(match own.is_empty() {
        true if any(&every)? => Served::AsLocked,
        true => Served::NotKnown,
        false if any(&own)? => Served::AsLocked,
        false => Served::Other,
    })
}

/// Several checksums, and no names of the files that they are of.
fn is_set(entry: &Entry) -> bool {
    entry.checksums.len() > 1 && entry.artefacts().all(|(name, _)| name.is_none())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
mod tests {
    use regreen_lockfile::{Format, parse};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::uv::Uv;

    #[test]
    fn a_file_is_compared_with_its_own_checksum() {
        let sum =
            |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() };
        let (wheel, archive) = (sum(b"wheel"), sum(b"archive"));
        let lock = |format, text: String| parse(format, text.as_bytes()).unwrap();
        let named = lock(
            Format::UvLock,
            format!(
                "version = 1\nrequires-python = \">=3.9\"\n[[package]]\nname = \"x\"\nversion = \"1\"\n\
                 source = {{ registry = \"https://pypi.org/simple\" }}\n\
                 sdist = {{ url = \"https://h/x-1.tar.gz\", hash = \"sha256:{archive}\" }}\n\
                 wheels = [{{ url = \"https://h/x-1-py3-none-any.whl\", hash = \"sha256:{wheel}\" }}]\n"
            ),
        );
        let set =
            lock(Format::PipRequirements, format!("x==1 --hash=sha256:{archive} --hash=sha256:{wheel}\n"));
        for (lock, file, bytes, want) in [
            (&named, "x-1-py3-none-any.whl", "wheel", Served::AsLocked),
            (&named, "x-1-py3-none-any.whl", "evil", Served::Other),
            // The right bytes of another file.
            (&named, "x-1-py3-none-any.whl", "archive", Served::Other),
            (&named, "x-1-py3-none-win32.whl", "new", Served::NotKnown),
            (&set, "x-1-py3-none-any.whl", "archive", Served::AsLocked),
            (&set, "x-1-py3-none-any.whl", "evil", Served::NotKnown),
        ] {
            let url = format!("https://elsewhere/files/{file}#sha256=0");
            let found = compared(&Uv, lock, &lock.entries[0], &url, bytes.as_bytes());
            assert_eq!(found, Some(want), "{file} {bytes}");
        }
    }
}
