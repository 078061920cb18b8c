//! cargo's registry cache: crates against the lockfile or the index, unpacked sources against their crates, and the
//! index cache against the lockfile. cargo itself never looks twice at any of them, so damage there stays.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    io::Read,
    path::{Component, Path, PathBuf},
};

use regreen_domain::RelPath;
use regreen_lockfile::Format;
use regreen_saga::BoxFuture;

use super::{
    Asked, Cache, CacheScan, Origin,
    place::{Ask, Base, Place},
    work::{Hasher, Part, Passing, each, hex, open, read},
};
use crate::{adapter::Remote, archive, cargo::download_url};

/// The cache.
pub(crate) struct CargoRegistry;

/// Largest index file that is read, in bytes.
const LARGEST_INDEX: u64 = 64 << 20;

impl Cache for CargoRegistry {
    fn id(&self) -> &'static str {
        "cargo"
    }

    fn holds(&self) -> &'static str {
        "crates, their sources, and the registry's index"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("CARGO_HOME"), below: "registry" },
            Place { asked: Ask::Default(Base::Home, ".cargo"), below: "registry" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("cache").is_dir() && root.join("index").is_dir()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let locked = asked.workspace.map(locked_checksums).unwrap_or_default();
        let indexed = index_files(root);
        let mut items: Vec<Item> = crates(root).into_iter().map(Item::Crate).collect();
        items.extend(indexed.into_iter().map(Item::Index));
        each(root, asked, &items, |item, part| match item {
            Item::Crate(path) => check_crate(path, &locked, part),
            Item::Index(path) => check_index(path, &locked, part),
        })
    }

    fn addresses<'a>(&'a self, origin: &'a Origin, remotes: &'a [Remote]) -> BoxFuture<'a, Vec<String>> {
        Box::pin(async move {
            let Some((name, version)) = origin.name.split_once(' ') else { return Vec::new() };
            let mut urls = Vec::new();
            for remote in remotes {
                urls.extend(download_url(remote, name, version).await);
            }
            urls
        })
    }

    fn origins(&self, root: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let origin = |entry: &RelPath| {
            let mut parts = entry.as_str().split('/');
            let (kind, registry, file) = (parts.next()?, parts.next()?, parts.next()?);
            let stem = match kind {
                "cache" => file.strip_suffix(".crate")?,
                _ => return None,
            };
            let digest = indexed(root, OsStr::new(registry), stem).map(|(_, sum)| ("sha256", sum));
            let (name, version) = split(stem).last()?;
            Some(Origin { name: format!("{name} {version}"), url: None, digest })
        };
        entries.iter().map(origin).collect()
    }
}

enum Item {
    Crate(PathBuf),
    Index(PathBuf),
}

/// SHA-256 by version, by name.
type Checksums = BTreeMap<String, BTreeMap<String, String>>;

/// The lockfile's checksums, where it can be read.
fn locked_checksums(workspace: &Path) -> Checksums {
    let bytes = fs::read(workspace.join("Cargo.lock")).unwrap_or_default();
    let mut locked = Checksums::new();
    let Ok(lock) = regreen_lockfile::parse(Format::CargoLock, &bytes) else { return locked };
    for entry in lock.entries {
        if let (Some(checksum), Some(version)) = (entry.checksums.first(), entry.version) {
            locked.entry(entry.name).or_default().insert(version, hex(checksum.digest()));
        }
    }
    locked
}

/// What the files of a folder two below are: `cache/<registry>/<crate>`.
fn crates(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root.join("cache")).min_depth(2).max_depth(2);
    let is_crate = |path: &PathBuf| path.extension() == Some(OsStr::new("crate"));
    walk.into_iter().flatten().map(walkdir::DirEntry::into_path).filter(is_crate).collect()
}

/// `index/<registry>/.cache/…/<name>`.
fn index_files(root: &Path) -> Vec<PathBuf> {
    let Ok(registries) = fs::read_dir(root.join("index")) else { return Vec::new() };
    let mut files = Vec::new();
    for registry in registries.flatten() {
        let walk = walkdir::WalkDir::new(registry.path().join(".cache")).min_depth(1).max_depth(5);
        let all = walk.into_iter().flatten().filter(|e| e.file_type().is_file());
        files.extend(all.map(walkdir::DirEntry::into_path));
    }
    files
}

/// The name and version of `name-1.2.3`: the version begins at the first `-` that a digit follows and that makes one.
fn split(stem: &str) -> impl Iterator<Item = (&str, &str)> {
    let cut = |(at, _)| {
        let (name, version) = (&stem[..at], &stem[at + 1..]);
        version.starts_with(|c: char| c.is_ascii_digit()).then_some((name, version))
    };
    stem.match_indices('-').filter_map(cut)
}

