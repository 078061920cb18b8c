//! Reads: with the credential, within the limits, tried again when the host stumbles, and not sent twice where nothing changed.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use serde::de::DeserializeOwned;
use tokio::sync::{OnceCell, Semaphore};
use ureq::http::Method;

use super::{host::Host, limits::Limits, options::Options, pages};
use crate::{
    Actor, Calls, ForgeError, Repository,
    wire::{
        base::Base,
        http::{Answer, Ask, Broken, Http, Keep},
    },
};

/// Largest answer but logs, in bytes.
const LARGEST: u64 = 32 << 20;
/// Answers that are kept to be asked for again only if they changed, and how large each may be.
const KEPT: usize = 512;
const LARGEST_KEPT: usize = 256 << 10;

/// As whom one call is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// For a repository: a token, or an app's installation there.
    Of(&'a Repository),
    /// As the app itself, or the token's owner.
    App,
}

/// The API at one address, with one credential.
#[derive(Debug)]
pub(crate) struct Api<H> {
    pub(crate) host: H,
    pub(crate) base: Base,
    pub(crate) http: Http,
    pub(crate) options: Options,
    pub(crate) limits: Limits,
    pub(crate) calls: Calls,
    actor: OnceCell<Actor>,
    at_once: Semaphore,
    kept: Mutex<Kept>,
}

/// Answers by their address.
#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, (String, Vec<u8>, Option<String>)>,
    order: VecDeque<String>,
}

/// A body, and where the listing that it is of goes on.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) body: Vec<u8>,
    pub(crate) next: Option<String>,
}

impl<H: Host> Api<H> {
    pub(crate) fn new(base: &str, host: H, options: Options) -> Result<Api<H>, ForgeError> {
        let base = Base::parse(base)
            .map_err(|why| ForgeError::Invalid { what: "the address of the API".to_owned(), why })?;
        Ok(Api {
            http: Http::new(base.uri()),
            base,
            options,
            limits: Limits::new(options.reserve),
            calls: Calls::default(),
            host,
            actor: OnceCell::new(),
            at_once: Semaphore::new(options.at_once.max(1)),
            kept: Mutex::default(),
        })
    }

