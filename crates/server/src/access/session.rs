//! A browser's session: begun by showing a token, ended by signing out, by its time, or with the token.

use axum::http::{HeaderMap, HeaderValue, header, request::Parts};
use subtle::ConstantTimeEq as _;

use super::{
    Access, Arrival, Denied, Role, Who,
    here::is_named_here,
    is_a_persons,
    token::{Shown, mint_session},
    who,
};
use crate::memory::chain;

/// The cookie's name.
const NAME: &str = "regreen_session";
/// The cookie from which the forms of who signed in at a proxy are known.
const FORM: &str = "regreen_form";
/// The cookie that says what was done, and how long it is good for, in seconds.
const SAID: &str = "regreen_said";
const SAID_LASTS: i64 = 60;
/// How long a session lasts.
const LASTS_MS: i64 = 12 * 60 * 60 * 1000;

/// A session that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who signed in.
    pub who: Who,
    /// For `Set-Cookie`.
    pub cookie: HeaderValue,
}

impl Access {
    /// Begins a session for whoever shows this token. The request is the one that brought it, so that too many wrong ones
    /// from one address are noticed.
    ///
    /// # Errors
    /// [`Denied`].
    pub async fn sign_in(&self, request: &Parts, token: &str) -> Result<SignedIn, Denied> {
        if !is_of_this_site(&request.headers) {
            return Err(Denied::Foreign);
        }
        let arrival = request.extensions.get::<Arrival>().copied();
        let token = self.admitted(arrival, Shown::token(token.trim()), is_a_persons).await?;
        let now = (self.0.clock)();
        let until = now.saturating_add(LASTS_MS).min(token.expires_at.unwrap_or(i64::MAX));
        let no_random = || Denied::Unavailable("the system gives no random numbers".to_owned());
        let session = mint_session().ok_or_else(no_random)?;
        let begun = self.0.ledger.sign_in(&session.id, &token.id, &session.digest, until, now).await;
        begun.map_err(|e| Denied::Unavailable(chain(&e)))?;
        let seconds = until.saturating_sub(now) / 1000;
        let cookie = set(&request.headers, NAME, &session.text, seconds).ok_or_else(no_random)?;
        Ok(SignedIn { who: who(&token, true), cookie })
    }

    /// Ends the session that this request shows; for `Set-Cookie`, what makes the browser forget it.
    ///
    /// # Errors
    /// `Foreign`, or where the ledger does not answer.
    pub async fn sign_out(&self, request: &Parts) -> Result<HeaderValue, Denied> {
        if !is_of_this_site(&request.headers) {
            return Err(Denied::Foreign);
        }
        if let Some(shown) = cookie(&request.headers).and_then(Shown::session)
            && self.token(shown, is_a_persons).await.is_ok()
        {
            let ended = self.0.ledger.sign_out(shown.id).await;
            ended.map_err(|e| Denied::Unavailable(chain(&e)))?;
        }
        Ok(set(&request.headers, NAME, "", 0)
            .unwrap_or(HeaderValue::from_static("regreen_session=; Max-Age=0; Path=/")))
    }
}

/// What the forms on the pages of whoever asks carry: another site's page can't know it, and in another session, or for
/// another person, it is another. Nothing of the session can be told from it.
pub(crate) fn form_word(who: &Who, headers: &HeaderMap) -> Option<String> {
    match who.by_session {
        true => cookie(headers).and_then(Shown::session).map(|shown| shown.form_word("")),
        false if by_proxy(who) => own_form(headers).map(|shown| shown.form_word(&who.actor)),
        false => None,
    }
}

/// Whether a form carries what those of this session do.
pub(crate) fn is_own_form(own: Option<&str>, sent: &str) -> bool {
    own.is_some_and(|own| own.as_bytes().ct_eq(sent.as_bytes()).into())
}

/// Who has signed in at a proxy has no session here: their browser keeps something random for their forms, the same for every
/// node. It lets nobody in. For `Set-Cookie`, where the browser has none yet; the request has it from now on.
pub(crate) fn begin_form(who: &Who, headers: &mut HeaderMap) -> Option<HeaderValue> {
    if !by_proxy(who) || who.role < Role::Operator || own_form(headers).is_some() {
        return None;
    }
    let text = mint_session()?.text;
    headers.append(header::COOKIE, HeaderValue::from_str(&format!("{FORM}={text}")).ok()?);
    set(headers, FORM, &text, LASTS_MS / 1000)
}

fn own_form(headers: &HeaderMap) -> Option<Shown<'_>> {
    named(headers, FORM).and_then(Shown::session)
}

fn by_proxy(who: &Who) -> bool {
    who.actor.starts_with("proxy:")
}

/// A cookie that a page leaves for the next one: what was done. `None` makes the browser forget it.
pub(crate) fn said_cookie(headers: &HeaderMap, said: Option<&str>) -> Option<HeaderValue> {
    set(headers, SAID, said.unwrap_or_default(), if said.is_some() { SAID_LASTS } else { 0 })
}

/// What the page before has left.
pub(crate) fn said(headers: &HeaderMap) -> Option<&str> {
    named(headers, SAID)
}

/// No script reads it, and no page of another site makes a browser send it. Only over TLS, but for a browser that asks this
/// machine by its own name and does not say that its page came by TLS (a proxy may change the name). Its name has no
/// `__Host-` before it, because a browser takes such a one over TLS alone.
fn set(headers: &HeaderMap, name: &str, value: &str, seconds: i64) -> Option<HeaderValue> {
    let by_tls = headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = if is_named_here(headers) && !by_tls { "" } else { "; Secure" };
    let text = format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).ok()
}

/// The session that a request shows.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    named(headers, NAME)
}

fn named<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value)
}

/// Whether the browser says that a page of this very server asks. Every browser says it of a request that changes something.
pub(super) fn is_of_this_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else { return false };
    origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}
