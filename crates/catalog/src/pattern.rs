//! A pattern: how one failure of one tool shows in a log, what it means, and the proof.

use std::collections::BTreeMap;

use regreen_domain::{CommandKind, Counts, FailureClass, Resource, Tool};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::matcher::RawMatcher;
use crate::source::Source;
use crate::{CatalogError, Later, Matcher, PatternSource};

/// A pattern that was parsed and checked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'static"))]
pub struct Pattern {
    /// The file's name: never renamed, never reused.
    pub id: String,
    /// Whose word it is.
    #[serde(skip)]
    pub source: PatternSource,
    /// What it means; the folder's name.
    #[serde(with = "crate::packed::id")]
    pub class: FailureClass,
    /// Classes that the same line can mean, where only the workspace can tell.
    #[serde(with = "crate::packed::ids")]
    pub also: Vec<FailureClass>,
    /// What was used up, where the class is `resource-exhausted`: which cure fits depends on it.
    #[serde(with = "crate::packed::maybe_id")]
    pub resource: Option<Resource>,
    /// One line for people.
    pub title: String,
    /// The version that brought it.
    pub since: String,
    /// Whether it counts.
    pub status: Status,
    /// Whose words the line is, the first the usual one; empty: any program's.
    #[serde(with = "crate::packed::ids")]
    pub tools: Vec<Tool>,
    /// The kinds of commands in which it can be the tool's own words; empty: every kind.
    #[serde(with = "crate::packed::ids")]
    pub commands: Vec<CommandKind>,
    /// What the line proves.
    pub strength: Strength,
    /// Patterns whose lines follow from this cause and then speak for nothing themselves.
    pub explains: Vec<String>,
    /// What happened, for people.
    pub explain: Later<String>,
    /// What a person can do.
    pub fix: Later<String>,
    /// Where to read on.
    pub see: Later<Vec<String>>,
    /// When a line is this pattern's.
    pub matcher: Matcher,
    /// What its captures may be used for.
    pub holes: BTreeMap<String, HoleKind>,
    /// What was measured of it.
    pub measured: Measured,
    /// Logs in which it must be found.
    pub examples: Later<Vec<Example>>,
    /// Logs in which it must not.
    pub counterexamples: Later<Vec<Counterexample>>,
}

/// Whether a pattern or playbook counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not yet proved by a real log: shown, never acted on.
    Draft,
    /// Counts.
    Stable,
    /// No longer used; kept so that its id is never reused.
    Retired,
}

/// What a line proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// The tool's last word that the project's own code failed: nothing but an explaining cause speaks against it.
    CodeFinal,
    /// Names a cause.
    Cause,
    /// Follows from a cause, or warns: never decides against a cause, and never alone for infrastructure.
    Symptom,
}

/// The type of a capture: what it may become once it was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoleKind {
    /// A host name with an optional port.
    Host,
    /// A package name.
    Package,
    /// A path below a root that the step knows.
    Path,
    /// A key of a CI cache.
    CacheKey,
    /// For showing only.
    Text,
}

/// What `cargo xtask measure` counted on labelled logs; zero until then.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Logs in which it spoke.
    hits: u32,
    /// Of those, logs whose label it named.
    right: u32,
    /// Labelled logs that were read.
    n: u32,
    /// What measured it.
    #[serde(default)]
    by: String,
}

/// A log in which the pattern must be found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// `recorded: TOOL VERSION, how`, `source: PACKAGE VERSION, FILE` or `invented`.
    pub origin: String,
    /// The lines that matter.
    pub log: String,
    /// The line of `log`, counted from 1.
    pub line: usize,
    /// The line that must be found to describe what it sums up.
    pub detail: Option<usize>,
    /// What the captures must hold.
    pub captures: BTreeMap<String, String>,
}

