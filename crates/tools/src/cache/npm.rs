//! npm's `_cacache`. Source: cacache, `lib/content/path.js` and `lib/entry-index.js`; npm's configuration `cache`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    fs::FileType,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use regreen_domain::RelPath;
use serde_json::Value;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use super::{
    Asked, Cache, CacheScan, Origin,
    place::{Ask, Base, Place},
    work::{Hasher, Part, at_depth, digest, each, hex, kind_name, read},
};

/// The cache.
pub(crate) struct NpmCache;

/// Largest index bucket that is read, in bytes.
const LARGEST_BUCKET: u64 = 64 << 20;

impl Cache for NpmCache {
    fn id(&self) -> &'static str {
        "npm"
    }

    fn holds(&self) -> &'static str {
        "packages and metadata by their digest"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("npm_config_cache"), below: "_cacache" },
            Place { asked: Ask::Env("NPM_CONFIG_CACHE"), below: "_cacache" },
            Place {
                asked: Ask::Setting { base: Base::Home, file: ".npmrc", key: "cache" },
                below: "_cacache",
            },
            Place { asked: Ask::Default(Base::Home, ".npm"), below: "_cacache" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("content-v2").exists() || root.join("index-v5").exists()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &shelves(root), |shelf, part| match shelf {
            Shelf::Content(folder, depth) => at_depth(folder, *depth, part, &mut content),
            Shelf::Index(folder, depth) => at_depth(folder, *depth, part, &mut bucket),
        })
    }

    fn origins(&self, root: &Path, entries: &[RelPath]) -> Vec<Option<Origin>> {
        let wanted: BTreeSet<&str> = entries.iter().map(RelPath::as_str).collect();
        let mut known = BTreeMap::new();
        for file in
            walkdir::WalkDir::new(root.join("index-v5")).min_depth(3).max_depth(3).into_iter().flatten()
        {
            let Ok(bytes) = read(file.path(), LARGEST_BUCKET) else { continue };
            for line in String::from_utf8_lossy(&bytes).lines() {
                if let Some((path, origin)) =
                    named_by(root, line).filter(|(p, _)| wanted.contains(p.as_str()))
                {
                    known.insert(path, origin);
                }
            }
        }
        entries.iter().map(|path| known.get(path.as_str()).cloned()).collect()
    }
}

/// The content that a line of the index names, and what it is.
fn named_by(root: &Path, line: &str) -> Option<(String, Origin)> {
    let entry: Value = serde_json::from_str(line.split_once('\t')?.1).ok()?;
    let (key, integrity) = (entry.get("key")?.as_str()?, entry.get("integrity")?.as_str()?);
    let path = content_path(root, integrity)?.strip_prefix(root).ok()?.to_str()?.to_owned();
    let (algorithm, digest) = integrity.split_whitespace().next()?.split_once('-')?;
    let algorithm = ["sha1", "sha256", "sha384", "sha512"].into_iter().find(|a| *a == algorithm)?;
    let digest = hex(&STANDARD.decode(digest).ok()?);
    // `make-fetch-happen:request-cache:https://…`
    let url = key.find("http").map(|at| key[at..].to_owned()).filter(|u| u.contains("://"));
    let name = url.clone().unwrap_or_else(|| key.to_owned());
    Some((path, Origin { name, url, digest: Some((algorithm, digest)) }))
}

/// A part of the cache that one thread reads.
enum Shelf {
    Content(PathBuf, usize),
    Index(PathBuf, usize),
}

/// The cache in parts of about 1/256 each.
fn shelves(root: &Path) -> Vec<Shelf> {
    let mut shelves = Vec::new();
    let folders = |path: &Path| -> Option<Vec<PathBuf>> {
        fs::read_dir(path).ok()?.map(|e| Some(e.ok()?.path())).collect()
    };
    let (content, index) = (root.join("content-v2"), root.join("index-v5"));
    match folders(&content) {
        Some(algorithms) => {
            for algorithm in algorithms {
                match folders(&algorithm) {
                    Some(all) => shelves.extend(all.into_iter().map(|f| Shelf::Content(f, 2))),
                    None => shelves.push(Shelf::Content(algorithm, 3)),
                }
            }
        }
        None => shelves.push(Shelf::Content(content, 4)),
    }
    match folders(&index) {
        Some(all) => shelves.extend(all.into_iter().map(|f| Shelf::Index(f, 2))),
        None => shelves.push(Shelf::Index(index, 3)),
    }
    shelves
}

