//! Damage to a package manager's cache.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::files;
use crate::packages::digest::{sha256_hex, sha512_hex};
use crate::packages::{Edition, PackageManager, Release, artefact, index_path};
use crate::project::Project;

use super::VICTIM;

/// What happened to a warm cache. The comments say what the real tool does when it meets the damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CacheDamage {
    /// One byte of the cached artefact is another one. npm fetches it again (offline it fails, having deleted
    /// it); cargo and pip fail each time.
    Flipped,
    /// The cached artefact ends in the middle. As `Flipped`, but pip ignores such an entry and fetches again.
    Truncated,
    /// A folder stands where the artefact was. npm fails once and removes it; cargo fails each time.
    IsFolder,
    /// A file stands where a folder of the artefact's path was. npm and cargo fail each time, pip does without.
    FolderIsFile,
    /// What the cache notes about the package ends at its beginning: uv's `WHEEL`, Yarn 1's `.yarn-metadata.json`, pnpm's
    /// index. uv and Yarn 1 fail each time; pnpm fetches the package again.
    NoteCut,
    /// cargo only: an unpacked package lost a source file. Fails each time.
    SourceFileMissing,
    /// cargo only: an unpacked package's manifest ends in the middle. Fails each time.
    SourceManifestCut,
    /// cargo only: the cached index entry holds another checksum than the registry. Fails each time, and with the
    /// very words of a wrong checksum in the lockfile.
    IndexChecksum,
    /// cargo only: the cached index entry ends in the middle. cargo fetches it again; offline it fails.
    IndexTruncated,
}

impl CacheDamage {
    /// Every kind.
    pub const ALL: [CacheDamage; 9] = [
        CacheDamage::Flipped,
        CacheDamage::Truncated,
        CacheDamage::IsFolder,
        CacheDamage::FolderIsFile,
        CacheDamage::NoteCut,
        CacheDamage::SourceFileMissing,
        CacheDamage::SourceManifestCut,
        CacheDamage::IndexChecksum,
        CacheDamage::IndexTruncated,
    ];

    /// Damages the warm cache of a project; says which path was hit.
    pub fn apply(self, project: &Project) -> Result<PathBuf, LabError> {
        match self {
            CacheDamage::Flipped => rewrite_artefact(project, |bytes, (from, length)| {
                bytes[from + length / 2] ^= 0xff;
            }),
            CacheDamage::Truncated => rewrite_artefact(project, |bytes, (from, length)| {
                bytes.truncate(from + length / 2);
            }),
            CacheDamage::NoteCut => {
                let path = note(project)?;
                files::write(&path, "{")?;
                Ok(path)
            }
            CacheDamage::IsFolder => {
                let path = match project.manager() {
                    // It keeps no artefacts: what fails is the index of their files.
                    PackageManager::Pnpm => note(project)?,
                    _ => cached_artefact(project)?.0,
                };
                forget_unpacked(project)?;
                files::remove(&path)?;
                files::make_folder(&path)?;
                Ok(path)
            }
            CacheDamage::FolderIsFile => {
                let folder = folder_of_artefacts(project)?;
                forget_unpacked(project)?;
                files::remove(&folder)?;
                files::write(&folder, "not a folder\n")?;
                Ok(folder)
            }
            CacheDamage::SourceFileMissing => {
                let path = unpacked(project)?.join("src/lib.rs");
                files::remove(&path)?;
                Ok(path)
            }
            CacheDamage::SourceManifestCut => {
                let path = unpacked(project)?.join("Cargo.toml");
                let text = files::read_text(&path)?;
                files::write(&path, &text[..text.len() / 8])?;
                Ok(path)
            }
            CacheDamage::IndexChecksum => {
                let path = index_entry(project)?;
                let release = victim()?;
                let of = |edition| sha256_hex(&artefact(PackageManager::Cargo, release, edition));
                let bytes = files::read(&path)?;
                let changed =
                    replaced(&bytes, of(Edition::Honest).as_bytes(), of(Edition::Tampered).as_bytes());
                files::write(&path, changed)?;
                Ok(path)
            }
            CacheDamage::IndexTruncated => {
                let path = index_entry(project)?;
                let bytes = files::read(&path)?;
                files::write(&path, &bytes[..bytes.len() / 4])?;
                Ok(path)
            }
        }
    }
}

