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
    #[serde(default)]
    detail: Vec<RawContext>,
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
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Matcher {
    /// The line.
    pub line: Expression,
    /// Each of these must stand around it.
    pub near: Vec<Context>,
    /// None of these may stand around it: a later success, a script's failure, another tool's words.
    pub unless: Vec<Context>,
    /// Of a line that sums up: how the lines read that describe what it sums up, the most telling first.
    pub details: Vec<Context>,
}

/// Something around a line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Context {
    /// What the other line holds.
    pub line: Expression,
    /// Where it stands.
    pub side: Side,
    /// At most so many lines away; anywhere in the window where `None`.
    pub within: Option<u32>,
}

/// Where a description stands: so many lines before or after the line that sums it up, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Description {
    /// Earlier in the log.
    Before(usize),
    /// Later in the log.
    After(usize),
}

/// The furthest that a bounded context may reach: each candidate line pays for it.
pub(crate) const FURTHEST: u32 = 200;

/// The furthest that a detail may stand from the line that sums it up: test runs are long. One line a pattern pays.
pub(crate) const FURTHEST_DETAIL: u32 = 6000;

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

    /// The place of the line that describes what this one sums up, and where in it the description begins: of the
    /// first detail that is there, the line that comes first. `before` and `after` hold the texts around the line,
    /// the nearest first.
    pub fn describe(&self, before: &[String], after: &[String]) -> Option<(Description, usize)> {
        self.details.iter().find_map(|detail| {
            let within = detail.within.unwrap_or(FURTHEST_DETAIL) as usize;
            let at = |text: &String| Some(detail.line.regex()?.find(text.as_bytes())?.start());
            let earlier = || {
                let mut lines = before.iter().take(within).enumerate();
                lines.rfind(|(_, text)| at(text).is_some()).map(|(i, _)| i)
            };
            let later = || after.iter().take(within).position(|text| at(text).is_some());
            let found = match detail.side {
                Side::Before => earlier().map(Description::Before),
                Side::After => later().map(Description::After),
                Side::Around => {
                    earlier().map(Description::Before).or_else(|| later().map(Description::After))
                }
            }?;
            let text = match found {
                Description::Before(i) => before.get(i),
                Description::After(i) => after.get(i),
            };
            Some((found, text.and_then(at).unwrap_or(0)))
        })
    }

    /// How many lines before and after its own a description can stand.
    pub fn details_within(&self) -> (usize, usize) {
        let within = |side: Side| {
            let here = self.details.iter().filter(|d| d.side == side || d.side == Side::Around);
            here.map(|d| d.within.unwrap_or(FURTHEST_DETAIL) as usize).max().unwrap_or(0)
        };
        (within(Side::Before), within(Side::After))
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
            details: self.detail.iter().map(|raw| raw.detail(source)).collect::<Result<_, _>>()?,
        })
    }

    /// Where the line's expression stands, for errors about its captures.
    pub(crate) fn span(&self) -> std::ops::Range<usize> {
        self.line.span()
    }
}

impl RawContext {
    fn check(&self, source: Source<'_>) -> Result<Context, CatalogError> {
        let within = self.within(FURTHEST, source)?;
        let line =
            if within.is_none() { source.searchable(&self.line)? } else { source.expression(&self.line)? };
        Ok(Context { line, side: self.side.unwrap_or_default(), within })
    }

    /// Descriptions usually stand before what sums them up.
    fn detail(&self, source: Source<'_>) -> Result<Context, CatalogError> {
        let within = self.within(FURTHEST_DETAIL, source)?;
        let line = source.expression(&self.line)?;
        Ok(Context { line, side: self.side.unwrap_or(Side::Before), within })
    }

    fn within(&self, furthest: u32, source: Source<'_>) -> Result<Option<u32>, CatalogError> {
        let Some(lines) = &self.within else { return Ok(None) };
        if (1..=furthest).contains(lines.get_ref()) {
            return Ok(Some(*lines.get_ref()));
        }
        let what = format!("`within` is {}", lines.get_ref());
        let help = format!("use 1 to {furthest} lines, or leave it out to mean the whole window");
        Err(source.error(Some(lines.span()), what, help))
    }
}
