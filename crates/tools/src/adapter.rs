//! The face of a package manager, and which one an argv starts.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Algorithm, Checksum, Entry, Format, Lockfile};
use regreen_saga::BoxFuture;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::{
    bun::Bun,
    bundler::Bundler,
    cargo::Cargo,
    composer::Composer,
    go::Go,
    npm::Npm,
    patience::{self, Trouble},
    pip::Pip,
    pipenv::Pipenv,
    pnpm::Pnpm,
    poetry::Poetry,
    uv::Uv,
    workspace::Workspace,
    yarn::Yarn,
};

pub use crate::cache::{CacheScan, DamagedEntry};

/// The wrapped command in its workspace.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where it runs.
    pub workspace: Workspace,
    /// Program and arguments.
    pub argv: Vec<String>,
}

/// Where a tool's lockfile is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockplace {
    /// Path below the workspace.
    pub path: RelPath,
    /// Its format.
    pub format: Format,
    /// Manifests that it must agree with, below the workspace.
    pub manifests: Vec<RelPath>,
}

/// A remote that a tool is configured to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Host and port, as logs name it.
    pub host: String,
    /// What is asked to learn whether it serves.
    pub probe_url: String,
    /// Base address under which the tool's packages are.
    pub base_url: String,
}

/// How the tool itself completes a lockfile: nothing is upgraded, no project script runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolver {
    /// Program and arguments.
    pub argv: Vec<&'static str>,
    /// Additional environment.
    pub env: Vec<(&'static str, &'static str)>,
}

/// What is added to a repeated command, and to nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overlay {
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// Arguments that go directly behind the program (behind cargo's `+toolchain`).
    pub args: Vec<String>,
}

/// A package manager.
pub trait Adapter: Send + Sync {
    /// Its name, as in the catalogue.
    fn tool(&self) -> Tool;

    /// What this argv does, where it starts this tool.
    fn recognise(&self, argv: &[String]) -> Option<CommandFacts>;

    /// Whether this command takes nothing but what the lockfile pins, and checks it: only then may a mirror serve it.
    fn is_frozen(&self, argv: &[String]) -> bool;

    /// The lockfile that the job uses.
    fn lockfile(&self, job: &Job) -> Option<Lockplace>;

    /// Folders that the tool fills and that are nobody's work (`node_modules`, `target`, …).
    fn install_folders(&self) -> &'static [&'static str];

    /// How the tool completes its own lockfile, where it can.
    fn resolver(&self) -> Option<Resolver>;

    /// The same for this job: none where its lockfile is another one than the resolver completes.
    fn resolver_for(&self, _: &Job) -> Option<Resolver> {
        self.resolver()
    }

    /// The tool's own check that what it installed fits together.
    fn consistency_check(&self, job: &Job) -> Option<Vec<String>>;

    /// The root of the cache that the job uses.
    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>>;

    /// Where the tool writes for itself, whatever the job is about: its cache, its logs, its locks.
    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        Box::pin(async move { self.cache_root(job).await.into_iter().collect() })
    }

    /// Reads the cache and names every entry whose bytes contradict their address, the lockfile's checksum, or
    /// their own format. Blocking.
    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan;

    /// The registries that the job uses.
    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>>;

    /// Where what `entry` stands for can be fetched now, by the word of the job's own registries, without credentials.
    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>>;

    /// Whether `checksum`, one of `entry` in `lock`, is of what a registry has `served`, as the tool itself makes and
    /// accepts it; `None` where the bytes that it is of can't be made from that. Says only what a repeated command will
    /// accept anyway; no checksum is ever taken into a lockfile by it.
    fn matches(&self, _lock: &Lockfile, _entry: &Entry, checksum: &Checksum, served: &[u8]) -> Option<bool> {
        Some(matches(checksum, served))
    }

    /// What the job's registry itself promises of `entry`, where the tool compares a download with that and not with its
    /// lockfile. An unsigned promise confirms nothing, for the same server sent the bytes; broken, it forbids.
    fn promised<'a>(&'a self, _: &'a Job, _: &'a Entry) -> BoxFuture<'a, Option<Checksum>> {
        Box::pin(async move { None })
    }

    /// What makes a repeated command use `mirror` in place of its registry, and send it no credential.
    fn use_mirror(&self, mirror: &str) -> Overlay;

    /// What makes a repeated command ask again for a download that fails, by the tool's own settings. Lowers nothing
    /// that the user has set.
    fn patient(&self, job: &Job, trouble: Trouble) -> Overlay {
        patience::patient(&self.tool(), job, trouble)
    }
}

/// Every supported package manager.
pub fn all() -> [&'static dyn Adapter; 12] {
    [&Npm, &Cargo, &Pip, &Pnpm, &Yarn, &Uv, &Poetry, &Pipenv, &Composer, &Go, &Bundler, &Bun]
}

/// The package manager with this name.
pub fn adapter(tool: &Tool) -> Option<&'static dyn Adapter> {
    all().into_iter().find(|a| a.tool() == *tool)
}

/// Stems that make a command one that must never be repeated, wherever a word begins with one.
const DEPLOY_STEMS: [&str; 5] = ["deploy", "publish", "releas", "migrat", "promot"];
/// Words that do so only as they stand: many others begin like them.
const DEPLOY_WORDS: [&str; 4] = ["sign", "signs", "signed", "signing"];

