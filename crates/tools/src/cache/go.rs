//! Go's module cache and build cache. Sources: the Go Modules Reference, "Module cache" and "Checksum database";
//! golang.org/x/mod, `sumdb/dirhash/hash.go`; Go, `cmd/go/internal/cache/cache.go`.

use std::{
    collections::BTreeMap,
    fs, io,
    io::BufReader,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regreen_domain::RelPath;

use super::{
    Asked, Cache, CacheScan, Origin, Refill,
    files::{files, folders, length, name},
    place::{Ask, Base, Place},
    work::{Digested, Hasher, Part, Passing, digest, each, hex, open, read},
};

/// The modules.
pub(crate) struct GoModules;
/// What was compiled.
pub(crate) struct GoBuild;

/// Largest note that is read, in bytes.
const LARGEST_NOTE: u64 = 16 << 20;
/// A module is at most 500 MiB unpacked. Source: the Go Modules Reference, "File path and size constraints".
const LARGEST_MODULE: u64 = 500 << 20;

impl Cache for GoModules {
    fn id(&self) -> &'static str {
        "go-mod"
    }

    fn tool(&self) -> &'static str {
        "go"
    }

    fn holds(&self) -> &'static str {
        "modules, packed and unpacked"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("GOMODCACHE"), below: "" },
            Place {
                asked: Ask::Setting { base: Base::Config, file: "go/env", key: "GOMODCACHE" },
                below: "",
            },
            Place { asked: Ask::Env("GOPATH"), below: "pkg/mod" },
            Place {
                asked: Ask::Setting { base: Base::Config, file: "go/env", key: "GOPATH" },
                below: "pkg/mod",
            },
            Place { asked: Ask::Default(Base::Home, "go/pkg/mod"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("cache/download").is_dir()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let sums = asked.workspace.map(sums).unwrap_or_default();
        each(root, asked, &files(root, &["cache/download"]), |path: &PathBuf, part| module(path, &sums, part))
    }

    fn origins(&self, _: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let origin = |entry: &RelPath| {
            let entry = entry.as_str();
            let (module, version) = match entry.strip_prefix("cache/download/") {
                Some(rest) => {
                    let (module, file) = rest.split_once("/@v/")?;
                    (module, file.rsplit_once('.')?.0)
                }
                None => entry.rsplit_once('@')?,
            };
            Some(Origin { name: format!("{} {version}", unescaped(module)), url: None, digest: None })
        };
        entries.iter().map(origin).collect()
    }
}

