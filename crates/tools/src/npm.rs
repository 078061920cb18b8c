//! npm: `package-lock.json`, the `_cacache` cache, registries by `npm config`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regreen_domain::{CommandFacts, CommandKind, RelPath, Tool};
use regreen_lockfile::{Entry, Format};
use regreen_saga::BoxFuture;
use serde_json::Value;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};

use crate::adapter::{
    Adapter, CacheScan, DamagedEntry, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of,
    option_value, program, without_user, words,
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
            Some("run" | "run-script" | "rum" | "urn") => match argv.get(2).map(String::as_str) {
                Some(s) if s == "test" || s.starts_with("test:") || s == "lint" || s.starts_with("lint:") => {
                    CommandKind::Test
                }
                Some(s) if s == "build" || s.starts_with("build:") => CommandKind::Build,
                _ => CommandKind::Opaque,
            },
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

    fn scan_cache(&self, _: &Job, root: &Path) -> CacheScan {
        let mut scan = CacheScan::default();
        scan_folders(root, &mut scan);
        scan_content(root, &mut scan);
        scan_index(root, &mut scan);
        scan
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

/// A file in place of one of the cache's own folders makes npm fail with `ENOTDIR`, online too, and stays.
fn scan_folders(root: &Path, scan: &mut CacheScan) {
    for (top, depth) in [("content-v2", 4), ("index-v5", 3)] {
        let walk = walkdir::WalkDir::new(root.join(top)).min_depth(1).max_depth(depth - 1);
        for entry in walk.into_iter().flatten().filter(|e| !e.file_type().is_dir()) {
            if let Some((path, _)) = place(root, entry.path()) {
                let why = format!("{} where a folder must be", kind_name(&entry));
                scan.damaged.push(DamagedEntry { path, why });
            }
        }
    }
}

/// Content is addressed by its own digest: `content-v2/<algorithm>/<aa>/<bb>/<rest of the hex digest>`.
/// Source: cacache, `lib/content/path.js`.
fn scan_content(root: &Path, scan: &mut CacheScan) {
    for entry in walkdir::WalkDir::new(root.join("content-v2")).min_depth(4).max_depth(4) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                note_unreadable(scan, root, e.path());
                continue;
            }
        };
        let Some((path, parts)) = place(root, entry.path()) else { continue };
        let [_, algorithm, a, b, rest] = parts.as_slice() else { continue };
        scan.checked += 1;
        if !entry.file_type().is_file() {
            let why = format!("{} where a file must be", kind_name(&entry));
            scan.damaged.push(DamagedEntry { path, why });
            continue;
        }
        let Ok(bytes) = fs::read(entry.path()) else {
            note_unreadable(scan, root, Some(entry.path()));
            continue;
        };
        let named = format!("{a}{b}{rest}");
        match hex_digest(algorithm, &bytes) {
            Some(found) if found != named => {
                let why =
                    format!("{} bytes whose {algorithm} is not the one they are filed under", bytes.len());
                scan.damaged.push(DamagedEntry { path, why });
            }
            _ => {}
        }
    }
}

/// An index bucket holds lines of `<SHA-1 of the JSON>\t<JSON>`. npm ignores a line that does not add up, so such a
/// line is a cache miss; a bucket that is no file, or an entry that names content of another size, makes npm fail.
/// Source: cacache, `lib/entry-index.js`.
fn scan_index(root: &Path, scan: &mut CacheScan) {
    for entry in walkdir::WalkDir::new(root.join("index-v5")).min_depth(3).max_depth(3) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                note_unreadable(scan, root, e.path());
                continue;
            }
        };
        let Some((path, _)) = place(root, entry.path()) else { continue };
        scan.checked += 1;
        if !entry.file_type().is_file() {
            let why = format!("{} where an index bucket must be", kind_name(&entry));
            scan.damaged.push(DamagedEntry { path, why });
            continue;
        }
        let Ok(bytes) = fs::read(entry.path()) else {
            note_unreadable(scan, root, Some(entry.path()));
            continue;
        };
        if let Some(why) = bad_bucket(root, &bytes) {
            scan.damaged.push(DamagedEntry { path, why });
        }
    }
}

fn bad_bucket(root: &Path, bytes: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Some("bytes that are no text".to_owned()) };
    // Of several lines the last that adds up counts.
    let mut last = None;
    for line in text.lines().filter(|l| !l.is_empty()) {
        let Some((hash, json)) = line.split_once('\t') else {
            return Some("a line without a checksum".to_owned());
        };
        if hex_digest("sha1", json.as_bytes()).as_deref() != Some(hash) {
            return Some("a line whose checksum is wrong".to_owned());
        }
        last = serde_json::from_str::<Value>(json).ok();
    }
    let last = last?;
    let (integrity, size) = (last.get("integrity")?.as_str()?, last.get("size")?.as_u64()?);
    let content = content_path(root, integrity)?;
    let found = fs::metadata(&content).ok().filter(fs::Metadata::is_file)?.len();
    (found != size).then(|| format!("an entry of {size} bytes for content of {found} bytes"))
}

fn content_path(root: &Path, integrity: &str) -> Option<PathBuf> {
    let (algorithm, digest) = integrity.split_whitespace().next()?.split_once('-')?;
    let hex: String = STANDARD.decode(digest).ok()?.iter().map(|b| format!("{b:02x}")).collect();
    (hex.len() > 4 && matches!(algorithm, "sha1" | "sha256" | "sha384" | "sha512"))
        .then(|| root.join("content-v2").join(algorithm).join(&hex[..2]).join(&hex[2..4]).join(&hex[4..]))
}

fn kind_name(entry: &walkdir::DirEntry) -> &'static str {
    if entry.file_type().is_dir() {
        "a folder"
    } else if entry.file_type().is_symlink() {
        "a symbolic link"
    } else if entry.file_type().is_file() {
        "a file"
    } else {
        "a special file"
    }
}

fn place(root: &Path, path: &Path) -> Option<(RelPath, Vec<String>)> {
    let below = path.strip_prefix(root).ok()?.to_str()?;
    Some((RelPath::parse(below)?, below.split('/').map(str::to_owned).collect()))
}

fn note_unreadable(scan: &mut CacheScan, root: &Path, path: Option<&Path>) {
    // A cache without this part is empty, not unreadable.
    if let Some(path) = path.filter(|p| p.symlink_metadata().is_ok()) {
        scan.unreadable.push(path.strip_prefix(root).unwrap_or(path).display().to_string());
    }
}

fn hex_digest(algorithm: &str, bytes: &[u8]) -> Option<String> {
    fn hex(digest: impl AsRef<[u8]>) -> String {
        digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
    Some(match algorithm {
        "sha1" => hex(Sha1::digest(bytes)),
        "sha256" => hex(Sha256::digest(bytes)),
        "sha384" => hex(Sha384::digest(bytes)),
        "sha512" => hex(Sha512::digest(bytes)),
        _ => return None,
    })
}
