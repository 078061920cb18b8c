//! Where in the raw log the cause shows.

/// One line of the log that speaks for the diagnosis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Line of the raw log, counted from 1.
    pub line: u64,
    /// Column of the raw line in Unicode scalars, counted from 1.
    pub column: u32,
    /// The line's text, decoded, without ANSI and timestamp, masked.
    pub text: String,
    /// Cause or consequence.
    pub role: Role,
}

/// The place of a line in the chain of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The cause.
    Root,
    /// What followed from it.
    Symptom,
}

impl Role {
    /// The stable id.
    pub const fn id(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::Symptom => "symptom",
        }
    }
}
