//! A page as an answer, and the pages that say why there is none.

use askama::Template;
use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use regreen_ledger::LedgerError;

use super::{House, assets, reader::Reader, words::shown};
use crate::{happening::Happening, memory::chain};

/// What stands around every page.
pub(super) struct Frame {
    /// Which of the pages this is, by its path.
    pub(super) here: &'static str,
    /// Which news concern it: `all`, `incident:ID`, or empty.
    pub(super) live: String,
    /// Paths of the files that it needs.
    pub(super) css: &'static str,
    pub(super) js: &'static str,
    pub(super) icon: &'static str,
    pub(super) version: &'static str,
    /// Who is signed in.
    pub(super) who: Option<String>,
    /// What forms carry, where the reader may act; empty where not.
    pub(super) form: String,
    /// What was done before this page came.
    pub(super) said: Option<&'static str>,
}

impl Frame {
    pub(super) fn new(reader: &Reader, here: &'static str, live: impl Into<String>) -> Frame {
        Frame {
            here,
            live: live.into(),
            css: &assets::CSS.path,
            js: &assets::JS.path,
            icon: &assets::ICON.path,
            version: env!("CARGO_PKG_VERSION"),
            who: reader.name.as_deref().map(shown),
            form: reader.form().unwrap_or_default().to_owned(),
            said: reader.said(),
        }
    }
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Failed {
    /// There is nothing at this path.
    NoSuchPage(String),
    /// There is no such thing on record: what kind, and its name.
    NoSuchThing(&'static str, String),
    /// What was asked for can't be read: what to write instead.
    NotUnderstood(String),
    /// The reader may not: the status, and why.
    NotAllowed(StatusCode, String),
    /// They are signed in, and may only read.
    TooLittle { who: String, role: &'static str },
    /// Nobody is signed in who could act.
    NotSignedIn,
    /// The form is of another session, or of no page of here.
    NotOfThisSession,
    /// It can't be done any more: how it stands, and where to look.
    TooLate { what: String, back: String },
    /// The ledger does not answer.
    Unavailable,
    /// The store of logs does not.
    LogAway,
}

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedPage {
    frame: Frame,
    code: u16,
    title: &'static str,
    what: String,
    next: &'static str,
    back: String,
}

impl House {
    /// The reason is for the log and for people with access to it.
    pub(super) fn failed(&self, error: &LedgerError) -> Failed {
        self.pages.log.tell(&Happening::WorkUnavailable { why: chain(error) });
        Failed::Unavailable
    }
}

/// The page as an answer.
pub(super) fn page(template: &impl Template) -> Result<Response<Body>, Failed> {
    // Nothing that is shown can keep a template from being written.
    let text = template.render().map_err(|_| Failed::Unavailable)?;
    Ok(html(StatusCode::OK, text))
}

/// Text of a page as an answer.
pub(super) fn html(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let media = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response<Body> {
        let back = match &self {
            Failed::TooLate { back, .. } => back.clone(),
            _ => "/".to_owned(),
        };
        let (status, title, what, next) = match self {
            Failed::NoSuchPage(path) => (
                StatusCode::NOT_FOUND,
                "There is no such page",
                format!("Nothing is at {}.", shown(&path)),
                "The pages that there are stand on the left.",
            ),
            Failed::NoSuchThing(kind, name) => (
                StatusCode::NOT_FOUND,
                "That is not on record",
                format!("There is no {kind} {}.", shown(&name)),
                "It may have been pruned, or the address was cut off.",
            ),
            Failed::NotUnderstood(what) => (
                StatusCode::BAD_REQUEST,
                "That can’t be read",
                shown(&what),
                "Change it in the address, or begin again from the page’s own form.",
            ),
            Failed::NotAllowed(status, why) => (
                status,
                match status {
                    StatusCode::TOO_MANY_REQUESTS => "That was tried too often",
                    StatusCode::FORBIDDEN => "That was not done",
                    _ => "You can’t see this",
                },
                format!("Regreen says: {why}."),
                match status {
                    StatusCode::FORBIDDEN => "Go to the page that it is about, and press there.",
                    _ => "Sign in at /sign-in, with a token that `regreen token create` makes.",
                },
            ),
            Failed::TooLittle { who, role } => (
                StatusCode::FORBIDDEN,
                "You may look, not act",
                format!("You are signed in as {who}, with the role {role}. This takes an operator."),
                "`regreen token create --role operator` makes a token that may; nothing was done.",
            ),
            Failed::NotSignedIn => (
                StatusCode::UNAUTHORIZED,
                "Sign in to act",
                "Reading needs no sign-in here; acting does, so that the audit log can say who it was."
                    .to_owned(),
                "Sign in at /sign-in with an operator’s token. Programs act over /api/v1. Nothing was done.",
            ),
            Failed::NotOfThisSession => (
                StatusCode::FORBIDDEN,
                "That form is not of your session",
                "It was made before you signed in, or by a page that is not of here.".to_owned(),
                "Nothing was done. Load the page again, and press once more.",
            ),
            Failed::TooLate { what, back: _ } => {
                (StatusCode::CONFLICT, "That can’t be done any more", what, "Look at how it stands now.")
            }
            Failed::LogAway => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The log can’t be read right now",
                "Where logs are kept does not answer, or not with what was kept there.".to_owned(),
                "Try again in a moment; `regreen ledger check` looks at every log.",
            ),
            Failed::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The record can’t be read right now",
                "The ledger does not answer. Healing waits for it too, and nothing is lost.".to_owned(),
                "Try again in a moment; the log of `regreen serve` says why.",
            ),
        };
        let page = FailedPage {
            frame: Frame::new(&Reader::default(), "", ""),
            code: status.as_u16(),
            title,
            what,
            next,
            back,
        };
        let text = page.render().unwrap_or_else(|_| title.to_owned());
        html(status, text)
    }
}

/// What the browser is forbidden, and told of every answer.
pub(super) async fn secure(mut response: Response<Body>) -> Response<Body> {
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
                  form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A form says that it is of here: without a referrer a browser would send no origin.
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
