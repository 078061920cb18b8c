//! When a line is a pattern's: the line itself, and what must or must not stand around it.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::source::Source;
use crate::{CatalogError, Expression};

/// The `[match]` table, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMatcher {
    line: Spanned<String>,
    #[serde(default)]
    near: Vec<RawContext>,
    #[serde(default)]
    unless: Vec<RawContext>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContext {
    line: Spanned<String>,
    side: Option<Side>,
    within: Option<Spanned<u32>>,
}

/// On which side of a line something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Earlier in the log.
    Before,
    /// Later in the log.
    After,
    /// Either.
    #[default]
    Around,
}

/// When a line is a pattern's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Matcher {
    /// The line.
    pub line: Expression,
    /// Each of these must stand around it.
    pub near: Vec<Context>,
    /// None of these may stand around it: a later success, a script's failure, another tool's words.
    pub unless: Vec<Context>,
}

/// Something around a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Context {
    /// What the other line holds.
    pub line: Expression,
    /// Where it stands.
    pub side: Side,
    /// At most so many lines away; anywhere in the window where `None`.
    pub within: Option<u32>,
}

/// The furthest that a bounded context may reach: each candidate line pays for it.
const FURTHEST: u32 = 200;

/// How a matcher sees what stands around a line. The detector answers from its scan, the proofs from the example.
pub trait Surroundings {
    /// Whether one of so many lines on the context's side holds its expression.
    fn nearby(&mut self, context: &Context, within: u32) -> bool;

    /// Whether any line of the window on the context's side holds its expression.
    fn anywhere(&mut self, context: &Context) -> bool;
}

impl Matcher {
    /// Whether everything around the line is as it must be.
    pub fn fits(&self, around: &mut dyn Surroundings) -> bool {
        self.near.iter().all(|context| context.holds(around))
            && !self.unless.iter().any(|context| context.holds(around))
    }

    /// The contexts that a scan must look for in the whole window.
    pub fn unbounded(&self) -> impl Iterator<Item = &Context> {
        self.near.iter().chain(&self.unless).filter(|context| context.within.is_none())
    }
}

impl Context {
    fn holds(&self, around: &mut dyn Surroundings) -> bool {
        match self.within {
            Some(lines) => around.nearby(self, lines),
            None => around.anywhere(self),
        }
    }
}

impl RawMatcher {
    pub(crate) fn check(&self, source: Source<'_>) -> Result<Matcher, CatalogError> {
        let contexts = |raw: &[RawContext]| {
            raw.iter().map(|context| context.check(source)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Matcher {
            line: source.searchable(&self.line)?,
            near: contexts(&self.near)?,
            unless: contexts(&self.unless)?,
        })
    }

    /// Where the line's expression stands, for errors about its captures.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.line.span()
    }
}

impl RawContext {
    fn check(&self, source: Source<'_>) -> Result<Context, CatalogError> {
        let within = match &self.within {
            None => None,
            Some(lines) if (1..=FURTHEST).contains(lines.get_ref()) => Some(*lines.get_ref()),
            Some(lines) => {
                let what = format!("`within` is {}", lines.get_ref());
                let help = format!("use 1 to {FURTHEST} lines, or leave it out to mean the whole window");
                return Err(source.error(Some(lines.span()), what, help));
            }
        };
        let line =
            if within.is_none() { source.searchable(&self.line)? } else { source.expression(&self.line)? };
        Ok(Context { line, side: self.side.unwrap_or_default(), within })
    }
}
