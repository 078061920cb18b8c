//! What is wrong with a catalogue file, where, and what to do about it.

use std::fmt;
use std::ops::Range;

/// A file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {what}; help: {help}", place = Place(*line, *column))]
pub struct CatalogError {
    /// The file, as it was named to the loader.
    pub file: String,
    /// Line, counted from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column, counted from 1; 0 where the whole file is meant.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

struct Place(usize, usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, ":{}:{}", self.0, self.1) }
    }
}

impl CatalogError {
    /// About a span of the file's text.
    pub(crate) fn at(
        file: &str,
        text: &str,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> CatalogError {
        let (line, column) = span.map_or((0, 0), |span| place(text, span.start));
        CatalogError { file: file.to_owned(), line, column, what: what.into(), help: help.into() }
    }

    /// About the whole file.
    pub(crate) fn whole(file: &str, what: impl Into<String>, help: impl Into<String>) -> CatalogError {
        CatalogError::at(file, "", None, what, help)
    }
}

fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line, column)
}
