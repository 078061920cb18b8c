//! pip's HTTP and wheel caches: archives are read to their end. Source: pip, `cache.py` and `network/cache.py`; pip's
//! documentation, "Caching".

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    Asked, Cache, CacheScan,
    place::{Ask, Base, Place},
    work::{Part, Passing, each, open, read},
};
use crate::archive;

/// The cache.
pub(crate) struct PipCache;

/// Largest answer that is read whole, in bytes.
const LARGEST_ANSWER: u64 = 1 << 30;

impl Cache for PipCache {
    fn id(&self) -> &'static str {
        "pip"
    }

    fn holds(&self) -> &'static str {
        "answers of indexes, and wheels that were built"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("PIP_CACHE_DIR"), below: "" },
            Place {
                asked: Ask::Setting { base: Base::Config, file: "pip/pip.conf", key: "cache-dir" },
                below: "",
            },
            Place {
                asked: Ask::Setting { base: Base::Home, file: ".pip/pip.conf", key: "cache-dir" },
                below: "",
            },
            Place { asked: Ask::Default(Base::Cache, "pip"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("http-v2").is_dir() || root.join("http").is_dir() && root.join("selfcheck").exists()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let mut files = Vec::new();
        for part in ["http-v2", "http", "wheels"] {
            let walk = walkdir::WalkDir::new(root.join(part)).into_iter().flatten();
            files.extend(walk.filter(|e| e.file_type().is_file()).map(walkdir::DirEntry::into_path));
        }
        each(root, asked, &files, |path: &PathBuf, part| check(path, part))
    }
}

/// Archives are recognised by their first bytes; anything else (headers, index pages) has no checksum of its own.
pub(super) fn check(path: &Path, part: &mut Part<'_>) {
    let length = path.symlink_metadata().map_or(0, |m| m.len());
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let read = match extension {
        "whl" => zip(path).map(Some),
        // Poetry keeps sources under their own names.
        "body" | "gz" => begins(path).and_then(|kind| by_kind(kind, path)),
        _ => answer(path),
    };
    match read {
        Ok(Some(verdict)) => part.judged(path, length, Ok(verdict)),
        Ok(None) => part.unverified(length),
        Err(_) => part.unreadable(path),
    }
}

type Verdict = Result<(), String>;

fn by_kind(begin: [u8; 4], path: &Path) -> io::Result<Option<Verdict>> {
    match begin {
        [b'P', b'K', 3, 4] => zip(path).map(Some),
        [0x1f, 0x8b, ..] => Ok(Some(archive::gzip(Passing::new(open(path)?, None))?.0)),
        _ => Ok(None),
    }
}

fn zip(path: &Path) -> io::Result<Verdict> {
    archive::zip(Passing::new(io::BufReader::new(open(path)?), None))
}

fn begins(path: &Path) -> io::Result<[u8; 4]> {
    let mut begin = [0; 4];
    let mut file = open(path)?;
    let mut at = 0;
    while at < begin.len() {
        match io::Read::read(&mut file, &mut begin[at..])? {
            0 => break,
            n => at += n,
        }
    }
    Ok(begin)
}

/// pip before 23.3 keeps the body inside the answer.
fn answer(path: &Path) -> io::Result<Option<Verdict>> {
    if begins(path)? != *b"cc=4" {
        return Ok(None);
    }
    let bytes = read(path, LARGEST_ANSWER)?;
    let Some(body) = enclosed_body(&bytes) else { return Ok(None) };
    Ok(if body.starts_with(b"PK\x03\x04") {
        Some(archive::zip(Passing::new(io::Cursor::new(body), None))?)
    } else if body.starts_with(&[0x1f, 0x8b]) {
        Some(archive::gzip(Passing::new(body, None))?.0)
    } else {
        None
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
