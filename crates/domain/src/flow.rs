//! When a step of a plan runs, how often and how long it is tried, and beside which others.

use std::{fmt, time::Duration};

use crate::{FailureClass, Standing, Tool};

/// How a step stands in its plan. The default runs once, always, alone, and without a limit of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// It runs only where this holds. In a plan, what is left of it once the evidence has answered: receipts.
    pub when: Option<Condition>,
    /// Why it is left out, where the evidence says so.
    pub skip: Option<String>,
    /// Longest that one look, one act or one check of it may take. A way back is never cut.
    pub timeout: Option<Duration>,
    /// How often it is tried, at least once.
    pub attempts: u32,
    /// Time between two tries.
    pub pause: Duration,
    /// Neighbours with the same name run side by side.
    pub group: Option<String>,
}

impl Default for Flow {
    fn default() -> Self {
        Flow { when: None, skip: None, timeout: None, attempts: 1, pause: Duration::ZERO, group: None }
    }
}

/// What must hold for a step to run: a closed language of data, without expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every one of them.
    All(Vec<Condition>),
    /// At least one of them.
    Any(Vec<Condition>),
    /// Not this one.
    Not(Box<Condition>),
    /// A probe answered so.
    Finding {
        /// Its id.
        probe: String,
        /// Its answer.
        standing: Standing,
    },
    /// The signature that names the cause.
    Pattern(String),
    /// The class of the failure.
    Class(FailureClass),
    /// The tool is one of these.
    Tool(Vec<Tool>),
    /// What an earlier step says that it did.
    Receipt {
        /// Id of the step.
        step: String,
        /// The field of its receipt.
        field: String,
        /// What the field must be.
        test: Test,
    },
}

/// What a field of a receipt must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// There, and not null.
    Exists,
    /// This text; numbers and truth values by their text.
    Equals(String),
    /// A number that is not smaller.
    AtLeast(i64),
}

/// A condition, as far as it can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Whatever the open answers are, it holds.
    Holds,
    /// Whatever the open answers are, it does not.
    Fails,
    /// It depends on this.
    Open(Condition),
}

impl Condition {
    /// Answers as much as `ask` can; `ask` is given everything but `All`, `Any` and `Not`, and gives `None` for what is
    /// not known yet.
    pub fn settle(&self, ask: &dyn Fn(&Condition) -> Option<bool>) -> Settled {
        match self {
            Condition::All(parts) => Self::gather(parts, ask, &Settled::Fails, Condition::All),
            Condition::Any(parts) => Self::gather(parts, ask, &Settled::Holds, Condition::Any),
            Condition::Not(inner) => match inner.settle(ask) {
                Settled::Holds => Settled::Fails,
                Settled::Fails => Settled::Holds,
                Settled::Open(open) => Settled::Open(Condition::Not(Box::new(open))),
            },
            leaf => match ask(leaf) {
                Some(true) => Settled::Holds,
                Some(false) => Settled::Fails,
                None => Settled::Open(leaf.clone()),
            },
        }
    }

    /// One part that is `decisive` decides; the others only count where they are open.
    fn gather(
        parts: &[Condition],
        ask: &dyn Fn(&Condition) -> Option<bool>,
        decisive: &Settled,
        whole: fn(Vec<Condition>) -> Condition,
    ) -> Settled {
        let mut open = Vec::new();
        for part in parts {
            match part.settle(ask) {
                settled if settled == *decisive => return settled,
                Settled::Open(part) => open.push(part),
                Settled::Holds | Settled::Fails => {}
            }
        }
        match open.len() {
            0 if *decisive == Settled::Fails => Settled::Holds,
            0 => Settled::Fails,
            1 => Settled::Open(open.remove(0)),
            _ => Settled::Open(whole(open)),
        }
    }

    /// Every part that is not made of others.
    pub fn leaves(&self) -> Vec<&Condition> {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::leaves).collect()
            }
            Condition::Not(inner) => inner.leaves(),
            leaf => vec![leaf],
        }
    }
}

impl fmt::Display for Condition {
    /// For people; it is never read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: &[Condition], word: &str| {
            let one = |part: &Condition| match part {
                Condition::All(_) | Condition::Any(_) => format!("({part})"),
                part => part.to_string(),
            };
            parts.iter().map(one).collect::<Vec<_>>().join(word)
        };
        match self {
            Condition::All(parts) => f.write_str(&joined(parts, " and ")),
            Condition::Any(parts) => f.write_str(&joined(parts, " or ")),
            Condition::Not(inner) => write!(f, "not ({inner})"),
            Condition::Finding { probe, standing } => write!(f, "the probe {probe} {}", standing.id()),
            Condition::Pattern(id) => write!(f, "the signature is {id}"),
            Condition::Class(class) => write!(f, "the class is {class}"),
            Condition::Tool(tools) => {
                let names: Vec<&str> = tools.iter().map(Tool::as_str).collect();
                write!(f, "the tool is {}", names.join(" or "))
            }
            Condition::Receipt { step, field, test } => match test {
                Test::Exists => write!(f, "{step} says `{field}`"),
                Test::Equals(text) => write!(f, "{step} says `{field}` = {text}"),
                Test::AtLeast(least) => write!(f, "{step} says `{field}` of at least {least}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> Condition {
        Condition::Tool(Tool::new(name).into_iter().collect())
    }

    fn receipt() -> Condition {
        Condition::Receipt { step: "s".to_owned(), field: "n".to_owned(), test: Test::AtLeast(2) }
    }

    /// Only npm holds; receipts are not known.
    fn ask(leaf: &Condition) -> Option<bool> {
        match leaf {
            Condition::Receipt { .. } => None,
            leaf => Some(*leaf == tool("npm")),
        }
    }

    #[test]
    fn evidence_answers_and_receipts_are_left() {
        let (yes, no, open) = (|| tool("npm"), || tool("cargo"), receipt);
        let not = |inner| Condition::Not(Box::new(inner));
        for (condition, want) in [
            (Condition::All(vec![yes(), yes()]), Settled::Holds),
            (Condition::All(vec![yes(), no(), open()]), Settled::Fails),
            (Condition::All(vec![yes(), open()]), Settled::Open(open())),
            (Condition::Any(vec![no(), no()]), Settled::Fails),
            (Condition::Any(vec![no(), open(), yes()]), Settled::Holds),
            (Condition::Any(vec![no(), open()]), Settled::Open(open())),
            (not(no()), Settled::Holds),
            (not(Condition::All(vec![yes(), open()])), Settled::Open(not(open()))),
            (Condition::All(vec![open(), open()]), Settled::Open(Condition::All(vec![open(), open()]))),
            (Condition::All(vec![]), Settled::Holds),
            (Condition::Any(vec![]), Settled::Fails),
        ] {
            assert_eq!(condition.settle(&ask), want, "{condition}");
        }
    }
}
