//! The stored shape of how a step stands in its plan.

use std::time::Duration;

use regreen_domain::{Condition, FailureClass, Flow, Standing, Test, Tool};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scrub::{Scrub, scrub_text};

/// How a step stands in its plan. What is as usual is left out, so that a plan of an older version reads as it did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ReportFlow)]
pub struct FlowV1 {
    /// What must hold, as far as the evidence did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<ConditionV1>,
    /// Why it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<String>,
    /// Longest that it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How often it is tried, where that is more than once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Time between two tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
    /// Neighbours with the same name run side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = ReportCondition)]
pub enum ConditionV1 {
    /// Every one of them.
    #[schema(no_recursion)]
    All(Vec<ConditionV1>),
    /// At least one of them.
    #[schema(no_recursion)]
    Any(Vec<ConditionV1>),
    /// Not this one.
    #[schema(no_recursion)]
    Not(Box<ConditionV1>),
    /// A probe answered so.
    Finding {
        /// Its id.
        probe: String,
        /// Its answer.
        standing: String,
    },
    /// Id of the signature.
    Pattern(String),
    /// Id of the class.
    Class(String),
    /// Names of tools.
    Tool(Vec<String>),
    /// What an earlier step says.
    Receipt {
        /// Id of the step.
        step: String,
        /// The field of its receipt.
        field: String,
        /// Its text; neither this nor `at_least`: it is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        equals: Option<String>,
        /// Its least value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_least: Option<i64>,
    },
}

impl FlowV1 {
    /// Whether there is nothing to store.
    pub(crate) fn is_usual(&self) -> bool {
        *self == FlowV1::default()
    }

    /// Every text that a masking could concern; ids and names are none.
    pub(crate) fn scrub(&mut self, scrub: &dyn Scrub) {
        self.skip.iter_mut().for_each(|text| scrub_text(scrub, text));
        self.group.iter_mut().for_each(|text| scrub_text(scrub, text));
        if let Some(when) = &mut self.when {
            when.scrub(scrub);
        }
    }

    /// The flow again; `None` where it names something that this version doesn't know.
    pub fn to_domain(&self) -> Option<Flow> {
        Some(Flow {
            when: match &self.when {
                Some(when) => Some(when.to_domain()?),
                None => None,
            },
            skip: self.skip.clone(),
            timeout: self.timeout_ms.map(Duration::from_millis),
            attempts: self.attempts.unwrap_or(1),
            pause: self.pause_ms.map_or(Duration::ZERO, Duration::from_millis),
            group: self.group.clone(),
        })
    }
}

impl From<&Flow> for FlowV1 {
    fn from(flow: &Flow) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        FlowV1 {
            when: flow.when.as_ref().map(ConditionV1::from),
            skip: flow.skip.clone(),
            timeout_ms: flow.timeout.map(millis),
            attempts: (flow.attempts != 1).then_some(flow.attempts),
            pause_ms: (!flow.pause.is_zero()).then(|| millis(flow.pause)),
            group: flow.group.clone(),
        }
    }
}

impl ConditionV1 {
    fn scrub(&mut self, scrub: &dyn Scrub) {
        match self {
            ConditionV1::All(parts) | ConditionV1::Any(parts) => {
                parts.iter_mut().for_each(|part| part.scrub(scrub));
            }
            ConditionV1::Not(inner) => inner.scrub(scrub),
            ConditionV1::Finding { probe, .. } => scrub_text(scrub, probe),
            ConditionV1::Pattern(id) => scrub_text(scrub, id),
            ConditionV1::Receipt { step, field, equals, .. } => {
                [Some(step), Some(field), equals.as_mut()]
                    .into_iter()
                    .flatten()
                    .for_each(|text| scrub_text(scrub, text));
            }
            ConditionV1::Class(_) | ConditionV1::Tool(_) => {}
        }
    }

