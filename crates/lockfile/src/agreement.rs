//! Whether a lockfile still agrees with the manifest it was made from.

use crate::{Format, Lockfile};

/// The manifests of one project, as text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manifest<'m> {
    /// The manifest beside the lockfile: `package.json`, `Cargo.toml`.
    pub root: &'m str,
    /// The workspace members' manifests: the member's folder relative to the root, with `/` (`packages/api`),
    /// and the text. Members that are not given are not compared.
    pub members: &'m [(&'m str, &'m str)],
}

/// What the comparison gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreement {
    /// The tool would install from the lockfile without changing it, as far as these texts tell.
    Agrees,
    /// The tool's frozen install (`npm ci`, `cargo --locked`) would refuse: a sentence for each reason.
    Drift(Vec<String>),
    /// It can't be told, and why.
    NotChecked(String),
}

/// Compares by the rules of the tool's frozen install: a range that was edited but is still satisfied by the
/// locked version is no drift.
pub fn agrees_with_manifest(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Agreement {
    match lockfile.format {
        Format::NpmLock => crate::npm::agrees(lockfile, manifest),
        Format::CargoLock => crate::cargo::agrees(lockfile, manifest),
        Format::YarnClassic => crate::yarn_classic::agrees(lockfile, manifest),
        Format::YarnBerry => crate::yarn_berry::agrees(lockfile, manifest),
        Format::PnpmLock => crate::pnpm::agrees(lockfile, manifest),
        Format::BunLock => crate::bun::agrees(lockfile, manifest),
        Format::PoetryLock => crate::poetry::agrees(lockfile, manifest),
        Format::UvLock => crate::uv::agrees(lockfile, manifest),
        Format::PipfileLock => crate::pipenv::agrees(lockfile, manifest),
        Format::GoSum => crate::gosum::agrees(lockfile, manifest),
        Format::ComposerLock => crate::composer::agrees(lockfile, manifest),
        Format::GemfileLock => crate::gemfile::agrees(lockfile, manifest),
        format => Agreement::NotChecked(format.facts().manifest.err().unwrap_or("not known here").to_owned()),
    }
}

/// The entries that no manifest needs, directly or not, by their places. Of Yarn 1's lockfiles only: it installs from them
/// all the same, and takes them out when it next writes. Other tools' lockfiles say what their projects ask for, so that
/// the [agreement](agrees_with_manifest) tells. Nothing where it can't be told.
pub fn unneeded(lockfile: &Lockfile, manifest: &Manifest<'_>) -> Vec<String> {
    match lockfile.format {
        Format::YarnClassic => crate::yarn_classic::unneeded(lockfile, manifest),
        _ => Vec::new(),
    }
}

impl Agreement {
    /// Drift where there are sentences, agreement where there are none.
    pub(crate) fn of(drift: Vec<String>) -> Agreement {
        if drift.is_empty() { Agreement::Agrees } else { Agreement::Drift(drift) }
    }
}