/// Content is addressed by its own digest: `content-v2/<algorithm>/<aa>/<bb>/<rest of the hex digest>`.
fn content(path: &Path, kind: FileType, part: &mut Part<'_>) {
    let parts: Vec<&str> = path.iter().rev().take(4).filter_map(|p| p.to_str()).collect();
    let [rest, b, a, algorithm] = parts.as_slice() else {
        part.unreadable(path);
        return;
    };
    if !kind.is_file() {
        part.checked(0);
        part.damaged(path, format!("{} where a file must be", kind_name(kind)));
        return;
    }
    let Some(hasher) = Hasher::named(algorithm) else {
        part.unverified(path.metadata().map_or(0, |m| m.len()));
        return;
    };
    let Ok((found, length)) = digest(path, hasher, &mut part.buffer) else {
        part.unreadable(path);
        return;
    };
    part.checked(length);
    if !found.is_hex(&[a, b, rest]) {
        let why = format!("{length} bytes whose {algorithm} is not the one they are filed under");
        part.damaged(path, why);
    }
}

/// An index bucket holds lines of `<SHA-1 of the JSON>\t<JSON>`. npm ignores a line that does not add up, so such a
/// line is a cache miss; a bucket that is no file, or an entry that names content of another size, makes npm fail.
fn bucket(path: &Path, kind: FileType, part: &mut Part<'_>) {
    if !kind.is_file() {
        part.checked(0);
        part.damaged(path, format!("{} where an index bucket must be", kind_name(kind)));
        return;
    }
    let Ok(bytes) = read(path, LARGEST_BUCKET) else {
        part.unreadable(path);
        return;
    };
    part.checked(bytes.len() as u64);
    if let Some(why) = bad_bucket(part.root, &bytes) {
        part.damaged(path, why);
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
        let mut hasher = Hasher::named("sha1")?;
        hasher.update(json.as_bytes());
        if !hasher.finish().is_hex(&[hash]) {
            return Some("a line whose checksum is wrong".to_owned());
        }
        last = Some(json);
    }
    let last = serde_json::from_str::<Value>(last?).ok()?;
    let (integrity, size) = (last.get("integrity")?.as_str()?, last.get("size")?.as_u64()?);
    let content = content_path(root, integrity)?;
    let found = fs::metadata(&content).ok().filter(fs::Metadata::is_file)?.len();
    (found != size).then(|| format!("an entry of {size} bytes for content of {found} bytes"))
}

/// Where the content with this integrity lies.
fn content_path(root: &Path, integrity: &str) -> Option<PathBuf> {
    let (algorithm, digest) = integrity.split_whitespace().next()?.split_once('-')?;
    let hex = hex(&STANDARD.decode(digest).ok()?);
    (hex.len() > 4 && Hasher::named(algorithm).is_some())
        .then(|| root.join("content-v2").join(algorithm).join(&hex[..2]).join(&hex[2..4]).join(&hex[4..]))
}

/// The files, by their path below `_cacache`, that hold `content` under `key`: content and index bucket, as cacache writes
/// them.
pub fn npm_entry<'a>(key: &str, content: &'a [u8]) -> [(String, std::borrow::Cow<'a, [u8]>); 2] {
    let digest = Sha512::digest(content);
    let name = hex(&digest);
    let integrity = format!("sha512-{}", STANDARD.encode(digest));
    let line = serde_json::json!({ "key": key, "integrity": integrity, "time": 1, "size": content.len() });
    let line = line.to_string();
    let bucket = hex(&Sha256::digest(key));
    [
        (format!("content-v2/sha512/{}/{}/{}", &name[..2], &name[2..4], &name[4..]), content.into()),
        (
            format!("index-v5/{}/{}/{}", &bucket[..2], &bucket[2..4], &bucket[4..]),
            format!("\n{}\t{line}", hex(&Sha1::digest(&line))).into_bytes().into(),
        ),
    ]
}