/// Whether a name (a job's, a script's, an argument) speaks of deploying, publishing, releasing, migrating or signing.
pub fn speaks_of_deploying(name: &str) -> bool {
    // `deployProd` is two words as well.
    let mut words = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
        before = c;
    }
    words
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| DEPLOY_STEMS.iter().any(|stem| word.starts_with(stem)) || DEPLOY_WORDS.contains(&word))
}

/// What an argv does. A program nobody knows is opaque; one that deploys is a deploy, whoever starts it.
pub fn recognise(argv: &[OsString]) -> CommandFacts {
    let Some(argv) = argv.iter().map(|a| a.to_str().map(str::to_owned)).collect::<Option<Vec<_>>>() else {
        return CommandFacts::OPAQUE;
    };
    let facts = all().into_iter().find_map(|a| a.recognise(&argv)).unwrap_or(CommandFacts::OPAQUE);
    // What was fed once is eaten: a repeated command would read nothing, and succeed at nothing.
    if argv.iter().skip(1).any(|a| a == "-" || a.ends_with("/dev/stdin") || a.contains("/dev/fd/")) {
        return CommandFacts { kind: CommandKind::Opaque, fetches: false, ..facts };
    }
    if facts.kind == CommandKind::Install && facts.tool.as_ref().is_some_and(|tool| is_mute(tool, &argv)) {
        return CommandFacts { kind: CommandKind::Opaque, fetches: false, ..facts };
    }
    // `cargo build --release` is no release: flags don't count, words do.
    if argv.iter().skip(1).any(|a| !a.starts_with('-') && !a.contains(['/', '=']) && speaks_of_deploying(a)) {
        return CommandFacts { kind: CommandKind::Deploy, fetches: false, ..facts };
    }
    facts
}

/// Whether an install is told not to announce the scripts of the project's that it runs, nor that one of them failed: then
/// nobody can tell their words from the tool's.
fn is_mute(tool: &Tool, argv: &[String]) -> bool {
    let says = |flags: &[&str]| argv.iter().any(|word| flags.contains(&word.as_str()));
    let silent = argv.windows(2).any(|pair| pair[0] == "--loglevel" && pair[1] == "silent");
    match tool.as_str() {
        "npm" => says(&["-s", "--silent", "--loglevel=silent"]) || silent,
        "yarn" => says(&["-s", "--silent", "--json"]),
        _ => false,
    }
}

/// Whether `checksum` is that of the bytes themselves, by a digest for which nobody can make second bytes.
pub(crate) fn matches(checksum: &Checksum, bytes: &[u8]) -> bool {
    let digest = checksum.digest();
    match checksum.algorithm() {
        Algorithm::Sha256 => *digest == Sha256::digest(bytes)[..],
        Algorithm::Sha384 => *digest == Sha384::digest(bytes)[..],
        Algorithm::Sha512 => *digest == Sha512::digest(bytes)[..],
        Algorithm::Md5 | Algorithm::Sha1 => false,
    }
}

/// The file name of a program, as in `argv[0]`.
pub(crate) fn program(argv: &[String]) -> &str {
    argv.first().map_or("", |p| p.rsplit('/').next().unwrap_or(p))
}

/// The words of an argv behind the program, up to a `--`.
pub(crate) fn words(argv: &[String]) -> Vec<&str> {
    argv.iter().skip(1).map(String::as_str).take_while(|word| *word != "--").collect()
}

/// `tool` doing work of this kind.
pub(crate) fn facts(tool: Tool, kind: CommandKind, fetches: bool) -> CommandFacts {
    CommandFacts { tool: Some(tool), kind, fetches }
}

/// The value of `--name value` or `--name=value` in an argv.
pub(crate) fn option_value<'a>(argv: &'a [String], names: &[&str]) -> Option<&'a str> {
    argv.iter().enumerate().find_map(|(i, arg)| {
        names.iter().find_map(|name| {
            if arg == name {
                return argv.get(i + 1).map(String::as_str);
            }
            arg.strip_prefix(name).and_then(|rest| rest.strip_prefix('='))
        })
    })
}

/// Host and port of an http(s) address, without a user.
pub fn host_of(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    regreen_domain::Host::parse(host).map(|h| h.as_str().to_owned())
}

/// An http(s) address without user and password: probes never send a credential.
pub(crate) fn without_user(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme != "https" && scheme != "http" {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deploys_are_seen_in_every_form_and_nothing_else_is_taken_for_one() {
        for name in [
            "deploy",
            "Deployment",
            "deployments",
            "releasing",
            "publish-npm",
            "deployProd",
            "db:migrate",
            "sign",
        ] {
            assert!(speaks_of_deploying(name), "{name}");
        }
        for name in ["build", "test", "design", "signal", "assign", "unit-tests", "lint", "signup-tests"] {
            assert!(!speaks_of_deploying(name), "{name}");
        }
    }

    #[test]
    fn a_command_that_was_fed_is_not_repeatable() {
        let argv = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(recognise(&argv("pip install -r /dev/stdin")).kind, CommandKind::Opaque);
        assert_eq!(recognise(&argv("pip install -r requirements.txt")).kind, CommandKind::Install);
        for mute in [
            "yarn --silent",
            "yarn install -s",
            "yarn install --json",
            "npm ci -s",
            "npm ci --loglevel silent",
        ] {
            assert_eq!(recognise(&argv(mute)).kind, CommandKind::Opaque, "{mute}");
        }
        assert_eq!(recognise(&argv("pnpm install --silent")).kind, CommandKind::Install);
        assert_eq!(recognise(&argv("npm publish")).kind, CommandKind::Deploy);
        assert_eq!(recognise(&argv("cargo build --release --locked")).kind, CommandKind::Build);
    }
}
