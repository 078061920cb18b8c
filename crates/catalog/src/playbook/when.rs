//! The conditions of a playbook's steps, as they stand in its file and in the packed catalogue.

use std::time::Duration;

use regreen_domain::{Condition, FailureClass, Flow, Standing, Test, Tool};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A condition as written: exactly one of these.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum When {
    All(Vec<When>),
    Any(Vec<When>),
    Not(Box<When>),
    Finding(Finding),
    Pattern(String),
    Class(String),
    Tool(Vec<String>),
    Receipt(Receipt),
}

/// What a probe answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    probe: String,
    standing: String,
}

/// What an earlier step says; exactly one of the three tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Receipt {
    step: String,
    field: String,
    equals: Option<String>,
    at_least: Option<i64>,
    exists: Option<bool>,
}

impl When {
    /// What it means; the error says what is wrong with it.
    pub(crate) fn condition(&self) -> Result<Condition, String> {
        let each = |parts: &[When]| match parts {
            [] => Err("`all` and `any` need at least one condition".to_owned()),
            parts => parts.iter().map(When::condition).collect::<Result<Vec<_>, _>>(),
        };
        Ok(match self {
            When::All(parts) => Condition::All(each(parts)?),
            When::Any(parts) => Condition::Any(each(parts)?),
            When::Not(inner) => Condition::Not(Box::new(inner.condition()?)),
            When::Finding(Finding { probe, standing }) => Condition::Finding {
                probe: probe.clone(),
                standing: Standing::parse(standing).ok_or_else(|| {
                    format!("`{standing}` is no answer of a probe: confirms, refutes, cannot-tell or forbids")
                })?,
            },
            When::Pattern(id) => Condition::Pattern(id.clone()),
            When::Class(id) => {
                let class = FailureClass::parse(id).filter(|class| class.healable().is_some());
                Condition::Class(class.ok_or_else(|| format!("`{id}` is not a class that may be healed"))?)
            }
            When::Tool(names) => {
                let tool = |name: &String| Tool::new(name).ok_or_else(|| format!("`{name}` is no tool name"));
                let tools = names.iter().map(tool).collect::<Result<Vec<_>, _>>()?;
                if tools.is_empty() {
                    return Err("`tool` needs at least one tool".to_owned());
                }
                Condition::Tool(tools)
            }
            When::Receipt(Receipt { step, field, equals, at_least, exists }) => Condition::Receipt {
                step: step.clone(),
                field: field.clone(),
                test: match (equals, at_least, exists) {
                    (Some(text), None, None) => Test::Equals(text.clone()),
                    (None, Some(least), None) => Test::AtLeast(*least),
                    (None, None, Some(true)) => Test::Exists,
                    (None, None, Some(false)) => {
                        return Err("`exists` is true or left out; say `not` for the opposite".to_owned());
                    }
                    _ => return Err("a receipt needs one of `equals`, `at-least` and `exists`".to_owned()),
                },
            },
        })
    }
}

impl From<&Condition> for When {
    fn from(condition: &Condition) -> When {
        let each = |parts: &[Condition]| parts.iter().map(When::from).collect();
        match condition {
            Condition::All(parts) => When::All(each(parts)),
            Condition::Any(parts) => When::Any(each(parts)),
            Condition::Not(inner) => When::Not(Box::new(When::from(&**inner))),
            Condition::Finding { probe, standing } => {
                When::Finding(Finding { probe: probe.clone(), standing: standing.id().to_owned() })
            }
            Condition::Pattern(id) => When::Pattern(id.clone()),
            Condition::Class(class) => When::Class(class.id().to_owned()),
            Condition::Tool(tools) => When::Tool(tools.iter().map(|t| t.as_str().to_owned()).collect()),
            Condition::Receipt { step, field, test } => When::Receipt(Receipt {
                step: step.clone(),
                field: field.clone(),
                equals: if let Test::Equals(text) = test { Some(text.clone()) } else { None },
                at_least: if let Test::AtLeast(least) = test { Some(*least) } else { None },
                exists: (*test == Test::Exists).then_some(true),
            }),
        }
    }
}

/// A flow as it is packed. `skip` is decided for one incident and never stands in a playbook.
#[derive(Serialize, Deserialize)]
struct Packed {
    when: Option<When>,
    timeout: Option<Duration>,
    attempts: u32,
    pause: Duration,
    group: Option<String>,
}

/// For `#[serde(with)]`: packs a flow.
pub(super) fn serialize<S: Serializer>(flow: &Flow, serializer: S) -> Result<S::Ok, S::Error> {
    let Flow { when, timeout, attempts, pause, group, .. } = flow;
    let when = when.as_ref().map(When::from);
    Packed { when, timeout: *timeout, attempts: *attempts, pause: *pause, group: group.clone() }
        .serialize(serializer)
}

/// For `#[serde(with)]`: unpacks a flow.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Flow, D::Error> {
    let Packed { when, timeout, attempts, pause, group } = Packed::deserialize(from)?;
    let when = when.map(|when| when.condition().map_err(D::Error::custom)).transpose()?;
    Ok(Flow { when, skip: None, timeout, attempts, pause, group })
}
