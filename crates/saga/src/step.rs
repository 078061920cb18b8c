//! The step trait: one kind of work with its look, its act, its check and its way back.

use std::{
    collections::BTreeMap,
    fmt::Display,
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use thiserror::Error;

/// A boxed future, so that steps and journals can stand behind a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receipts by step id.
pub type Receipts = BTreeMap<String, Value>;

/// What a step may look at. Holds no way to change anything.
#[derive(Debug, Clone)]
pub struct Look {
    /// Id of the incident.
    pub incident: String,
    /// Id of the step in its plan.
    pub step: String,
    /// What earlier steps did; for an undo, what all steps of the run did.
    pub receipts: Receipts,
}

/// Leave to change the world. Only the executor can make one, after `Started` or `UndoStarted` is durable.
#[derive(Debug)]
pub struct Touch {
    look: Look,
    notes: Mutex<Vec<String>>,
}

impl Touch {
    pub(crate) fn new(look: Look) -> Touch {
        Touch { look, notes: Mutex::default() }
    }

    /// Something that belongs on record with the end of an undo: what could not be put back, for one. Masked there.
    pub fn note(&self, text: impl Into<String>) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(text.into());
    }

    /// What was noted.
    pub(crate) fn noted(&self) -> Option<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// The same for every repetition of the same step of the same run.
    pub fn key(&self) -> String {
        format!("{}/{}", self.look.incident, self.look.step)
    }
}

impl Deref for Touch {
    type Target = Look;

    fn deref(&self) -> &Look {
        &self.look
    }
}

/// How a step is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Back to the recorded `Before`, byte for byte.
    Exact,
    /// A counter-move that leaves a trace (a closed pull request, a second comment).
    Compensate,
    /// Leaves nothing behind worth taking back.
    Inert,
}

impl Undo {
    /// For people.
    pub const fn says(self) -> &'static str {
        match self {
            Undo::Exact => "can be put back byte for byte",
            Undo::Compensate => "can't be put back byte for byte",
            Undo::Inert => "leaves nothing to put back",
        }
    }
}

/// What recovery may do with a step that was in flight, or still to come, when the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// `apply` may be called again: it notices its own effect.
    Repeat,
    /// `apply` must not be called by a later process (a wrapped command is never repeated): the run is rolled back.
    Never,
}

/// A look before acting that ends in "no".
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Why `apply` gave no receipt.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ApplyError {
    /// Sure that nothing happened outside. The step is not undone.
    #[error("{0}")]
    NoEffect(String),
    /// A time-out, a lost answer, a write that broke in the middle. The step is undone without a receipt.
    #[error("{0}")]
    Unknown(String),
}

impl ApplyError {
    /// Nothing happened, for this reason.
    pub fn no_effect(why: impl Display) -> Self {
        ApplyError::NoEffect(why.to_string())
    }

    /// Something may have happened, for this reason.
    pub fn unknown(why: impl Display) -> Self {
        ApplyError::Unknown(why.to_string())
    }
}

/// Why a step could not be taken back.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{0}")]
pub struct UndoError(pub String);

/// What `verify` saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The effect is there.
    There,
    /// It is not, or it did not help.
    NotThere(String),
    /// That can't be told yet: the run stands still, on record as applied, until somebody goes on with it and asks again.
    NotYet(String),
}

/// One kind of step; one file in the `steps` crate.
pub trait Step: Send + Sync + 'static {
    /// The kind's stable name, as in playbooks.
    const KIND: &'static str;
    /// What it does, for people, in a sentence or two.
    const EXPLAIN: &'static str;
    /// How it is taken back.
    const UNDO: Undo;
    /// Whether a later process may go on with it.
    const RESUME: Resume;
    /// Whether it may run beside others of its group: only a kind that does nothing but look or wait.
    const PARALLEL: bool = false;
    /// Whether it ends when its future is dropped, so that a plan may limit its time, and a person end it.
    const STOPS: bool = true;
    /// The `with` table of the playbook. Unknown keys are refused when the catalogue loads.
    type Args: DeserializeOwned + Send + Sync;
    /// The world before, as far as `undo` needs it. On record before anything is touched.
    type Before: Serialize + DeserializeOwned + Send + Sync;
    /// What was done. On record before the next step starts.
    type Receipt: Serialize + DeserializeOwned + Send + Sync;

    /// Looks only. A dry run is every preflight and nothing else.
    fn preflight(
        &self,
        look: &Look,
        args: &Self::Args,
    ) -> impl Future<Output = Result<Self::Before, Refused>> + Send;

    /// What `apply` would do, in a clause that ends "would …", as far as its look has words for it.
    fn foresee(&self, _args: &Self::Args, _before: &Self::Before) -> Option<String> {
        None
    }

    /// Acts. After a crash it is called again with the same `before` and must notice its own effect.
    fn apply(
        &self,
        touch: &Touch,
        args: &Self::Args,
        before: &Self::Before,
    ) -> impl Future<Output = Result<Self::Receipt, ApplyError>> + Send;

    /// Looks only: is the effect there?
    fn verify(
        &self,
        look: &Look,
        args: &Self::Args,
        receipt: &Self::Receipt,
    ) -> impl Future<Output = Result<Seen, Refused>> + Send;

    /// Takes it back. Safe to repeat. `receipt` is `None` where `apply` gave no answer.
    fn undo(
        &self,
        touch: &Touch,
        args: &Self::Args,
        before: &Self::Before,
        receipt: Option<&Self::Receipt>,
    ) -> impl Future<Output = Result<(), UndoError>> + Send;
}

