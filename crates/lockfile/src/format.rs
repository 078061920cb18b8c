//! Which lockfiles are known, and by what file names.

use std::fmt;

use regreen_domain::Tool;

/// A lockfile format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// npm's `package-lock.json` and `npm-shrinkwrap.json`, lockfile versions 1 to 3.
    NpmLock,
    /// Cargo's `Cargo.lock`, versions 1 to 4.
    CargoLock,
    /// pip's `requirements.txt`, with or without `--hash`.
    PipRequirements,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::NpmLock, Format::CargoLock, Format::PipRequirements];

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

    /// The names the tool itself looks for, the one it prefers first.
    pub const fn file_names(self) -> &'static [&'static str] {
        match self {
            // Where both exist, npm reads the shrinkwrap; the lock is the one that projects have.
            Format::NpmLock => &["package-lock.json", "npm-shrinkwrap.json"],
            Format::CargoLock => &["Cargo.lock"],
            Format::PipRequirements => &["requirements.txt"],
        }
    }

    /// The stable kebab-case id.
    pub const fn id(self) -> &'static str {
        match self {
            Format::NpmLock => "npm-lock",
            Format::CargoLock => "cargo-lock",
            Format::PipRequirements => "pip-requirements",
        }
    }

    /// The tool whose lockfile this is.
    pub fn tool(self) -> Tool {
        let name = match self {
            Format::NpmLock => "npm",
            Format::CargoLock => "cargo",
            Format::PipRequirements => "pip",
        };
        Tool::new(name).expect("a tool's name is lower-case letters")
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
        ] {
            assert_eq!(Format::of_file_name(name), format, "{name}");
        }
        for format in Format::ALL {
            assert_eq!(Format::of_file_name(format.file_names()[0]), Some(format));
            assert!(!format.tool().as_str().is_empty());
        }
    }
}
