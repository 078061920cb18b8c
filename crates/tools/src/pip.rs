//! pip: `requirements.txt` with hashes, the HTTP and wheel caches, the index by `pip config`.

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
        Adapter, CacheScan, DamagedEntry, Job, Lockplace, Overlay, Remote, Resolver, facts, host_of,
        option_value, program, without_user, words,
    },
    archive,
    remote::fetch,
};

/// The pip adapter.
pub(crate) struct Pip;

/// The Python Package Index. Source: pip's `--index-url` documentation.
const PYPI: &str = "https://pypi.org/simple/";

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

    fn scan_cache(&self, _: &Job, root: &Path) -> CacheScan {
        let mut scan = CacheScan::default();
        for part in ["http-v2", "http", "wheels"] {
            for entry in walkdir::WalkDir::new(root.join(part)) {
                let Ok(entry) = entry else { continue };
                if !entry.file_type().is_file() {
                    continue;
                }
                let below =
                    entry.path().strip_prefix(root).ok().and_then(Path::to_str).and_then(RelPath::parse);
                let Some(path) = below else { continue };
                scan.checked += 1;
                match check_file(entry.path()) {
                    Ok(Ok(())) => {}
                    Ok(Err(why)) => scan.damaged.push(DamagedEntry { path, why }),
                    Err(_) => scan.unreadable.push(path.to_string()),
                }
            }
        }
        scan
    }

    fn remotes<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Vec<Remote>> {
        Box::pin(async move {
            let rest = split(&job.argv).map(|(_, rest)| rest).unwrap_or_default();
            let url = match option_value(rest, &["-i", "--index-url"]).or(job.workspace.var("PIP_INDEX_URL"))
            {
                Some(url) => url.to_owned(),
                None => ask_pip(job, &["config", "get", "global.index-url"]).await.unwrap_or(PYPI.to_owned()),
            };
            let remote = without_user(&url).and_then(|base| {
                let base_url = format!("{}/", base.trim_end_matches('/'));
                Some(Remote { host: host_of(&base_url)?, probe_url: base_url.clone(), base_url })
            });
            remote.into_iter().collect()
        })
    }

    fn artifact_urls<'a>(&'a self, job: &'a Job, entry: &'a Entry) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some(version) = &entry.version else { return Vec::new() };
            let mut urls = Vec::new();
            for remote in self.remotes(job).await {
                let page_url = format!("{}{}/", remote.base_url, entry.name);
                let page = fetch(&page_url, Duration::from_secs(10)).await.unwrap_or_default();
                urls.extend(links(&String::from_utf8_lossy(&page), &page_url, version));
            }
            urls
        })
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

/// Archives are recognised by their first bytes; anything else (headers, index pages) has no checksum of its own.
fn check_file(path: &Path) -> std::io::Result<Result<(), String>> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let bytes = fs::read(path)?;
    let body = match extension {
        "whl" => return Ok(archive::check_zip(&bytes)),
        "body" => bytes.as_slice(),
        // pip before 23.3 keeps the body inside the answer.
        _ => match enclosed_body(&bytes) {
            Some(body) => body,
            None => return Ok(Ok(())),
        },
    };
    Ok(if body.starts_with(b"PK\x03\x04") {
        archive::check_zip(body)
    } else if body.starts_with(&[0x1f, 0x8b]) {
        archive::check_gzip(body)
    } else {
        Ok(())
    })
}

/// The body of an answer in CacheControl's serialisation 4: MessagePack with a binary string under the key `body`.
/// Source: cachecontrol 0.12, `serialize.py`, and the MessagePack specification.
fn enclosed_body(bytes: &[u8]) -> Option<&[u8]> {
    let packed = bytes.strip_prefix(b"cc=4,")?;
    let at = packed.windows(5).position(|w| w == b"\xa4body")? + 5;
    let (width, rest) = match packed.get(at)? {
        0xc4 => (1, packed.get(at + 1..)?),
        0xc5 => (2, packed.get(at + 1..)?),
        0xc6 => (4, packed.get(at + 1..)?),
        _ => return None,
    };
    let length = rest.get(..width)?.iter().fold(0usize, |n, b| n << 8 | usize::from(*b));
    rest.get(width..width.checked_add(length)?)
}

/// Files of this version that a simple index page links to. Source: PEP 503, "Simple Repository API".
fn links(page: &str, page_url: &str, version: &str) -> Vec<String> {
    let authority_end = page_url.find("://").and_then(|i| Some(page_url[i + 3..].find('/')? + i + 3));
    let origin = &page_url[..authority_end.unwrap_or(page_url.len())];
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next()?.split('#').next())
        .filter(|href| {
            let file = href.rsplit('/').next().unwrap_or(href);
            file.split('-').any(|part| {
                part == version || part.strip_prefix(version).is_some_and(|r| r.starts_with(".tar"))
            })
        })
        .filter_map(|href| match href {
            h if h.starts_with("http://") || h.starts_with("https://") => without_user(h),
            h if h.starts_with('/') => Some(format!("{origin}{h}")),
            h if !h.contains("..") => Some(format!("{page_url}{h}")),
            // `../../packages/…` as most indexes write it: resolve against the page's path.
            h => {
                let mut base: Vec<&str> = page_url[origin.len()..].trim_matches('/').split('/').collect();
                for part in h.split('/') {
                    match part {
                        ".." => drop(base.pop()),
                        "." => {}
                        part => base.push(part),
                    }
                }
                Some(format!("{origin}/{}", base.join("/")))
            }
        })
        .collect()
}
