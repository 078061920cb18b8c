//! What a status and a message say, as an error.

use serde::Deserialize;

use crate::{ForgeError, NotAllowed, wire::http::Answer};

/// Longest message that is kept, in characters.
const LONGEST: usize = 300;

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: serde_json::Value,
}

/// What the host says in the body of a refusal: one line, shortened.
pub(super) fn message(answer: &Answer) -> String {
    let Ok(said) = serde_json::from_slice::<Said>(&answer.body) else {
        return format!("status {}", answer.status);
    };
    let mut text = said.message;
    for error in said.errors.as_array().into_iter().flatten() {
        if let Some(more) = error.as_str().or_else(|| error.get("message").and_then(|m| m.as_str())) {
            text.push_str(": ");
            text.push_str(more);
        }
    }
    if text.trim().is_empty() {
        return format!("status {}", answer.status);
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// An answer of 3xx or 4xx as an error: nothing was done.
pub(super) fn refusal(what: &str, status: u16, message: String) -> ForgeError {
    let what = what.to_owned();
    let lower = message.to_ascii_lowercase();
    let state = |why| ForgeError::NotAllowed { what: what.clone(), why };
    // The words of the endpoints that repeat and cancel runs; GitHub answers them with 403 and 409.
    if lower.contains("already running") || lower.contains("is already queued") {
        return state(NotAllowed::NotEnded);
    }
    if lower.contains("over a month ago") {
        return state(NotAllowed::TooOld { days: 30 });
    }
    match status {
        404 => ForgeError::NotFound { what },
        410 => state(NotAllowed::Gone),
        401 | 402 | 403 | 451 => ForgeError::Denied { what, why: message },
        300..=399 => ForgeError::Garbage { what, why: format!("status {status}") },
        _ => state(NotAllowed::Other(message)),
    }
}
