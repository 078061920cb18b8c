//! Pipenv: `Pipfile.lock`, sources by `Pipfile`, a mirror of PyPI by `PIPENV_PYPI_MIRROR`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of, option_value, program},
    cache::{self, CacheScan},
    python::{self, Line, PYPI},
    script,
};

/// The Pipenv adapter.
pub(crate) struct Pipenv;

/// Options that may stand before the command. Source: `pipenv --help` of Pipenv 2026.10.3.
const FLAGS: [&str; 7] = ["-q", "--quiet", "-v", "--verbose", "--clear", "--bare", "--site-packages"];
/// Those that take a value.
const VALUED: [&str; 2] = ["--python", "--pypi-mirror"];

impl Adapter for Pipenv {
    fn tool(&self) -> Tool {
        Tool::new("pipenv").unwrap_or_else(|| unreachable!("`pipenv` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        if !is_pipenv(argv) {
            return None;
        }
        let Some(line) = line(argv) else { return Some(facts(tool, CommandKind::Opaque, false)) };
        let (kind, fetches) = match line.command {
            "install" | "sync" | "update" | "upgrade" | "lock" => (CommandKind::Install, true),
            "check" | "audit" | "scan" => (CommandKind::Test, true),
            "verify" => (CommandKind::Test, false),
            "run" => (runs(line.rest), false),
            _ => (CommandKind::Opaque, false),
        };
        Some(facts(tool, kind, fetches))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        let Some(line) = line(argv).filter(|l| l.start.len() == 1) else { return false };
        let known =
            |a: &String| matches!(a.as_str(), "--dev" | "-d" | "--deploy" | "--ignore-pipfile" | "--system");
        let pinned = line.rest.iter().any(|a| a == "--deploy" || a == "--ignore-pipfile");
        line.rest.iter().all(known) && (line.command == "sync" || line.command == "install" && pinned)
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        line(&job.argv)?;
        let manifest = manifest(job)?;
        Some(Lockplace {
            path: RelPath::parse(&format!("{manifest}.lock"))?,
            format: Format::PipfileLock,
            manifests: vec![manifest],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[".venv", "__pycache__"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // `pipenv lock` takes the newest of everything.
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let line = line(&job.argv)?;
        let check: &[&str] = match line.command {
            "install" | "lock" | "update" | "upgrade" => &["verify"],
            // It installs from the lockfile whatever the Pipfile says.
            "sync" if !line.rest.iter().any(|a| a == "--system") => &["run", "python", "-m", "pip", "check"],
            _ => return None,
        };
        Some(line.start.iter().cloned().chain(check.iter().map(|c| (*c).to_owned())).collect())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        // The pip inside it is given Pipenv's own folder. Source: pipenv, `utils/pip.py`.
        let root = match job.workspace.var("PIPENV_CACHE_DIR") {
            Some(folder) => Some(job.workspace.root.join(folder)),
            None => caches(job).map(|caches| caches.join("pipenv")),
        };
        Box::pin(async move { root.filter(|root| root.is_absolute() && root.is_dir()) })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        // Its own cache, and that of the pip inside it.
        let named = ["PIPENV_CACHE_DIR", "PIP_CACHE_DIR"].map(|v| job.workspace.var(v).map(PathBuf::from));
        let caches = caches(job);
        let default = |name: &str| caches.as_ref().map(|c| c.join(name));
        let places: Vec<PathBuf> = named
            .into_iter()
            .chain([default("pipenv"), default("pip")])
            .flatten()
            .map(|place| job.workspace.root.join(place))
            .collect();
        Box::pin(async move { places })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::PIPENV, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move { python::remotes_of(&sources(job)) })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move { python::artifact_urls(&self.remotes(job).await, entry).await })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // It stands in for PyPI only; credentials are part of a source's address, so none goes to the mirror.
        Overlay {
            env: vec![
                ("PIPENV_PYPI_MIRROR".to_owned(), mirror.to_owned()),
                ("PIP_EXTRA_INDEX_URL".to_owned(), String::new()),
            ],
            args: vec![],
        }
    }
}

fn is_pipenv(argv: &[String]) -> bool {
    program(argv) == "pipenv" || python::by_module(argv, "pipenv")
}

fn line(argv: &[String]) -> Option<Line<'_>> {
    if !is_pipenv(argv) {
        return None;
    }
    let at = if program(argv) == "pipenv" { 1 } else { 3 };
    Line::read(argv, at, &FLAGS, &VALUED)
}

/// Where programs keep caches. Source: the XDG Base Directory specification.
fn caches(job: &Job) -> Option<PathBuf> {
    let named = job.workspace.var("XDG_CACHE_HOME").map(PathBuf::from);
    named.or_else(|| Some(job.workspace.home()?.join(".cache")))
}

/// `pipenv run` starts a program, or a script of the Pipfile by its name.
fn runs(argv: &[String]) -> CommandKind {
    match python::runs(argv) {
        CommandKind::Opaque => argv.first().map_or(CommandKind::Opaque, |name| script::kind(name)),
        kind => kind,
    }
}

/// The Pipfile, below the folder in which the job stands: Pipenv looks above it too, and that is another's.
fn manifest(job: &Job) -> Option<RelPath> {
    let Some(named) = job.workspace.var("PIPENV_PIPFILE") else { return RelPath::parse("Pipfile") };
    let path = Path::new(named);
    let below = path.strip_prefix(&job.workspace.root).unwrap_or(path).to_str()?;
    RelPath::parse(below.strip_prefix("./").unwrap_or(below))
}

/// The addresses of the sources; a mirror replaces PyPI among them.
/// Source: Pipenv's documentation, "Specifying Package Indexes", and `pipenv/utils/internet.py`.
fn sources(job: &Job) -> Vec<String> {
    let text = manifest(job).and_then(|m| fs::read_to_string(job.workspace.root.join(m.as_str())).ok());
    let pipfile = text.and_then(|t| t.parse::<toml::Table>().ok()).unwrap_or_default();
    let listed = pipfile.get("source").and_then(|s| s.as_array()).into_iter().flatten();
    let mut urls: Vec<String> =
        listed.filter_map(|s| s.get("url")?.as_str()).map(|url| with_variables(url, job)).collect();
    if urls.is_empty() {
        urls.push(PYPI.to_owned());
    }
    let given =
        line(&job.argv).filter(|l| l.command != "run").and_then(|l| option_value(l.rest, &["--pypi-mirror"]));
    if let Some(mirror) = given.or(job.workspace.var("PIPENV_PYPI_MIRROR")) {
        for url in &mut urls {
            if matches!(host_of(url).as_deref(), Some("pypi.org" | "files.pythonhosted.org")) {
                *url = mirror.to_owned();
            }
        }
    }
    urls
}

/// A source's address may name variables of the environment: `https://${USER}:$TOKEN@host/simple`.
fn with_variables(url: &str, job: &Job) -> String {
    let mut out = String::new();
    let mut rest = url;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (name, after) = match behind.strip_prefix('{').and_then(|b| b.split_once('}')) {
            Some((name, after)) => (name, after),
            None => {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = behind.find(|c| !word(c)).unwrap_or(behind.len());
                behind.split_at(end)
            }
        };
        out.push_str(job.workspace.var(name).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
    out
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

    fn job(root: &Path, argv: &str, env: &[(&str, &str)]) -> Job {
        let env: BTreeMap<_, _> = env.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Job { workspace: Workspace::new(root.to_owned(), env), argv: words(argv) }
    }

    #[test]
    fn what_a_command_does() {
        use CommandKind as K;
        for (text, kind, fetches, frozen) in [
            ("pipenv install --deploy", K::Install, true, true),
            ("pipenv install --deploy --dev --system", K::Install, true, true),
            ("pipenv install", K::Install, true, false),
            ("pipenv install --deploy app", K::Install, true, false),
            ("pipenv sync", K::Install, true, true),
            ("pipenv sync --pypi-mirror https://a.example/", K::Install, true, false),
            ("pipenv -q sync", K::Install, true, false),
            ("python3 -m pipenv verify", K::Test, false, false),
            ("pipenv run pytest", K::Test, false, false),
            ("pipenv run test", K::Test, false, false),
            ("pipenv run serve", K::Opaque, false, false),
            ("pipenv uninstall app", K::Opaque, false, false),
            ("pipenv shell", K::Opaque, false, false),
        ] {
            let facts = Pipenv.recognise(&words(text)).unwrap();
            assert_eq!((facts.kind, facts.fetches), (kind, fetches), "{text}");
            assert_eq!(Pipenv.is_frozen(&words(text)), frozen, "{text}");
        }
    }

    #[test]
    fn a_mirror_stands_in_for_the_public_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(sources(&job(root, "pipenv sync", &[])), [PYPI]);
        let pipfile = "[[source]]\nurl = 'https://pypi.org/simple'\n\
                       [[source]]\nurl = 'https://${WHO}:$TOKEN@own.example/simple'\n";
        fs::write(root.join("Pipfile"), pipfile).unwrap();
        let env = [("PIPENV_PYPI_MIRROR", "https://m.example/"), ("WHO", "me"), ("TOKEN", "t")];
        assert_eq!(
            sources(&job(root, "pipenv sync", &env)),
            ["https://m.example/", "https://me:t@own.example/simple"]
        );
        let argv = "pipenv install --deploy --pypi-mirror https://n.example/";
        assert_eq!(sources(&job(root, argv, &env))[0], "https://n.example/");
        let hosts = python::remotes_of(&sources(&job(root, "pipenv sync", &env[1..])));
        let urls: Vec<&str> = hosts.iter().map(|r| r.probe_url.as_str()).collect();
        assert_eq!(
            urls,
            ["https://pypi.org/simple/", "https://files.pythonhosted.org/", "https://own.example/simple/"],
            "no credential is left"
        );
    }

    #[test]
    fn the_lockfile_lies_beside_its_pipfile() {
        let at = |env: &[(&str, &str)]| {
            Pipenv.lockfile(&job(Path::new("/repo"), "pipenv sync", env)).map(|l| l.path.to_string())
        };
        assert_eq!(at(&[]).as_deref(), Some("Pipfile.lock"));
        assert_eq!(at(&[("PIPENV_PIPFILE", "/repo/sub/Pipfile")]).as_deref(), Some("sub/Pipfile.lock"));
        assert_eq!(at(&[("PIPENV_PIPFILE", "./Pipfile.ci")]).as_deref(), Some("Pipfile.ci.lock"));
        assert_eq!(at(&[("PIPENV_PIPFILE", "/elsewhere/Pipfile")]), None);
    }

    #[test]
    fn the_check_fits_what_the_command_promises() {
        let check =
            |argv: &str| Pipenv.consistency_check(&job(Path::new("/repo"), argv, &[])).map(|c| c.join(" "));
        assert_eq!(check("pipenv install --deploy").as_deref(), Some("pipenv verify"));
        assert_eq!(check("pipenv sync").as_deref(), Some("pipenv run python -m pip check"));
        assert_eq!(check("pipenv sync --system"), None);
        assert_eq!(check("pipenv run pytest"), None);
    }
}
