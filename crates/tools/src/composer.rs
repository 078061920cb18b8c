//! Composer: `composer.lock`, repositories by `composer.json`, archives wherever the lockfile says they are.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Algorithm, Checksum, Entry, Format, Lockfile, parse};
use regreen_saga::BoxFuture;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::{
    adapter::{
        Adapter, CacheScan, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of, matches, program,
        without_user,
    },
    cache,
};

/// The Composer adapter.
pub(crate) struct Composer;

/// The public repository. Source: Composer's documentation, "Repositories".
const PACKAGIST: &str = "https://repo.packagist.org/";

impl Adapter for Composer {
    fn tool(&self) -> Tool {
        Tool::new("composer").unwrap_or_else(|| unreachable!("`composer` is a tool name"))
    }

    fn recognise(&self, argv: &[String]) -> Option<CommandFacts> {
        let tool = self.tool();
        if matches!(program(argv), "phpunit" | "pest" | "phpstan" | "phpcs") {
            return Some(facts(tool, CommandKind::Test, false));
        }
        let kind = match words(argv)?.as_slice() {
            [
                "install" | "i" | "update" | "u" | "upgrade" | "require" | "req" | "r" | "remove" | "rm",
                ..,
            ] => {
                return Some(facts(tool, CommandKind::Install, true));
            }
            ["dump-autoload" | "dumpautoload" | "archive", ..] => CommandKind::Build,
            ["validate" | "check-platform-reqs", ..] => CommandKind::Test,
            // A script's name is a command too.
            [script, ..]
                if ["test", "lint", "phpunit"]
                    .iter()
                    .any(|stem| script.split([':', '-']).next() == Some(stem)) =>
            {
                CommandKind::Test
            }
            _ => CommandKind::Opaque,
        };
        Some(facts(tool, kind, false))
    }

    fn is_frozen(&self, _: &[String]) -> bool {
        // The lockfile names each archive's own address, and Composer has no setting that puts a mirror in its place.
        false
    }

    fn lockfile(&self, job: &Job) -> Option<Lockplace> {
        words(&job.argv)?;
        // Source: Composer's documentation, "COMPOSER".
        let manifest = job.workspace.var("COMPOSER").unwrap_or("composer.json");
        let lockfile = format!("{}.lock", manifest.strip_suffix(".json")?);
        let manifests = vec![RelPath::parse(manifest)?];
        Some(Lockplace { path: RelPath::parse(&lockfile)?, format: Format::ComposerLock, manifests })
    }

