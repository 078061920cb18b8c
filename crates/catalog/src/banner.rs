//! A banner: the line by which a tool announces that the project's own programs speak from here on, or have spoken until here.
//!
//! What a test or a script prints is not the tool's word. A failing test can print `npm error code ECONNRESET`;
//! after a banner such lines count only for patterns whose `commands` hold the banner's kind.

use regreen_domain::{CommandKind, Tool};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::matcher::RawMatcher;
use crate::source::Source;
use crate::{CatalogError, Expression, Later};

/// Where the project's own programs speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// From this line on.
    #[default]
    After,
    /// Until this line, by which the tool says that what it had started failed: then it did not fail by itself, and what reads
    /// like its own last word before was printed by somebody else.
    Before,
}

/// A banner that was parsed and checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Banner {
    /// The file's name.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Who prints it.
    #[serde(with = "crate::packed::ids")]
    pub tools: Vec<Tool>,
    /// What runs from here on: `test` for tests, `opaque` for scripts. Where it speaks of what was before, it tells people alone.
    #[serde(with = "crate::packed::id")]
    pub kind: CommandKind,
    /// Whose words it marks.
    pub speaks: Speaks,
    /// The line.
    pub line: Expression,
    /// (name, log, line counted from 1) in which it must be found.
    pub examples: Later<Vec<(String, String, usize)>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBanner {
    id: Spanned<String>,
    title: String,
    #[serde(rename = "since")]
    _since: String,
    tools: Vec<Spanned<String>>,
    kind: Spanned<String>,
    #[serde(default)]
    speaks: Speaks,
    #[serde(rename = "match")]
    matcher: RawMatcher,
    #[serde(rename = "example")]
    examples: Vec<RawExample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    name: String,
    #[serde(rename = "origin")]
    _origin: String,
    log: String,
    expect: RawExpect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpect {
    line: usize,
}

impl Banner {
    pub(crate) fn parse(source: Source<'_>) -> Result<Banner, CatalogError> {
        let raw: RawBanner = source.parse()?;
        let matcher = raw.matcher.check(source)?;
        if !matcher.near.is_empty() || !matcher.unless.is_empty() {
            return Err(source.error(
                Some(raw.matcher.span()),
                "a banner with a context",
                "a banner is its line alone",
            ));
        }
        let kinds = source.commands(std::slice::from_ref(&raw.kind))?;
        let kind = kinds.first().copied().unwrap_or(CommandKind::Opaque);
        Ok(Banner {
            id: source.id(&raw.id)?,
            title: raw.title,
            tools: source.tools(&raw.tools)?,
            kind,
            speaks: raw.speaks,
            line: matcher.line,
            examples: raw
                .examples
                .into_iter()
                .map(|e| (e.name, e.log, e.expect.line))
                .collect::<Vec<_>>()
                .into(),
        })
    }
}
