//! A small world that steps can change, look at and break: numbered registers with a value each.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use regreen_saga::{ApplyError, Look, Refused, Resume, Seen, Step, Touch, Undo, UndoError};
use serde::{Deserialize, Serialize};

/// Registers by name.
#[derive(Debug, Default, Clone)]
pub struct World(Arc<Mutex<BTreeMap<String, i64>>>);

impl World {
    /// A world with these registers.
    pub fn with(registers: impl IntoIterator<Item = (String, i64)>) -> World {
        World(Arc::new(Mutex::new(registers.into_iter().collect())))
    }

    /// What the registers hold now.
    pub fn registers(&self) -> BTreeMap<String, i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, key: &str, value: Option<i64>) {
        let mut registers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match value {
            Some(value) => registers.insert(key.to_owned(), value),
            None => registers.remove(key),
        };
    }
}

/// How a step breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Not at all.
    Never,
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
    /// It loses the answer, and can't be undone.
    UndoFails,
}

/// Adds `by` to a register, in two moves so that a crash or a break can fall between them. Its `apply` computes the
/// new value from `before`, so that a preflight repeated behind the journal's back, or a `before` that is not the
/// recorded one, shows.
#[derive(Debug, Clone)]
pub struct Put {
    /// The world it changes.
    pub world: World,
    /// How it breaks.
    pub how: Break,
    /// Whether a later process may go on with it.
    pub repeatable: bool,
}

/// Arguments of [`Put`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutArgs {
    key: String,
    by: i64,
}

/// What [`Put`] found.
#[derive(Debug, Serialize, Deserialize)]
pub struct PutBefore {
    value: Option<i64>,
}

macro_rules! put_step {
    ($name:ident, $kind:literal, $resume:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone)]
        pub struct $name(pub Put);

        impl Step for $name {
            const KIND: &'static str = $kind;
            const EXPLAIN: &'static str = "Sets a cell.";
            const UNDO: Undo = Undo::Exact;
            const RESUME: Resume = $resume;
            type Args = PutArgs;
            type Before = PutBefore;
            type Receipt = i64;

            async fn preflight(&self, _: &Look, args: &PutArgs) -> Result<PutBefore, Refused> {
                if self.0.how == Break::Refused {
                    return Err(Refused("no".to_owned()));
                }
                Ok(PutBefore { value: self.0.world.registers().get(&args.key).copied() })
            }

            async fn apply(&self, _: &Touch, args: &PutArgs, before: &PutBefore) -> Result<i64, ApplyError> {
                if self.0.how == Break::NoEffect {
                    return Err(ApplyError::no_effect("refused"));
                }
                let value = before.value.unwrap_or_default() + args.by;
                self.0.world.set(&args.key, Some(i64::MIN));
                if self.0.how == Break::Half {
                    return Err(ApplyError::unknown("broke in the middle"));
                }
                self.0.world.set(&args.key, Some(value));
                if matches!(self.0.how, Break::Lost | Break::UndoFails) {
                    return Err(ApplyError::unknown("no answer"));
                }
                Ok(value)
            }

            async fn verify(&self, _: &Look, args: &PutArgs, receipt: &i64) -> Result<Seen, Refused> {
                let there =
                    self.0.how != Break::NotSeen && self.0.world.registers().get(&args.key) == Some(receipt);
                Ok(if there { Seen::There } else { Seen::NotThere("not there".to_owned()) })
            }

            async fn undo(
                &self,
                _: &Touch,
                args: &PutArgs,
                before: &PutBefore,
                _: Option<&i64>,
            ) -> Result<(), UndoError> {
                if self.0.how == Break::UndoFails {
                    return Err(UndoError("refused".to_owned()));
                }
                self.0.world.set(&args.key, before.value);
                Ok(())
            }
        }
    };
}

put_step!(Repeatable, "put", Resume::Repeat, "A [`Put`] that a later process may go on with.");
put_step!(Once, "put-once", Resume::Never, "A [`Put`] that must not be repeated by a later process.");
