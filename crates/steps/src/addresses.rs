//! What is asked to learn whether a tool's registries serve: each registry, and behind it one package that the lockfile
//! names. An index can be well while the files behind it are not, or are rationed by another limit.

use std::time::Duration;

use regreen_domain::PackageName;
use regreen_lockfile::Entry;
use regreen_tools::{
    Adapter, Job,
    adapter::host_of,
    remote::{self, Answer},
};

use crate::files;

/// One address, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The host, as logs name it.
    pub(crate) host: String,
    url: String,
    /// A file behind a registry, and not the registry itself.
    file: bool,
}

impl Address {
    /// What it is, in words.
    pub(crate) fn name(&self) -> String {
        if self.file { format!("{} (a package)", self.host) } else { self.host.clone() }
    }

    /// Asks once.
    pub(crate) async fn ask(&self, limit: Duration) -> Answer {
        remote::ask(&self.url, limit).await
    }
}

/// The registries of the job.
pub(crate) async fn registries(adapter: &dyn Adapter, job: &Job) -> Vec<Address> {
    let remotes = adapter.remotes(job).await.into_iter();
    remotes.map(|remote| Address { host: remote.host, url: remote.probe_url, file: false }).collect()
}

/// Where one package of the lockfile lies: the one that the log blames, where the lockfile has it, else the first. By what the
/// job's own registries say, which may keep their files at another host; to be asked only when these answer. Empty where
/// there is no lockfile that says.
pub(crate) async fn package(adapter: &dyn Adapter, job: &Job, blamed: Option<&PackageName>) -> Vec<Address> {
    let Some(entry) = entry(adapter, job, blamed) else { return Vec::new() };
    let urls = adapter.artifact_urls(job, &entry).await;
    let mut files: Vec<Address> = Vec::new();
    for url in urls {
        let Some(host) = host_of(&url) else { continue };
        // One of each host is enough.
        if !files.iter().any(|known| known.host == host) {
            files.push(Address { host, url, file: true });
        }
    }
    files
}

fn entry(adapter: &dyn Adapter, job: &Job, blamed: Option<&PackageName>) -> Option<Entry> {
    let place = adapter.lockfile(job)?;
    let bytes = files::read(&job.workspace.root.join(place.path.as_str())).ok()??;
    let lock = regreen_lockfile::parse(place.format, &bytes).ok()?;
    let remote = |entry: &&Entry| !entry.local && entry.version.is_some();
    let named = |entry: &&Entry| blamed.is_some_and(|name| name.as_str() == entry.name);
    let mut entries = lock.entries.iter().filter(remote);
    entries.clone().find(named).or_else(|| entries.next()).cloned()
}
