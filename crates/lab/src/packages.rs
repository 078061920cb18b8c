//! The packages that the lab serves: the same seven releases for each package manager, made in memory.
//!
//! Every artefact is a pure function of its release and edition, so that lockfiles can be written down without
//! asking a server, and two runs of a scenario see the same bytes.

mod archive;
mod cargo;
mod composer;
pub(crate) mod digest;
mod gem;
mod go;
mod npm;
mod pip;

pub(crate) use cargo::index_path;
pub(crate) use composer::{metadata as composer_metadata, package_name as composer_name};
pub(crate) use gem::file_name as gem_name;
pub(crate) use go::{files_hash as go_files_hash, go_mod, go_mod_hash, module_path};
pub(crate) use pip::{file_name as wheel_name, foreign_name, foreign_wheel};

/// A package manager that the lab can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackageManager {
    /// npm, by packument and tarball.
    Npm,
    /// cargo, by sparse index and crate file.
    Cargo,
    /// pip, by simple index and wheel.
    Pip,
    /// pnpm, on npm's registry.
    Pnpm,
    /// Yarn 1, on npm's registry.
    Yarn,
    /// Yarn 2 and later, on npm's registry.
    YarnBerry,
    /// uv, from the same index.
    Uv,
    /// Poetry, from the same index.
    Poetry,
    /// Pipenv, from the same index.
    Pipenv,
    /// Composer, by `packages.json` and zip.
    Composer,
    /// Go, by module proxy.
    Go,
    /// Bundler, by compact index and gem.
    Bundler,
    /// Bun, on npm's registry.
    Bun,
}

impl PackageManager {
    /// All of them.
    pub const ALL: [PackageManager; 13] = [
        PackageManager::Npm,
        PackageManager::Cargo,
        PackageManager::Pip,
        PackageManager::Pnpm,
        PackageManager::Yarn,
        PackageManager::YarnBerry,
        PackageManager::Uv,
        PackageManager::Poetry,
        PackageManager::Pipenv,
        PackageManager::Composer,
        PackageManager::Go,
        PackageManager::Bundler,
        PackageManager::Bun,
    ];

    /// The stable id, as in scenario files.
    pub const fn id(self) -> &'static str {
        match self {
            PackageManager::Npm => "npm",
            PackageManager::Cargo => "cargo",
            PackageManager::Pip => "pip",
            PackageManager::Pnpm => "pnpm",
            PackageManager::Yarn => "yarn",
            PackageManager::YarnBerry => "yarn-berry",
            PackageManager::Uv => "uv",
            PackageManager::Poetry => "poetry",
            PackageManager::Pipenv => "pipenv",
            PackageManager::Composer => "composer",
            PackageManager::Go => "go",
            PackageManager::Bundler => "bundler",
            PackageManager::Bun => "bun",
        }
    }
}

impl PackageManager {
    /// The tool's name, as in Regreen's catalogue and configuration.
    pub const fn tool(self) -> &'static str {
        match self {
            PackageManager::YarnBerry => "yarn",
            other => other.id(),
        }
    }
}

/// Whose bytes an artefact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edition {
    /// What the author published.
    Honest,
    /// What an attacker put in its place: same name, same version, other code.
    Tampered,
}

/// One version of one package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// The name, valid for all package managers.
    pub name: &'static str,
    /// Major, minor, patch.
    pub version: &'static str,
    /// Names that it needs, each at `1.x`.
    pub needs: &'static [&'static str],
}

/// Everything that the lab serves, older versions first.
///
/// `omega` and `sigma` are neighbours in every sorted lockfile, so that two branches which add one each collide.
pub const RELEASES: &[Release] = &[
    Release { name: "regreen-lab-alpha", version: "1.0.0", needs: &[] },
    Release { name: "regreen-lab-alpha", version: "1.1.0", needs: &[] },
    Release { name: "regreen-lab-beta", version: "1.0.0", needs: &["regreen-lab-alpha"] },
    Release { name: "regreen-lab-delta", version: "1.0.0", needs: &[] },
    Release { name: "regreen-lab-gamma", version: "2.0.0", needs: &["regreen-lab-beta"] },
    Release {
        name: "regreen-lab-gamma",
        version: "2.1.0",
        needs: &["regreen-lab-beta", "regreen-lab-delta"],
    },
    Release { name: "regreen-lab-omega", version: "1.0.0", needs: &[] },
    Release { name: "regreen-lab-sigma", version: "1.0.0", needs: &[] },
];

impl Release {
    /// The release of this name and version.
    pub fn find(name: &str, version: &str) -> Option<Release> {
        Release::all_of(name).find(|release| release.version == version)
    }

    /// The newest release of this name.
    pub fn latest(name: &str) -> Option<Release> {
        Release::all_of(name).last()
    }

    /// All releases of this name, older versions first.
    pub fn all_of(name: &str) -> impl Iterator<Item = Release> {
        RELEASES.iter().copied().filter(move |release| release.name == name)
    }

    /// The first number of the version.
    pub fn major(&self) -> &'static str {
        self.version.split('.').next().unwrap_or(self.version)
    }
}

/// The file that a package manager downloads for a release: a `.tgz`, a `.crate`, a `.whl`, a `.zip` or a `.gem`.
pub fn artefact(manager: PackageManager, release: Release, edition: Edition) -> Vec<u8> {
    match manager {
        PackageManager::Npm
        | PackageManager::Pnpm
        | PackageManager::Yarn
        | PackageManager::YarnBerry
        | PackageManager::Bun => npm::tarball(release, edition),
        PackageManager::Cargo => cargo::crate_file(release, edition),
        PackageManager::Pip | PackageManager::Uv | PackageManager::Poetry | PackageManager::Pipenv => {
            pip::wheel(release, edition)
        }
        PackageManager::Composer => composer::zip(release, edition),
        PackageManager::Go => go::zip(release, edition),
        PackageManager::Bundler => gem::gem(release, edition),
    }
}

/// The value that each package exports: how a test of a lab project sees whose code it runs.
fn greeting(release: Release, edition: Edition) -> String {
    match edition {
        Edition::Honest => format!("{} {}", release.name, release.version),
        Edition::Tampered => format!("tampered {} {}", release.name, release.version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_artefact_is_the_same_each_time_and_differs_between_editions() {
        for manager in PackageManager::ALL {
            for release in RELEASES {
                let honest = artefact(manager, *release, Edition::Honest);
                assert_eq!(honest, artefact(manager, *release, Edition::Honest));
                assert_ne!(honest, artefact(manager, *release, Edition::Tampered));
            }
        }
    }

    #[test]
    fn what_a_release_needs_is_served_at_major_one() {
        for needed in RELEASES.iter().flat_map(|release| release.needs) {
            assert!(Release::all_of(needed).any(|release| release.major() == "1"), "{needed}");
        }
    }
}
