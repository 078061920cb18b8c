//! The lockfile's own tool completes a good version of it: only where `--with-tool` asks for that.

use std::{fs, path::Path, time::Duration};

use regreen_lockfile::Format;
use regreen_tools::{Adapter, Job, Workspace, adapter};

use super::put::put;

/// Longest that a resolver may take.
const LONGEST: Duration = Duration::from_secs(600);

/// What a tool made of a good version.
pub struct Completed {
    /// The lockfile as the tool wrote it.
    pub bytes: Vec<u8>,
    /// The hosts that the tool is configured to fetch from.
    pub hosts: Vec<String>,
    /// What was run.
    pub command: String,
}

/// The tool of this format, where it can complete a lockfile.
pub fn resolving(format: Format) -> Option<&'static dyn Adapter> {
    adapter(&format.tool()).filter(|adapter| adapter.resolver().is_some())
}

/// Puts the good version where the lockfile is, lets the tool complete it, and puts the file back as it was.
///
/// # Errors
/// A sentence; the file is as before then too, unless the sentence says otherwise.
pub async fn complete(
    workspace: &Workspace,
    adapter: &dyn Adapter,
    path: &Path,
    present: &[u8],
    good: &[u8],
) -> Result<Completed, String> {
    let resolver = adapter.resolver().ok_or("its tool has no resolver")?;
    let command = resolver.argv.join(" ");
    put(path, present, good).map_err(|e| e.to_string())?;
    let ran = workspace.quietly(&resolver.argv, &resolver.env, Some(LONGEST)).await;
    let made = fs::read(path);
    if let Ok(made) = &made {
        put(path, made, present).map_err(|e| format!("it could not be put back: {e}"))?;
    }
    match ran.map(|said| said.code) {
        Some(Some(0)) => {}
        Some(Some(code)) => return Err(format!("`{command}` ended with exit code {code}")),
        Some(None) => return Err(format!("`{command}` was ended by a signal")),
        None => return Err(format!("`{command}` could not be run, or took longer than ten minutes")),
    }
    let bytes = made.map_err(|e| format!("after `{command}` it can't be read: {e}"))?;
    let job =
        Job { workspace: workspace.clone(), argv: resolver.argv.iter().map(|a| (*a).to_owned()).collect() };
    let hosts = adapter.remotes(&job).await.into_iter().map(|r| r.host.to_ascii_lowercase()).collect();
    Ok(Completed { bytes, hosts, command })
}
