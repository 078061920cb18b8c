//! npm: `package-lock.json`, the `_cacache` cache, registries by `npm config`.

use std::path::{Path, PathBuf};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;

use crate::{
    adapter::{
        Adapter, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of, option_value, program,
        without_user, words,
    },
    cache::{self, CacheScan},
    script,
};

/// The npm adapter.
pub(crate) struct Npm;

impl Adapter for Npm {
    fn tool(&self) -> Tool {
        Tool::new("npm").unwrap_or_else(|| unreachable!("`npm` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        if program(argv) != "npm" {
            return None;
        }
        let tool = self.tool();
        // An option before the command may take a value; then it is not clear which word is the command.
        let kind = match argv.get(1).map(String::as_str) {
            Some(
                "ci" | "clean-install" | "ic" | "install" | "i" | "add" | "update" | "up" | "dedupe"
                | "install-clean",
            ) => {
                return Some(facts(tool, CommandKind::Install, true));
            }
            Some("test" | "t" | "tst") => CommandKind::Test,
            Some("publish" | "unpublish" | "deprecate" | "dist-tag" | "version") => CommandKind::Deploy,
            Some("run" | "run-script" | "rum" | "urn") => {
                argv.get(2).map_or(CommandKind::Opaque, |name| script::kind(name))
            }
            _ => CommandKind::Opaque,
        };
        Some(facts(tool, kind, false))
    }

    fn is_frozen(&self, argv: &[String]) -> bool {
        program(argv) == "npm" && matches!(words(argv).as_slice(), ["ci" | "clean-install" | "ic"])
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        // npm prefers the shrinkwrap where both are there.
        let names = ["npm-shrinkwrap.json", "package-lock.json"];
        let name = names.into_iter().find(|n| job.workspace.root.join(n).exists()).unwrap_or(names[1]);
        Some(Lockplace {
            path: RelPath::parse(name)?,
            format: Format::NpmLock,
            manifests: vec![RelPath::parse("package.json")?],
        })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &["node_modules"]
    }

    fn resolver(&self) -> Option<Resolver> {
        Some(Resolver {
            argv: vec![
                "npm",
                "install",
                "--package-lock-only",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--no-update-notifier",
                "--loglevel=error",
            ],
            env: vec![],
        })
    }

    fn consistency_check(&self, _: &Job) -> Option<Vec<String>> {
        Some(["npm", "ls", "--all", "--parseable", "--loglevel=error"].map(str::to_owned).to_vec())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        Box::pin(async move {
            let root = cache_folder(job).await?.join("_cacache");
            (root.is_absolute() && root.is_dir()).then_some(root)
        })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        // By name, because the folder itself may be one that the project uses for other things too.
        let names = ["_cacache", "_logs", "_locks", "_npx", "_update-notifier-last-checked"];
        Box::pin(async move {
            let folder = cache_folder(job).await;
            folder.map(|folder| names.map(|name| folder.join(name)).to_vec()).unwrap_or_default()
        })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::NpmCache, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let url = match option_value(&job.argv, &["--registry"]) {
                Some(url) => Some(url.to_owned()),
                None => config(job, "registry").await,
            };
            let remote = url.as_deref().and_then(without_user).and_then(|base| {
                let base_url = format!("{}/", base.trim_end_matches('/'));
                Some(Remote { host: host_of(&base_url)?, probe_url: format!("{base_url}-/ping"), base_url })
            });
            remote.into_iter().collect()
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let bare = entry.name.rsplit('/').next().unwrap_or(&entry.name);
            self.remotes(job)
                .await
                .iter()
                .map(|remote| format!("{}{}/-/{bare}-{version}.tgz", remote.base_url, entry.name))
                .collect()
        })
    }

    fn use_mirror(&self, mirror: &str) -> Overlay {
        // npm keys credentials by host, so none of them goes to the mirror.
        Overlay {
            env: vec![
                ("npm_config_registry".to_owned(), mirror.to_owned()),
                ("npm_config_replace_registry_host".to_owned(), "always".to_owned()),
            ],
            args: vec![],
        }
    }
}

/// The folder that holds `_cacache`.
async fn cache_folder(job: &Job) -> Option<PathBuf> {
    match option_value(&job.argv, &["--cache"]) {
        Some(path) => Some(job.workspace.root.join(path)),
        None => config(job, "cache").await.map(PathBuf::from),
    }
}

async fn config(job: &Job, key: &str) -> Option<String> {
    let captured =
        job.workspace.quietly(&["npm", "config", "get", key], &[("npm_config_logs_max", "0")], None).await?;
    let value = String::from_utf8(captured.stdout).ok()?.trim().to_owned();
    (captured.code == Some(0) && !value.is_empty() && value != "undefined").then_some(value)
}
