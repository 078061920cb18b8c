//! Damage to a lockfile.

use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::files;
use crate::packages::digest::{sha256_hex, sha512_sri};
use crate::packages::{Edition, PackageManager, Release, artefact};
use crate::project::{NEEDED, Project};

use super::VICTIM;

/// What happened to the lockfile. All but [`LockfileDamage::ConflictMarkers`] change the working tree only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockfileDamage {
    /// Its content is something else altogether. `npm install` silently writes a new one; the rest fail.
    Garbage,
    /// It ends in the middle, in the middle of a line.
    Truncated,
    /// It has no content. pip takes that for "nothing to install" and succeeds.
    Empty,
    /// Two branches each added a package; the merge kept both sides with git's markers and was committed. The
    /// manifest is ours. npm merges simple conflicts by itself.
    ConflictMarkers,
    /// One entry's checksum is not that of the artefact: a digit fell over.
    WrongChecksum,
    /// One entry's checksum is that of the attacker's artefact.
    TamperedChecksum,
    /// One entry is gone, though another one needs it.
    EntryMissing,
    /// The manifest gained a dependency that the lockfile doesn't know (pip: a line without hash).
    Drift,
}

impl LockfileDamage {
    /// Every kind.
    pub const ALL: [LockfileDamage; 8] = [
        LockfileDamage::Garbage,
        LockfileDamage::Truncated,
        LockfileDamage::Empty,
        LockfileDamage::ConflictMarkers,
        LockfileDamage::WrongChecksum,
        LockfileDamage::TamperedChecksum,
        LockfileDamage::EntryMissing,
        LockfileDamage::Drift,
    ];

    /// Damages a sound project.
    pub fn apply(self, project: &Project) -> Result<(), LabError> {
        let path = project.lockfile();
        let text = files::read_text(&path)?;
        match self {
            LockfileDamage::Garbage => files::write(&path, "\0\0 not a lockfile \u{fffd}\n"),
            LockfileDamage::Truncated => files::write(&path, &text[..cut(&text, project.manager())]),
            LockfileDamage::Empty => files::write(&path, ""),
            LockfileDamage::ConflictMarkers => merge_two_branches(project),
            LockfileDamage::WrongChecksum => {
                let honest = checksum(project.manager(), Edition::Honest)?;
                replace_once(project, &text, &honest, &fallen_digit(&honest))
            }
            LockfileDamage::TamperedChecksum => {
                let (honest, tampered) = (
                    checksum(project.manager(), Edition::Honest)?,
                    checksum(project.manager(), Edition::Tampered)?,
                );
                replace_once(project, &text, &honest, &tampered)
            }
            LockfileDamage::EntryMissing => files::write(&path, without_entry(project, &text)?),
            LockfileDamage::Drift => drift(project, &text),
        }
    }
}

/// Inside the last checksum; a pip hash is cut in its name, for half a hash is still a hash to pip.
fn cut(text: &str, manager: PackageManager) -> usize {
    let needle = match manager {
        PackageManager::Npm => "\"integrity\"",
        PackageManager::Cargo => "checksum = \"",
        PackageManager::Pip => "--hash=sha",
    };
    text.rfind(needle).map_or(text.len() / 2, |at| at + needle.len())
}

fn checksum(manager: PackageManager, edition: Edition) -> Result<String, LabError> {
    let release = Release::latest(VICTIM).ok_or_else(|| nothing("the lab has no such package"))?;
    let bytes = artefact(manager, release, edition);
    Ok(match manager {
        PackageManager::Npm => sha512_sri(&bytes),
        PackageManager::Cargo | PackageManager::Pip => sha256_hex(&bytes),
    })
}

/// The same checksum with another twelfth character; still well-formed.
fn fallen_digit(checksum: &str) -> String {
    checksum
        .char_indices()
        .map(|(at, character)| match (at, character) {
            (12, '0') => '1',
            (12, _) => '0',
            (_, character) => character,
        })
        .collect()
}

fn replace_once(project: &Project, text: &str, from: &str, to: &str) -> Result<(), LabError> {
    if !text.contains(from) {
        return Err(nothing("the lockfile doesn't hold the checksum"));
    }
    files::write(&project.lockfile(), text.replacen(from, to, 1))
}

/// The lockfile without `beta`, which `gamma` needs.
fn without_entry(project: &Project, text: &str) -> Result<String, LabError> {
    const GONE: &str = "regreen-lab-beta";
    match project.manager() {
        PackageManager::Npm => {
            let mut lockfile: serde_json::Value =
                serde_json::from_str(text).map_err(|_| nothing("the lockfile is no JSON"))?;
            let packages = lockfile.get_mut("packages").and_then(|packages| packages.as_object_mut());
            packages.and_then(|packages| packages.shift_remove(&format!("node_modules/{GONE}")));
            Ok(format!("{lockfile:#}\n"))
        }
        PackageManager::Cargo => {
            let head = format!("name = \"{GONE}\"");
            Ok(text.split("\n\n").filter(|block| !block.contains(&head)).collect::<Vec<_>>().join("\n\n"))
        }
        PackageManager::Pip => {
            let mut lines = text.lines();
            let mut kept = String::new();
            while let Some(line) = lines.next() {
                if line.starts_with(GONE) {
                    lines.next();
                } else {
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
            Ok(kept)
        }
    }
}

fn drift(project: &Project, text: &str) -> Result<(), LabError> {
    project.write_manifest(&[NEEDED, &["regreen-lab-omega"]].concat())?;
    match project.manager() {
        PackageManager::Npm | PackageManager::Cargo => Ok(()),
        PackageManager::Pip => files::write(&project.lockfile(), format!("{text}regreen-lab-omega==1.0.0\n")),
    }
}

/// `main` adds omega, `feature` adds sigma. The manifest's conflict is settled by hand for ours, the lockfile is
/// committed as git left it.
fn merge_two_branches(project: &Project) -> Result<(), LabError> {
    project.start_branch("feature")?;
    project.write_dependencies(&[NEEDED, &["regreen-lab-sigma"]].concat())?;
    project.commit("needs sigma")?;
    project.switch("main")?;
    project.write_dependencies(&[NEEDED, &["regreen-lab-omega"]].concat())?;
    project.commit("needs omega")?;
    // The merge fails, by design: that is what leaves the markers.
    let merged = project.run(&["git", "merge", "--quiet", "feature"])?;
    let text = files::read_text(&project.lockfile())?;
    if merged.status.success() || !text.contains("<<<<<<< ") {
        return Err(nothing("the branches merge without a conflict"));
    }
    project.git(&["checkout", "--quiet", "--ours", "--", &project.manifest().display().to_string()])?;
    project.commit("merge feature")
}

fn nothing(why: &str) -> LabError {
    LabError::NothingToDamage(why.to_owned())
}
