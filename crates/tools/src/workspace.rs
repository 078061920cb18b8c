//! Where the wrapped command runs, and with which environment. Only `cli` reads the real one.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_domain::RelPath;
use regreen_process::{
    RunId, Status,
    quiet::{self, QuietCommand},
};

/// A checkout with the environment of the job.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Absolute path of the folder in which the command was started.
    pub root: PathBuf,
    /// The environment of the job.
    pub env: BTreeMap<OsString, OsString>,
    /// Marks every process that is started here, so that a later Regreen can end the orphans of this one.
    pub run: Option<RunId>,
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Its standard output, whole.
    pub stdout: Vec<u8>,
    /// Its standard error, whole.
    pub stderr: Vec<u8>,
}

/// Longest that one look with a tool may take.
const LOOK: Duration = Duration::from_secs(60);
/// Most bytes of a tool's output that are kept.
const LARGEST: usize = 64 * 1024 * 1024;

impl Workspace {
    /// A workspace at `root`, which is made absolute by the caller.
    pub fn new(root: PathBuf, env: BTreeMap<OsString, OsString>) -> Self {
        Workspace { root, env, run: None }
    }

    /// The top of the checkout: the nearest folder upwards with a `.git`, else `root`. What lies below is the repository's.
    pub fn checkout(&self) -> &Path {
        self.root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&self.root)
    }

    /// An environment variable, where it is set, not empty and UTF-8.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(OsStr::new(name)).and_then(|v| v.to_str()).filter(|v| !v.is_empty())
    }

    /// The home folder of the job.
    pub fn home(&self) -> Option<&Path> {
        self.var("HOME").map(Path::new).filter(|p| p.is_absolute())
    }

    /// Whether this is a CI job: `CI` is set and not `false`.
    pub fn in_ci(&self) -> bool {
        self.var("CI").is_some_and(|v| v != "false" && v != "0")
    }

    /// Runs a tool quietly in the workspace with the job's environment, for at most `limit` (60 s where there is none).
    /// `None` where it can't be started, takes too long or says too much: "cannot look" is not an answer.
    pub async fn quietly(
        &self,
        argv: &[&str],
        extra: &[(&str, &str)],
        limit: Option<Duration>,
    ) -> Option<Said> {
        let mut env = self.env.clone();
        env.extend(extra.iter().map(|(name, value)| (name.into(), value.into())));
        let command = QuietCommand {
            cwd: Some(self.root.clone()),
            env: env.into_iter().collect(),
            timeout: limit.unwrap_or(LOOK),
            output_cap: LARGEST,
            run_id: self.run.clone(),
            ..QuietCommand::new(argv.iter().copied())
        };
        let captured = quiet::run(command).await.ok()?;
        let whole = !captured.timed_out && !captured.stdout.truncated;
        let code = match captured.status {
            Status::Exit(code) => Some(code),
            Status::Signal(_) => None,
        };
        whole.then_some(Said { code, stdout: captured.stdout.bytes, stderr: captured.stderr.bytes })
    }
}

/// The manifests called `file` in the folders that `members` names, which may end in a glob of one folder (`crates/*`).
pub(crate) fn member_manifests<'m>(
    root: &Path,
    members: impl Iterator<Item = &'m str>,
    file: &str,
) -> Vec<RelPath> {
    let mut found = Vec::new();
    for member in members {
        let folders = match member.strip_suffix("/*") {
            Some(parent) => walkdir::WalkDir::new(root.join(parent))
                .min_depth(1)
                .max_depth(1)
                .sort_by_file_name()
                .into_iter()
                .flatten()
                .filter_map(|e| e.path().strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned))
                .collect(),
            None => vec![member.to_owned()],
        };
        let manifests = folders.iter().filter_map(|f| RelPath::parse(&format!("{f}/{file}")));
        found.extend(manifests.filter(|m| root.join(m.as_str()).is_file()));
    }
    found
}
