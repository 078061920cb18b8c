//! uv's cache: wheels unpacked in `archive-v0`, each with its own list of checksums, and wheels that were built. Virtual
//! environments are hard-linked to them, so whoever edits a file there edits the cache.
//! Source: <https://docs.astral.sh/uv/concepts/cache/>; the Python Packaging User Guide, "Recording installed projects".

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use regreen_domain::RelPath;

use super::{
    Asked, Cache, CacheScan, Origin,
    files::{archive_by_name, files, folders, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, digest, each, read},
};

/// The cache.
pub(crate) struct UvCache;

/// Largest list of files that is read, in bytes.
const LARGEST_RECORD: u64 = 64 << 20;

impl Cache for UvCache {
    fn id(&self) -> &'static str {
        "uv"
    }

    fn holds(&self) -> &'static str {
        "wheels, unpacked, and answers of indexes"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("UV_CACHE_DIR"), below: "" },
            Place {
                asked: Ask::Setting { base: Base::Config, file: "uv/uv.toml", key: "cache-dir" },
                below: "",
            },
            Place { asked: Ask::Default(Base::Cache, "uv"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        folders(root)
            .iter()
            .any(|f| ["archive-v", "simple-v", "wheels-v"].iter().any(|start| name(f).starts_with(start)))
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let (mut items, mut others) = (Vec::new(), Vec::new());
        for folder in folders(root) {
            match name(&folder) {
                n if n.starts_with("archive-v") => {
                    items.extend(folders(&folder).into_iter().map(Item::Wheel))
                }
                n if n.starts_with('.') || n == "environments-v2" => {}
                n => others.push(n.to_owned()),
            }
        }
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        items.extend(files(root, &others).into_iter().map(Item::File));
        each(root, asked, &items, |item, part| match item {
            Item::Wheel(folder) => wheel(folder, part),
            Item::File(path) => archive_by_name(path, part),
        })
    }

    fn origins(&self, root: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let origin = |entry: &RelPath| {
            let info = dist_info(&root.join(entry.as_str()))?;
            let stem = name(&info).strip_suffix(".dist-info")?.to_owned();
            Some(Origin { name: stem.replacen('-', " ", 1), url: None, digest: None })
        };
        entries.iter().map(origin).collect()
    }
}

enum Item {
    Wheel(PathBuf),
    File(PathBuf),
}

fn dist_info(folder: &Path) -> Option<PathBuf> {
    folders(folder).into_iter().find(|f| name(f).ends_with(".dist-info"))
}

fn wheel(folder: &Path, part: &mut Part<'_>) {
    let bytes = super::size(folder);
    let record = dist_info(folder).map(|info| info.join("RECORD")).filter(|r| r.exists());
    // Something else that uv unpacked: a source, an interpreter.
    let Some(record) = record else {
        part.unverified(bytes);
        return;
    };
    let Ok(record) = read(&record, LARGEST_RECORD) else {
        part.unreadable(folder);
        return;
    };
    match contradiction(folder, &record, &mut part.buffer) {
        Ok(found) => part.judged(folder, bytes, Ok(found.map_or(Ok(()), Err))),
        Err(_) => part.unreadable(folder),
    }
}

/// The first file that is not what the list of files says. What is not on the list is nobody's business.
fn contradiction(folder: &Path, record: &[u8], buffer: &mut [u8]) -> io::Result<Option<String>> {
    let Ok(record) = std::str::from_utf8(record) else {
        return Ok(Some("a RECORD that is no text".to_owned()));
    };
    for line in record.lines() {
        let Some((path, checksum)) = fields(line) else { continue };
        let Some(want) = checksum.strip_prefix("sha256=").and_then(|d| URL_SAFE_NO_PAD.decode(d).ok()) else {
            continue;
        };
        let below = Path::new(&path);
        if !below.components().all(|c| matches!(c, Component::Normal(_))) {
            continue;
        }
        let Some(hasher) = Hasher::named("sha256") else { continue };
        match digest(&folder.join(below), hasher, buffer) {
            Ok((found, _)) if found.bytes() == want => {}
            Ok(_) => return Ok(Some(format!("a wheel whose {path} is not as its RECORD has it"))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Ok(Some(format!("a wheel without its {path}")));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

/// Path and checksum of a line of CSV whose path may be quoted.
fn fields(line: &str) -> Option<(String, &str)> {
    if let Some(quoted) = line.strip_prefix('"') {
        let (path, rest) = quoted.split_once("\",")?;
        return Some((path.replace("\"\"", "\""), rest.split(',').next()?));
    }
    let mut parts = line.split(',');
    Some((parts.next()?.to_owned(), parts.next()?))
}
