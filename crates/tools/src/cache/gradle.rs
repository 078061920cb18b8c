//! Gradle's modules: each file lies in a folder that is named by its SHA-1.
//! Source: Gradle, `DefaultExternalResourceFileStore`; the manual, "The directories and files Gradle uses".

use std::path::{Path, PathBuf};

use super::{
    Asked, Cache, CacheScan, Refill,
    files::{files, folders, length, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, digest, each},
};

/// The cache.
pub(crate) struct GradleModules;

impl Cache for GradleModules {
    fn id(&self) -> &'static str {
        "gradle"
    }

    fn holds(&self) -> &'static str {
        "artifacts of modules"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("GRADLE_USER_HOME"), below: "caches/modules-2" },
            Place { asked: Ask::Default(Base::Home, ".gradle/caches/modules-2"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        folders(root).iter().any(|f| name(f).starts_with("files-2."))
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let stores = folders(root).into_iter().filter(|f| name(f).starts_with("files-2."));
        let items: Vec<PathBuf> = stores.flat_map(|store| files(&store, &[""])).collect();
        each(root, asked, &items, |path: &PathBuf, part| entry(path, part))
    }

    fn refill(&self) -> Refill {
        // The repositories stand in the build's own scripts.
        Refill::Unknown
    }
}

/// `files-2.1/<group>/<name>/<version>/<SHA-1>/<file>`. Gradle writes the digest as a number, without leading zeros.
fn entry(path: &Path, part: &mut Part<'_>) {
    let want = path.parent().map(name).unwrap_or_default();
    let is_digest = (32..=40).contains(&want.len()) && want.bytes().all(|b| b.is_ascii_hexdigit());
    let Some(hasher) = Hasher::named("sha1").filter(|_| is_digest) else {
        part.unverified(length(path));
        return;
    };
    match digest(path, hasher, &mut part.buffer) {
        Err(_) => part.unreadable(path),
        Ok((found, length)) => {
            part.checked(length);
            if !found.is_hex(&["0".repeat(40 - want.len()).as_str(), want]) {
                part.damaged(path, format!("{length} bytes whose SHA-1 is not the one they are filed under"));
            }
        }
    }
}