/// A log in which the pattern must not be found.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// What it shows.
    pub name: String,
    /// Why the pattern would be wrong there.
    pub why: String,
    /// The log.
    pub log: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPattern {
    id: Spanned<String>,
    class: Spanned<String>,
    #[serde(default)]
    also: Vec<Spanned<String>>,
    resource: Option<Spanned<String>>,
    title: String,
    since: String,
    status: Spanned<Status>,
    #[serde(default)]
    tools: Vec<Spanned<String>>,
    #[serde(default)]
    commands: Vec<Spanned<String>>,
    strength: Strength,
    #[serde(default)]
    explains: Vec<String>,
    explain: String,
    fix: String,
    #[serde(default)]
    see: Vec<String>,
    #[serde(rename = "match")]
    matcher: RawMatcher,
    #[serde(default)]
    holes: BTreeMap<String, Spanned<HoleKind>>,
    #[serde(default)]
    measured: Measured,
    #[serde(default, rename = "example")]
    examples: Vec<RawExample>,
    #[serde(default, rename = "counterexample")]
    counterexamples: Vec<Counterexample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    name: String,
    origin: Spanned<String>,
    log: String,
    expect: RawExpect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpect {
    line: usize,
    detail: Option<usize>,
    #[serde(default)]
    captures: BTreeMap<String, String>,
}

impl Measured {
    /// The counts.
    pub fn counts(&self) -> Counts {
        Counts { hits: self.hits, right: self.right, n: self.n }
    }

    /// What measured it; empty where nothing did.
    pub fn by(&self) -> &str {
        &self.by
    }
}

impl Example {
    /// Whether it was recorded from the tool or taken from the tool's own source.
    pub fn is_real(&self) -> bool {
        is_real(&self.origin)
    }
}

/// Stands where a person has to say something yet.
pub const TO_FILL_IN: &str = "FILL IN";

fn is_real(origin: &str) -> bool {
    !origin.contains(TO_FILL_IN) && is_of_a_tool(origin)
}

fn is_of_a_tool(origin: &str) -> bool {
    ["recorded: ", "source: "].iter().any(|real| origin.strip_prefix(real).is_some_and(|rest| rest.len() > 3))
}

impl Pattern {
    /// A file of the catalogue, where the folder is the class.
    pub(crate) fn parse(source: Source<'_>) -> Result<Pattern, CatalogError> {
        Pattern::parse_in(source, true)
    }

    /// A file that may lie in any folder but one that is named after another class.
    pub(crate) fn parse_anywhere(source: Source<'_>) -> Result<Pattern, CatalogError> {
        Pattern::parse_in(source, FailureClass::parse(source.folder()).is_some())
    }

    fn parse_in(source: Source<'_>, by_class: bool) -> Result<Pattern, CatalogError> {
        let raw: RawPattern = source.parse()?;
        let id = source.id(&raw.id)?;
        let class = source.class(&raw.class)?;
        if by_class && class.id() != source.folder() {
            let what = format!("the class is `{class}`, the folder is `{}`", source.folder());
            return Err(source.error(
                Some(raw.class.span()),
                what,
                "move the file to the folder of its class",
            ));
        }
        raw.check_strength(class, source)?;
        raw.check_holes(source)?;
        raw.check_proof(source)?;
        Ok(Pattern {
            id,
            source: PatternSource::BuiltIn,
            class,
            also: raw.also.iter().map(|class| source.class(class)).collect::<Result<_, _>>()?,
            resource: raw.resource.as_ref().map(|id| source.resource(id)).transpose()?,
            tools: source.tools(&raw.tools)?,
            commands: source.commands(&raw.commands)?,
            matcher: raw.matcher.check(source)?,
            title: raw.title,
            since: raw.since,
            status: raw.status.into_inner(),
            strength: raw.strength,
            explains: raw.explains,
            explain: raw.explain.into(),
            fix: raw.fix.into(),
            see: raw.see.into(),
            holes: raw.holes.into_iter().map(|(name, kind)| (name, kind.into_inner())).collect(),
            measured: raw.measured,
            examples: raw.examples.into_iter().map(RawExample::example).collect::<Vec<_>>().into(),
            counterexamples: raw.counterexamples.into(),
        })
    }
}

impl RawExample {
    fn example(self) -> Example {
        let RawExpect { line, detail, captures } = self.expect;
        Example { name: self.name, origin: self.origin.into_inner(), log: self.log, line, detail, captures }
    }
}

impl RawPattern {
    fn check_strength(&self, class: FailureClass, source: Source<'_>) -> Result<(), CatalogError> {
        let code = matches!(class, FailureClass::Code(_));
        if self.strength == Strength::CodeFinal && !code {
            let what = format!("`code-final` in the class `{class}`");
            return Err(source.error(
                Some(self.class.span()),
                what,
                "only a code class has a final word about code",
            ));
        }
        if code && !self.also.is_empty() {
            let help = "leave `also` out: code evidence is never read as infrastructure";
            return Err(source.error(Some(self.class.span()), "a code class with `also`", help));
        }
        Ok(())
    }

    /// Every named capture has a type, and every type a capture.
    fn check_holes(&self, source: Source<'_>) -> Result<(), CatalogError> {
        let matcher = self.matcher.check(source)?;
        let captures = matcher.line.captures();
        if let Some(untyped) = captures.iter().find(|name| !self.holes.contains_key(*name)) {
            let what = format!("the capture `{untyped}` has no type");
            let help = format!("add `{untyped} = \"text\"` (or host, package, path, cache-key) to [holes]");
            return Err(source.error(Some(self.matcher.span()), what, help));
        }
        if let Some((name, kind)) = self.holes.iter().find(|(name, _)| !captures.contains(name)) {
            let what = format!("the hole `{name}` has no capture");
            return Err(source.error(Some(kind.span()), what, format!("add (?<{name}>…) to match.line")));
        }
        Ok(())
    }

    /// A pattern that counts has an example that is real.
    fn check_proof(&self, source: Source<'_>) -> Result<(), CatalogError> {
        let stable = *self.status.get_ref() == Status::Stable;
        if stable && !self.examples.iter().any(|example| is_real(example.origin.get_ref())) {
            let help =
                "add an example whose origin starts with `recorded: ` or `source: `, or make it `draft`";
            return Err(source.error(
                Some(self.status.span()),
                "a stable pattern without a real example",
                help,
            ));
        }
        let words = [&self.title, &self.explain, &self.fix];
        if stable && words.iter().any(|words| words.contains(TO_FILL_IN)) {
            let what = format!("a stable pattern in which `{TO_FILL_IN}` still stands");
            return Err(source.error(Some(self.status.span()), what, "say what happened and what to do"));
        }
        for example in &self.examples {
            let origin = example.origin.get_ref();
            if origin != "invented" && !(is_real(origin) || (is_of_a_tool(origin) && !stable)) {
                let what = format!("`{origin}` is no origin");
                let help = "use `recorded: TOOL VERSION, how`, `source: PACKAGE VERSION, FILE` or `invented`";
                return Err(source.error(Some(example.origin.span()), what, help));
            }
        }
        let counts = self.measured.counts();
        if counts.right > counts.hits || counts.hits > counts.n {
            let help = "run `cargo xtask measure`; the counts are not written by hand";
            return Err(source.error(
                None,
                "[measured] has more right than hits or more hits than logs",
                help,
            ));
        }
        Ok(())
    }
}
