//! What the lab must know of a package manager to make, install and break a project of it: one file each.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::error::LabError;
use crate::files;
use crate::lab::Lab;
use crate::packages::{PackageManager, Release};

use super::{
    NEEDED, Project, bun, bundler, cargo, composer, go, npm, pip, pipenv, pnpm, poetry, uv, yarn, yarn_berry,
};

/// Stands for host and port of the lab where a manifest or a lockfile must name them.
pub(crate) const ADDRESS: &str = "lab.invalid";

/// One package manager's projects.
pub(crate) trait Kind: Sync {
    /// The program without which nothing of it can be run.
    fn program(&self) -> &'static str;

    /// How to get it, in a sentence, where it is not there.
    fn how_to_get(&self) -> &'static str {
        "install it, or run scripts/test once, which installs what the lab needs"
    }

    /// The file that people edit to say what the project needs.
    fn manifest_name(&self) -> &'static str;

    /// The file that pins every version and checksum.
    fn lockfile_name(&self) -> &'static str;

    /// The command that a CI job installs with.
    fn install_argv(&self) -> &'static [&'static str];

    /// The command that a CI job tests with.
    fn test_argv(&self) -> &'static [&'static str];

    /// The first folder of its registry's paths on the lab's server.
    fn registry_folder(&self) -> &'static str;

    /// Its registry's address as the tool is configured with it.
    fn registry_url(&self, lab: SocketAddr) -> String {
        format!("http://{lab}/{}/", self.registry_folder())
    }

    /// Paths of the registry from which its artefacts are downloaded, as a glob.
    fn downloads(&self) -> &'static str;

    /// What its commands need in their environment besides HOME and PATH: own caches, no retries, short time-outs.
    fn environment(&self, base: &Path, lab: &Lab) -> Vec<(&'static str, OsString)>;

    /// Folders that come before the caller's PATH.
    fn search_path(&self, _base: &Path) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Writes everything but manifest and lockfile: configuration, code, a test.
    fn lay_out(&self, project: &Project, lab: &Lab) -> Result<(), LabError>;

    /// The manifest that asks for these packages. [`ADDRESS`] in it, as in the lockfile, becomes the lab's own.
    fn manifest(&self, needed: &[&str]) -> String;

    /// The lockfile that the real tool would write for it, with `pinned` as its packages.
    fn lockfile(&self, needed: &[&str], pinned: &[Release]) -> String;

    /// Manifest or lockfile with the lab's address where [`ADDRESS`] stands for it.
    fn addressed(&self, text: &str, lab: SocketAddr) -> String {
        text.replace(ADDRESS, &lab.to_string())
    }

    /// Removes what an install put into the checkout.
    fn remove_installed(&self, project: &Project) -> Result<(), LabError>;

    /// An artefact's checksum, as the lockfile spells it.
    fn checksum(&self, artefact: &[u8]) -> String;

    /// What stands right before the value of a checksum in the lockfile: a write that is cut off ends behind the last
    /// of them.
    fn before_checksum(&self) -> &'static str;

    /// The lockfile without the entry of this package, which another one needs.
    fn without_entry(&self, text: &str, gone: &str) -> Result<String, LabError>;

    /// Makes the manifest need a package that the lockfile doesn't know.
    fn drift(&self, project: &Project) -> Result<(), LabError> {
        project.write_manifest(&[NEEDED, &["regreen-lab-omega"]].concat())
    }

    /// Makes the tool read its cache again, where what it has unpacked would hide the damage.
    fn forget_unpacked(&self, _project: &Project) -> Result<(), LabError> {
        Ok(())
    }

    /// What makes its own retries as many as it allows, for comparison: environment of its command.
    fn most_retries(&self) -> Vec<(&'static str, &'static str)>;
}

impl PackageManager {
    /// What the lab knows of it.
    pub(crate) fn kind(self) -> &'static dyn Kind {
        match self {
            PackageManager::Npm => &npm::Npm,
            PackageManager::Cargo => &cargo::Cargo,
            PackageManager::Pip => &pip::Pip,
            PackageManager::Pnpm => &pnpm::Pnpm,
            PackageManager::Yarn => &yarn::Yarn,
            PackageManager::YarnBerry => &yarn_berry::YarnBerry,
            PackageManager::Uv => &uv::Uv,
            PackageManager::Poetry => &poetry::Poetry,
            PackageManager::Pipenv => &pipenv::Pipenv,
            PackageManager::Composer => &composer::Composer,
            PackageManager::Go => &go::Go,
            PackageManager::Bundler => &bundler::Bundler,
            PackageManager::Bun => &bun::Bun,
        }
    }

    /// The program without which nothing of it can be run.
    pub fn program(self) -> &'static str {
        self.kind().program()
    }

    /// How to get that program, in a sentence.
    pub fn how_to_get(self) -> &'static str {
        self.kind().how_to_get()
    }

    /// Paths of the registry from which its artefacts are downloaded, as a glob for a script.
    pub fn downloads(self) -> &'static str {
        self.kind().downloads()
    }

    /// What makes its own retries as many as it allows: environment of its command.
    pub fn most_retries(self) -> Vec<(&'static str, &'static str)> {
        self.kind().most_retries()
    }
}

/// `text` without the blocks, parted by empty lines, that hold `head`.
pub(crate) fn without_block(text: &str, head: &str) -> String {
    text.split("\n\n").filter(|block| !block.contains(head)).collect::<Vec<_>>().join("\n\n")
}

/// Removes a folder of the checkout.
pub(crate) fn remove_from(project: &Project, name: &str) -> Result<(), LabError> {
    files::remove(&project.root().join(name))
}
