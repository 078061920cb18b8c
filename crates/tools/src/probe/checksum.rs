//! A download did not match its checksum: is the lockfile the odd one out, were the bytes damaged on their way, or
//! does the registry really serve something else?

use std::time::Duration;

use regreen_domain::{
    Finding,
    HealableClass::{LockfileCorruption, NetworkTimeout},
    PackageName, Standing,
};
use regreen_lockfile::Entry;

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
                served.extend(adapter.checksummed(lock, entry, bytes));
            }
        }
        if served.is_empty() {
            let says = cannot_tell(format!("{title} can't be fetched for comparison"));
            if unnamed {
                // It may be the one that was damaged; what the others are shows nothing.
                return says;
            }
            findings.extend(says);
        } else if served.iter().any(|bytes| entry.checksums.iter().any(|c| adapter.matches(entry, c, bytes)))
        {
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

fn blamed(entry: &Entry, suspect: &Suspect) -> bool {
    suspect.packages.iter().any(|name| name.as_str().eq_ignore_ascii_case(&entry.name))
}