    /// Reads what lies at a path.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        scope: Scope<'_>,
        what: &str,
        path: &str,
    ) -> Result<T, ForgeError> {
        let got = self.read(scope, what, &self.base.at(path), parsed::<T>).await?;
        Ok(got.0)
    }

    /// As [`Api::get`]; `None` where there is nothing.
    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        scope: Scope<'_>,
        what: &str,
        path: &str,
    ) -> Result<Option<T>, ForgeError> {
        match self.get(scope, what, path).await {
            Ok(found) => Ok(Some(found)),
            Err(ForgeError::NotFound { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Reads one page, and where the next one is.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        scope: Scope<'_>,
        what: &str,
        url: &str,
    ) -> Result<(T, Option<String>), ForgeError> {
        if !self.base.is_own(url) {
            let why = "the next page is at another host".to_owned();
            return Err(ForgeError::Garbage { what: what.to_owned(), why });
        }
        self.read(scope, what, url, parsed::<T>).await
    }

    /// Reads until `parse` takes what came: a body that is cut off is asked for again as a stumble.
    async fn read<T>(
        &self,
        scope: Scope<'_>,
        what: &str,
        url: &str,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<(T, Option<String>), ForgeError> {
        let mut failures = 0;
        loop {
            let why = match self.read_once(scope, what, url).await {
                Ok(got) => match parse(&got.body) {
                    Ok(value) => return Ok((value, got.next)),
                    Err(why) => {
                        self.forget(url);
                        ForgeError::Garbage { what: what.to_owned(), why }
                    }
                },
                Err(e @ ForgeError::Unreachable { .. }) => e,
                Err(e) => return Err(e),
            };
            failures += 1;
            if failures >= self.options.backoff.tries {
                return Err(why);
            }
            self.options.backoff.wait(failures).await;
        }
    }

    async fn read_once(&self, scope: Scope<'_>, what: &str, url: &str) -> Result<Got, ForgeError> {
        let mut headers = Vec::new();
        let kept = self.kept(url);
        if let Some((tag, ..)) = &kept {
            headers.push(("if-none-match", tag.clone()));
        }
        let ask = self.ask(Method::GET, url.to_owned(), headers, None);
        let answer = self.send(scope, what, ask).await.map_err(|e| unreachable(what, e))??;
        match answer.status {
            200..=299 => {}
            304 => {
                if let Some((_, body, next)) = kept {
                    return Ok(Got { body, next });
                }
                return Err(self.host.refusal(what, 304, String::new()));
            }
            301 | 302 | 307 | 308 => return Err(self.moved(what, &answer)),
            status if status >= 500 => {
                let why = format!("status {status}");
                return Err(ForgeError::Unreachable { what: what.to_owned(), why });
            }
            status => return Err(self.host.refusal(what, status, self.host.message(&answer))),
        }
        let next = answer.header("link").and_then(pages::next);
        if let Some(tag) = answer.header("etag").filter(|_| answer.body.len() <= LARGEST_KEPT) {
            self.keep(url, tag, &answer.body, next.clone());
        }
        Ok(Got { body: answer.body, next })
    }

    /// A repository that has another name now is for a person to name anew: what was configured by name is not
    /// carried over to whatever has taken its place.
    fn moved(&self, what: &str, answer: &Answer) -> ForgeError {
        let to = answer.header("location").filter(|to| self.base.is_own(to)).unwrap_or("another place");
        ForgeError::NotFound { what: format!("{what} (moved to {to})") }
    }

    pub(crate) fn ask(
        &self,
        method: Method,
        url: String,
        headers: Vec<(&'static str, String)>,
        body: Option<Vec<u8>>,
    ) -> Ask {
        Ask { method, url, headers, body, keep: Keep::All(LARGEST), limit: self.options.limit }
    }

    /// Sends once, within the limits; a token that expired early is got anew.
    pub(crate) async fn send(
        &self,
        scope: Scope<'_>,
        what: &str,
        ask: Ask,
    ) -> Result<Result<Answer, ForgeError>, Broken> {
        // Asking for an installation's token is a call of its own: not while holding a place here.
        let (token, whose) = match self.host.token(self, scope).await {
            Ok(got) => got,
            Err(e) => return Ok(Err(e)),
        };
        let Ok(_place) = self.at_once.acquire().await else {
            return Err(Broken::NotSent("the client is shut".to_owned()));
        };
        if let Err(e) = self.limits.may_send(whose, SystemTime::now()) {
            return Ok(Err(e));
        }
        if let Scope::Of(repository) = scope {
            self.calls.note(repository);
        }
        let mut ask = ask;
        ask.headers.extend(self.host.headers(token.as_ref()));
        if ask.body.is_some() {
            ask.headers.push(("content-type", "application/json".to_owned()));
        }
        let answer = match self.http.host(ask).await {
            Ok(answer) => answer,
            Err(Broken::TooLarge(limit)) => {
                return Ok(Err(ForgeError::TooLarge { what: what.to_owned(), limit }));
            }
            Err(e) => return Err(e),
        };
        let said = if answer.status >= 400 { self.host.message(&answer) } else { String::new() };
        let now = SystemTime::now();
        let told = self.host.told(&answer, &said, self.limits.known_of(whose), now);
        if let Err(e) = self.limits.learn(whose, told) {
            return Ok(Err(e));
        }
        if answer.status == 401
            && let Scope::Of(repository) = scope
        {
            self.host.forget(repository).await;
        }
        Ok(Ok(answer))
    }

    /// Who Regreen is here.
    pub(crate) async fn actor(&self) -> Result<Actor, ForgeError> {
        self.actor.get_or_try_init(|| self.host.actor(self)).await.cloned()
    }

    fn kept(&self, url: &str) -> Option<(String, Vec<u8>, Option<String>)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).answers.get(url).cloned()
    }

    fn keep(&self, url: &str, tag: &str, body: &[u8], next: Option<String>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = (tag.to_owned(), body.to_vec(), next);
        if kept.answers.insert(url.to_owned(), answer).is_none() {
            kept.order.push_back(url.to_owned());
        }
        if kept.order.len() > KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
    }

    fn forget(&self, url: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.answers.remove(url);
        kept.order.retain(|known| known != url);
    }
}

/// A body as JSON.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

/// A read that got no answer.
pub(crate) fn unreachable(what: &str, broken: Broken) -> ForgeError {
    let what = what.to_owned();
    match broken {
        Broken::NotSent(why) | Broken::Lost(why) => ForgeError::Unreachable { what, why },
        Broken::Inside => {
            ForgeError::Garbage { what, why: "it leads to an address that is not public".to_owned() }
        }
        Broken::TooLarge(limit) => ForgeError::TooLarge { what, limit },
    }
}
