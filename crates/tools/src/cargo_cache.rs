//! cargo's registry cache: crates against the lockfile, unpacked sources against their crates, and the index cache
//! against the lockfile. cargo itself never looks twice at any of them, so damage there stays.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Component, Path},
};

use regreen_domain::RelPath;
use regreen_lockfile::Format;
use sha2::{Digest, Sha256};

use crate::{
    adapter::{CacheScan, DamagedEntry, Job},
    archive,
};

/// Looks through `CARGO_HOME/registry`.
pub(crate) fn scan(job: &Job, root: &Path) -> CacheScan {
    let mut scan = CacheScan::default();
    let locked = locked_checksums(job);
    crates(root, &locked, &mut scan);
    index(root, &locked, &mut scan);
    scan
}

/// SHA-256 by name and version, from the lockfile where it can be read.
fn locked_checksums(job: &Job) -> BTreeMap<(String, String), String> {
    let bytes = fs::read(job.workspace.root.join("Cargo.lock")).unwrap_or_default();
    let Ok(lock) = regreen_lockfile::parse(Format::CargoLock, &bytes) else { return BTreeMap::new() };
    let checksum = |e: &regreen_lockfile::Entry| {
        let digest = e.checksums.first()?.digest().iter().map(|b| format!("{b:02x}")).collect();
        Some(((e.name.clone(), e.version.clone()?), digest))
    };
    lock.entries.iter().filter_map(checksum).collect()
}

fn crates(root: &Path, locked: &BTreeMap<(String, String), String>, scan: &mut CacheScan) {
    for entry in walkdir::WalkDir::new(root.join("cache")).min_depth(2).max_depth(2) {
        let Ok(entry) = entry else { continue };
        let Some(path) = below(root, entry.path()).filter(|p| p.as_str().ends_with(".crate")) else {
            continue;
        };
        scan.checked += 1;
        if !entry.file_type().is_file() {
            scan.damaged.push(DamagedEntry { path, why: "no file where a crate must be".to_owned() });
            continue;
        }
        let Ok(bytes) = fs::read(entry.path()) else {
            scan.unreadable.push(path.to_string());
            continue;
        };
        let stem = entry.file_name().to_string_lossy().trim_end_matches(".crate").to_owned();
        let want =
            locked.iter().find(|((name, version), _)| format!("{name}-{version}") == stem).map(|(_, d)| d);
        let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        if let Err(why) = archive::check_gzip(&bytes) {
            scan.damaged.push(DamagedEntry { path, why });
        } else if want.is_some_and(|want| *want != found) {
            scan.damaged
                .push(DamagedEntry { path, why: "a crate whose SHA-256 is not the lockfile's".to_owned() });
        } else if want.is_some() {
            let registry = entry.path().parent().and_then(Path::file_name).unwrap_or_default();
            let unpacked = root.join("src").join(registry).join(&stem);
            let damage =
                below(root, &unpacked).and_then(|path| Some((path, source(&unpacked, &stem, &bytes)?)));
            if let Some((path, why)) = damage {
                scan.damaged.push(DamagedEntry { path, why });
            }
        }
    }
}

/// What is wrong with an unpacked source, by the crate that it was unpacked from.
fn source(unpacked: &Path, stem: &str, bytes: &[u8]) -> Option<String> {
    let metadata = fs::symlink_metadata(unpacked).ok()?;
    if !metadata.is_dir() {
        return Some("no folder where a crate's source must be".to_owned());
    }
    // Without this file cargo unpacks anew by itself.
    fs::metadata(unpacked.join(".cargo-ok")).ok().filter(|ok| ok.len() > 0)?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    for member in archive.entries().ok()? {
        let mut member = member.ok()?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let path = member.path().ok()?.into_owned();
        let Ok(inner) = path.strip_prefix(stem) else { continue };
        if !inner.components().all(|c| matches!(c, Component::Normal(_))) {
            continue;
        }
        let mut want = Vec::new();
        member.read_to_end(&mut want).ok()?;
        match fs::read(unpacked.join(inner)) {
            Ok(found) if found == want => {}
            Ok(_) => return Some(format!("a source whose {} is not the crate's", inner.display())),
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => return None,
            Err(_) => return Some(format!("a source without its {}", inner.display())),
        }
    }
    None
}

/// The index cache holds one JSON object a version, between NUL bytes, after a short binary head; cargo does not ask
/// the registry again while it names the locked version. Source: cargo, `sources/registry/index/cache.rs`.
fn index(root: &Path, locked: &BTreeMap<(String, String), String>, scan: &mut CacheScan) {
    for entry in walkdir::WalkDir::new(root.join("index")).min_depth(3).max_depth(6).into_iter().flatten() {
        let is_cached = entry.path().components().any(|c| c.as_os_str() == ".cache");
        if !is_cached || !entry.file_type().is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let versions: Vec<_> = locked.iter().filter(|((n, _), _)| *n.to_lowercase() == name).collect();
        if versions.is_empty() {
            continue;
        }
        let Some(path) = below(root, entry.path()) else { continue };
        scan.checked += 1;
        let Ok(bytes) = fs::read(entry.path()) else {
            scan.unreadable.push(path.to_string());
            continue;
        };
        let objects = bytes
            .split(|b| *b == 0)
            .filter_map(|part| serde_json::from_slice::<serde_json::Value>(part).ok());
        let contradicts = objects.into_iter().any(|object| {
            let (version, checksum) = (object["vers"].as_str(), object["cksum"].as_str());
            versions.iter().any(|((_, v), want)| version == Some(v) && checksum.is_some_and(|c| c != *want))
        });
        if contradicts {
            let why = "an index entry whose checksum is not the lockfile's".to_owned();
            scan.damaged.push(DamagedEntry { path, why });
        }
    }
}

fn below(root: &Path, path: &Path) -> Option<RelPath> {
    path.strip_prefix(root).ok()?.to_str().and_then(RelPath::parse)
}
