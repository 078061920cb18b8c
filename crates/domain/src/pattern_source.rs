//! Whose a pattern of the catalogue is.

/// Whose word a pattern is, which says how far it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum PatternSource {
    /// Part of the program.
    #[default]
    BuiltIn,
    /// The operator's, from a folder outside the checkout: as the built-in ones, but its confidence is at most what was
    /// measured of it.
    Operator,
    /// The repository's, which is hostile until shown otherwise: it names a cause where nothing else does, gives advice,
    /// and speaks for code; it never leads to a healing.
    Repository,
    /// Accepted by a person beside the fleet, from a draft: as far as a repository's.
    Accepted,
}

impl PatternSource {
    /// `built-in`, `operator`, `repository` or `accepted`.
    pub const fn id(self) -> &'static str {
        match self {
            PatternSource::BuiltIn => "built-in",
            PatternSource::Operator => "operator",
            PatternSource::Repository => "repository",
            PatternSource::Accepted => "accepted",
        }
    }

    /// From its id.
    pub fn parse(id: &str) -> Option<PatternSource> {
        let all = [
            PatternSource::BuiltIn,
            PatternSource::Operator,
            PatternSource::Repository,
            PatternSource::Accepted,
        ];
        all.into_iter().find(|source| source.id() == id)
    }

    /// Whether it names and advises, and never leads to a healing.
    pub const fn only_names(self) -> bool {
        matches!(self, PatternSource::Repository | PatternSource::Accepted)
    }
}
