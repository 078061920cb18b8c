//! The cache of Yarn 2 and later: a zip archive a package, with its checksum in each project's `yarn.lock`.
//! Sources: <https://yarnpkg.com/configuration/yarnrc#globalFolder>; berry, `packages/yarnpkg-core/sources/Cache.ts`
//! (`getVersionFilename`, `getChecksumFilename`) and `structUtils.ts` (`slugifyLocator`).

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use regreen_lockfile::{Algorithm, Format};

use super::{
    Asked, Cache, CacheScan,
    files::{archive_by_name, files, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, digest, each, hex},
};

/// The cache.
pub(crate) struct YarnBerry;

/// Largest `yarn.lock` that is read, in bytes.
const LARGEST_LOCK: u64 = 64 << 20;

impl Cache for YarnBerry {
    fn id(&self) -> &'static str {
        "yarn-berry"
    }

    fn tool(&self) -> &'static str {
        "yarn"
    }

    fn holds(&self) -> &'static str {
        "packages as zip archives"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("YARN_GLOBAL_FOLDER"), below: "cache" },
            Place {
                asked: Ask::Setting { base: Base::Home, file: ".yarnrc.yml", key: "globalFolder" },
                below: "cache",
            },
            Place { asked: Ask::Default(Base::Home, ".yarn/berry/cache"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        let entries = fs::read_dir(root).into_iter().flatten().flatten();
        entries.map(|e| e.path()).any(|path| slug(name(&path)).is_some())
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let locked = asked.workspace.map(locked_checksums).unwrap_or_default();
        each(root, asked, &files(root, &[""]), |path: &PathBuf, part| archive(path, &locked, part))
    }
}

/// Hex SHA-512 by what an archive's name says: package, version, and how Yarn packed it.
type Checksums = BTreeMap<(String, String), String>;

/// The lockfile's checksums, where it can be read. Where its entries were packed in several ways, none.
fn locked_checksums(workspace: &Path) -> Checksums {
    let path = workspace.join("yarn.lock");
    let mut locked = Checksums::new();
    if path.metadata().is_ok_and(|m| m.len() > LARGEST_LOCK) {
        return locked;
    }
    let bytes = fs::read(path).unwrap_or_default();
    let Ok(lock) = regreen_lockfile::parse(Format::YarnBerry, &bytes) else { return locked };
    let Some(scheme) = lock.checksum_scheme().filter(|s| !s.is_empty() && !s.contains(' ')) else {
        return locked;
    };
    for entry in lock.entries.iter().filter(|e| !e.local && e.source.is_none()) {
        let (Some(version), [checksum]) = (&entry.version, entry.checksums.as_slice()) else { continue };
        if checksum.algorithm() == Algorithm::Sha512 {
            let slug = format!("{}-npm-{version}", entry.name.replacen('/', "-", 1));
            locked.insert((slug, scheme.to_owned()), hex(checksum.digest()));
        }
    }
    locked
}

/// `ms-npm-2.1.3` and `10c0` of `ms-npm-2.1.3-81ff3cfac1-10c0.zip`. What a project keeps for itself has ten digits of the
/// checksum in the place of `10c0`, which no lockfile calls a way to pack.
fn slug(file: &str) -> Option<(String, String)> {
    let stem = file.strip_suffix(".zip")?;
    let (rest, scheme) = stem.rsplit_once('-')?;
    let (slug, digest) = rest.rsplit_once('-')?;
    let is_digest = digest.len() == 10 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    is_digest.then(|| (slug.to_owned(), scheme.to_owned()))
}

/// By the lockfile's checksum, as Yarn itself does; one that the lockfile does not name is read to its end.
fn archive(path: &Path, locked: &Checksums, part: &mut Part<'_>) {
    let want = slug(name(path)).and_then(|key| locked.get(&key));
    let Some((want, hasher)) = want.zip(Hasher::named("sha512")) else {
        archive_by_name(path, part);
        return;
    };
    match digest(path, hasher, &mut part.buffer) {
        Err(_) => part.unreadable(path),
        Ok((found, length)) => {
            part.checked(length);
            if !found.is_hex(&[want]) {
                part.damaged(path, "an archive whose SHA-512 is not the one in yarn.lock");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_name() {
        let of = |file| slug(file).map(|(slug, scheme)| format!("{slug} {scheme}"));
        assert_eq!(of("ms-npm-2.1.3-81ff3cfac1-10c0.zip").as_deref(), Some("ms-npm-2.1.3 10c0"));
        assert_eq!(
            of("@babel-core-npm-7.1.0-rc.1-81ff3cfac1-10c0.zip").as_deref(),
            Some("@babel-core-npm-7.1.0-rc.1 10c0")
        );
        for file in ["ms.zip", "ms-npm-2.1.3-81ff3cfac1-10c0", "ms-npm-2.1.3-81ff3cfac-10c0.zip"] {
            assert_eq!(of(file), None, "{file}");
        }
    }

    #[test]
    fn one_byte_is_seen_by_the_lockfile_even_where_the_archive_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, app) = (folder.path().join("cache"), folder.path().join("app"));
        fs::create_dir_all(&cache).unwrap();
        fs::create_dir_all(&app).unwrap();
        // An empty archive with a comment that is no part of what is packed.
        let zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0x";
        let sum = hex(super::super::Digest::of("sha512", zip).unwrap().bytes());
        let lock = format!(
            "__metadata:\n  version: 8\n  cacheKey: 10c0\n\n\"ms@npm:^2.1.0\":\n  version: 2.1.3\n  resolution: \
             \"ms@npm:2.1.3\"\n  checksum: 10c0/{sum}\n  languageName: node\n  linkType: hard\n"
        );
        fs::write(app.join("yarn.lock"), lock).unwrap();
        let file = cache.join("ms-npm-2.1.3-81ff3cfac1-10c0.zip");
        let scan = |workspace| {
            let watch = super::super::Watch::default();
            YarnBerry.scan(&cache, &Asked { workspace, watch: &watch }).damaged.len()
        };
        assert!(!YarnBerry.is_at(&cache));
        fs::write(&file, zip).unwrap();
        assert!(YarnBerry.is_at(&cache));
        assert_eq!((scan(None), scan(Some(&app))), (0, 0));
        let mut other = zip.to_vec();
        *other.last_mut().unwrap() = b'y';
        fs::write(&file, other).unwrap();
        assert_eq!((scan(None), scan(Some(&app))), (0, 1));
    }
}
