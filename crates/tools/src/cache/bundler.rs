//! Gems as Bundler and RubyGems keep them: each carries the checksums of its own parts.
//! Source: RubyGems, `lib/rubygems/package.rb`; Bundler's manual, `BUNDLE_USER_CACHE`, `GEM_HOME`.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek},
    path::{Path, PathBuf},
};

use super::{
    Asked, Cache, CacheScan,
    files::{archive_by_name, files, length, name},
    place::{Ask, Base, Place},
    work::{Hasher, Passing, each, open},
};

/// A folder of gems.
pub(crate) struct Gems {
    id: &'static str,
    places: &'static [Place],
}

/// What Bundler shares between projects.
pub(crate) const BUNDLER: Gems = Gems {
    id: "bundler",
    places: &[
        Place { asked: Ask::Env("BUNDLE_USER_CACHE"), below: "" },
        Place { asked: Ask::Env("BUNDLE_USER_HOME"), below: "cache" },
        Place { asked: Ask::Default(Base::Home, ".bundle/cache"), below: "" },
    ],
};

/// What was installed into `GEM_HOME`, packed.
pub(crate) const RUBYGEMS: Gems =
    Gems { id: "rubygems", places: &[Place { asked: Ask::Env("GEM_HOME"), below: "cache" }] };

/// Largest list of checksums that is read, in bytes.
const LARGEST_LIST: u64 = 1 << 20;

impl Cache for Gems {
    fn id(&self) -> &'static str {
        self.id
    }

    fn tool(&self) -> &'static str {
        "bundler"
    }

    fn holds(&self) -> &'static str {
        "gems, and the index"
    }

    fn places(&self) -> &'static [Place] {
        self.places
    }

    fn is_at(&self, root: &Path) -> bool {
        root.join("compact_index").is_dir() || files(root, &[""]).iter().any(|f| name(f).ends_with(".gem"))
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &files(root, &[""]), |path: &PathBuf, part| match name(path).ends_with(".gem") {
            true => {
                let verdict = gem(path);
                part.judged(path, length(path), verdict);
            }
            false => archive_by_name(path, part),
        })
    }
}

/// A gem is a tar archive of `metadata.gz`, `data.tar.gz` and `checksums.yaml.gz`, which has the digests of the others.
fn gem(path: &Path) -> io::Result<Result<(), String>> {
    let mut source = Passing::new(open(path)?, None);
    let verdict = parts(&mut source);
    match source.refused() {
        Some(refused) => Err(refused.into()),
        None => Ok(verdict),
    }
}

fn parts(source: &mut Passing<std::fs::File>) -> Result<(), String> {
    let broken = |e: io::Error| format!("a gem that ends badly ({e})");
    let mut archive = tar::Archive::new(io::BufReader::new(source));
    let (mut found, mut list) = (BTreeMap::new(), String::new());
    for member in archive.entries().map_err(broken)? {
        let mut member = member.map_err(broken)?;
        let name = member.path().map_err(broken)?.to_string_lossy().into_owned();
        if name == "checksums.yaml.gz" {
            let unpacked =
                flate2::read::GzDecoder::new(&mut member).take(LARGEST_LIST).read_to_string(&mut list);
            unpacked.map_err(|e| format!("a list of checksums that can't be read ({e})"))?;
            continue;
        }
        let passing = Passing::new(member, Hasher::named("sha256"));
        if let Some(digest) = passing.finish().map_err(broken)? {
            found.insert(name, digest);
        }
    }
    if !is_ended(archive.into_inner().into_inner()) {
        return Err("a gem that is cut off".to_owned());
    }
    if !found.contains_key("data.tar.gz") {
        return Err("a gem without its data".to_owned());
    }
    for (name, want) in sha256s(&list) {
        match found.get(name) {
            None => return Err(format!("a gem without its {name}")),
            Some(digest) if !digest.is_hex(&[want]) => {
                return Err(format!("a gem whose {name} has not the SHA-256 that is noted in it"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether two blocks of zeros stand at the end, as RubyGems writes them.
fn is_ended(source: &mut Passing<std::fs::File>) -> bool {
    let mut end = [1; 1024];
    source.seek(io::SeekFrom::End(-1024)).is_ok()
        && source.read_exact(&mut end).is_ok()
        && end.iter().all(|byte| *byte == 0)
}

/// The lines below `SHA256:`, two spaces in: `name: 'digest'`.
fn sha256s(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = list.lines().skip_while(|line| line.trim() != "SHA256:").skip(1);
    let below = lines.take_while(|line| line.starts_with(' '));
    below.filter_map(|line| {
        let (name, digest) = line.trim().split_once(':')?;
        let digest = digest.trim().trim_matches(['\'', '"']);
        (digest.len() == 64).then_some((name, digest))
    })
}
