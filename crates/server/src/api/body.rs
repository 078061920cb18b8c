//! The document that an action comes with: JSON that says that it is JSON, which no form of another site can send.

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use serde::de::DeserializeOwned;

use crate::{jobs, problem::Problem};

/// Longest free text that is taken, in characters.
const LONGEST: usize = 1000;

/// A document that was sent.
pub(super) struct Sent<T>(pub(super) T);

impl<S, T> FromRequest<S> for Sent<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let what = "the body is JSON, and its Content-Type says so: application/json";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
        jobs::read(request.into_body()).await.map(Sent)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = media.and_then(|media| media.split(';').next()).unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

/// What somebody says in free text.
///
/// # Errors
/// Where it is too long.
pub(super) fn words(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    let value = value.filter(|value| !value.trim().is_empty());
    match value {
        Some(value) if value.chars().count() > LONGEST => {
            Err(Problem::unprocessable(format!("{name} has at most {LONGEST} characters")))
        }
        value => Ok(value),
    }
}
