//! Poetry: `poetry.lock`, sources by `pyproject.toml`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, program},
    cache::{self, CacheScan, DamagedEntry},
    python::{self, Line, PYPI},
};

/// The Poetry adapter.
pub(crate) struct Poetry;

/// Options of the program itself. Source: `poetry list` of Poetry 2.5.1.
const FLAGS: [&str; 12] = [
    "-q",
    "--quiet",
    "--ansi",
    "--no-ansi",
    "-n",
    "--no-interaction",
    "--no-plugins",
    "--no-cache",
    "-v",
    "-vv",
    "-vvv",
    "--verbose",
];
/// Those that take a value.
const VALUED: [&str; 4] = ["-P", "--project", "-C", "--directory"];

impl Adapter for Poetry {
    fn tool(&self) -> Tool {
        Tool::new("poetry").unwrap_or_else(|| unreachable!("`poetry` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        if !is_poetry(argv) {
            return None;
        }
        let Some(line) = line(argv) else { return Some(facts(tool, CommandKind::Opaque, false)) };
        let (kind, fetches) = match line.command {
            "install" | "sync" | "update" | "add" | "remove" | "lock" => (CommandKind::Install, true),
            "build" => (CommandKind::Build, true),
            "check" => (CommandKind::Test, false),
            "publish" => (CommandKind::Deploy, false),
            "run" => (python::runs(line.rest), false),
            _ => (CommandKind::Opaque, false),
        };
        Some(facts(tool, kind, fetches))
    }

    fn is_frozen(&self, _: &[String]) -> bool {
        // Poetry takes its sources from `pyproject.toml` alone, which the lockfile's hash covers.
        false
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let place = |name: &str| RelPath::parse(&below(job, name)?);
        Some(Lockplace {
            path: place("poetry.lock")?,
            format: Format::PoetryLock,
            manifests: vec![place("pyproject.toml")?],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[".venv", "__pycache__"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // Poetry 2 keeps what is locked. Poetry 1 would upgrade everything; it doesn't know `--project`, so it refuses.
        // A package without a wheel is built for its metadata, as `poetry install` would build it.
        Some(Resolver { argv: vec!["poetry", "--project", ".", "lock", "--no-interaction"], env: vec![] })
    }

    fn resolver_for(&self, job: &Job) -> Option<Resolver> {
        let here = self.lockfile(job)?.path.as_str() == "poetry.lock";
        self.resolver().filter(|_| here)
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let line = line(&job.argv)?;
        let checked = matches!(line.command, "install" | "sync" | "update" | "add" | "remove" | "lock");
        let check = ["check".to_owned(), "--lock".to_owned()];
        checked.then(|| line.start.iter().cloned().chain(check).collect())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        let unused = line(&job.argv).is_none_or(|l| l.start.iter().any(|a| a == "--no-cache"));
        let root = cache_folder(job).filter(|root| !unused && root.is_absolute() && root.is_dir());
        Box::pin(async move { root })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        Box::pin(async move { cache_folder(job).into_iter().collect() })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        let mut scan = cache::scan_for(&cache::POETRY, &job.workspace.root, root);
        // An answer without its body is one that Poetry breaks off at; what stands beside it goes with it.
        let heads = scan.damaged.iter().filter_map(|damaged| {
            let path = RelPath::parse(damaged.path.as_str().strip_suffix(".body")?)?;
            let there = root.join(path.as_str()).is_file();
            there.then(|| DamagedEntry { path, why: "the body of this answer is damaged".to_owned() })
        });
        let heads: Vec<DamagedEntry> = heads.collect();
        scan.damaged.extend(heads);
        scan
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let Some(manifest) = below(job, "pyproject.toml") else { return Vec::new() };
            let text = fs::read_to_string(job.workspace.root.join(manifest)).unwrap_or_default();
            python::remotes_of(&sources(&text))
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { python::artifact_urls(&self.remotes(job).await, entry).await })
    }

    fn use_mirror(&self, _: &str) -> Overlay {
        Overlay::default()
    }
}

fn is_poetry(argv: &[String]) -> bool {
    program(argv) == "poetry" || python::by_module(argv, "poetry")
}

fn line(argv: &[String]) -> Option<Line<'_>> {
    if !is_poetry(argv) {
        return None;
    }
    let at = if program(argv) == "poetry" { 1 } else { 3 };
    Line::read(argv, at, &FLAGS, &VALUED)
}

/// A path of the project, below the folder in which the job stands; `None` where it is not known to be below it.
fn below(job: &Job, path: &str) -> Option<String> {
    let line = line(&job.argv)?;
    let options = || line.start.iter().chain(line.rest.iter().filter(|_| line.command != "run"));
    let elsewhere = options().position(|a| VALUED.iter().any(|v| a == v || a.starts_with(&format!("{v}="))));
    let Some(at) = elsewhere else { return Some(path.to_owned()) };
    let option = options().nth(at)?;
    let folder = match option.split_once('=') {
        Some((_, folder)) => folder,
        None => options().nth(at + 1)?,
    };
    let folder = folder.strip_prefix("./").unwrap_or(folder).trim_end_matches('/');
    match folder {
        "" | "." => Some(path.to_owned()),
        _ if folder.starts_with('/') => None,
        _ => Some(format!("{folder}/{path}")),
    }
}

/// The addresses of the sources. A source that is primary replaces PyPI.
/// Source: Poetry's documentation, "Repositories", "Package sources".
fn sources(manifest: &str) -> Vec<String> {
    let Ok(manifest) = manifest.parse::<toml::Table>() else { return vec![PYPI.to_owned()] };
    let poetry = manifest.get("tool").and_then(|t| t.get("poetry"));
    let listed = poetry.and_then(|p| p.get("source")).and_then(|s| s.as_array()).into_iter().flatten();
    let mut found = Vec::new();
    let mut replaced = false;
    for source in listed {
        let text = |key: &str| source.get(key).and_then(|v| v.as_str());
        if text("name").is_some_and(|name| name.eq_ignore_ascii_case("pypi")) {
            found.push(PYPI.to_owned());
            continue;
        }
        let secondary = source.get("secondary").and_then(|s| s.as_bool()) == Some(true);
        replaced |= match text("priority") {
            None => !secondary,
            Some(priority) => matches!(priority, "primary" | "default"),
        };
        found.extend(text("url").map(str::to_owned));
    }
    if !replaced && !found.iter().any(|url| url == PYPI) {
        found.push(PYPI.to_owned());
    }
    found
}

/// Source: Poetry's documentation, "Configuration", `cache-dir`.
fn cache_folder(job: &Job) -> Option<PathBuf> {
    if let Some(folder) = job.workspace.var("POETRY_CACHE_DIR") {
        return Some(job.workspace.root.join(folder));
    }
    let own = fs::read_to_string(job.workspace.root.join("poetry.toml")).unwrap_or_default();
    let own = own.parse::<toml::Table>().ok();
    if let Some(folder) = own.as_ref().and_then(|t| t.get("cache-dir")).and_then(|c| c.as_str()) {
        return Some(job.workspace.root.join(folder));
    }
    let caches = job.workspace.var("XDG_CACHE_HOME").map(PathBuf::from);
    Some(caches.or_else(|| Some(job.workspace.home()?.join(".cache")))?.join("pypoetry"))
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

    #[test]
    fn what_a_command_does() {
        use CommandKind as K;
        for (text, kind, fetches) in [
            ("poetry install --no-root", K::Install, true),
            ("poetry -n --no-ansi sync", K::Install, true),
            ("python -m poetry install", K::Install, true),
            ("poetry -C sub lock", K::Install, true),
            ("poetry run pytest -q", K::Test, false),
            ("poetry run python manage.py", K::Opaque, false),
            ("poetry build", K::Build, true),
            ("poetry publish --build", K::Deploy, false),
            ("poetry version patch", K::Opaque, false),
            ("poetry --unheard-of install", K::Opaque, false),
            ("poetry", K::Opaque, false),
        ] {
            let facts = Poetry.recognise(&words(text)).unwrap();
            assert_eq!((facts.kind, facts.fetches), (kind, fetches), "{text}");
        }
        assert_eq!(Poetry.recognise(&words("python -m pip install poetry")), None);
    }

    #[test]
    fn the_lockfile_and_its_check_are_where_the_project_is() {
        for (argv, path, check) in [
            ("poetry install", Some("poetry.lock"), Some("poetry check --lock")),
            ("poetry -C ./sub/ install", Some("sub/poetry.lock"), Some("poetry -C ./sub/ check --lock")),
            ("poetry install --directory=sub", Some("sub/poetry.lock"), Some("poetry check --lock")),
            ("poetry -P /elsewhere install", None, Some("poetry -P /elsewhere check --lock")),
            ("poetry run pytest -P x", Some("poetry.lock"), None),
        ] {
            let workspace = Workspace::new(PathBuf::from("/nowhere"), BTreeMap::new());
            let job = Job { workspace, argv: words(argv) };
            let found = Poetry.lockfile(&job).map(|l| l.path.to_string());
            assert_eq!(found.as_deref(), path, "{argv}");
            assert_eq!(Poetry.resolver_for(&job).is_some(), path == Some("poetry.lock"), "{argv}");
            assert_eq!(Poetry.consistency_check(&job).map(|c| c.join(" ")).as_deref(), check, "{argv}");
        }
    }

    #[test]
    fn a_primary_source_replaces_the_public_index() {
        let source = |more: &str| {
            sources(&format!(
                "[[tool.poetry.source]]\nname = 'own'\nurl = 'https://own.example/simple'\n{more}"
            ))
        };
        assert_eq!(sources(""), [PYPI]);
        assert_eq!(source(""), ["https://own.example/simple"]);
        assert_eq!(source("priority = 'primary'"), ["https://own.example/simple"]);
        assert_eq!(source("priority = 'explicit'"), ["https://own.example/simple", PYPI]);
        assert_eq!(source("secondary = true"), ["https://own.example/simple", PYPI]);
        assert_eq!(source("[[tool.poetry.source]]\nname = 'PyPI'"), ["https://own.example/simple", PYPI]);
    }
}
