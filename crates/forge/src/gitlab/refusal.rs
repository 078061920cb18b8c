//! What a status and a message say, as an error.

use serde_json::Value;

use crate::{ForgeError, NotAllowed, wire::http::Answer};

/// Longest message that is kept, in characters.
const LONGEST: usize = 300;

/// What the host says in the body of a refusal: `message` (a text, a list, or lists by field) or `error` with
/// `error_description`; one line, shortened.
pub(super) fn message(answer: &Answer) -> String {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let mut words = Vec::new();
    for field in ["message", "error", "error_description"] {
        spoken(said.get(field), &mut words);
    }
    let text = words.join(": ");
    if text.trim().is_empty() {
        return format!("status {}", answer.status);
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

fn spoken(value: Option<&Value>, words: &mut Vec<String>) {
    match value {
        Some(Value::String(text)) => words.push(text.clone()),
        Some(Value::Array(all)) => all.iter().for_each(|one| spoken(Some(one), words)),
        Some(Value::Object(fields)) => {
            for (field, value) in fields {
                words.push(field.clone());
                spoken(Some(value), words);
            }
        }
        _ => {}
    }
}

/// An answer of 3xx or 4xx as an error: nothing was done.
pub(super) fn refusal(what: &str, status: u16, message: String) -> ForgeError {
    let what = what.to_owned();
    // A job that was retried, or is too old: the same status as for a token that may not.
    if message.to_ascii_lowercase().contains("not retryable") {
        return ForgeError::NotAllowed { what, why: NotAllowed::Other(message) };
    }
    match status {
        404 => ForgeError::NotFound { what },
        410 => ForgeError::NotAllowed { what, why: NotAllowed::Gone },
        401..=403 | 451 => ForgeError::Denied { what, why: message },
        300..=399 => ForgeError::Garbage { what, why: format!("status {status}") },
        _ => ForgeError::NotAllowed { what, why: NotAllowed::Other(message) },
    }
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderMap;

    use super::*;

    #[test]
    fn what_gitlab_says_is_one_line_whatever_its_form() {
        let said = |body: &str| {
            message(&Answer { status: 400, headers: HeaderMap::new(), body: body.into(), left_out: 0 })
        };
        for (body, text) in [
            (r#"{"message":"404 Project Not Found"}"#, "404 Project Not Found"),
            (r#"{"message":{"title":["can't be blank","is odd"]}}"#, "title: can't be blank: is odd"),
            (
                r#"{"error":"insufficient_scope","error_description":"needs api"}"#,
                "insufficient_scope: needs api",
            ),
            (r#"{"message":["a\nb"]}"#, "a b"),
            ("<html>", "status 400"),
            ("{}", "status 400"),
        ] {
            assert_eq!(said(body), text);
        }
    }
}
