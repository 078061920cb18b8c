//! What can be wrong with a lockfile, each with its line.

/// One damage. The sentence is for people; lines and columns count from 1, columns in Unicode scalars.
///
/// [`Damage::ConflictMarkers`], [`Damage::Unparsable`], [`Damage::Truncated`], [`Damage::Empty`],
/// [`Damage::NotText`] and [`Damage::Unsupported`] stop the reader; the rest are found in a lockfile that
/// could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A git merge was left unresolved.
    #[error("line {line}: conflict markers of an unresolved merge")]
    ConflictMarkers {
        /// Line of the first marker.
        line: u64,
    },
    /// The text is not of this format.
    #[error("line {line}, column {column}: {why}")]
    Unparsable {
        /// Where reading stopped.
        line: u64,
        /// Where reading stopped.
        column: u64,
        /// What was expected there.
        why: String,
    },
    /// The text ends in the middle.
    #[error("line {line}: the text ends in the middle of a value")]
    Truncated {
        /// The last line.
        line: u64,
    },
    /// A checksum is malformed: no download can match it.
    #[error("line {line}: the checksum of {entry} is malformed: {why}")]
    BadChecksum {
        /// Line of the checksum.
        line: u64,
        /// The entry's name and version.
        entry: String,
        /// What is malformed.
        why: String,
    },
    /// The same thing is said twice; a merge by text leaves this behind.
    #[error("line {line}: {entry} stands twice, first on line {first_line}")]
    DuplicateEntry {
        /// Line of the second.
        line: u64,
        /// Line of the first.
        first_line: u64,
        /// The entry, or the key where it is not an entry that stands twice.
        entry: String,
    },
    /// An entry depends on something that the lockfile doesn't hold: a part is missing.
    #[error("line {line}: {entry} needs {needs}, which is not in the lockfile")]
    MissingEntry {
        /// Line of the entry that needs it.
        line: u64,
        /// The entry that needs it.
        entry: String,
        /// What it needs, as the lockfile writes it.
        needs: String,
    },
    /// There is nothing but white space. A `requirements.txt` may be empty.
    #[error("the file is empty")]
    Empty,
    /// The bytes are no text: not UTF-8, or NUL bytes, as a power cut leaves them.
    #[error("line {line}: not text: {why}")]
    NotText {
        /// Line of the first such byte.
        line: u64,
        /// What was found.
        why: &'static str,
    },
    /// Newer or older than what can be read here. This says nothing against the file.
    #[error("line {line}: {why} can't be read here")]
    Unsupported {
        /// Where it says so.
        line: u64,
        /// What it is, e.g. `lockfile version 4`.
        why: String,
    },
}

impl Damage {
    /// The line it points to; an empty file has its first.
    pub fn line(&self) -> u64 {
        match self {
            Damage::ConflictMarkers { line }
            | Damage::Unparsable { line, .. }
            | Damage::Truncated { line }
            | Damage::BadChecksum { line, .. }
            | Damage::DuplicateEntry { line, .. }
            | Damage::MissingEntry { line, .. }
            | Damage::NotText { line, .. }
            | Damage::Unsupported { line, .. } => *line,
            Damage::Empty => 1,
        }
    }

    /// Whether this speaks against the file at all: a format that is merely unknown here does not.
    pub fn is_corruption(&self) -> bool {
        !matches!(self, Damage::Unsupported { .. })
    }
}
