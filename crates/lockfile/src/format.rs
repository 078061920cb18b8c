//! Which lockfiles are known, and by what file names.

use std::fmt;

use regreen_domain::Tool;

use crate::checksum::Style;
use crate::{
    bun, cargo, composer, gemfile, gosum, gradle, gradle_verification, npm, nuget, pip, pipenv, pnpm, poetry,
    uv, yarn_berry, yarn_classic,
};

/// A lockfile format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// npm's `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3.
    NpmLock,
    /// Cargo's `Cargo.lock`, versions 1 to 4.
    CargoLock,
    /// pip's `requirements.txt`, with or without `--hash`.
    PipRequirements,
    /// Yarn 1's `yarn.lock`.
    YarnClassic,
    /// The `yarn.lock` of Yarn 2 and later.
    YarnBerry,
    /// pnpm's `pnpm-lock.yaml`, lockfile versions 5, 6 and 9.
    PnpmLock,
    /// Bun's `bun.lock`, the text one.
    BunLock,
    /// Poetry's `poetry.lock`.
    PoetryLock,
    /// uv's `uv.lock`.
    UvLock,
    /// Pipenv's `Pipfile.lock`.
    PipfileLock,
    /// Go's `go.sum`.
    GoSum,
    /// Bundler's `Gemfile.lock`.
    GemfileLock,
    /// Composer's `composer.lock`.
    ComposerLock,
    /// NuGet's `packages.lock.json`.
    NugetLock,
    /// Gradle's `gradle.lockfile`.
    GradleLock,
    /// Gradle's `verification-metadata.xml`.
    GradleVerification,
}

/// What is true of every lockfile of a format.
pub(crate) struct Facts {
    /// The stable kebab-case id.
    pub(crate) id: &'static str,
    /// The tool that writes it.
    pub(crate) tool: &'static str,
    /// The names the tool itself looks for, the one it prefers first.
    pub(crate) file_names: &'static [&'static str],
    /// The manifest beside it, or why there is none that could be compared.
    pub(crate) manifest: Result<&'static str, &'static str>,
    /// Hosts that the tool fetches from without being told to.
    pub(crate) default_hosts: &'static [&'static str],
    /// How it writes checksums.
    pub(crate) style: Style,
    /// Whether an empty file is one that the tool reads.
    pub(crate) may_be_empty: bool,
    /// Whether an entry that names no source comes from the default registry, which has a checksum for it.
    pub(crate) silent_default: bool,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 16] = [
        Format::NpmLock,
        Format::CargoLock,
        Format::PipRequirements,
        Format::YarnClassic,
        Format::YarnBerry,
        Format::PnpmLock,
        Format::BunLock,
        Format::PoetryLock,
        Format::UvLock,
        Format::PipfileLock,
        Format::GoSum,
        Format::GemfileLock,
        Format::ComposerLock,
        Format::NugetLock,
        Format::GradleLock,
        Format::GradleVerification,
    ];

    pub(crate) const fn facts(self) -> &'static Facts {
        match self {
            Format::NpmLock => &npm::FACTS,
            Format::CargoLock => &cargo::FACTS,
            Format::PipRequirements => &pip::FACTS,
            Format::YarnClassic => &yarn_classic::FACTS,
            Format::YarnBerry => &yarn_berry::FACTS,
            Format::PnpmLock => &pnpm::FACTS,
            Format::BunLock => &bun::FACTS,
            Format::PoetryLock => &poetry::FACTS,
            Format::UvLock => &uv::FACTS,
            Format::PipfileLock => &pipenv::FACTS,
            Format::GoSum => &gosum::FACTS,
            Format::GemfileLock => &gemfile::FACTS,
            Format::ComposerLock => &composer::FACTS,
            Format::NugetLock => &nuget::FACTS,
            Format::GradleLock => &gradle::FACTS,
            Format::GradleVerification => &gradle_verification::FACTS,
        }
    }

    /// The format of a file by the last component of its path; `None` where the name tells nothing.
    pub fn of_file_name(name: &str) -> Option<Format> {
        let requirements = || {
            let stem = name.strip_suffix(".txt")?;
            let ours = stem == "requirements"
                || stem.strip_prefix("requirements").is_some_and(|rest| rest.starts_with(['-', '_', '.']))
                || stem.strip_suffix("requirements").is_some_and(|rest| rest.ends_with(['-', '_', '.']));
            ours.then_some(Format::PipRequirements)
        };
        Format::ALL.into_iter().find(|f| f.file_names().contains(&name)).or_else(requirements)
    }

    /// The format of a file whose name tells this one, by what is in it: both kinds of Yarn write a `yarn.lock`.
    #[must_use]
    pub fn of_content(self, bytes: &[u8]) -> Format {
        let berry =
            || memchr::memmem::find(bytes, b"\n__metadata:").is_some() || bytes.starts_with(b"__metadata:");
        match self {
            Format::YarnClassic | Format::YarnBerry if berry() => Format::YarnBerry,
            Format::YarnClassic | Format::YarnBerry => Format::YarnClassic,
            other => other,
        }
    }

    /// The names the tool itself looks for, the one it prefers first.
    pub const fn file_names(self) -> &'static [&'static str] {
        self.facts().file_names
    }

    /// The manifest beside the lockfile, where it is data that can be compared.
    pub const fn manifest(self) -> Option<&'static str> {
        match self.facts().manifest {
            Ok(name) => Some(name),
            Err(_) => None,
        }
    }

    /// Hosts that the tool fetches from without being told to.
    pub(crate) const fn default_hosts(self) -> &'static [&'static str] {
        self.facts().default_hosts
    }

    /// The stable kebab-case id.
    pub const fn id(self) -> &'static str {
        self.facts().id
    }

    /// The tool whose lockfile this is.
    pub fn tool(self) -> Tool {
        Tool::new(self.facts().tool).expect("a tool's name is lower-case letters")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_tells_its_format() {
        for (name, format) in [
            ("package-lock.json", Some(Format::NpmLock)),
            ("npm-shrinkwrap.json", Some(Format::NpmLock)),
            ("Cargo.lock", Some(Format::CargoLock)),
            ("cargo.lock", None),
            ("requirements.txt", Some(Format::PipRequirements)),
            ("requirements-dev.txt", Some(Format::PipRequirements)),
            ("dev-requirements.txt", Some(Format::PipRequirements)),
            ("requirementsfoo.txt", None),
            ("requirements.in", None),
            ("package.json", None),
            ("yarn.lock", Some(Format::YarnClassic)),
            ("buildscript-gradle.lockfile", Some(Format::GradleLock)),
        ] {
            assert_eq!(Format::of_file_name(name), format, "{name}");
        }
        for format in Format::ALL {
            let told = Format::of_file_name(format.file_names()[0]);
            let berry = format == Format::YarnBerry;
            assert_eq!(told, Some(if berry { Format::YarnClassic } else { format }));
            assert!(!format.tool().as_str().is_empty());
        }
        assert_eq!(Format::YarnClassic.of_content(b"# x\n\n__metadata:\n"), Format::YarnBerry);
        assert_eq!(Format::YarnClassic.of_content(b"a@1:\n"), Format::YarnClassic);
    }
}
