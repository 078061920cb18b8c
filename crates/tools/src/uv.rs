//! uv: `uv.lock` of a project, or a `requirements.txt` by `uv pip`; indexes by environment, `pyproject.toml` and
//! `uv.toml`.

mod argv;
mod config;

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts},
    cache::{self, CacheScan},
    python,
    workspace::member_manifests,
};
use argv::{Asked, asked};

/// The uv adapter.
pub(crate) struct Uv;

impl Adapter for Uv {
    fn tool(&self) -> Tool {
        Tool::new("uv").unwrap_or_else(|| unreachable!("`uv` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        if !argv::is_uv(argv) {
            return None;
        }
        let Some(asked) = asked(argv) else { return Some(facts(tool, CommandKind::Opaque, false)) };
        let kind = kind(&asked);
        let fetches = !matches!(kind, CommandKind::Opaque | CommandKind::Deploy)
            && !asked.has("--offline")
            && !matches!(asked.words(), ["pip", "check"]);
        Some(facts(tool, kind, fetches))
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let asked = asked(&job.argv)?;
        if let ["pip", "install" | "sync"] = asked.words() {
            let path = RelPath::parse(&asked.below(job, asked.requirements()?)?)?;
            return Some(Lockplace { path, format: Format::PipRequirements, manifests: vec![] });
        }
        if !of_project(&asked) {
            return None;
        }
        let place = |name: &str| RelPath::parse(&asked.below(job, name)?);
        let mut manifests = vec![place("pyproject.toml")?];
        // Members are named from where the workspace's root is; that is the job's own folder, or nothing is said.
        if manifests[0].as_str() == "pyproject.toml" {
            manifests.extend(members(&job.workspace.root));
        }
        Some(Lockplace { path: place("uv.lock")?, format: Format::UvLock, manifests })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[".venv", "venv", "__pycache__", "site-packages"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // What is locked stays as long as it fits; a package that would have to be built ends it.
        Some(Resolver {
            argv: vec!["uv", "lock", "--no-build"],
            env: vec![("UV_FROZEN", "0"), ("UV_LOCKED", "0")],
        })
    }

    fn resolver_for(&self, job: &Job) -> Option<Resolver> {
        // It completes `uv.lock`, here, and nothing else.
        let here = self.lockfile(job)?.path.as_str() == "uv.lock";
        self.resolver().filter(|_| here)
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let asked = asked(&job.argv)?;
        let whole = |more: &[&str]| {
            Some(job.argv.iter().cloned().chain(more.iter().map(|m| (*m).to_owned())).collect())
        };
        match asked.words() {
            ["sync"] if asked.has("--check") || asked.has("--dry-run") || asked.has("--script") => None,
            ["sync"] => whole(&["--check"]),
            ["lock"] if asked.has("--check") => None,
            ["lock"] => whole(&["--check"]),
            // What was installed aside is not what `uv pip check` looks at.
            ["pip", "install" | "sync"]
                if asked.has("--target") || asked.has("-t") || asked.has("--prefix") =>
            {
                None
            }
            ["pip", "install" | "sync"] => {
                let mut check: Vec<String> = asked.start.to_vec();
                check.extend(["pip".to_owned(), "check".to_owned()]);
                check.extend(asked.has("--system").then(|| "--system".to_owned()));
                if let Some(python) = asked.value(&["--python", "-p"]) {
                    check.extend(["--python".to_owned(), python.to_owned()]);
                }
                Some(check)
            }
            _ => None,
        }
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move { cache_folder(job).await.filter(|root| root.is_dir()) })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        Box::pin(async move { cache_folder(job).await.into_iter().collect() })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::UvCache, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let Some(asked) = asked(&job.argv) else { return Vec::new() };
            python::remotes_of(&config::indexes(job, &asked))
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { python::artifact_urls(&self.remotes(job).await, entry).await })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // uv keys credentials by host and by an index's name, so none of them goes to the mirror.
        Overlay {
            env: vec![
                ("UV_DEFAULT_INDEX".to_owned(), mirror.to_owned()),
                ("UV_INDEX".to_owned(), String::new()),
                ("UV_EXTRA_INDEX_URL".to_owned(), String::new()),
            ],
            args: vec![],
        }
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        // `uv.lock` names the address of every file, so a mirror serves only a `requirements.txt`.
        let Some(asked) = asked(argv).filter(|a| a.start.len() == 1) else { return false };
        match (asked.words(), asked.rest) {
            (["pip", "sync"], [file]) => !file.starts_with('-'),
            (["pip", "install"], [r, _]) => r == "-r" || r == "--requirements" || r == "--requirement",
            _ => false,
        }
    }
}

fn kind(asked: &Asked<'_>) -> CommandKind {
    match asked.words() {
        ["sync" | "lock" | "add" | "remove" | "tree" | "export"] => CommandKind::Install,
        ["pip", "install" | "sync" | "compile"] => CommandKind::Install,
        ["tool", "install" | "upgrade"] | ["python", "install"] => CommandKind::Install,
        ["build"] => CommandKind::Build,
        ["audit"] | ["pip", "check"] => CommandKind::Test,
        ["run"] | ["tool", "run"] => asked.inner().map_or(CommandKind::Opaque, |inner| python::runs(&inner)),
        ["publish"] => CommandKind::Deploy,
        _ => CommandKind::Opaque,
    }
}

/// Whether the command works with a project's lockfile.
fn of_project(asked: &Asked<'_>) -> bool {
    matches!(asked.words(), ["sync" | "lock" | "add" | "remove" | "tree" | "export" | "run" | "audit"])
        && !asked.has("--script")
        && !asked.has("--no-project")
}

fn members(root: &Path) -> Vec<RelPath> {
    let text = std::fs::read_to_string(root.join("pyproject.toml")).unwrap_or_default();
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let workspace = manifest.get("tool").and_then(|t| t.get("uv")).and_then(|u| u.get("workspace"));
    let members = workspace.and_then(|w| w.get("members")).and_then(|m| m.as_array());
    member_manifests(root, members.into_iter().flatten().filter_map(|m| m.as_str()), "pyproject.toml")
}

async fn cache_folder(job: &Job) -> Option<PathBuf> {
    let asked = asked(&job.argv)?;
    if let Some(path) = asked.value(&["--cache-dir"]).or(job.workspace.var("UV_CACHE_DIR")) {
        return Some(job.workspace.root.join(path));
    }
    let argv: Vec<&str> = asked.start.iter().map(String::as_str).chain(["cache", "dir"]).collect();
    let said = job.workspace.quietly(&argv, &[], None).await?;
    let path = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    (said.code == Some(0) && path.is_absolute()).then_some(path)
}

#[cfg(test)]
mod tests;