    fn install_folders(&self) -> &'static [&'static str] {
        &[]
    }

    fn resolver(&self) -> Option<Resolver> {
        // None: `update --lock` adds nothing, and takes the addresses and checksums of what is locked anew from the
        // registry; every other `update` needs to be told the package's name, or upgrades.
        None
    }

    fn consistency_check(&self, job: &Job) -> Option<Vec<String>> {
        let words = words(&job.argv)?;
        // Whether the lockfile can be installed here. `composer validate` would object to much that always was so.
        let mut check =
            ["install", "--dry-run", "--no-scripts", "--no-plugins", "--no-interaction", "--quiet"].to_vec();
        let same = ["--no-dev", "--ignore-platform-reqs"];
        check.extend(same.iter().filter(|option| words.contains(option)));
        check.extend(words.iter().filter(|word| word.starts_with("--ignore-platform-req=")));
        Some(starter(&job.argv).into_iter().chain(check).map(str::to_owned).collect())
    }

    fn cache_root<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Option<PathBuf>> {
        // A project's own `cache-dir` is not known.
        let own = manifest(job).is_some_and(|m| {
            let config = m.get("config");
            config.is_some_and(|c| c.get("cache-dir").is_some() || c.get("cache-files-dir").is_some())
        });
        let unused = words(&job.argv).is_none_or(|words| words.contains(&"--no-cache"));
        let root = cache::folder(&cache::COMPOSER, &job.workspace);
        let root = root.filter(|root| !own && !unused && root.is_absolute() && root.is_dir());
        Box::pin(async move { root })
    }

    fn own_places<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<PathBuf>> {
        let root = &job.workspace.root;
        let configured =
            manifest(job).and_then(|m| Some(m.get("config")?.get("vendor-dir")?.as_str()?.to_owned()));
        let vendor = job.workspace.var("COMPOSER_VENDOR_DIR").map(str::to_owned).or(configured);
        let mut places = vec![root.join(vendor.as_deref().unwrap_or("vendor"))];
        let own = ["COMPOSER_HOME", "COMPOSER_CACHE_DIR"];
        places.extend(own.iter().filter_map(|name| job.workspace.var(name)).map(PathBuf::from));
        Box::pin(async move { places })
    }

    fn scan_cache(&self, job: &Job, root: &Path) -> CacheScan {
        cache::scan_for(&cache::COMPOSER, &job.workspace.root, root)
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        let mut found: Vec<Remote> = Vec::new();
        let mut add = |base: &str, probe: &str| {
            let Some(base) = without_user(base) else { return };
            let base_url = format!("{}/", base.trim_end_matches('/'));
            let Some(host) = host_of(&base_url) else { return };
            if !found.iter().any(|known| known.host == host) {
                found.push(Remote { host, probe_url: format!("{base_url}{probe}"), base_url });
            }
        };
        for repository in repositories(job) {
            // Packagist's own list is long; its root is not.
            add(&repository, if repository == PACKAGIST { "" } else { "packages.json" });
        }
        for origin in locked(self, job).iter().filter_map(|entry| origin(entry.source.as_deref()?)) {
            add(&origin, "");
        }
        Box::pin(async move { found })
    }

    fn artifact_urls<'a>(&'a self, _: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        let url = entry.source.as_deref().and_then(without_user);
        Box::pin(async move { url.into_iter().collect() })
    }

    fn matches(&self, _: &Lockfile, _: &Entry, checksum: &Checksum, served: &[u8]) -> Option<bool> {
        // Composer knows no other checksum, and goes by it itself. To a SHA-1 that is given nobody can make a second
        // archive; only one who made the first could have made two, and needs no damaged download for that.
        Some(match checksum.algorithm() {
            Algorithm::Sha1 => *checksum.digest() == Sha1::digest(served)[..],
            _ => matches(checksum, served),
        })
    }

    fn use_mirror(&self, _: &str) -> Overlay {
        Overlay::default()
    }
}

/// Words that start Composer: `composer`, `composer.phar`, `php composer.phar`.
fn starter(argv: &[String]) -> Vec<&str> {
    let own = |word: &str| matches!(word.rsplit('/').next(), Some("composer" | "composer.phar"));
    match argv {
        [first, ..] if own(first) => vec![first],
        [php, phar, ..] if php.rsplit('/').next() == Some("php") && own(phar) => vec![php, phar],
        _ => Vec::new(),
    }
}

/// The command and all behind it; what stands before it must be options without a value.
fn words(argv: &[String]) -> Option<Vec<&str>> {
    let count = starter(argv).len();
    if count == 0 {
        return None;
    }
    let rest: Vec<&str> = argv[count..].iter().map(String::as_str).collect();
    let elsewhere = |word: &&str| {
        *word == "-d"
            || word.starts_with("--working-dir")
            || (word.starts_with("-d") && !word.starts_with("--"))
    };
    // Another folder's project is not looked at here.
    if rest.iter().any(elsewhere) {
        return Some(Vec::new());
    }
    Some(rest.into_iter().skip_while(|word| word.starts_with('-')).collect())
}

fn manifest(job: &Job) -> Option<Value> {
    let name = job.workspace.var("COMPOSER").unwrap_or("composer.json");
    serde_json::from_slice(&fs::read(job.workspace.root.join(name)).ok()?).ok()
}

