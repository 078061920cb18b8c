//! Who looks at a page: what it shows them to press, and what the page before has left to be said.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::Response,
};

use super::{answer::Failed, words::shown};
use crate::access::{Role, Who, form_word, said, said_cookie};

/// What was done by a form, to be said on the page that comes after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The fleet goes on with it.
    Approved,
    /// Whoever runs next may.
    ApprovedForTheNext,
    Denied,
    RollingBack,
    LookingAgain,
    Reopened,
    Labelled,
    Paused,
    WasPaused,
    Unpaused,
    WasNotPaused,
    Closed,
    WasClosed,
    Accepted,
    TakenBack,
    WasTakenBack,
}

impl Said {
    const ALL: [Said; 16] = [
        Said::Approved,
        Said::ApprovedForTheNext,
        Said::Denied,
        Said::RollingBack,
        Said::LookingAgain,
        Said::Reopened,
        Said::Labelled,
        Said::Paused,
        Said::WasPaused,
        Said::Unpaused,
        Said::WasNotPaused,
        Said::Closed,
        Said::WasClosed,
        Said::Accepted,
        Said::TakenBack,
        Said::WasTakenBack,
    ];

    /// As the cookie has it.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Said::Approved => "approved",
            Said::ApprovedForTheNext => "approved-for-the-next",
            Said::Denied => "denied",
            Said::RollingBack => "rolling-back",
            Said::LookingAgain => "looking-again",
            Said::Reopened => "reopened",
            Said::Labelled => "labelled",
            Said::Paused => "paused",
            Said::WasPaused => "was-paused",
            Said::Unpaused => "unpaused",
            Said::WasNotPaused => "was-not-paused",
            Said::Closed => "closed",
            Said::WasClosed => "was-closed",
            Said::Accepted => "accepted",
            Said::TakenBack => "taken-back",
            Said::WasTakenBack => "was-taken-back",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Said::Approved => "Approved. It goes ahead by itself, if nothing has changed.",
            Said::ApprovedForTheNext => {
                "Approved. The next “regreen run” that fails in the same way may do it, for a day."
            }
            Said::Denied => "Denied. It is left alone.",
            Said::RollingBack => "Asked for. What is under way at the CI host is being cancelled.",
            Said::LookingAgain => "It is on the list of work: its run is looked at again.",
            Said::Reopened => "Opened again. It is looked at and decided anew, by what holds now.",
            Said::Labelled => "Noted. Detection is measured by it.",
            Said::Paused => "Paused. Nothing is begun there from now on.",
            Said::WasPaused => "It was paused already, and stays so.",
            Said::Unpaused => "That pause has ended.",
            Said::WasNotPaused => "Nothing was paused there: somebody else has ended it.",
            Said::Closed => "The breaker is closed. Healing may be tried again at once.",
            Said::WasClosed => "The breaker was closed already.",
            Said::Accepted => "Accepted. Every node names such failures by it from now on.",
            Said::TakenBack => "Taken back. What it named stays on record.",
            Said::WasTakenBack => "It was taken back already.",
        }
    }
}

/// Who looks at a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Reader {
    /// As the audit log names them, where they are signed in.
    pub(super) name: Option<String>,
    role: Option<Role>,
    /// What forms carry, where they may act.
    form: Option<String>,
    said: Option<Said>,
}

impl Reader {
    pub(super) fn new(who: &Who, headers: &HeaderMap) -> Reader {
        let left = said(headers).filter(|_| is_navigation(headers));
        Reader {
            name: who.is_named().then(|| who.actor.clone()),
            role: Some(who.role),
            form: form_word(who, headers).filter(|_| who.role >= Role::Operator),
            said: left.and_then(|id| Said::ALL.into_iter().find(|one| one.id() == id)),
        }
    }

    /// What forms carry, where they may act.
    pub(super) fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// What was done before this page came.
    pub(super) fn said(&self) -> Option<&'static str> {
        self.said.map(Said::words)
    }

    /// Who acts.
    ///
    /// # Errors
    /// Where they may not.
    pub(super) fn actor(&self) -> Result<String, Failed> {
        match (&self.name, self.role, &self.form) {
            (Some(name), _, Some(_)) => Ok(name.clone()),
            (Some(name), Some(role), None) if role < Role::Operator => {
                Err(Failed::TooLittle { who: shown(name), role: role.id() })
            }
            _ => Err(Failed::NotSignedIn),
        }
    }
}

/// Whether a person goes to the page: what only brings one up to date takes nothing away.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_none_or(|to| to == "document")
}

/// Has the browser forget what was said, once it was.
pub(super) fn forget(reader: &Reader, parts: &(Method, HeaderMap), response: &mut Response) {
    let (method, headers) = parts;
    if reader.said.is_some()
        && *method == Method::GET
        && let Some(cookie) = said_cookie(headers, None)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// What is said on the page that comes next.
pub(super) fn leave(headers: &HeaderMap, said: Said) -> Option<HeaderValue> {
    said_cookie(headers, Some(said.id()))
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Reader, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_a_word_of_ours() {
        for one in Said::ALL {
            assert_eq!(Said::ALL.iter().filter(|other| other.id() == one.id()).count(), 1);
            assert!(one.id().bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && !one.words().is_empty());
        }
    }
}
