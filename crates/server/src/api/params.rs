//! Parameters of a request: those that are known, each once, each in its bounds; anything else is an error that says what.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// What stands behind the question mark.
pub(super) struct Params<T>(pub(super) T);

impl<S, T> FromRequestParts<S> for Params<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(params)| Params(params)).map_err(|e| Problem::bad_request(e.body_text()))
    }
}

/// Longest name in a path, in bytes.
const NAME: usize = 512;

/// What stands in the path.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(name) = path.map_err(|e| Problem::bad_request(e.body_text()))?;
        // PostgreSQL takes no NUL, and nothing here has a name with a control character.
        match name.chars().any(char::is_control) || name.len() > NAME {
            true => Err(Problem::bad_request(format!(
                "a name has at most {NAME} characters, and no control characters"
            ))),
            false => Ok(Named(name)),
        }
    }
}

/// Longest text that can be asked by, in characters.
const LONGEST: usize = 200;

/// A text to search by.
///
/// # Errors
/// Where it is too long, or no line of text.
pub(super) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Problem> {
    bounded(name, value, LONGEST)
}

/// A text of at most so many characters.
///
/// # Errors
/// Where it is too long, or no text.
pub(super) fn bounded(name: &str, value: Option<String>, most: usize) -> Result<Option<String>, Problem> {
    match value {
        Some(value) if value.chars().count() > most || value.contains('\0') => {
            Err(Problem::bad_request(format!("{name} is a text of at most {most} characters")))
        }
        value => Ok(value),
    }
}

/// A moment, in milliseconds since 1970.
///
/// # Errors
/// Where it is none.
pub(super) fn instant(name: &str, value: Option<String>) -> Result<Option<i64>, Problem> {
    let Some(value) = value else { return Ok(None) };
    let at = value.parse::<jiff::Timestamp>();
    let wrong = |_| Problem::bad_request(format!("{name} is a moment such as 2026-01-31T00:00:00Z"));
    at.map(|at| Some(at.as_millisecond())).map_err(wrong)
}
