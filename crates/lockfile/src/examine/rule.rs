//! What is looked for in a lockfile: one id for each, with its meaning.

use std::fmt;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth a look: a weakness, or something that is rarely meant.
    Warning,
    /// The lockfile must not be installed from as it is.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub const fn id(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $rule:ident $id:literal $severity:ident $title:literal,)+) => {
        /// One thing that is looked for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $doc])+ $rule,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule,)+];

            /// The stable kebab-case id.
            pub const fn id(self) -> &'static str {
                match self { $(Rule::$rule => $id,)+ }
            }

            /// What its findings weigh.
            pub const fn severity(self) -> Severity {
                match self { $(Rule::$rule => Severity::$severity,)+ }
            }

            /// A few words for a headline.
            pub const fn title(self) -> &'static str {
                match self { $(Rule::$rule => $title,)+ }
            }

            /// What it means, in sentences.
            pub fn explain(self) -> &'static str {
                match self { $(Rule::$rule => concat!($($doc, "\n"),+).trim(),)+ }
            }
        }
    };
}

rules! {
    /// A git merge was left unresolved: the text between the markers is two lockfiles at once.
    ConflictMarkers "conflict-markers" Error "conflict markers of an unresolved merge",
    /// The text is not of this format. The tool will refuse it, or take it for an empty lockfile.
    Unparsable "unparsable-lockfile" Error "not a lockfile of this format",
    /// The text ends in the middle of a value: a write, a download or a merge was cut off.
    Truncated "truncated-lockfile" Error "the lockfile is cut off",
    /// There is nothing but white space in it.
    Empty "empty-lockfile" Error "the lockfile is empty",
    /// The bytes are no text: not UTF-8, or NUL bytes, as a power cut leaves them.
    NotText "binary-lockfile" Error "the lockfile is not text",
    /// The checksum can't be one: a wrong length, alphabet or algorithm. No download can match it.
    BadChecksum "bad-checksum" Error "a malformed checksum",
    /// The same thing is said twice, as a merge by text leaves it; tools take one of the two, and not all the same one.
    DuplicateEntry "duplicate-entry" Error "something stands twice",
    /// An entry depends on something that the lockfile does not hold: a part is missing.
    MissingEntry "missing-entry" Error "a dependency is missing",
    /// The format's version is not known here. That says nothing against the file, but it was not checked.
    Unsupported "unsupported-lockfile" Note "a version that is not known here",
    /// Its only checksum is of an algorithm with practical collisions (SHA-1, MD5). Many old packages have no other.
    WeakChecksum "weak-checksum" Warning "a weak checksum only",
    /// It has no checksum although others from the same registry have one: whatever is served would be installed.
    NoChecksum "missing-checksum" Error "no checksum, unlike its neighbours",
    /// Fetched over a protocol that neither encrypts nor proves who answers: `http`, `git` or `ftp`.
    InsecureProtocol "insecure-protocol" Error "an unprotected protocol",
    /// A user name or password stands in a URL of the lockfile, for everybody who can read the repository.
    Credentials "credentials-in-lockfile" Error "credentials in a URL",
    /// A package comes straight from a git repository: no registry keeps it, and the only proof is the commit's SHA-1.
    GitSource "git-source" Note "packages from git repositories",
    /// A package comes from a host that is neither the tool's default registry nor allowed. An error where a list of
    /// allowed hosts is configured (`--allow-host`, `[lockfile] allow-hosts`), a note where none is.
    ForeignHost "foreign-host" Note "packages from a host that is not allowed",
    /// The manifest asks for what the lockfile does not hold: a frozen install would refuse, another one would change
    /// the lockfile.
    ManifestDrift "manifest-drift" Error "the lockfile does not agree with the manifest",
    /// The same version has another checksum than before. Registries do not change what they have published: this is
    /// corruption, or tampering.
    ChecksumChanged "checksum-changed" Error "another checksum for the same version",
    /// The same version had a checksum and has none, or only a weaker one, now.
    ChecksumDropped "checksum-dropped" Error "a checksum was dropped or weakened",
    /// The same version has checksums that it did not have before, beside those that it had, or of a stronger
    /// algorithm. Files that were added to a release later look like this; so does a file that somebody smuggled in.
    ChecksumAdded "checksum-added" Warning "more checksums for the same version",
    /// The checksums can't be compared with those from before, because the tool computes them in another way now.
    ChecksumsIncomparable "checksums-incomparable" Warning "checksums that can't be compared",
    /// The same version comes from another host than before.
    SourceChanged "source-changed" Warning "the same version from another host",
    /// An older version than before.
    Downgraded "downgraded" Warning "an older version than before",
}

impl Rule {
    /// The rule with this id.
    pub fn parse(id: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_everything_is_explained() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.id()), Some(*rule));
            assert!(rule.explain().len() > 20, "{rule}");
        }
    }
}
