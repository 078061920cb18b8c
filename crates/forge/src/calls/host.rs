//! What differs from host to host in every call.

use std::{fmt::Debug, time::SystemTime};

use super::{
    api::{Api, Scope},
    limits::Told,
};
use crate::{Actor, Budget, ForgeError, Repository, Secret, wire::http::Answer};

/// A boxed future of a host's own calls.
pub(crate) type Own<'a, T> = crate::BoxFuture<'a, Result<T, ForgeError>>;

/// A host, and as whom it is asked.
pub(crate) trait Host: Debug + Send + Sync + Sized + 'static {
    /// The credential for a call, and whose limit it counts against.
    fn token<'a>(&'a self, api: &'a Api<Self>, scope: Scope<'a>) -> Own<'a, (Option<Secret>, u64)>;

    /// What the host did not take for a credential is not used again.
    fn forget<'a>(&'a self, repository: &'a Repository) -> crate::BoxFuture<'a, ()>;

    /// The headers of a call with this credential.
    fn headers(&self, token: Option<&Secret>) -> Vec<(&'static str, String)>;

    /// Who Regreen is there.
    fn actor<'a>(&'a self, api: &'a Api<Self>) -> Own<'a, Actor>;

    /// What the host says in the body of a refusal: one line, shortened.
    fn message(&self, answer: &Answer) -> String;

    /// An answer of 3xx or 4xx as an error: nothing was done.
    fn refusal(&self, what: &str, status: u16, message: String) -> ForgeError;

    /// What an answer tells of the limits; `known` is what was known before.
    fn told(&self, answer: &Answer, message: &str, known: Option<Budget>, now: SystemTime) -> Told;
}