/// `h1:` sums by module path and version, of the checkout's `go.sum`.
fn sums(workspace: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(workspace.join("go.sum")).unwrap_or_default();
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (module, version, sum) = (words.next()?, words.next()?, words.next()?);
        Some((format!("{module} {version}"), sum.strip_prefix("h1:")?.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// `cache/download/<module>/@v/<version>.<kind>`.
fn module(path: &Path, sums: &BTreeMap<String, String>, part: &mut Part<'_>) {
    let file = name(path);
    let Some((version, kind)) = file.rsplit_once('.').filter(|_| path.parent().map(name) == Some("@v"))
    else {
        part.unverified(length(path));
        return;
    };
    let below = path.strip_prefix(part.root.join("cache/download")).ok().and_then(Path::to_str);
    let Some(escaped) = below.and_then(|b| b.split_once("/@v/")).map(|(module, _)| module.to_owned()) else {
        part.unverified(length(path));
        return;
    };
    let key = format!("{} {version}", unescaped(&escaped));
    match kind {
        "mod" => match sums.get(&format!("{key}/go.mod")) {
            None => part.unverified(length(path)),
            Some(want) => {
                let judged = read(path, LARGEST_NOTE).map(|bytes| {
                    let mut hasher = summing();
                    hasher.update(&bytes);
                    let sum = of_lines([("go.mod".to_owned(), hasher.finish())]);
                    if sum == *want {
                        Ok(())
                    } else {
                        Err("a go.mod whose sum is not the one in go.sum".to_owned())
                    }
                });
                part.judged(path, length(path), judged);
            }
        },
        "info" => {
            let judged = read(path, LARGEST_NOTE).map(|bytes| {
                let parsed = serde_json::from_slice::<serde_json::Value>(&bytes);
                parsed.map(drop).map_err(|e| format!("a note of a version that can't be parsed ({e})"))
            });
            part.judged(path, length(path), judged);
        }
        "zip" => zip(path, &escaped, version, sums.get(&key), part),
        _ => part.unverified(length(path)),
    }
}

fn zip(path: &Path, escaped: &str, version: &str, in_sum: Option<&String>, part: &mut Part<'_>) {
    let bytes = length(path);
    let found = match open(path).and_then(|file| zip_sum(BufReader::new(file))) {
        Err(_) => return part.unreadable(path),
        Ok(found) => found,
    };
    part.checked(bytes);
    let found = match found {
        Err(why) => return part.damaged(path, why),
        Ok(found) => found,
    };
    let beside = path.with_extension("ziphash");
    let noted = read(&beside, LARGEST_NOTE).ok();
    let noted = noted.as_deref().and_then(|b| std::str::from_utf8(b).ok()?.trim().strip_prefix("h1:"));
    match (in_sum, noted) {
        (Some(want), _) if *want != found => {
            return part.damaged(path, "a module whose sum is not the one in go.sum");
        }
        (Some(want), Some(noted)) if want != noted => {
            part.damaged(&beside, "a sum that is not that of the module beside it");
        }
        (None, Some(noted)) if noted != found => {
            // Which of them is wrong can't be told: Go fetches both anew.
            part.damaged(path, "a module whose sum is not the one beside it");
            part.damaged(&beside, "a sum that is not that of the module beside it");
            return;
        }
        _ => {}
    }
    let unpacked = part.root.join(format!("{escaped}@{version}"));
    // While this mark is there Go unpacks anew by itself.
    if !unpacked.is_dir() || path.with_extension("partial").exists() {
        return;
    }
    let prefix = format!("{}@{version}", unescaped(escaped));
    match folder_sum(&unpacked, &prefix, &mut part.buffer) {
        Ok(sum) if sum != found => part.damaged(&unpacked, "a module that is not as it was unpacked"),
        _ => {}
    }
}

fn summing() -> Hasher {
    Hasher::Sha256(Default::default())
}

/// `h1:` without its name: SHA-256 of the lines `<SHA-256>  <name>`, in the order of the names.
fn of_lines(digests: impl IntoIterator<Item = (String, Digested)>) -> String {
    let sorted: BTreeMap<String, Digested> = digests.into_iter().collect();
    let mut hasher = summing();
    for (name, digest) in sorted {
        hasher.update(format!("{}  {name}\n", hex(digest.bytes())).as_bytes());
    }
    STANDARD.encode(hasher.finish().bytes())
}

/// The sum of a module's archive, or what is wrong with it.
fn zip_sum(file: BufReader<fs::File>) -> io::Result<Result<String, String>> {
    let mut source = Passing::new(file, None);
    let sum = members_sum(&mut source);
    source.refused().map_or(Ok(sum), |refused| Err(refused.into()))
}

fn members_sum(source: &mut Passing<BufReader<fs::File>>) -> Result<String, String> {
    let mut archive = zip::ZipArchive::new(source).map_err(|e| format!("no whole zip archive ({e})"))?;
    let mut digests = Vec::new();
    let mut left = LARGEST_MODULE;
    for i in 0..archive.len() {
        let member = archive.by_index(i).map_err(|e| format!("a damaged zip member ({e})"))?;
        let name = member.name().map_err(|e| format!("a damaged zip member ({e})"))?.into_owned();
        let size = member.size();
        left = left.checked_sub(size).ok_or("a module larger than Go accepts")?;
        let passing = Passing::new(io::Read::take(member, size.saturating_add(1)), Some(summing()));
        let digest = passing.finish().map_err(|e| format!("a damaged zip member ({e})"))?;
        digests.extend(digest.map(|digest| (name, digest)));
    }
    Ok(of_lines(digests))
}

/// The sum of an unpacked module.
fn folder_sum(folder: &Path, prefix: &str, buffer: &mut [u8]) -> io::Result<String> {
    let mut digests = Vec::new();
    for path in files(folder, &[""]) {
        let below = path.strip_prefix(folder).ok().and_then(Path::to_str);
        let below = below.ok_or_else(|| io::Error::other("a name that is no text"))?;
        digests.push((format!("{prefix}/{below}"), digest(&path, summing(), buffer)?.0));
    }
    Ok(of_lines(digests))
}

/// Capitals are written `!a` on disk. Source: golang.org/x/mod, `module.EscapePath`.
fn unescaped(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut capital = false;
    for c in path.chars() {
        match c {
            '!' => capital = true,
            c if capital => {
                plain.push(c.to_ascii_uppercase());
                capital = false;
            }
            c => plain.push(c),
        }
    }
    plain
}

impl Cache for GoBuild {
    fn id(&self) -> &'static str {
        "go-build"
    }

    fn tool(&self) -> &'static str {
        "go"
    }

    fn holds(&self) -> &'static str {
        "what was compiled and tested"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("GOCACHE"), below: "" },
            Place { asked: Ask::Setting { base: Base::Config, file: "go/env", key: "GOCACHE" }, below: "" },
            Place { asked: Ask::Default(Base::Cache, "go-build"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("00").is_dir() && root.join("ff").is_dir()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let shelves = folders(root).into_iter().filter(|f| name(f).len() == 2).collect::<Vec<_>>();
        each(root, asked, &shelves, |shelf: &PathBuf, part| {
            for path in files(shelf, &[""]) {
                if part.is_stopped() {
                    return;
                }
                output(&path, part);
            }
        })
    }

    fn refill(&self) -> Refill {
        Refill::Tool
    }
}

/// `<aa>/<SHA-256>-d` is what a step gave, by its digest; `<aa>/<id>-a` names what an action gave. A line of the latter
/// that does not add up is ignored by Go; an output of the right size is used as it is.
fn output(path: &Path, part: &mut Part<'_>) {
    let Some(want) = name(path).strip_suffix("-d").filter(|id| id.len() == 64) else {
        part.unverified(length(path));
        return;
    };
    match digest(path, summing(), &mut part.buffer) {
        Err(_) => part.unreadable(path),
        Ok((found, length)) => {
            part.checked(length);
            if !found.is_hex(&[want]) {
                part.damaged(
                    path,
                    format!("{length} bytes whose SHA-256 is not the one they are filed under"),
                );
            }
        }
    }
}
