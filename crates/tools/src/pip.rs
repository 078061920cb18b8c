//! pip: `requirements.txt` with hashes, the HTTP and wheel caches, the index by `pip config`.

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, option_value, program, words},
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
        if starter != "pip" {
            return Some(facts(tool, CommandKind::Test, false));
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
        let words = words(argv);
        let after = words.iter().position(|w| *w == "install").map_or(&[][..], |i| &words[i + 1..]);
        matches!(after, ["-r" | "--requirement", _])
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let (_, rest) = split(&job.argv)?;
        let named = option_value(rest, &["-r", "--requirement"])
            .or_else(|| rest.iter().find_map(|a| a.strip_prefix("-r").filter(|p| !p.is_empty())))?;
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
        let (_, rest) = split(&job.argv)?;
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
            python::remotes_of(&[url])
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

/// `pip …`, `python -m pip …` give (`pip`, the rest); `pytest`, `python -m unittest|pytest` give (`test`, the rest).
fn split(argv: &[String]) -> Option<(&'static str, &[String])> {
    let name = program(argv);
    let versioned = |base: &str| {
        name.strip_prefix(base).is_some_and(|v| v.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    };
    if versioned("pip") {
        return Some(("pip", &argv[1..]));
    }
    if name == "pytest" || name == "tox" {
        return Some(("test", &argv[1..]));
    }
    if versioned("python") && argv.get(1).is_some_and(|a| a == "-m") {
        return match argv.get(2)?.as_str() {
            "pip" => Some(("pip", &argv[3..])),
            "unittest" | "pytest" => Some(("test", &argv[3..])),
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
    let before = argv_before(&job.argv, rest).filter(|_| starter == "pip")?;
    let argv: Vec<&str> = before.iter().map(String::as_str).chain(question.iter().copied()).collect();
    let captured = job.workspace.quietly(&argv, &[], None).await?;
    let value = String::from_utf8(captured.stdout).ok()?.trim().to_owned();
    (captured.code == Some(0) && !value.is_empty()).then_some(value)
}
