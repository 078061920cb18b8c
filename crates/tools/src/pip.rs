//! pip and pip-tools: `requirements.txt` with hashes, the HTTP and wheel caches, the index by `pip config`.

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, option_value, program},
    cache::{self, CacheScan},
    python,
};

/// The pip adapter.
pub(crate) struct Pip;

impl Adapter for Pip {
    fn tool(&self) -> Tool {
        Tool::new("pip").unwrap_or_else(|| unreachable!("`pip` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        let (starter, rest) = split(argv)?;
        match starter {
            Starter::Pip => {}
            Starter::Tools(_) => return Some(facts(tool, CommandKind::Install, true)),
            Starter::Tests => return Some(facts(tool, CommandKind::Test, false)),
        }
        let online = !rest.iter().any(|a| a == "--no-index");
        Some(match rest.first().map(String::as_str) {
            Some("install" | "download" | "sync") => facts(tool, CommandKind::Install, online),
            Some("wheel") => facts(tool, CommandKind::Build, online),
            Some("check") => facts(tool, CommandKind::Test, false),
            _ => facts(tool, CommandKind::Opaque, false),
        })
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        let after: Vec<&str> = match split(argv) {
            Some((Starter::Pip, rest)) if rest.first().is_some_and(|w| w == "install") => {
                rest[1..].iter().map(String::as_str).filter(|w| !TIGHTENS.contains(w)).collect()
            }
            _ => return false,
        };
        matches!(after.as_slice(), ["-r" | "--requirement", _])
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let (starter, rest) = split(&job.argv)?;
        let named = match starter {
            Starter::Tools("sync") => {
                rest.iter().map(String::as_str).find(|a| !a.starts_with('-')).unwrap_or("requirements.txt")
            }
            // What it writes; it keeps what is pinned there.
            Starter::Tools(_) => option_value(rest, &["-o", "--output-file"]).unwrap_or("requirements.txt"),
            Starter::Pip | Starter::Tests => option_value(rest, &["-r", "--requirement"])
                .or_else(|| rest.iter().find_map(|a| a.strip_prefix("-r").filter(|p| !p.is_empty())))?,
        };
        let path = RelPath::parse(named.strip_prefix("./").unwrap_or(named))?;
        Some(Lockplace { path, format: Format::PipRequirements, manifests: vec![] })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[".venv", "venv", "__pycache__", "site-packages"]
    }

    fn resolver(&self) -> Option<Resolver> {
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let (starter, rest) = split(&job.argv)?;
        if starter != Starter::Pip {
            return None;
        }
        // What was installed aside is not what `pip check` looks at.
        if rest.iter().any(|a| {
            a.starts_with("--target") || a == "-t" || a.starts_with("--prefix") || a.starts_with("--root")
        }) {
            return None;
        }
        let starter = argv_before(&job.argv, rest)?;
        Some(starter.iter().cloned().chain(["check".to_owned()]).collect())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let (_, rest) = split(&job.argv)?;
            if rest.iter().any(|a| a == "--no-cache-dir") {
                return None;
            }
            let root = match option_value(rest, &["--cache-dir"]) {
                Some(path) => job.workspace.root.join(path),
                None => PathBuf::from(ask_pip(job, &["cache", "dir"]).await?),
            };
            (root.is_absolute() && root.is_dir()).then_some(root)
        })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::PipCache, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let rest = split(&job.argv).map(|(_, rest)| rest).unwrap_or_default();
            let url = match option_value(rest, &["-i", "--index-url"]).or(job.workspace.var("PIP_INDEX_URL"))
            {
                Some(url) => url.to_owned(),
                None => ask_pip(job, &["config", "get", "global.index-url"])
                    .await
                    .unwrap_or(python::PYPI.to_owned()),
            };
            let mut indexes = vec![url];
            indexes.extend(option_value(rest, &["--extra-index-url"]).map(str::to_owned));
            let extra = job.workspace.var("PIP_EXTRA_INDEX_URL").unwrap_or_default();
            indexes.extend(extra.split_whitespace().map(str::to_owned));
            python::remotes_of(&indexes)
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { python::artifact_urls(&self.remotes(job).await, entry).await })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // The index address carries its own credential; the mirror gets none of it, and no extra index.
        Overlay {
            env: vec![
                ("PIP_INDEX_URL".to_owned(), mirror.to_owned()),
                ("PIP_EXTRA_INDEX_URL".to_owned(), String::new()),
            ],
            args: vec![],
        }
    }
}

/// Options that take nothing from anywhere, and loosen no check.
const TIGHTENS: [&str; 8] = [
    "--require-hashes",
    "--no-deps",
    "--no-input",
    "--no-cache-dir",
    "--only-binary=:all:",
    "--disable-pip-version-check",
    "--quiet",
    "-q",
];