fn check_crate(path: &Path, locked: &Checksums, part: &mut Part<'_>) {
    let metadata = path.symlink_metadata();
    if !metadata.as_ref().is_ok_and(fs::Metadata::is_file) {
        part.checked(0);
        part.damaged(path, "no file where a crate must be");
        return;
    }
    let length = metadata.map_or(0, |m| m.len());
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let want =
        |sums: &Checksums| split(&stem).find_map(|(name, version)| sums.get(name)?.get(version)).cloned();
    let in_lock = want(locked);
    let whole = open(path).and_then(|file| archive::gzip(Passing::new(file, Hasher::named("sha256"))));
    let (verdict, found) = match whole {
        Ok((verdict, digest)) => (verdict, digest),
        Err(_) => {
            part.unreadable(path);
            return;
        }
    };
    part.checked(length);
    if let Err(why) = verdict {
        part.damaged(path, why);
        return;
    }
    let is = |want: &String| found.is_some_and(|found| found.is_hex(&[want]));
    match in_lock {
        Some(want) if !is(&want) => {
            part.damaged(path, "a crate whose SHA-256 is not the lockfile's");
            return;
        }
        Some(_) => {}
        None => {
            let registry = path.parent().and_then(Path::file_name).unwrap_or_default();
            let Some((index, want)) = indexed(part.root, registry, &stem) else { return };
            if !is(&want) {
                // Which of them is wrong can't be told: cargo fetches both anew.
                part.damaged(path, "a crate whose SHA-256 is not the index's");
                part.damaged(&index, format!("an index entry whose checksum is not that of {stem}.crate"));
                return;
            }
        }
    }
    let registry = path.parent().and_then(Path::file_name).unwrap_or_default();
    let unpacked = part.root.join("src").join(registry).join(&stem);
    if let Some(why) = source(&unpacked, &stem, path) {
        part.damaged(&unpacked, why);
    }
}

/// What the cached index of the same registry says of a crate, and the file that says it.
fn indexed(root: &Path, registry: &OsStr, stem: &str) -> Option<(PathBuf, String)> {
    split(stem).find_map(|(name, version)| {
        let path = root.join("index").join(registry).join(".cache").join(shard(name)?);
        let bytes = read(&path, LARGEST_INDEX).ok()?;
        let said = objects(&bytes).find(|object| object["vers"].as_str() == Some(version))?;
        Some((path, said["cksum"].as_str()?.to_owned()))
    })
}

/// Where the index keeps a crate. Source: the Cargo Book, "Index Format", "Index files".
fn shard(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    if !name.is_ascii() {
        return None;
    }
    Some(match name.len() {
        0 => return None,
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    })
}

/// What is wrong with an unpacked source, by the crate that it was unpacked from.
fn source(unpacked: &Path, stem: &str, archive: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(unpacked).ok()?;
    if !metadata.is_dir() {
        return Some("no folder where a crate's source must be".to_owned());
    }
    // Without this file cargo unpacks anew by itself.
    fs::metadata(unpacked.join(".cargo-ok")).ok().filter(|ok| ok.len() > 0)?;
    let packed = flate2::read::GzDecoder::new(io::BufReader::new(open(archive).ok()?));
    let mut members = tar::Archive::new(packed);
    let (mut want, mut found) = (Vec::new(), Vec::new());
    for member in members.entries().ok()? {
        let mut member = member.ok()?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let path = member.path().ok()?.into_owned();
        let Ok(inner) = path.strip_prefix(stem) else { continue };
        if !inner.components().all(|c| matches!(c, Component::Normal(_))) {
            continue;
        }
        want.clear();
        found.clear();
        member.read_to_end(&mut want).ok()?;
        match open(&unpacked.join(inner)).and_then(|mut file| file.read_to_end(&mut found)) {
            Ok(_) if found == want => {}
            Ok(_) => return Some(format!("a source whose {} is not the crate's", inner.display())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Some(format!("a source without its {}", inner.display()));
            }
            Err(e) if e.kind() == io::ErrorKind::IsADirectory || e.kind() == io::ErrorKind::NotADirectory => {
                return Some(format!("a source without its {}", inner.display()));
            }
            Err(_) => return None,
        }
    }
    None
}

/// The index cache holds one JSON object a version, between NUL bytes, after a short binary head; cargo does not ask
/// the registry again while it names the locked version. Source: cargo, `sources/registry/index/cache.rs`.
fn objects(bytes: &[u8]) -> impl Iterator<Item = serde_json::Value> {
    bytes.split(|b| *b == 0).filter_map(|part| serde_json::from_slice(part).ok())
}

fn check_index(path: &Path, locked: &Checksums, part: &mut Part<'_>) {
    let length = path.symlink_metadata().map_or(0, |m| m.len());
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let versions: Vec<_> =
        locked.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).flat_map(|(_, v)| v).collect();
    if versions.is_empty() {
        part.unverified(length);
        return;
    }
    let Ok(bytes) = read(path, LARGEST_INDEX) else {
        part.unreadable(path);
        return;
    };
    part.checked(length);
    let contradicts = objects(&bytes).any(|object| {
        let (version, checksum) = (object["vers"].as_str(), object["cksum"].as_str());
        versions.iter().any(|(v, want)| version == Some(v) && checksum.is_some_and(|c| c != *want))
    });
    if contradicts {
        part.damaged(path, "an index entry whose checksum is not the lockfile's");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_file_is_split_at_its_version() {
        let first = |stem| split(stem).collect::<Vec<_>>();
        assert_eq!(first("serde-1.0.2"), [("serde", "1.0.2")]);
        assert_eq!(first("md-5-0.10.6"), [("md", "5-0.10.6"), ("md-5", "0.10.6")]);
        assert_eq!(first("a-1.0.0-rc.1"), [("a", "1.0.0-rc.1")]);
    }

    #[test]
    fn the_index_shards_by_length() {
        for (name, want) in [("a", "1/a"), ("ab", "2/ab"), ("Abc", "3/a/abc"), ("cargo", "ca/rg/cargo")] {
            assert_eq!(shard(name).as_deref(), Some(want));
        }
    }
}
