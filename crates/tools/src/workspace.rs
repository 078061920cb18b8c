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

/// Where CI systems say what they checked out. Sources: GitHub's "Default environment variables", GitLab's "Predefined
/// CI/CD variables", Jenkins' and Azure's of the same kind.
const CHECKED_OUT: [&str; 4] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE", "BUILD_SOURCESDIRECTORY"];

impl Workspace {
    /// A workspace at `root`, which is made absolute by the caller.
    pub fn new(root: PathBuf, env: BTreeMap<OsString, OsString>) -> Self {
        Workspace { root, env, run: None }
    }

    /// The top of the checkout. What lies below is the repository's. It is the nearest folder upwards with a `.git`; of a
    /// submodule, the top of what holds it; and never less than what the CI system says it checked out.
    pub fn checkout(&self) -> &Path {
        let mut top: &Path = &self.root;
        for folder in self.root.ancestors() {
            let git = folder.join(".git");
            if git.exists() {
                top = folder;
                // In a submodule it is a file that points into the repository around it.
                if git.is_dir() {
                    break;
                }
            }
        }
        // Elsewhere such a name can mean anything.
        let names = if self.in_ci() { &CHECKED_OUT[..] } else { &[] };
        let named = names.iter().filter_map(|name| self.var(name)).map(Path::new);
        for checkout in named.filter(|path| path.is_absolute()) {
            let holds = |folder: &&Path| {
                folder.canonicalize().is_ok_and(|f| checkout.canonicalize().is_ok_and(|c| f == c))
            };
            if let Some(folder) = top.ancestors().find(holds).filter(|folder| folder.parent().is_some()) {
                top = folder;
            }
        }
        top
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::fs;

    use super::*;

    #[test]
    fn the_checkout_is_all_that_the_repository_brings() {
        let base = tempfile::tempdir().unwrap();
        let top = base.path().canonicalize().unwrap().join("top");
        let inner = top.join("sub/inner");
        fs::create_dir_all(inner.join("deep")).unwrap();
        fs::create_dir_all(top.join("plain")).unwrap();
        let of = |folder: &Path, env: &[(&str, &Path)]| {
            let env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            Workspace::new(folder.to_owned(), env).checkout().to_owned()
        };
        assert_eq!(of(&inner, &[]), inner);
        // Without a `.git`, what the CI system says; a laptop's variable of that name says nothing.
        let said = [("GITHUB_WORKSPACE", top.as_path())];
        assert_eq!(of(&inner, &said), inner);
        let in_ci = [("CI", Path::new("true")), said[0]];
        assert_eq!(of(&inner, &in_ci), top);
        assert_eq!(of(&inner, &[in_ci[0], ("GITHUB_WORKSPACE", Path::new("/"))]), inner);
        // A submodule is part of what holds it; a repository of its own is not.
        fs::create_dir(top.join(".git")).unwrap();
        assert_eq!(of(&inner.join("deep"), &[]), top);
        fs::write(inner.join(".git"), "gitdir: ../../.git/modules/inner").unwrap();
        assert_eq!(of(&inner.join("deep"), &[]), top);
        fs::remove_file(inner.join(".git")).unwrap();
        fs::create_dir(inner.join(".git")).unwrap();
        assert_eq!(of(&inner.join("deep"), &[]), inner);
    }
}
