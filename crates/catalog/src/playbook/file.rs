//! A playbook's file as written, and the checks that make a [`Playbook`] of it.

use std::time::Duration;

use regreen_domain::{Confidence, FailureClass, HealableClass, Outcome, Refusal, Risk};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Break, DecisionExample, ExpectedDecision, ExpectedOutcome, Given, Guard, Need, Playbook, PlaybookStep,
    Rehearsal, step::RawStep,
};
use crate::source::Source;
use crate::{CatalogError, PatternSource, Status};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlaybook {
    id: Spanned<String>,
    title: String,
    since: String,
    status: Status,
    explain: String,
    heals: Vec<Spanned<String>>,
    resource: Option<Spanned<String>>,
    #[serde(default)]
    tools: Vec<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Need>,
    #[serde(default)]
    paths: Vec<Spanned<String>>,
    guard: RawGuard,
    fallback: Option<Vec<String>>,
    #[serde(rename = "step")]
    steps: Vec<RawStep>,
    #[serde(default, rename = "example")]
    examples: Vec<RawDecision>,
    #[serde(default, rename = "rehearsal")]
    rehearsals: Vec<RawRehearsal>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawGuard {
    risk: Spanned<String>,
    attempts: Spanned<u32>,
    cooldown: Spanned<String>,
    #[serde(default)]
    ci_only: bool,
    prior: Option<Spanned<RawPrior>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrior {
    healed: u32,
    tried: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDecision {
    name: String,
    given: RawGiven,
    expect: RawExpectedDecision,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGiven {
    class: Spanned<String>,
    tool: Option<Spanned<String>>,
    confidence: Spanned<f64>,
    confirmed: bool,
    attempts: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpectedDecision {
    decision: Spanned<String>,
    because: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRehearsal {
    name: String,
    #[serde(rename = "break")]
    broken: RawBreak,
    expect: RawOutcome,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreak {
    step: Spanned<String>,
    how: Spanned<String>,
    times: Option<Spanned<u32>>,
    undo: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawOutcome {
    outcome: Spanned<String>,
    #[serde(default)]
    undone: Vec<String>,
    #[serde(default)]
    needs_human: bool,
}

/// The most attempts that a playbook, or one of its steps, may allow itself.
pub(crate) const MOST_ATTEMPTS: u32 = 10;

/// What an example may expect.
pub(crate) const DECISIONS: &[&str] = &["heal", "suggest", "nothing"];
/// How a step may break in a rehearsal.
pub(crate) const BREAKS: &[&str] = &["no-effect", "unknown"];

/// The most pseudo-outcomes that a playbook may bring along: outcomes must be able to overrule it.
pub(crate) const MOST_PRIOR: u32 = 100;

impl Playbook {
    pub(crate) fn parse(source: Source<'_>) -> Result<Playbook, CatalogError> {
        let raw: RawPlaybook = source.parse()?;
        let steps = raw.steps.iter().map(|step| step.check(source)).collect::<Result<Vec<_>, _>>()?;
        for (i, step) in raw.steps.iter().enumerate() {
            if raw.steps[..i].iter().any(|other| other.id.get_ref() == step.id.get_ref()) {
                let what = format!("two steps are called `{}`", step.id.get_ref());
                return Err(source.error(Some(step.id.span()), what, "give each step its own id"));
            }
        }
        Ok(Playbook {
            id: source.id(&raw.id)?,
            heals: raw.heals.iter().map(|class| healable(source, class)).collect::<Result<_, _>>()?,
            resource: raw.resource.as_ref().map(|id| source.resource(id)).transpose()?,
            tools: source.tools(&raw.tools)?,
            paths: raw.paths.iter().map(|path| checked_path(source, path)).collect::<Result<_, _>>()?,
            guard: raw.guard.check(source)?,
            examples: raw.examples.iter().map(|e| e.check(source)).collect::<Result<_, _>>()?,
            rehearsals: raw.rehearsals.iter().map(|r| r.check(source, &steps)).collect::<Result<_, _>>()?,
            source: PatternSource::BuiltIn,
            title: raw.title,
            since: raw.since,
            status: raw.status,
            explain: raw.explain,
            needs: raw.needs,
            fallback: raw.fallback,
            steps,
        })
    }
}

fn healable(source: Source<'_>, class: &Spanned<String>) -> Result<HealableClass, CatalogError> {
    source.class(class)?.healable().ok_or_else(|| {
        let what = format!("`{}` is not a class that may be healed", class.get_ref());
        let known: Vec<_> =
            FailureClass::ALL.iter().filter_map(|c| c.healable()).map(HealableClass::id).collect();
        source.error(Some(class.span()), what, format!("use one of {}", known.join(", ")))
    })
}

/// What stands for a path that only the tool's adapter knows.
const PATH_HOLES: [&str; 2] = ["{tool}", "{lockfile}"];

/// Relative without `..`, or `root:tool`, or with one of [`PATH_HOLES`].
fn checked_path(source: Source<'_>, path: &Spanned<String>) -> Result<String, CatalogError> {
    let text = path.get_ref();
    let climbs = text.is_empty() || text.starts_with('/') || text.split('/').any(|part| part == "..");
    let bare = PATH_HOLES.iter().fold(text.clone(), |text, hole| text.replace(hole, ""));
    if climbs || bare.contains(['{', '}']) {
        let help =
            "use a path relative to the workspace, `{lockfile}`, or a named root such as `cache:{tool}`";
        return Err(source.error(
            Some(path.span()),
            format!("`{text}` is no path that a playbook may declare"),
            help,
        ));
    }
    Ok(text.clone())
}

impl RawGuard {
    fn check(&self, source: Source<'_>) -> Result<Guard, CatalogError> {
        let risk = Risk::parse(self.risk.get_ref()).ok_or_else(|| {
            source.error(
                Some(self.risk.span()),
                format!("`{}` is no risk", self.risk.get_ref()),
                "use low, medium or high",
            )
        })?;
        let attempts = *self.attempts.get_ref();
        if !(1..=MOST_ATTEMPTS).contains(&attempts) {
            let help = format!("use 1 to {MOST_ATTEMPTS}");
            return Err(source.error(Some(self.attempts.span()), format!("{attempts} attempts"), help));
        }
        let cooldown = duration(self.cooldown.get_ref()).ok_or_else(|| {
            let what = format!("`{}` is no duration", self.cooldown.get_ref());
            source.error(Some(self.cooldown.span()), what, "use a number and s, m or h, e.g. `10m`")
        })?;
        let prior = match &self.prior {
            None => (0, 0),
            Some(prior) => {
                let RawPrior { healed, tried } = *prior.get_ref();
                if healed > tried || tried > MOST_PRIOR {
                    let what = format!("a prior of {healed} healed of {tried} tried");
                    let help = format!("`healed` is at most `tried`, and that at most {MOST_PRIOR}");
                    return Err(source.error(Some(prior.span()), what, help));
                }
                (healed, tried)
            }
        };
        Ok(Guard { risk, attempts, cooldown, ci_only: self.ci_only, prior })
    }
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, seconds) = match text.char_indices().next_back()? {
        (at, 's') => (&text[..at], 1),
        (at, 'm') => (&text[..at], 60),
        (at, 'h') => (&text[..at], 3600),
        _ => return None,
    };
    number.parse::<u32>().ok().map(|n| Duration::from_secs(u64::from(n) * seconds))
}

impl RawDecision {
    fn check(&self, source: Source<'_>) -> Result<DecisionExample, CatalogError> {
        let given = &self.given;
        let confidence = Confidence::from_stored(*given.confidence.get_ref()).ok_or_else(|| {
            source.error(Some(given.confidence.span()), "a confidence outside of 0 to 1", "use a probability")
        })?;
        let tool = given.tool.as_ref().map(|tool| source.tools(std::slice::from_ref(tool))).transpose()?;
        let decision = self.expect.decision.get_ref();
        if !DECISIONS.contains(&decision.as_str()) {
            let what = format!("`{decision}` is no decision");
            return Err(source.error(
                Some(self.expect.decision.span()),
                what,
                "use heal, suggest or nothing",
            ));
        }
        let refusal = |id: &Spanned<String>| {
            Refusal::parse(id.get_ref()).ok_or_else(|| {
                let what = format!("`{}` is no reason to refuse", id.get_ref());
                source.error(Some(id.span()), what, "`regreen explain` lists them")
            })
        };
        Ok(DecisionExample {
            name: self.name.clone(),
            given: Given {
                class: source.class_or_unknown(&given.class)?,
                tool: tool.and_then(|mut tools| tools.pop()),
                confidence,
                confirmed: given.confirmed,
                attempts: given.attempts,
            },
            expect: ExpectedDecision {
                decision: decision.clone(),
                because: self.expect.because.as_ref().map(refusal).transpose()?,
            },
        })
    }
}

impl RawRehearsal {
    fn check(&self, source: Source<'_>, steps: &[PlaybookStep]) -> Result<Rehearsal, CatalogError> {
        // The steps of a sub-playbook are looked for once they stand in its place.
        let known = |id: &str| {
            let part = id.split_once('/').map(|(part, _)| part);
            steps.iter().any(|step| match (&step.playbook, part) {
                (None, None) => step.id == id,
                (Some(_), Some(part)) => step.id == part,
                _ => false,
            })
        };
        let broken = self.broken.step.get_ref();
        if let Some(stranger) = std::iter::once(broken).chain(&self.expect.undone).find(|id| !known(id)) {
            let what = format!("the playbook has no step `{stranger}`");
            return Err(source.error(Some(self.broken.step.span()), what, "name a step of this file"));
        }
        let how = self.broken.how.get_ref();
        if !BREAKS.contains(&how.as_str()) {
            let help = "use `no-effect` (nothing happened) or `unknown` (it may have happened)";
            return Err(source.error(
                Some(self.broken.how.span()),
                format!("`{how}` is no way to break"),
                help,
            ));
        }
        if let Some(undo) = self.broken.undo.as_ref().filter(|undo| undo.get_ref() != "fails") {
            let what = format!("`{}` is no way for an undo to break", undo.get_ref());
            return Err(source.error(Some(undo.span()), what, "use `fails`, or leave it out"));
        }
        if let Some(times) = self.broken.times.as_ref().filter(|times| *times.get_ref() == 0) {
            let help = "leave it out where every act breaks";
            return Err(source.error(Some(times.span()), "what breaks 0 times does not break", help));
        }
        let outcome = self.expect.outcome.get_ref();
        let outcome = Outcome::parse(outcome).ok_or_else(|| {
            let known: Vec<_> = Outcome::ALL.iter().map(|o| o.id()).collect();
            let what = format!("`{outcome}` is no outcome");
            source.error(Some(self.expect.outcome.span()), what, format!("use one of {}", known.join(", ")))
        })?;
        Ok(Rehearsal {
            name: self.name.clone(),
            broken: Break {
                step: broken.clone(),
                how: how.clone(),
                times: self.broken.times.as_ref().map(|times| *times.get_ref()),
                undo: self.broken.undo.as_ref().map(|undo| undo.get_ref().clone()),
            },
            expect: ExpectedOutcome {
                outcome,
                undone: self.expect.undone.clone(),
                needs_human: self.expect.needs_human,
            },
        })
    }
}
