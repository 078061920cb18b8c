//! pnpm's store: files by the SHA-512 of their content, and an index of the files of each package. `node_modules` is
//! hard-linked to them, so whoever edits a file there edits the store.
//! Source: pnpm, `store/cafs/src/getFilePathInCafs.ts`; <https://pnpm.io/settings#storedir>.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    Asked, Cache, CacheScan,
    files::{files, folders, length, name},
    place::{Ask, Base, Place},
    work::{Hasher, Part, digest, each, read},
};

/// The cache.
pub(crate) struct PnpmStore;

/// Largest index that is read, in bytes.
const LARGEST_INDEX: u64 = 64 << 20;

impl Cache for PnpmStore {
    fn id(&self) -> &'static str {
        "pnpm"
    }

    fn holds(&self) -> &'static str {
        "files of packages by their digest"
    }

    fn places(&self) -> &'static [Place] {
        &[
            Place { asked: Ask::Env("npm_config_store_dir"), below: "" },
            Place { asked: Ask::Env("pnpm_config_store_dir"), below: "" },
            Place { asked: Ask::Setting { base: Base::Home, file: ".npmrc", key: "store-dir" }, below: "" },
            Place {
                asked: Ask::Setting { base: Base::Config, file: "pnpm/rc", key: "store-dir" },
                below: "",
            },
            Place { asked: Ask::Env("PNPM_HOME"), below: "store" },
            Place { asked: Ask::Default(Base::Data, "pnpm/store"), below: "" },
        ]
    }

    fn is_at(&self, root: &Path) -> bool {
        versions(root).next().is_some()
    }

    fn scan(&self, root: &Path, asked: &Asked<'_>) -> CacheScan {
        let mut items = Vec::new();
        for version in versions(root) {
            items.extend(shelves(&version.join("files")));
            items.extend(shelves(&version.join("index")));
        }
        each(root, asked, &items, |shelf: &PathBuf, part| {
            if !shelf.is_dir() {
                part.checked(length(shelf));
                part.damaged(shelf, "a file where a folder of the store must be");
                return;
            }
            for folder in folders(shelf).iter().filter(|f| is_entry(f)) {
                part.checked(0);
                part.damaged(folder, "a folder where a file of the store must be");
            }
            for path in files(shelf, &[""]) {
                if part.is_stopped() {
                    return;
                }
                entry(&path, part);
            }
        })
    }
}

/// `v3`, `v10`, …: one a layout. A store may also be named by the folder of one.
fn versions(root: &Path) -> impl Iterator<Item = PathBuf> {
    let is_version = |path: &PathBuf| {
        let number = name(path).strip_prefix('v');
        number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) && path.join("files").is_dir()
    };
    let own = root.join("files").is_dir().then(|| root.to_owned());
    folders(root).into_iter().filter(is_version).chain(own)
}

/// The folders by the first two digits, and what stands in the place of one. pnpm removes a folder in the place of a file
/// of a package, but neither of an index nor a file in the place of a folder; seen with pnpm 10.34.
fn shelves(part: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(part).into_iter().flatten().flatten().map(|e| e.path());
    entries.filter(|path| is_hex(name(path)) && name(path).len() == 2).collect()
}

/// Whether it has the name of a file or an index.
fn is_entry(path: &Path) -> bool {
    let file = name(path);
    let digest = file.strip_suffix("-exec").unwrap_or(file);
    file.ends_with(".json") || digest.len() == 126 && is_hex(digest)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn entry(path: &Path, part: &mut Part<'_>) {
    let file = name(path);
    if file.ends_with(".json") {
        let judged = read(path, LARGEST_INDEX).map(|bytes| match serde_json::from_slice::<Value>(&bytes) {
            Ok(Value::Object(_)) => Ok(()),
            Ok(_) => Err("an index of a package that is no object".to_owned()),
            Err(e) => Err(format!("an index of a package that can't be parsed ({e})")),
        });
        part.judged(path, length(path), judged);
        return;
    }
    // `<aa>/<126 more hex digits>`, with `-exec` where the file may be executed.
    let rest = file.strip_suffix("-exec").unwrap_or(file);
    let shelf = path.parent().map(name).unwrap_or_default();
    let algorithm = match shelf.len() + rest.len() {
        128 => "sha512",
        64 => "sha256",
        _ => "",
    };
    let hasher = Hasher::named(algorithm).filter(|_| shelf.len() == 2 && is_hex(shelf) && is_hex(rest));
    let Some(hasher) = hasher else {
        part.unverified(length(path));
        return;
    };
    match digest(path, hasher, &mut part.buffer) {
        Err(_) => part.unreadable(path),
        Ok((found, length)) => {
            part.checked(length);
            if !found.is_hex(&[shelf, rest]) {
                part.damaged(
                    path,
                    format!("{length} bytes whose {algorithm} is not the one they are filed under"),
                );
            }
        }
    }
}
