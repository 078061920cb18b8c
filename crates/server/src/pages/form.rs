//! Forms that come in: short, in time, and those that change something only from a page of the very session.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;

use super::{
    House,
    answer::Failed,
    gate::see,
    reader::{Reader, Said, leave},
};
use crate::access::is_own_form;

/// Longest form, in bytes: the texts of a pattern, each of their characters written as twelve.
const LONGEST: usize = 64 << 10;
/// Longest that it may take.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Longest free text that is taken, in characters, as over the API.
const LONGEST_NOTE: usize = 1000;

/// Fields of a form.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// `None` where it is too long, or came too slowly.
    pub(super) async fn read(body: Body) -> Option<Form> {
        let bytes = timeout(BODY_TIME, to_bytes(body, LONGEST)).await.ok()?.ok()?;
        let fields = form_urlencoded::parse(&bytes).take(32);
        // A browser counts a new line as one character, and sends two.
        Some(Form(fields.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n"))).collect()))
    }

    /// The first of this name; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    }

    /// Free text, where there is one.
    ///
    /// # Errors
    /// Where it is too long, or no text.
    pub(super) fn words(&self, name: &str) -> Result<Option<&str>, Failed> {
        let text = self.get(name).trim();
        if text.chars().count() > LONGEST_NOTE {
            return Err(Failed::NotUnderstood(format!("A {name} has at most {LONGEST_NOTE} characters.")));
        }
        // PostgreSQL takes no NUL.
        if text.contains('\0') {
            return Err(Failed::NotUnderstood(format!("That {name} is no text.")));
        }
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// A form of somebody who may act, from a page of their own session.
pub(super) struct Hand {
    /// As the audit log names them.
    pub(super) actor: String,
    pub(super) form: Form,
    headers: HeaderMap,
}

impl Hand {
    /// Leads to a page, on which it is said what was done.
    pub(super) fn done(&self, path: &str, said: Said) -> Response {
        let mut response = see(path);
        if let Some(cookie) = leave(&self.headers, said) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl FromRequest<Arc<House>> for Hand {
    type Rejection = Response;

    async fn from_request(request: Request, _: &Arc<House>) -> Result<Hand, Response> {
        let (parts, body) = request.into_parts();
        let reader = parts.extensions.get::<Reader>().cloned().unwrap_or_default();
        let actor = reader.actor().map_err(Failed::into_response)?;
        let long = || Failed::NotUnderstood("The form is too long, or came too slowly.".to_owned());
        let form = Form::read(body).await.ok_or_else(|| long().into_response())?;
        match is_own_form(reader.form(), form.get("form")) {
            true => Ok(Hand { actor, form, headers: parts.headers }),
            false => Err(Failed::NotOfThisSession.into_response()),
        }
    }
}