    fn to_domain(&self) -> Option<Condition> {
        let each = |parts: &[ConditionV1]| parts.iter().map(ConditionV1::to_domain).collect::<Option<_>>();
        Some(match self {
            ConditionV1::All(parts) => Condition::All(each(parts)?),
            ConditionV1::Any(parts) => Condition::Any(each(parts)?),
            ConditionV1::Not(inner) => Condition::Not(Box::new(inner.to_domain()?)),
            ConditionV1::Finding { probe, standing } => {
                Condition::Finding { probe: probe.clone(), standing: Standing::parse(standing)? }
            }
            ConditionV1::Pattern(id) => Condition::Pattern(id.clone()),
            ConditionV1::Class(id) => Condition::Class(FailureClass::parse(id)?),
            ConditionV1::Tool(names) => {
                Condition::Tool(names.iter().map(|name| Tool::new(name)).collect::<Option<_>>()?)
            }
            ConditionV1::Receipt { step, field, equals, at_least } => Condition::Receipt {
                step: step.clone(),
                field: field.clone(),
                test: match (equals, at_least) {
                    (Some(text), None) => Test::Equals(text.clone()),
                    (None, Some(least)) => Test::AtLeast(*least),
                    (None, None) => Test::Exists,
                    (Some(_), Some(_)) => return None,
                },
            },
        })
    }
}

impl From<&Condition> for ConditionV1 {
    fn from(condition: &Condition) -> Self {
        let each = |parts: &[Condition]| parts.iter().map(ConditionV1::from).collect();
        match condition {
            Condition::All(parts) => ConditionV1::All(each(parts)),
            Condition::Any(parts) => ConditionV1::Any(each(parts)),
            Condition::Not(inner) => ConditionV1::Not(Box::new(ConditionV1::from(&**inner))),
            Condition::Finding { probe, standing } => {
                ConditionV1::Finding { probe: probe.clone(), standing: standing.id().to_owned() }
            }
            Condition::Pattern(id) => ConditionV1::Pattern(id.clone()),
            Condition::Class(class) => ConditionV1::Class(class.id().to_owned()),
            Condition::Tool(tools) => {
                ConditionV1::Tool(tools.iter().map(|tool| tool.as_str().to_owned()).collect())
            }
            Condition::Receipt { step, field, test } => ConditionV1::Receipt {
                step: step.clone(),
                field: field.clone(),
                equals: if let Test::Equals(text) = test { Some(text.clone()) } else { None },
                at_least: if let Test::AtLeast(least) = test { Some(*least) } else { None },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

    use super::*;
    use crate::shape::StepV1;

    #[test]
    fn a_step_of_an_older_version_reads_as_it_did_and_is_written_as_it_was() {
        let old = r#"{"id":"rerun","kind":"rerun-command","args":{"a":"b"}}"#;
        let step: StepV1 = serde_json::from_str(old).unwrap();
        assert_eq!(step.to_domain().unwrap().flow, Flow::default());
        assert_eq!(serde_json::to_string(&step).unwrap(), old);
    }

    #[test]
    fn everything_that_a_flow_can_say_is_kept() {
        let leaf = |test| Condition::Receipt { step: "s".to_owned(), field: "f".to_owned(), test };
        let finding = Condition::Finding { probe: "cache".to_owned(), standing: Standing::CannotTell };
        let flow = Flow {
            when: Some(Condition::All(vec![
                Condition::Any(vec![leaf(Test::Exists), leaf(Test::AtLeast(-3))]),
                Condition::Not(Box::new(leaf(Test::Equals("yes".to_owned())))),
                finding,
                Condition::Pattern("p".to_owned()),
                Condition::Class(FailureClass::parse("network-timeout").unwrap()),
                Condition::Tool(vec![Tool::new("npm").unwrap()]),
            ])),
            skip: Some("no".to_owned()),
            timeout: Some(Duration::from_millis(1500)),
            attempts: 3,
            pause: Duration::from_secs(2),
            group: Some("g".to_owned()),
        };
        let stored = serde_json::to_string(&FlowV1::from(&flow)).unwrap();
        let read: FlowV1 = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.to_domain().unwrap(), flow, "{stored}");
    }
}
