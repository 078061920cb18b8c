//! Maven's local repository: each artifact may have its SHA-1 beside it; archives are read to their end; a download that
//! broke off leaves a note that keeps Maven from trying again.
//! Source: Maven Resolver, `SimpleLocalRepositoryManager` and `DefaultUpdateCheckManager`; <https://maven.apache.org/settings.html>.

use std::path::{Path, PathBuf};

use super::{
    Asked, Cache, CacheScan,
    files::{archive_by_name, files, length, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, digest, each, read},
};

/// The cache.
pub(crate) struct MavenRepository;

/// Largest note that is read, in bytes.
const LARGEST_NOTE: u64 = 1 << 20;

impl Cache for MavenRepository {
    fn id(&self) -> &'static str {
        "maven"
    }

    fn holds(&self) -> &'static str {
        "artifacts and their descriptions"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place {
                asked: Ask::Setting { base: Base::Home, file: ".m2/settings.xml", key: "localRepository" },
                below: "",
            },
            Place { asked: Ask::Default(Base::Home, ".m2/repository"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        let mut walk = walkdir::WalkDir::new(root).max_depth(8).into_iter().flatten();
        walk.any(|e| e.file_name() == "_remote.repositories" || e.file_name() == "_maven.repositories")
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        each(root, asked, &files(root, &[""]), |path: &PathBuf, part| entry(path, part))
    }
}

fn entry(path: &Path, part: &mut Part<'_>) {
    let file = name(path);
    if file.ends_with(".lastUpdated") {
        note(path, part);
        return;
    }
    let is_note = |ending: &&str| file.ends_with(*ending);
    if [".sha1", ".md5", ".sha256", ".sha512", ".asc", ".repositories", ".properties"].iter().any(is_note)
        || file.starts_with("maven-metadata")
    {
        part.unverified(length(path));
        return;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".sha1");
    let beside = PathBuf::from(beside);
    let Some(want) = read(&beside, LARGEST_NOTE).ok().and_then(|bytes| sha1(&bytes)) else {
        archive_by_name(path, part);
        return;
    };
    let Some(hasher) = Hasher::named("sha1") else { return };
    match digest(path, hasher, &mut part.buffer) {
        Err(_) => part.unreadable(path),
        Ok((found, _)) if found.is_hex(&[&want]) => part.checked(length(path)),
        Ok(_) => {
            part.checked(length(path));
            // Which of them is wrong can't be told: Maven fetches both anew.
            part.damaged(path, "an artifact whose SHA-1 is not the one beside it");
            part.damaged(&beside, "a SHA-1 that is not that of the artifact beside it");
        }
    }
}

/// The digest in a checksum file, which may be followed by a file name.
fn sha1(bytes: &[u8]) -> Option<String> {
    let word = std::str::from_utf8(bytes).ok()?.split_whitespace().next()?.to_ascii_lowercase();
    (word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit())).then_some(word)
}

/// While it is there and no older than a day, Maven does not ask again. A download that broke off says why; an artifact
/// that a repository does not have says nothing, and is no damage.
fn note(path: &Path, part: &mut Part<'_>) {
    let Ok(bytes) = read(path, LARGEST_NOTE) else {
        part.unreadable(path);
        return;
    };
    let artifact = path.with_file_name(name(path).trim_end_matches(".lastUpdated"));
    let says_why = |line: &str| line.split_once(".error=").is_some_and(|(_, why)| !why.trim().is_empty());
    let broke_off = String::from_utf8_lossy(&bytes).lines().any(says_why);
    part.checked(bytes.len() as u64);
    if broke_off && !artifact.exists() {
        part.damaged(
            path,
            "left over from a download that broke off; Maven does not try again while it is there",
        );
    }
}
