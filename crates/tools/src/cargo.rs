//! cargo: `Cargo.lock`, the registry cache in `CARGO_HOME`, registries by `.cargo/config.toml`.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{
        Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of, option_value, program,
        without_user, words,
    },
    cache::{self, CacheScan},
    remote::fetch,
    workspace::member_manifests,
};

/// The cargo adapter.
pub(crate) struct Cargo;

/// crates.io's sparse index. Source: the Cargo Book, "Registry Index".
const CRATES_IO: &str = "https://index.crates.io/";

impl Adapter for Cargo {
    fn tool(&self) -> Tool {
        Tool::new("cargo").unwrap_or_else(|| unreachable!("`cargo` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        if program(argv) != "cargo" {
            return None;
        }
        let tool = self.tool();
        let rest = argv.get(1..).unwrap_or_default();
        let rest = match rest.first() {
            Some(first) if first.starts_with('+') => &rest[1..],
            _ => rest,
        };
        // Without the network cargo's words about it can't be its own.
        let online = !rest.iter().take_while(|a| *a != "--").any(|a| a == "--offline" || a == "--frozen");
        let kind = match rest.first().map(String::as_str) {
            Some("fetch" | "vendor" | "generate-lockfile" | "update" | "metadata" | "install" | "tree") => {
                CommandKind::Install
            }
            Some("build" | "b" | "check" | "c" | "doc" | "d" | "clippy" | "rustc") => CommandKind::Build,
            Some("test" | "t" | "bench" | "nextest") => CommandKind::Test,
            Some("publish" | "yank" | "owner" | "login" | "logout" | "release") => {
                return Some(facts(tool, CommandKind::Deploy, false));
            }
            _ => return Some(facts(tool, CommandKind::Opaque, false)),
        };
        Some(facts(tool, kind, online))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        let words = words(argv);
        let has = |word: &str| words.contains(&word);
        program(argv) == "cargo" && (has("--locked") || has("--frozen")) && !has("install") && !has("update")
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        let root = &job.workspace.root;
        // Only a workspace whose root is where the job stands: a lockfile above it is another checkout's.
        if option_value(&job.argv, &["--manifest-path"]).is_some() || !root.join("Cargo.toml").is_file() {
            return None;
        }
        let mut manifests = vec![RelPath::parse("Cargo.toml")?];
        manifests.extend(members(root));
        Some(Lockplace { path: RelPath::parse("Cargo.lock")?, format: Format::CargoLock, manifests })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &["target"]
    }

    fn resolver(&self) -> Option<Resolver> {
        // `metadata` completes the lockfile with the fewest changes and compiles nothing.
        Some(Resolver { argv: vec!["cargo", "metadata", "--format-version=1", "--quiet"], env: vec![] })
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        job.workspace.root.join("Cargo.toml").is_file().then(|| {
            ["cargo", "metadata", "--locked", "--offline", "--format-version=1", "--quiet"]
                .map(str::to_owned)
                .to_vec()
        })
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let root = cargo_home(job)?.join("registry");
            (root.is_absolute() && root.is_dir()).then_some(root)
        })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        // Not the whole of CARGO_HOME: configuration and credentials are in it too.
        let names = ["registry", "git", ".package-cache", ".package-cache-mutate", ".global-cache"];
        let home = cargo_home(job);
        Box::pin(
            async move { home.map(|home| names.map(|name| home.join(name)).to_vec()).unwrap_or_default() },
        )
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::CargoRegistry, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let index = replaced_index(job).unwrap_or_else(|| CRATES_IO.to_owned());
            let url = index.strip_prefix("sparse+").unwrap_or(&index);
            let remote = without_user(url).and_then(|base| {
                let base_url = format!("{}/", base.trim_end_matches('/'));
                Some(Remote {
                    host: host_of(&base_url)?,
                    probe_url: format!("{base_url}config.json"),
                    base_url,
                })
            });
            remote.into_iter().collect()
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let mut urls = Vec::new();
            for remote in self.remotes(job).await {
                urls.extend(download_url(&remote, &entry.name, version).await);
            }
            urls
        })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // Source replacement can't be set by environment; `--config` stands before the command.
        let registry = format!("source.regreen-mirror.registry=\"sparse+{}/\"", mirror.trim_end_matches('/'));
        Overlay {
            env: vec![],
            args: ["--config", "source.crates-io.replace-with=\"regreen-mirror\"", "--config", &registry]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// Where a registry has a crate. Source: the Cargo Book, "Index Format", "Index Configuration".
pub(crate) async fn download_url(remote: &Remote, name: &str, version: &str) -> Option<String> {
    let config = fetch(&remote.probe_url, Duration::from_secs(10)).await.unwrap_or_default();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
    let dl = config.get("dl").and_then(|d| d.as_str()).and_then(without_user)?;
    Some(match dl.contains('{') {
        true => dl.replace("{crate}", name).replace("{version}", version),
        false => format!("{dl}/{name}/{version}/download"),
    })
}

fn cargo_home(job: &Job) -> Option<PathBuf> {
    match job.workspace.var("CARGO_HOME") {
        Some(path) => Some(job.workspace.root.join(path)),
        None => job.workspace.home().map(|home| home.join(".cargo")),
    }
}

/// Manifests of the workspace's members, as far as `Cargo.toml` names them without a glob deeper than one folder.
pub fn members(root: &Path) -> Vec<RelPath> {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let Ok(manifest) = text.parse::<toml::Table>() else { return Vec::new() };
    let members = manifest.get("workspace").and_then(|w| w.get("members")).and_then(|m| m.as_array());
    member_manifests(root, members.into_iter().flatten().filter_map(|m| m.as_str()), "Cargo.toml")
}

/// The index that replaces crates.io, by the configuration files that cargo itself would read.
/// Source: the Cargo Book, "Configuration" and "Source Replacement".
fn replaced_index(job: &Job) -> Option<String> {
    let mut folders: Vec<PathBuf> = job.workspace.root.ancestors().map(|p| p.join(".cargo")).collect();
    folders.extend(cargo_home(job));
    let mut sources = toml::Table::new();
    for folder in folders {
        let text = ["config.toml", "config"].iter().find_map(|n| fs::read_to_string(folder.join(n)).ok());
        let Some(config) = text.and_then(|t| t.parse::<toml::Table>().ok()) else { continue };
        for (name, source) in config.get("source").and_then(|s| s.as_table()).into_iter().flatten() {
            // The nearer file wins.
            sources.entry(name.clone()).or_insert_with(|| source.clone());
        }
    }
    let mut name = "crates-io".to_owned();
    for _ in 0..8 {
        let source = sources.get(&name)?.as_table()?;
        match source.get("replace-with").and_then(|r| r.as_str()) {
            Some(next) => name = next.to_owned(),
            None => return source.get("registry").and_then(|r| r.as_str()).map(str::to_owned),
        }
    }
    None
}
