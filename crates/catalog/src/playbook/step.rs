//! One step of a playbook's file as written, and the checks that make a [`PlaybookStep`] of it.

use std::collections::BTreeMap;
use std::time::Duration;

use regreen_domain::Flow;
use serde::Deserialize;
use toml::Spanned;

use super::PlaybookStep;
use super::file::{MOST_ATTEMPTS, duration};
use super::when::When;
use crate::source::Source;
use crate::{CatalogError, Template};

/// The longest limit, and the longest pause, of a step.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) id: Spanned<String>,
    #[serde(rename = "use")]
    kind: Option<String>,
    playbook: Option<Spanned<String>>,
    #[serde(default)]
    with: BTreeMap<String, Spanned<toml::Value>>,
    when: Option<Spanned<When>>,
    timeout: Option<Spanned<String>>,
    attempts: Option<Spanned<u32>>,
    pause: Option<Spanned<String>>,
    group: Option<Spanned<String>>,
}

impl RawStep {
    pub(super) fn check(&self, source: Source<'_>) -> Result<PlaybookStep, CatalogError> {
        let id = self.id.get_ref();
        if !is_name(id) {
            let what = format!("the step's id `{id}` is not kebab-case");
            return Err(source.error(Some(self.id.span()), what, "use a-z, 0-9 and `-`"));
        }
        let flow = self.flow(source)?;
        let (kind, playbook) = match (&self.kind, &self.playbook) {
            (Some(kind), None) => (kind.clone(), None),
            (None, Some(playbook)) => {
                let alone = Flow { when: flow.when.clone(), ..Flow::default() };
                if flow != alone || !self.with.is_empty() {
                    let what = "a step that is a playbook takes `when` and nothing else";
                    let help = "write arguments, limits and groups to the steps of that playbook";
                    return Err(source.error(Some(playbook.span()), what, help));
                }
                (String::new(), Some(playbook.get_ref().clone()))
            }
            (None, None) => {
                let help = "add `use = \"a step kind\"` or `playbook = \"a playbook\"`";
                return Err(source.error(Some(self.id.span()), format!("what does `{id}` use?"), help));
            }
            (Some(_), Some(both)) => {
                let help = "a step is one step kind or one playbook";
                return Err(source.error(Some(both.span()), "both `use` and `playbook`", help));
            }
        };
        let (mut with, mut lists) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in &self.with {
            let wrong = |what: String, help| source.error(Some(value.span()), what, help);
            match value.get_ref() {
                toml::Value::String(text) => {
                    let help = "the holes are {tool}, {evidence.host} and {evidence.package}";
                    with.insert(name.clone(), Template::parse(text).map_err(|what| wrong(what, help))?);
                }
                toml::Value::Array(items) => {
                    let text = |item: &toml::Value| item.as_str().map(str::to_owned);
                    let items = items.iter().map(text).collect::<Option<Vec<_>>>();
                    let what = format!("`{name}` holds something else than texts");
                    lists.insert(name.clone(), items.ok_or_else(|| wrong(what, "put each in quotes"))?);
                }
                _ => return Err(wrong(format!("`{name}` is no text"), "put it in quotes")),
            }
        }
        Ok(PlaybookStep { id: id.clone(), kind, playbook, with, lists, flow })
    }

    fn flow(&self, source: Source<'_>) -> Result<Flow, CatalogError> {
        let within = |text: &Spanned<String>| {
            duration(text.get_ref()).filter(|time| !time.is_zero() && *time <= LONGEST).ok_or_else(|| {
                let what = format!("`{}` is no time from 1s to 1h", text.get_ref());
                source.error(Some(text.span()), what, "use a number and s, m or h, e.g. `30s`")
            })
        };
        let when = |when: &Spanned<When>| {
            let help = "`regreen playbooks schema` lists what a condition can ask";
            when.get_ref().condition().map_err(|what| source.error(Some(when.span()), what, help))
        };
        let attempts = |attempts: &Spanned<u32>| {
            let n = *attempts.get_ref();
            let help = format!("use 1 to {MOST_ATTEMPTS}");
            (1..=MOST_ATTEMPTS)
                .contains(&n)
                .then_some(n)
                .ok_or_else(|| source.error(Some(attempts.span()), format!("{n} attempts"), help))
        };
        let group = |group: &Spanned<String>| {
            let name = group.get_ref();
            let what = format!("the group `{name}` is not kebab-case");
            is_name(name)
                .then(|| name.clone())
                .ok_or_else(|| source.error(Some(group.span()), what, "use a-z, 0-9 and `-`"))
        };
        let flow = Flow {
            when: self.when.as_ref().map(when).transpose()?,
            skip: None,
            timeout: self.timeout.as_ref().map(within).transpose()?,
            attempts: self.attempts.as_ref().map_or(Ok(1), attempts)?,
            pause: self.pause.as_ref().map_or(Ok(Duration::ZERO), within)?,
            group: self.group.as_ref().map(group).transpose()?,
        };
        match &self.pause {
            Some(pause) if flow.attempts == 1 => {
                let what = "a pause without a second attempt";
                Err(source.error(Some(pause.span()), what, "add `attempts`, or take the pause out"))
            }
            _ => Ok(flow),
        }
    }
}

/// Ids of steps are names of files too.
fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=60).contains(&text.len()) && text.bytes().all(good)
}