/// What an argv starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Starter {
    Pip,
    /// pip-tools: `sync` or `compile`.
    Tools(&'static str),
    Tests,
}

/// `pip …`, `python -m pip …`, `pip-sync …`, `python -m piptools compile …`, `pytest`, `python -m unittest`: what is
/// started, and the rest.
fn split(argv: &[String]) -> Option<(Starter, &[String])> {
    let name = program(argv);
    let versioned = |base: &str| {
        name.strip_prefix(base).is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    if versioned("pip") {
        return Some((Starter::Pip, &argv[1..]));
    }
    match name {
        "pip-sync" => return Some((Starter::Tools("sync"), &argv[1..])),
        "pip-compile" => return Some((Starter::Tools("compile"), &argv[1..])),
        _ => {}
    }
    if name == "pytest" || name == "tox" {
        return Some((Starter::Tests, &argv[1..]));
    }
    if versioned("python") && argv.get(1).is_some_and(|a| a == "-m") {
        return match argv.get(2)?.as_str() {
            "pip" => Some((Starter::Pip, &argv[3..])),
            "piptools" => match argv.get(3)?.as_str() {
                "sync" => Some((Starter::Tools("sync"), &argv[4..])),
                "compile" => Some((Starter::Tools("compile"), &argv[4..])),
                _ => None,
            },
            "unittest" | "pytest" => Some((Starter::Tests, &argv[3..])),
            _ => None,
        };
    }
    None
}

/// What stands before `rest` in `argv`: how this job starts pip.
fn argv_before<'a>(argv: &'a [String], rest: &[String]) -> Option<&'a [String]> {
    argv.get(..argv.len() - rest.len())
}

async fn ask_pip(job: &Job, question: &[&str]) -> Option<String> {
    let (starter, rest) = split(&job.argv)?;
    let before = argv_before(&job.argv, rest).filter(|_| starter == Starter::Pip)?;
    let argv: Vec<&str> = before.iter().map(String::as_str).chain(question.iter().copied()).collect();
    let captured = job.workspace.quietly(&argv, &[], None).await?;
    let value = String::from_utf8(captured.stdout).ok()?.trim().to_owned();
    (captured.code == Some(0) && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::workspace::Workspace;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn job(argv: &str, env: &[(&str, &str)]) -> Job {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Job { workspace: Workspace::new(PathBuf::from("/nowhere"), env), argv: words(argv) }
    }

    #[test]
    fn what_a_command_does_and_which_lockfile_it_uses() {
        use CommandKind as K;
        let frozen = "pip install --require-hashes --no-deps -r requirements.txt";
        for (text, kind, is_frozen, lockfile) in [
            (frozen, K::Install, true, Some("requirements.txt")),
            ("python3.12 -m pip install -r ./dev.txt", K::Install, true, Some("dev.txt")),
            ("pip install -r requirements.txt app", K::Install, false, Some("requirements.txt")),
            ("pip install app", K::Install, false, None),
            ("pip wheel -r requirements.txt", K::Build, false, Some("requirements.txt")),
            ("pip-sync", K::Install, false, Some("requirements.txt")),
            ("pip-sync -q dev.txt", K::Install, false, Some("dev.txt")),
            ("pip-compile --generate-hashes -o locked.txt", K::Install, false, Some("locked.txt")),
            ("python -m piptools compile", K::Install, false, Some("requirements.txt")),
            ("pytest install -r requirements.txt", K::Test, false, Some("requirements.txt")),
        ] {
            assert_eq!(Pip.recognise(&words(text)).unwrap().kind, kind, "{text}");
            assert_eq!(Pip.is_frozen(&words(text)), is_frozen, "{text}");
            let found = Pip.lockfile(&job(text, &[])).map(|l| l.path.to_string());
            assert_eq!(found.as_deref(), lockfile, "{text}");
        }
    }

    #[test]
    fn a_test_runner_is_not_asked_for_a_consistency_that_it_does_not_know() {
        let check = |text: &str| Pip.consistency_check(&job(text, &[])).map(|c| c.join(" "));
        assert_eq!(check("python -m pip install app").as_deref(), Some("python -m pip check"));
        assert_eq!(check("pip install --target lib app"), None);
        assert_eq!(check("pytest -q"), None);
        assert_eq!(check("pip-sync"), None);
    }

    #[tokio::test]
    async fn every_index_that_is_named_is_asked() {
        let env = [
            ("PIP_INDEX_URL", "https://a.example/simple"),
            ("PIP_EXTRA_INDEX_URL", "https://me:t@b.example/ "),
        ];
        let remotes = Pip.remotes(&job("pip install app --extra-index-url https://c.example/", &env)).await;
        let urls: Vec<&str> = remotes.iter().map(|r| r.probe_url.as_str()).collect();
        assert_eq!(urls, ["https://a.example/simple/", "https://c.example/", "https://b.example/"]);
    }
}
