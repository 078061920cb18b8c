//! The compact index: for each gem a page with a line for each version, which ends in the SHA-256 of the gem file.
//! Source: bundler 2.3, `compact_index_client/gem_parser.rb`; the guide "Compact Index API" of RubyGems.
//!
//! It is the registry's own word: good for telling that a gem is not what was promised, and for nothing else.

use std::{fs, io, path::Path};

use regreen_lockfile::{Algorithm, Checksum};
use sha2::{Digest, Sha256};

use crate::cache::QUARANTINE;

/// The checksum of a version on its page: `1.0.0 needs:>= 1|checksum:<hex>,ruby:>= 3`.
pub(super) fn promised(page: &str, version: &str) -> Option<Checksum> {
    let line = page.lines().find(|line| line.split(' ').next() == Some(version))?;
    let facts = line.rsplit_once('|')?.1;
    let hex = facts.split(',').find_map(|fact| fact.strip_prefix("checksum:"))?;
    let digits =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    Checksum::new(Algorithm::Sha256, &digits.collect::<Option<Vec<u8>>>()?)
}

/// The gems below `root` whose bytes no page in `pages` (Bundler's copies, a folder a server) promises, though one knows
/// the version; by path below `root`, and why. Blocking.
pub(super) fn contradicted(pages: &Path, root: &Path) -> Vec<(String, String)> {
    let servers: Vec<_> =
        fs::read_dir(pages).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    let mut found = Vec::new();
    let walk = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let gems = walk.filter_entry(|entry| entry.file_name() != QUARANTINE).flatten();
    for gem in gems.filter(|entry| entry.file_type().is_file()) {
        let Some(stem) = gem.file_name().to_str().and_then(|name| name.strip_suffix(".gem")) else {
            continue;
        };
        let promises: Vec<Checksum> = servers.iter().flat_map(|server| noted(server, stem)).collect();
        if promises.is_empty() {
            continue;
        }
        // What can't be read is not called damaged.
        let Ok(digest) = sha256(gem.path()) else { continue };
        if promises.iter().all(|promise| *promise.digest() != digest[..])
            && let Some(path) = gem.path().strip_prefix(root).ok().and_then(Path::to_str)
        {
            found.push((path.to_owned(), "a gem that is not the one in its server's index".to_owned()));
        }
    }
    found
}

/// What the pages of one server say of `name-version`: both may have hyphens.
fn noted(server: &Path, stem: &str) -> Vec<Checksum> {
    let splits = stem.match_indices('-').map(|(at, _)| (&stem[..at], &stem[at + 1..]));
    let named = splits.filter(|(name, version)| {
        !name.is_empty() && !name.contains('/') && version.starts_with(|c: char| c.is_ascii_digit())
    });
    named
        .filter_map(|(name, version)| {
            let page = fs::read_to_string(server.join("info").join(name)).ok()?;
            promised(&page, version)
        })
        .collect()
}

fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().into())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn gems_are_compared_with_the_pages_that_know_them() {
        let folder = tempfile::tempdir().unwrap();
        let (pages, root) = (folder.path().join("compact_index"), folder.path().join("gems"));
        let info = pages.join("gems.example.443.0123/info");
        fs::create_dir_all(&info).unwrap();
        fs::create_dir_all(&root).unwrap();
        let hex =
            |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() };
        let page = format!(
            "---\n1.0 |checksum:{}\n1.1-x86_64-linux a:>= 1&< 2,b:>= 0|checksum:{},ruby:>= 3\n1.2 |checksum:00\n",
            hex(b"one"),
            hex(b"two")
        );
        fs::write(info.join("a-b"), page).unwrap();
        for (file, bytes) in [
            ("a-b-1.0.gem", "one"),
            ("a-b-1.1-x86_64-linux.gem", "evil"),
            // A checksum that is none, a version that no page knows, and a gem that none does.
            ("a-b-1.2.gem", "x"),
            ("a-b-1.3.gem", "x"),
            ("a-1.0.gem", "x"),
        ] {
            fs::write(root.join(file), bytes).unwrap();
        }
        let found: Vec<String> = contradicted(&pages, &root).into_iter().map(|(path, _)| path).collect();
        assert_eq!(found, ["a-b-1.1-x86_64-linux.gem"]);
        assert!(contradicted(&folder.path().join("none"), &root).is_empty());
    }
}
