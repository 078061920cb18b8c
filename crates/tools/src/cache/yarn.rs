//! Yarn 1's cache: a folder a package with its tarball, what was unpacked from it, and a note of its checksum.
//! Source: yarn 1.22, `src/config.js`, `src/fetchers/tarball-fetcher.js` and `src/constants.js`.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Read,
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regreen_domain::RelPath;
use serde_json::Value;

use super::{
    Asked, Cache, CacheScan, Origin,
    files::{folders, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, Passing, each, hex, open, read},
};
use crate::archive;

/// The cache.
pub(crate) struct YarnClassic;

/// Largest note of a package that is read, in bytes.
const LARGEST_NOTE: u64 = 16 << 20;

impl Cache for YarnClassic {
    fn id(&self) -> &'static str {
        "yarn-classic"
    }

    fn tool(&self) -> &'static str {
        "yarn"
    }

    fn holds(&self) -> &'static str {
        "packages, packed and unpacked"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("YARN_CACHE_FOLDER"), below: "" },
            Place { asked: Ask::Env("yarn_cache_folder"), below: "" },
            Place {
                asked: Ask::Setting { base: Base::Home, file: ".yarnrc", key: "cache-folder" },
                below: "",
            },
            // Source: yarn 1.22, `src/util/user-home-dir.js`.
            Place { asked: Ask::Root("/usr/local/share/.cache/yarn"), below: "" },
            Place { asked: Ask::Default(Base::Cache, "yarn"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        !packages(root).is_empty()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &packages(root), |entry: &PathBuf, part| package(entry, part))
    }

    fn origins(&self, root: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let origin = |entry: &RelPath| {
            let folder = unpacked(&root.join(entry.as_str()))?;
            let note: Value = serde_json::from_slice(&read(&folder.join(NOTE), LARGEST_NOTE).ok()?).ok()?;
            let manifest = &note["manifest"];
            let name = format!("{} {}", manifest["name"].as_str()?, manifest["version"].as_str()?);
            Some(Origin { name, url: None, digest: None })
        };
        entries.iter().map(origin).collect()
    }
}

const NOTE: &str = ".yarn-metadata.json";
const TARBALL: &str = ".yarn-tarball.tgz";

/// `v6/npm-<name>-<version>-<digest>…`, of every version of the layout.
fn packages(root: &Path) -> Vec<PathBuf> {
    let is_version = |path: &&PathBuf| {
        name(path).strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let own = [root.to_owned()];
    let all = folders(root);
    let inside = all.iter().filter(is_version).chain(own.iter().filter(is_version));
    inside.flat_map(|version| folders(version)).filter(|path| name(path).starts_with("npm-")).collect()
}

/// `node_modules/<name>` or `node_modules/@scope/<name>` of an entry.
fn unpacked(entry: &Path) -> Option<PathBuf> {
    let first = folders(&entry.join("node_modules")).into_iter().next()?;
    match name(&first).starts_with('@') {
        true => folders(&first).into_iter().next(),
        false => Some(first),
    }
}

fn package(entry: &Path, part: &mut Part<'_>) {
    let bytes = super::size(entry);
    let folder = unpacked(entry).filter(|folder| folder.join(NOTE).exists());
    // Without its note an entry is not finished: yarn fetches it anew by itself.
    let Some(folder) = folder else {
        part.unverified(bytes);
        return;
    };
    match check(&folder) {
        Ok(None) => part.unverified(bytes),
        Ok(Some(verdict)) => part.judged(entry, bytes, Ok(verdict)),
        Err(_) => part.unreadable(entry),
    }
}

/// `None` where there is nothing to check by.
fn check(folder: &Path) -> io::Result<Option<Result<(), String>>> {
    let note = read(&folder.join(NOTE), LARGEST_NOTE)?;
    let note: Value = match serde_json::from_slice(&note) {
        Ok(note) => note,
        Err(e) => return Ok(Some(Err(format!("a note of the package that can't be parsed ({e})")))),
    };
    let tarball = folder.join(TARBALL);
    if !tarball.is_file() {
        return Ok(None);
    }
    let want = checksum(&note["remote"]);
    let hasher = want.as_ref().and_then(|(algorithm, _)| Hasher::named(algorithm));
    let (verdict, digest) = archive::gzip(Passing::new(open(&tarball)?, hasher))?;
    if let Err(why) = verdict {
        return Ok(Some(Err(format!("its tarball is {why}"))));
    }
    if let (Some((algorithm, want)), Some(digest)) = (want, digest)
        && !digest.is_hex(&[&want])
    {
        return Ok(Some(Err(format!("a tarball whose {algorithm} is not the one that was noted"))));
    }
    unpacked_as(&tarball, folder).map(Some)
}

/// Algorithm and hex digest by `integrity`, else by `hash`, which is SHA-1.
fn checksum(remote: &Value) -> Option<(String, String)> {
    let integrity = remote["integrity"].as_str().and_then(|text| {
        let (algorithm, digest) = text.split_whitespace().next()?.split_once('-')?;
        Some((algorithm.to_owned(), hex(&STANDARD.decode(digest).ok()?)))
    });
    integrity.or_else(|| {
        let hash = remote["hash"].as_str().filter(|h| h.len() == 40)?;
        Some(("sha1".to_owned(), hash.to_owned()))
    })
}

/// Whether what was unpacked is what the tarball holds.
fn unpacked_as(tarball: &Path, folder: &Path) -> io::Result<Result<(), String>> {
    let packed = flate2::read::MultiGzDecoder::new(io::BufReader::new(open(tarball)?));
    let mut members = tar::Archive::new(packed);
    // Of two members with one name the later one counts.
    let mut want: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for member in members.entries()? {
        let mut member = member?;
        let mut path = member.path()?.into_owned().components().skip(1).collect::<PathBuf>();
        if !member.header().entry_type().is_file()
            || !path.components().all(|c| matches!(c, Component::Normal(_)))
        {
            continue;
        }
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        if path.as_os_str().is_empty() {
            path = member.path()?.into_owned();
        }
        want.insert(path, bytes);
    }
    for (path, bytes) in want {
        let place = folder.join(&path);
        // What yarn left out, or what stands under another spelling of its name, is not judged.
        if !fs::symlink_metadata(&place).is_ok_and(|m| m.is_file()) {
            continue;
        }
        let mut found = Vec::with_capacity(bytes.len());
        open(&place)?.read_to_end(&mut found)?;
        if found != bytes {
            return Ok(Err(format!("a package whose {} is not its tarball's", path.display())));
        }
    }
    Ok(Ok(()))
}
