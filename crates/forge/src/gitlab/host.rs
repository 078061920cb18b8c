//! GitLab, as what every call needs of it.

use std::time::SystemTime;

use super::{answers::User, limits, refusal};
use crate::{
    Actor, BoxFuture, Budget, ForgeError, Repository, Secret,
    calls::{
        api::{Api, Scope},
        host::{Host, Own},
        limits::Told,
    },
    wire::http::Answer,
};

/// GitLab, and the token by which it is asked.
#[derive(Debug)]
pub(super) struct Tanuki {
    token: Option<Secret>,
}

impl Tanuki {
    pub(super) fn new(token: Option<Secret>) -> Tanuki {
        Tanuki { token }
    }
}

impl Host for Tanuki {
    fn token<'a>(&'a self, _: &'a Api<Self>, _: Scope<'a>) -> Own<'a, (Option<Secret>, u64)> {
        Box::pin(async { Ok((self.token.clone(), 0)) })
    }

    fn forget<'a>(&'a self, _: &'a Repository) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// A personal, group or project access token. A job's own token (`JOB-TOKEN`) may retry nothing.
    fn headers(&self, token: Option<&Secret>) -> Vec<(&'static str, String)> {
        token.map(|token| ("private-token", token.expose().to_owned())).into_iter().collect()
    }

    fn actor<'a>(&'a self, api: &'a Api<Self>) -> Own<'a, Actor> {
        Box::pin(async move {
            let user: User = api.get(Scope::App, "the token's owner", "/user").await?;
            Ok(Actor { login: user.username })
        })
    }

    fn message(&self, answer: &Answer) -> String {
        refusal::message(answer)
    }

    fn refusal(&self, what: &str, status: u16, message: String) -> ForgeError {
        refusal::refusal(what, status, message)
    }

    fn told(&self, answer: &Answer, _: &str, _: Option<Budget>, now: SystemTime) -> Told {
        limits::told(answer, now)
    }
}