fn victim() -> Result<Release, LabError> {
    Release::latest(VICTIM).ok_or_else(|| LabError::NothingToDamage("the lab has no such package".to_owned()))
}

/// Where the cache says what a package is.
fn note(project: &Project) -> Result<PathBuf, LabError> {
    let release = victim()?;
    let named = |path: &Path| {
        let text = path.to_string_lossy();
        match project.manager() {
            PackageManager::Uv => {
                text.ends_with(".dist-info/WHEEL") && text.contains(&release.name.replace('-', "_"))
            }
            PackageManager::Yarn => text.ends_with(&format!("/{}/.yarn-metadata.json", release.name)),
            PackageManager::Pnpm => text.ends_with(&format!("-{}@{}.json", release.name, release.version)),
            _ => false,
        }
    };
    let folder = project.cache();
    let missing = || LabError::NothingToDamage(format!("{} holds no note of {VICTIM}", folder.display()));
    files::files_below(&folder).into_iter().find(|path| named(path)).ok_or_else(missing)
}

/// The file that holds the artefact, and where in the file: from which byte, how many.
fn cached_artefact(project: &Project) -> Result<(PathBuf, (usize, usize)), LabError> {
    let bytes = artefact(project.manager(), victim()?, Edition::Honest);
    let folder = project.cache();
    files::files_below(&folder)
        .into_iter()
        .find_map(|path| {
            // Yarn 4 packs it anew.
            let name = path.file_name()?.to_str()?;
            if project.manager() == PackageManager::YarnBerry {
                let own = name.starts_with(&format!("{VICTIM}-npm-")) && name.ends_with(".zip");
                return own.then(|| files::read(&path).ok().map(|bytes| (path.clone(), (0, bytes.len()))))?;
            }
            let at = find(&files::read(&path).ok()?, &bytes)?;
            Some((path, (at, bytes.len())))
        })
        .ok_or_else(|| {
            LabError::NothingToDamage(format!("{} holds no {VICTIM}; is it warm?", folder.display()))
        })
}

fn rewrite_artefact(
    project: &Project,
    change: impl FnOnce(&mut Vec<u8>, (usize, usize)),
) -> Result<PathBuf, LabError> {
    let (path, place) = cached_artefact(project)?;
    forget_unpacked(project)?;
    let mut bytes = files::read(&path)?;
    change(&mut bytes, place);
    files::write(&path, bytes)?;
    Ok(path)
}

fn forget_unpacked(project: &Project) -> Result<(), LabError> {
    project.manager().kind().forget_unpacked(project)
}

fn folder_of_artefacts(project: &Project) -> Result<PathBuf, LabError> {
    let cache = project.cache();
    Ok(match project.manager() {
        PackageManager::Npm => {
            let digest = sha512_hex(&artefact(PackageManager::Npm, victim()?, Edition::Honest));
            cache.join("_cacache/content-v2/sha512").join(&digest[..2]).join(&digest[2..4])
        }
        PackageManager::Cargo => cache.join("registry/cache"),
        _ => {
            let (path, _) = cached_artefact(project)?;
            path.parent().map(PathBuf::from).unwrap_or(path)
        }
    })
}

fn unpacked(project: &Project) -> Result<PathBuf, LabError> {
    let release = victim()?;
    below_registry(project, "src", &format!("{}-{}", release.name, release.version))
}

fn index_entry(project: &Project) -> Result<PathBuf, LabError> {
    below_registry(project, "index", &format!(".cache/{}", index_path(VICTIM)))
}

/// `registry/<part>/<the lab's index>/<rest>`; the middle folder is named after a hash of the index.
fn below_registry(project: &Project, part: &str, rest: &str) -> Result<PathBuf, LabError> {
    let folder = project.cache().join("registry").join(part);
    let entries = std::fs::read_dir(&folder).map_err(LabError::file("list", &folder))?;
    entries
        .flatten()
        .map(|entry| entry.path().join(rest))
        .find(|path| path.exists())
        .ok_or_else(|| LabError::NothingToDamage(format!("{} holds no {rest}", folder.display())))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match find(bytes, from) {
        Some(at) => [&bytes[..at], to, &bytes[at + from.len()..]].concat(),
        None => bytes.to_vec(),
    }
}