/// What a playbook must know of a step kind, without a world to run it in.
#[derive(Debug, Clone, Copy)]
pub struct KindFacts {
    /// The kind's stable name.
    pub kind: &'static str,
    /// What it does, for people.
    pub explain: &'static str,
    /// How it is taken back.
    pub undo: Undo,
    /// Whether a later process may go on with it.
    pub resume: Resume,
    /// Whether it may run beside others.
    pub parallel: bool,
    /// Whether it ends when its time is over.
    pub stops: bool,
    /// Whether these arguments fit; the error says what does not.
    pub check_args: fn(&Value) -> Result<(), String>,
}

impl KindFacts {
    /// What is known of `S`.
    pub fn of<S: Step>() -> KindFacts {
        KindFacts {
            kind: S::KIND,
            explain: S::EXPLAIN,
            undo: S::UNDO,
            resume: S::RESUME,
            parallel: S::PARALLEL,
            stops: S::STOPS,
            check_args: |args| read::<S::Args>(args).map(drop),
        }
    }
}

/// Object-safe face of [`Step`]. Only the rehearsal's step implements it by hand.
pub trait AnyStep: Send + Sync {
    /// The kind's stable name.
    fn kind(&self) -> &'static str;
    /// What it does, for people.
    fn explain(&self) -> &'static str;
    /// How it is taken back.
    fn undo_kind(&self) -> Undo;
    /// Whether a later process may go on with it.
    fn resume_kind(&self) -> Resume;
    /// Whether it may run beside others.
    fn is_parallel(&self) -> bool;
    /// Whether it ends when its future is dropped.
    fn stops(&self) -> bool {
        true
    }
    /// Whether these arguments fit; the error says what does not.
    fn check_args(&self, args: &Value) -> Result<(), String>;
    /// See [`Step::preflight`].
    fn preflight<'a>(&'a self, look: &'a Look, args: &'a Value) -> BoxFuture<'a, Result<Value, Refused>>;
    /// See [`Step::foresee`].
    fn foresee(&self, args: &Value, before: &Value) -> Option<String>;
    /// See [`Step::apply`].
    fn apply<'a>(
        &'a self,
        touch: &'a Touch,
        args: &'a Value,
        before: &'a Value,
    ) -> BoxFuture<'a, Result<Value, ApplyError>>;
    /// See [`Step::verify`].
    fn verify<'a>(
        &'a self,
        look: &'a Look,
        args: &'a Value,
        receipt: &'a Value,
    ) -> BoxFuture<'a, Result<Seen, Refused>>;
    /// See [`Step::undo`].
    fn undo<'a>(
        &'a self,
        touch: &'a Touch,
        args: &'a Value,
        before: &'a Value,
        receipt: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<(), UndoError>>;
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|e| e.to_string())
}

impl<S: Step> AnyStep for S {
    fn kind(&self) -> &'static str {
        S::KIND
    }

    fn explain(&self) -> &'static str {
        S::EXPLAIN
    }

    fn undo_kind(&self) -> Undo {
        S::UNDO
    }

    fn resume_kind(&self) -> Resume {
        S::RESUME
    }

    fn is_parallel(&self) -> bool {
        S::PARALLEL
    }

    fn stops(&self) -> bool {
        S::STOPS
    }

    fn check_args(&self, args: &Value) -> Result<(), String> {
        read::<S::Args>(args).map(drop)
    }

    fn preflight<'a>(&'a self, look: &'a Look, args: &'a Value) -> BoxFuture<'a, Result<Value, Refused>> {
        Box::pin(async move {
            let args = read::<S::Args>(args).map_err(Refused)?;
            let before = Step::preflight(self, look, &args).await?;
            serde_json::to_value(before).map_err(|e| Refused(e.to_string()))
        })
    }

    fn foresee(&self, args: &Value, before: &Value) -> Option<String> {
        Step::foresee(self, &read::<S::Args>(args).ok()?, &read::<S::Before>(before).ok()?)
    }

    fn apply<'a>(
        &'a self,
        touch: &'a Touch,
        args: &'a Value,
        before: &'a Value,
    ) -> BoxFuture<'a, Result<Value, ApplyError>> {
        Box::pin(async move {
            let args = read::<S::Args>(args).map_err(ApplyError::NoEffect)?;
            let before = read::<S::Before>(before).map_err(ApplyError::NoEffect)?;
            let receipt = Step::apply(self, touch, &args, &before).await?;
            serde_json::to_value(receipt).map_err(ApplyError::unknown)
        })
    }

    fn verify<'a>(
        &'a self,
        look: &'a Look,
        args: &'a Value,
        receipt: &'a Value,
    ) -> BoxFuture<'a, Result<Seen, Refused>> {
        Box::pin(async move {
            let args = read::<S::Args>(args).map_err(Refused)?;
            let receipt = read::<S::Receipt>(receipt).map_err(Refused)?;
            Step::verify(self, look, &args, &receipt).await
        })
    }

    fn undo<'a>(
        &'a self,
        touch: &'a Touch,
        args: &'a Value,
        before: &'a Value,
        receipt: Option<&'a Value>,
    ) -> BoxFuture<'a, Result<(), UndoError>> {
        Box::pin(async move {
            let args = read::<S::Args>(args).map_err(UndoError)?;
            let before = read::<S::Before>(before).map_err(UndoError)?;
            let receipt = receipt.map(read::<S::Receipt>).transpose().map_err(UndoError)?;
            Step::undo(self, touch, &args, &before, receipt.as_ref()).await
        })
    }
}
