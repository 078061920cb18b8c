//! Changes: sent once; where the answer is lost, it is looked whether the change is there before it is sent again.

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http::Method;

use super::{
    api::{Api, Scope, parsed},
    host::Host,
};
use crate::{BoxFuture, ForgeError, MaySend, NotAllowed, Repository, wire::http::Broken};

/// So often a change is sent at most: once, and once more where looking showed that the first did not arrive.
const SENT: u32 = 2;
/// So often it is looked for a change whose answer was lost: what a gateway gave up may still be done behind it.
const LOOKS: u32 = 3;

/// A change to be sent.
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) what: &'a str,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// It holds only for what was looked at just before: it is never sent a second time by itself.
    pub(crate) fresh: bool,
}

enum Came {
    Answer(Vec<u8>),
    Lost(String),
}

impl<H: Host> Api<H> {
    /// Sends a change; `look` says what came of it, where the answer is lost, or `None` where it did not arrive.
    pub(crate) async fn change<'a, T: DeserializeOwned>(
        &self,
        sending: Sending<'_>,
        look: impl Fn() -> BoxFuture<'a, Result<Option<T>, ForgeError>> + Send,
    ) -> Result<T, ForgeError> {
        self.change_by(&sending, parsed::<T>, look).await.map(|(value, _)| value)
    }

    /// As [`Api::change`], where the answer's body is read by `read`; says too whether the answer was lost.
    pub(crate) async fn change_by<'a, T>(
        &self,
        sending: &Sending<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
        look: impl Fn() -> BoxFuture<'a, Result<Option<T>, ForgeError>> + Send,
    ) -> Result<(T, bool), ForgeError> {
        self.change_if(sending, read, look, &|| true).await
    }

    /// As [`Api::change_by`], where `may_send` says yes right before each time that it is sent.
    ///
    /// # Errors
    /// [`NotAllowed::Stopped`] where it says no and nothing was sent, [`ForgeError::Unknown`] where something was.
    pub(crate) async fn change_if<'a, T>(
        &self,
        sending: &Sending<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
        look: impl Fn() -> BoxFuture<'a, Result<Option<T>, ForgeError>> + Send,
        may_send: MaySend<'_>,
    ) -> Result<(T, bool), ForgeError> {
        let mut why = String::new();
        let most = if sending.fresh { 1 } else { SENT };
        for sent in 1..=most {
            match self.once(sending, may_send).await {
                Ok(Came::Answer(body)) => match read(&body) {
                    Ok(value) => return Ok((value, false)),
                    Err(garbage) => why = garbage,
                },
                Ok(Came::Lost(lost)) => why = lost,
                // The second one may be refused because of what the first one did; or kept back, and then nobody knows.
                Err(e) if sent > 1 => match look().await {
                    Ok(Some(value)) => return Ok((value, true)),
                    Ok(None) if !e.is_passing() && !e.is_stopped() => return Err(e),
                    _ => return Err(self.unknown(sending, &e.to_string())),
                },
                Err(e) => return Err(e),
            }
            for looked in 1..=LOOKS {
                self.options.backoff.wait(looked).await;
                if let Some(value) = look().await.map_err(|e| self.unknown(sending, &e.to_string()))? {
                    return Ok((value, true));
                }
            }
        }
        Err(self.unknown(sending, &why))
    }

    /// Sends a change that makes the same however often it is sent; so it is tried again like a read.
    pub(crate) async fn put<T>(
        &self,
        sending: &Sending<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, ForgeError> {
        let mut failures = 0;
        loop {
            let why = match self.once(sending, &|| true).await? {
                Came::Answer(body) => match read(&body) {
                    Ok(value) => return Ok(value),
                    Err(garbage) => garbage,
                },
                Came::Lost(lost) => lost,
            };
            failures += 1;
            if failures >= self.options.backoff.tries {
                return Err(self.unknown(sending, &why));
            }
            self.options.backoff.wait(failures).await;
        }
    }

    /// Sends a change that can't be looked for.
    pub(crate) async fn blind(&self, sending: &Sending<'_>) -> Result<Vec<u8>, ForgeError> {
        match self.once(sending, &|| true).await? {
            Came::Answer(body) => Ok(body),
            Came::Lost(why) => Err(self.unknown(sending, &why)),
        }
    }

    fn unknown(&self, sending: &Sending<'_>, why: &str) -> ForgeError {
        ForgeError::Unknown { what: sending.what.to_owned(), why: why.to_owned() }
    }

    /// Sends until it arrived, may have arrived, or was refused.
    async fn once(&self, sending: &Sending<'_>, may_send: MaySend<'_>) -> Result<Came, ForgeError> {
        let what = sending.what;
        let mut failures = 0;
        loop {
            if !may_send() {
                return Err(ForgeError::NotAllowed { what: what.to_owned(), why: NotAllowed::Stopped });
            }
            let body = sending.body.as_ref().map(|body| body.to_string().into_bytes());
            let ask = self.ask(sending.method.clone(), self.base.at(&sending.path), Vec::new(), body);
            let why = match self.send(Scope::Of(sending.repository), what, ask).await {
                Ok(Err(ForgeError::TooLarge { .. })) => {
                    return Ok(Came::Lost("the answer is too large".to_owned()));
                }
                Ok(answer) => {
                    let answer = answer?;
                    return match answer.status {
                        200..=299 => Ok(Came::Answer(answer.body)),
                        status if status >= 500 => Ok(Came::Lost(format!("status {status}"))),
                        status => Err(self.host.refusal(what, status, self.host.message(&answer))),
                    };
                }
                Err(Broken::NotSent(why)) => why,
                Err(Broken::Lost(why)) => return Ok(Came::Lost(why)),
                Err(broken) => return Err(super::api::unreachable(what, broken)),
            };
            failures += 1;
            if sending.fresh || failures >= self.options.backoff.tries {
                return Err(ForgeError::Unreachable { what: what.to_owned(), why });
            }
            self.options.backoff.wait(failures).await;
        }
    }
}

/// An answer whose body says nothing.
pub(crate) fn nothing(_: &[u8]) -> Result<(), String> {
    Ok(())
}
