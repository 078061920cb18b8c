//! Damage to a lockfile.

use serde::{Deserialize, Serialize};

use crate::error::LabError;
use crate::files;
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
            LockfileDamage::EntryMissing => {
                files::write(&path, project.manager().kind().without_entry(&text, "regreen-lab-beta")?)
            }
            LockfileDamage::Drift => project.manager().kind().drift(project),
        }
    }
}

/// Right before the last checksum's value.
fn cut(text: &str, manager: PackageManager) -> usize {
    let needle = manager.kind().before_checksum();
    text.rfind(needle).map_or(text.len() / 2, |at| at + needle.len())
}

fn checksum(manager: PackageManager, edition: Edition) -> Result<String, LabError> {
    let release = Release::latest(VICTIM).ok_or_else(|| nothing("the lab has no such package"))?;
    Ok(manager.kind().checksum(&artefact(manager, release, edition)))
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
