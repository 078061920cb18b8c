//! Logs: a host may answer with an address elsewhere that needs no credential and gets none.

use std::time::Duration;

use ureq::http::Method;

use super::{
    api::{Api, Scope, unreachable},
    host::Host,
};
use crate::{
    ForgeError, NotAllowed,
    wire::http::{Answer, Ask, Keep},
};

/// So many times it is followed.
const HOPS: u32 = 3;

impl<H: Host> Api<H> {
    /// Asks anew from the start where it stumbles: the address elsewhere is good for a minute only.
    pub(crate) async fn fetched<T>(
        &self,
        scope: Scope<'_>,
        what: &str,
        url: &str,
        keep: Keep,
        read: impl Fn(Answer) -> Result<T, ForgeError>,
    ) -> Result<T, ForgeError> {
        let mut failures = 0;
        loop {
            let error = match self.fetch_once(scope, what, url, keep).await.and_then(&read) {
                // An answer that is cut off is a stumble too; one that leads inside or astray is not.
                Err(e @ ForgeError::Unreachable { .. }) => e,
                Err(e @ ForgeError::Garbage { .. }) if !e.to_string().contains("it leads to") => e,
                other => return other,
            };
            failures += 1;
            if failures >= self.options.backoff.tries {
                return Err(error);
            }
            self.options.backoff.wait(failures).await;
        }
    }

    async fn fetch_once(
        &self,
        scope: Scope<'_>,
        what: &str,
        url: &str,
        keep: Keep,
    ) -> Result<Answer, ForgeError> {
        let gone = |status: u16, said: String| match (self.host.refusal(what, status, said), status) {
            // What is there with logs that are not: they are kept for so long only.
            (_, 404 | 410) => ForgeError::NotAllowed { what: what.to_owned(), why: NotAllowed::Gone },
            (other, _) => other,
        };
        let limit = self.options.limit.saturating_mul(10);
        let mut ask = self.ask(Method::GET, url.to_owned(), Vec::new(), None);
        (ask.keep, ask.limit) = (keep, limit);
        let mut answer = self.send(scope, what, ask).await.map_err(|e| unreachable(what, e))??;
        let mut at = url.to_owned();
        for _ in 0..HOPS {
            match answer.status {
                200..=299 => return Ok(answer),
                301 | 302 | 303 | 307 | 308 => {}
                status if status >= 500 => {
                    let why = format!("status {status}");
                    return Err(ForgeError::Unreachable { what: what.to_owned(), why });
                }
                status => return Err(gone(status, self.host.message(&answer))),
            }
            let location = answer.header("location").unwrap_or_default();
            let to = self.base.redirect(&at, location);
            at = to.map_err(|why| ForgeError::Garbage { what: what.to_owned(), why })?;
            answer = self.elsewhere(what, &at, keep, limit).await?;
        }
        let why = "it leads to one place after another".to_owned();
        Err(ForgeError::Garbage { what: what.to_owned(), why })
    }

    async fn elsewhere(
        &self,
        what: &str,
        url: &str,
        keep: Keep,
        limit: Duration,
    ) -> Result<Answer, ForgeError> {
        let ask =
            Ask { method: Method::GET, url: url.to_owned(), headers: Vec::new(), body: None, keep, limit };
        self.http.elsewhere(ask).await.map_err(|e| unreachable(what, e))
    }
}
