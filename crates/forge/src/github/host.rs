//! GitHub, as what every call needs of it.

use std::time::SystemTime;

use super::{
    answers::{App, User},
    api::{Api, Scope},
    app::{Installations, own_token},
    credential::Credential,
    limits, refusal,
};
use crate::{
    Actor, BoxFuture, Budget, ForgeError, Repository, Secret,
    calls::{
        host::{Host, Own},
        limits::Told,
    },
    wire::http::Answer,
};

/// GitHub, and as whom it is asked.
#[derive(Debug)]
pub(super) struct Octocat {
    credential: Credential,
    installations: Installations,
}

impl Octocat {
    pub(super) fn new(credential: Credential) -> Octocat {
        Octocat { credential, installations: Installations::default() }
    }
}

impl Host for Octocat {
    fn token<'a>(&'a self, api: &'a Api<Self>, scope: Scope<'a>) -> Own<'a, (Option<Secret>, u64)> {
        Box::pin(async move {
            match (&self.credential, scope) {
                (Credential::None, _) => Ok((None, 0)),
                (Credential::Token(token), _) => Ok((Some(token.clone()), 0)),
                (Credential::App { id, key }, Scope::App) => {
                    Ok((Some(own_token(id, &key.0, SystemTime::now())?), 0))
                }
                (Credential::App { .. }, Scope::Of(repository)) => {
                    let (token, id) = self.installations.token(api, repository, SystemTime::now()).await?;
                    Ok((Some(token), id))
                }
            }
        })
    }

    fn forget<'a>(&'a self, repository: &'a Repository) -> BoxFuture<'a, ()> {
        Box::pin(self.installations.forget(repository))
    }

    fn headers(&self, token: Option<&Secret>) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ];
        headers.extend(token.map(|token| ("authorization", format!("Bearer {}", token.expose()))));
        headers
    }

    /// A job's own token may not ask; it is always the same account's.
    fn actor<'a>(&'a self, api: &'a Api<Self>) -> Own<'a, Actor> {
        Box::pin(async move {
            if let Credential::App { .. } = &self.credential {
                let app: App = api.get(Scope::App, "the app", "/app").await?;
                return Ok(Actor { login: format!("{}[bot]", app.slug) });
            }
            match api.get::<User>(Scope::App, "the token's owner", "/user").await {
                Ok(user) => Ok(Actor { login: user.login }),
                Err(ForgeError::Denied { why, .. }) if why.contains("not accessible by integration") => {
                    Ok(Actor { login: "github-actions[bot]".to_owned() })
                }
                Err(e) => Err(e),
            }
        })
    }

    fn message(&self, answer: &Answer) -> String {
        refusal::message(answer)
    }

    fn refusal(&self, what: &str, status: u16, message: String) -> ForgeError {
        refusal::refusal(what, status, message)
    }

    fn told(&self, answer: &Answer, message: &str, known: Option<Budget>, now: SystemTime) -> Told {
        limits::told(answer, message, known, now)
    }
}
