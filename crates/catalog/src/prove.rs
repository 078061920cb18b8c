//! The proof: every pattern finds its own examples at the right line, and none of its counterexamples.
//!
//! That each example is also *diagnosed* as its class, among all other patterns, is a law of the detector's tests.

use std::collections::BTreeMap;
use std::fmt;

use regex::bytes::Regex;

use crate::matcher::{Context, Description, Matcher, Side, Surroundings};
use crate::{Catalog, Pattern};

/// A claim of a file that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproved {
    /// The pattern or banner.
    pub id: String,
    /// The example's name; empty where the whole pattern is meant.
    pub example: String,
    /// What was found instead.
    pub says: String,
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}", self.id, self.example, self.says)
    }
}

impl Catalog {
    /// Everything that doesn't hold; empty for a catalogue that proves itself.
    pub fn prove(&self) -> Vec<Unproved> {
        let patterns = self.patterns().iter().flat_map(Pattern::prove);
        let banners = self.banners().iter().flat_map(|banner| {
            banner.examples.iter().filter_map(|(name, log, line)| {
                let found = log.lines().position(|text| banner.line.is_match(text)).map(|i| i + 1);
                let says = format!("expected in line {line}, found in {found:?}");
                (found != Some(*line)).then(|| unproved(&banner.id, name, says))
            })
        });
        patterns.chain(banners).collect()
    }
}

impl Pattern {
    /// What doesn't hold of this pattern's examples and counterexamples.
    pub fn prove(&self) -> Vec<Unproved> {
        let Some(regex) = self.matcher.line.regex() else {
            return vec![unproved(
                &self.id,
                "",
                "the expression is too large; bound its repetitions".to_owned(),
            )];
        };
        let examples = self.examples.iter().filter_map(|example| {
            let found = self.matcher.find(regex, &example.log);
            let here = found.iter().find(|(line, _)| *line == example.line);
            let says = match here {
                None => {
                    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
                    format!("expected in line {}, found in {lines:?}", example.line)
                }
                Some((line, captures)) => {
                    let detail = self.matcher.detail(&example.log, *line);
                    let wrong = example.captures.iter().find(|(name, v)| captures.get(*name) != Some(v));
                    match wrong {
                        Some((name, value)) => {
                            format!("`{name}` should be `{value}`, captured was {captures:?}")
                        }
                        None if example.detail.is_some_and(|wanted| Some(wanted) != detail) => {
                            format!("line {:?} should describe it, found was {detail:?}", example.detail)
                        }
                        None => return None,
                    }
                }
            };
            Some(unproved(&self.id, &example.name, says))
        });
        let counterexamples = self.counterexamples.iter().filter_map(|counterexample| {
            let (line, _) = self.matcher.find(regex, &counterexample.log).into_iter().next()?;
            let says = format!("must not be found ({}), but is in line {line}", counterexample.why);
            Some(unproved(&self.id, &counterexample.name, says))
        });
        examples.chain(counterexamples).collect()
    }
}

fn unproved(id: &str, example: &str, says: String) -> Unproved {
    Unproved { id: id.to_owned(), example: example.to_owned(), says }
}

impl Matcher {
    /// Every line of a plain text that is the pattern's, counted from 1, with its captures.
    fn find(&self, regex: &Regex, log: &str) -> Vec<(usize, BTreeMap<String, String>)> {
        let lines: Vec<&str> = log.lines().collect();
        let mut found = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let Some(captures) = regex.captures(line.as_bytes()) else { continue };
            if !self.fits(&mut AmongLines { lines: &lines, at }) {
                continue;
            }
            let value = |name: &String| {
                let text = String::from_utf8_lossy(captures.name(name)?.as_bytes()).into_owned();
                Some((name.clone(), text))
            };
            found.push((at + 1, self.line.captures().iter().filter_map(value).collect()));
        }
        found
    }

    /// The line of a plain text that describes what this one sums up; both counted from 1.
    fn detail(&self, log: &str, line: usize) -> Option<usize> {
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        let (before, after) = lines.split_at(line.min(lines.len()));
        let before: Vec<String> = before.iter().rev().skip(1).cloned().collect();
        match self.describe(&before, after)?.0 {
            Description::Before(i) => (line - 1).checked_sub(i),
            Description::After(i) => Some(line + 1 + i),
        }
    }
}

/// What stands around a line of a plain text.
struct AmongLines<'l> {
    lines: &'l [&'l str],
    at: usize,
}

impl Surroundings for AmongLines<'_> {
    fn nearby(&mut self, context: &Context, within: u32) -> bool {
        self.holds(context, within as usize)
    }

    fn anywhere(&mut self, context: &Context) -> bool {
        self.holds(context, self.lines.len())
    }
}

impl AmongLines<'_> {
    fn holds(&self, context: &Context, within: usize) -> bool {
        let held = |lines: &[&str]| lines.iter().any(|text| context.line.is_match(text));
        let before = &self.lines[self.at.saturating_sub(within)..self.at];
        let after = &self.lines[self.at + 1..self.lines.len().min(self.at + 1 + within)];
        (context.side != Side::After && held(before)) || (context.side != Side::Before && held(after))
    }
}