/// Addresses of the Composer repositories: the project's, the user's, and Packagist unless it is switched off.
/// Source: Composer's documentation, "Repositories" and "Disabling Packagist.org".
fn repositories(job: &Job) -> Vec<String> {
    let home = match job.workspace.var("COMPOSER_HOME") {
        Some(path) => Some(PathBuf::from(path)),
        None => job.workspace.home().map(|home| {
            let xdg = home.join(".config/composer");
            if xdg.is_dir() { xdg } else { home.join(".composer") }
        }),
    };
    let user = home.and_then(|home| fs::read(home.join("config.json")).ok());
    let user = user.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let (mut found, mut packagist) = (Vec::new(), true);
    for config in [manifest(job), user].into_iter().flatten() {
        let listed: Vec<(String, Value)> = match config.get("repositories") {
            Some(Value::Array(list)) => list.iter().map(|r| (String::new(), r.clone())).collect(),
            Some(Value::Object(map)) => map.iter().map(|(k, r)| (k.clone(), r.clone())).collect(),
            _ => Vec::new(),
        };
        for (key, repository) in listed {
            let off = |name: &str| repository.get(name) == Some(&Value::Bool(false));
            let named = matches!(key.as_str(), "packagist" | "packagist.org");
            if off("packagist") || off("packagist.org") || named {
                packagist = false;
            }
            if repository.get("type").and_then(Value::as_str) == Some("composer") {
                found.extend(repository.get("url").and_then(Value::as_str).map(str::to_owned));
            }
        }
    }
    if packagist {
        found.push(PACKAGIST.to_owned());
    }
    found
}

fn locked(adapter: &Composer, job: &Job) -> Vec<Entry> {
    let path = adapter.lockfile(job).map(|place| job.workspace.root.join(place.path.as_str()));
    let bytes = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    parse(Format::ComposerLock, &bytes).map(|lock| lock.entries).unwrap_or_default()
}

/// `https://host/` of an address.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    Some(format!("{scheme}://{}/", rest.split('/').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<CommandKind> {
        let argv: Vec<String> = text.split(' ').map(str::to_owned).collect();
        Composer.recognise(&argv).map(|facts| facts.kind)
    }

    #[test]
    fn commands_are_known_by_what_they_do() {
        for text in
            ["composer install", "composer -n --no-ansi i", "php composer.phar update", "composer req a/b"]
        {
            assert_eq!(kind(text), Some(CommandKind::Install), "{text}");
        }
        for text in ["composer test:unit", "vendor/bin/phpunit", "composer validate"] {
            assert_eq!(kind(text), Some(CommandKind::Test), "{text}");
        }
        for text in
            ["composer run-script build", "composer exec x", "composer -d x install", "composer testify"]
        {
            assert_eq!(kind(text), Some(CommandKind::Opaque), "{text}");
        }
        assert_eq!(kind("php artisan test"), None);
    }

    #[test]
    fn repositories_are_the_projects_and_packagist_unless_switched_off() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = crate::Workspace::new(folder.path().to_owned(), Default::default());
        let job = Job { workspace, argv: vec!["composer".to_owned(), "install".to_owned()] };
        let write = |text: &str| fs::write(folder.path().join("composer.json"), text).unwrap();
        write(
            r#"{"repositories": [{"type": "composer", "url": "https://u:p@php.example"}, {"type": "vcs", "url": "x"}]}"#,
        );
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let hosts = || -> Vec<String> {
            runtime.block_on(Composer.remotes(&job)).into_iter().map(|r| r.base_url).collect()
        };
        assert_eq!(hosts(), ["https://php.example/", "https://repo.packagist.org/"]);
        write(
            r#"{"repositories": [{"type": "composer", "url": "https://php.example"}, {"packagist.org": false}]}"#,
        );
        assert_eq!(hosts(), ["https://php.example/"]);
    }
}
