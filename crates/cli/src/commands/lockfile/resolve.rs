//! The lockfile's own tool completes a good version of it: only where `--with-tool` asks for that.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_lockfile::Format;
use regreen_tools::{Adapter, Job, Workspace, adapter};
use tokio::signal::unix::{SignalKind, signal};

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

/// Why there is no completed lockfile.
pub enum NotCompleted {
    /// A sentence; the file is as before, unless the sentence says otherwise.
    Failed(String),
    /// Somebody pressed Ctrl-C; the file is as before.
    Interrupted,
}

impl From<String> for NotCompleted {
    fn from(why: String) -> Self {
        NotCompleted::Failed(why)
    }
}

/// Puts the good version where the lockfile is, lets the tool complete it, and puts the file back as it was. Meanwhile a
/// copy of it lies beside it, for whoever kills this in the middle.
///
/// # Errors
/// [`NotCompleted`].
pub async fn complete(
    workspace: &Workspace,
    adapter: &dyn Adapter,
    path: &Path,
    present: &[u8],
    good: &[u8],
) -> Result<Completed, NotCompleted> {
    let resolver = adapter.resolver().ok_or_else(|| "its tool has no resolver".to_owned())?;
    let command = resolver.argv.join(" ");
    let handler = |kind| signal(kind).map_err(|e| format!("no handler for signals: {e}"));
    let (mut interrupt, mut end) = (handler(SignalKind::interrupt())?, handler(SignalKind::terminate())?);
    let copy = keep(path, present)?;
    if let Err(e) = put(path, present, good) {
        let _unused = fs::remove_file(&copy);
        return Err(NotCompleted::Failed(e.to_string()));
    }
    let ran = tokio::select! {
        ran = workspace.quietly(&resolver.argv, &resolver.env, Some(LONGEST)) => Some(ran),
        // The tool ends with the future that runs it.
        _ = interrupt.recv() => None,
        _ = end.recv() => None,
    };
    let made = fs::read(path);
    let back = made.as_ref().map_err(ToString::to_string);
    let back = back.and_then(|made| put(path, made, present).map_err(|e| e.to_string()));
    back.map_err(|e| format!("it could not be put back ({e}); {} holds it as it was", copy.display()))?;
    fs::remove_file(&copy).map_err(|e| format!("{}: {e}", copy.display()))?;
    match ran.ok_or(NotCompleted::Interrupted)?.map(|said| said.code) {
        Some(Some(0)) => {}
        Some(Some(code)) => return Err(format!("`{command}` ended with exit code {code}").into()),
        Some(None) => return Err(format!("`{command}` was ended by a signal").into()),
        None => return Err(format!("`{command}` could not be run, or took longer than ten minutes").into()),
    }
    let bytes = made.map_err(|e| format!("after `{command}` it can't be read: {e}"))?;
    let job =
        Job { workspace: workspace.clone(), argv: resolver.argv.iter().map(|a| (*a).to_owned()).collect() };
    let hosts = adapter.remotes(&job).await.into_iter().map(|r| r.host.to_ascii_lowercase()).collect();
    Ok(Completed { bytes, hosts, command })
}

/// Makes a durable copy beside the file.
fn keep(path: &Path, bytes: &[u8]) -> Result<PathBuf, String> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let copy = path.with_file_name(format!("{name}.before-regreen"));
    let written = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => format!(
            "a repair was killed in the middle: {} holds the lockfile as it was before; put it back or delete it",
            copy.display()
        ),
        _ => format!("{}: {e}", copy.display()),
    })?;
    Ok(copy)
}
