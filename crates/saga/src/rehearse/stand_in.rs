//! The stand-ins of a rehearsal: they add to registers, in two moves so that a break can fall between them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::Part;
use crate::{
    executor::PreparedStep,
    step::{AnyStep, ApplyError, BoxFuture, Look, Refused, Resume, Seen, Touch, Undo, UndoError},
};

/// How a step breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The look before acting says no.
    Refused,
    /// It fails before it did anything.
    NoEffect,
    /// It does its work and loses the answer.
    Lost,
    /// It does half of its work and fails.
    Half,
    /// It is applied, but does not help.
    NotSeen,
    /// It does half of its work and never answers.
    Hangs,
}

impl Break {
    /// Every way to break.
    pub const ALL: [Break; 6] =
        [Break::Refused, Break::NoEffect, Break::Lost, Break::Half, Break::NotSeen, Break::Hangs];
}

/// One step that breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its id.
    pub step: String,
    /// How.
    pub how: Break,
    /// Only its first acts break, so many; `None`: all of them.
    pub times: Option<u32>,
    /// Whether its undo fails too.
    pub undo_fails: bool,
}

/// Registers by name. What a compensation leaves behind is 0 and does not count.
#[derive(Debug, Clone, Default)]
pub(super) struct World(Arc<Mutex<Registers>>);

#[derive(Debug, Default)]
struct Registers {
    values: BTreeMap<String, i64>,
    /// How often each step has acted.
    acts: BTreeMap<String, u32>,
}

/// How many steps share a register, so that an undo in the wrong order shows.
const REGISTERS: usize = 2;

impl World {
    /// One register is there before, another is not.
    pub(super) fn new() -> World {
        let world = World::default();
        world.set("register 0", Some(7));
        world
    }

    fn get(&self, key: &str) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values.get(key).copied()
    }

    fn set(&self, key: &str, value: Option<i64>) {
        let values = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).values;
        match value {
            Some(value) => values.insert(key.to_owned(), value),
            None => values.remove(key),
        };
    }

    /// Counts an act; how many came before it.
    fn count(&self, step: &str) -> u32 {
        let acts = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).acts;
        let count = acts.entry(step.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// What stands: everything but the traces of compensations.
    pub(super) fn standing(&self) -> BTreeMap<String, i64> {
        let values = &self.0.lock().unwrap_or_else(PoisonError::into_inner).values;
        values.iter().filter(|(_, value)| **value != 0).map(|(key, value)| (key.clone(), *value)).collect()
    }

    /// The plan with stand-ins over this world.
    pub(super) fn plan(&self, parts: &[Part], fault: Option<&Fault>) -> Vec<PreparedStep> {
        let prepared = |(at, part): (usize, &Part)| {
            let stand_in = StandIn {
                world: self.clone(),
                part: part.clone(),
                fault: fault.filter(|fault| fault.step == part.id).cloned(),
                key: match part.undo {
                    Undo::Exact => format!("register {}", at % REGISTERS),
                    Undo::Compensate => format!("note {at}"),
                    Undo::Inert => String::new(),
                },
                by: i64::try_from(at).unwrap_or(0) + 1,
            };
            PreparedStep {
                id: part.id.clone(),
                step: Arc::new(stand_in),
                args: Value::Null,
                flow: part.flow.clone(),
            }
        };
        parts.iter().enumerate().map(prepared).collect()
    }
}

/// Plays one step. Its `apply` computes the new value from `before`, so that a look repeated behind the journal's back,
/// or a `before` that is not the recorded one, shows.
struct StandIn {
    world: World,
    part: Part,
    fault: Option<Fault>,
    /// The register that it writes; empty where it is inert.
    key: String,
    by: i64,
}

impl StandIn {
    fn breaks(&self, how: Break) -> bool {
        self.fault.as_ref().is_some_and(|fault| fault.how == how)
    }

    fn set(&self, value: Option<i64>) {
        if !self.key.is_empty() {
            self.world.set(&self.key, value);
        }
    }
}

impl AnyStep for StandIn {
    fn kind(&self) -> &'static str {
        "stand-in"
    }

    fn explain(&self) -> &'static str {
        "Plays a step in a rehearsal."
    }

    fn undo_kind(&self) -> Undo {
        self.part.undo
    }

    fn resume_kind(&self) -> Resume {
        self.part.resume
    }

    fn is_parallel(&self) -> bool {
        self.part.undo == Undo::Inert
    }

    fn check_args(&self, _: &Value) -> Result<(), String> {
        Ok(())
    }

    fn preflight<'a>(&'a self, _: &'a Look, _: &'a Value) -> BoxFuture<'a, Result<Value, Refused>> {
        let found = if self.breaks(Break::Refused) {
            Err(Refused("the look says no".to_owned()))
        } else {
            Ok(json!(self.world.get(&self.key)))
        };
        Box::pin(std::future::ready(found))
    }

    fn foresee(&self, _: &Value, _: &Value) -> Option<String> {
        None
    }

    fn apply<'a>(
        &'a self,
        _: &'a Touch,
        _: &'a Value,
        before: &'a Value,
    ) -> BoxFuture<'a, Result<Value, ApplyError>> {
        let before_it = self.world.count(&self.part.id);
        let fault = self.fault.as_ref().filter(|fault| fault.times.is_none_or(|times| before_it < times));
        let how = fault.map(|fault| fault.how);
        Box::pin(async move {
            if how == Some(Break::NoEffect) {
                return Err(ApplyError::no_effect("refused"));
            }
            let value = before.as_i64().unwrap_or_default() + self.by;
            self.set(Some(i64::MIN));
            if how == Some(Break::Half) {
                return Err(ApplyError::unknown("broke in the middle"));
            }
            if how == Some(Break::Hangs) {
                return std::future::pending().await;
            }
            self.set(Some(value));
            if how == Some(Break::Lost) {
                return Err(ApplyError::unknown("no answer"));
            }
            Ok(json!({ "value": value, "seen": how != Some(Break::NotSeen) }))
        })
    }

    fn verify<'a>(
        &'a self,
        _: &'a Look,
        _: &'a Value,
        receipt: &'a Value,
    ) -> BoxFuture<'a, Result<Seen, Refused>> {
        let there = self.key.is_empty() || self.world.get(&self.key) == receipt["value"].as_i64();
        let helped = receipt["seen"].as_bool() == Some(true);
        let seen = if there && helped { Seen::There } else { Seen::NotThere("it did not help".to_owned()) };
        Box::pin(std::future::ready(Ok(seen)))
    }

    fn undo<'a>(
        &'a self,
        _: &'a Touch,
        _: &'a Value,
        before: &'a Value,
        _: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<(), UndoError>> {
        let undone = if self.fault.as_ref().is_some_and(|fault| fault.undo_fails) {
            Err(UndoError("the way back is barred".to_owned()))
        } else {
            match self.part.undo {
                Undo::Exact => self.set(before.as_i64()),
                Undo::Compensate => self.set(self.world.get(&self.key).map(|_| 0)),
                Undo::Inert => {}
            }
            Ok(())
        };
        Box::pin(std::future::ready(undone))
    }
}
