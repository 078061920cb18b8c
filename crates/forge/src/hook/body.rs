//! The payload within a body, by its content type; and the checks that texts in it must pass.

use std::borrow::Cow;

use super::{Headers, Rejected, Sender};
use crate::Repository;

/// Longest branch, workflow or job name that is kept, in characters.
const LONGEST_NAME: usize = 255;

/// The JSON text.
///
/// # Errors
/// [`Rejected::ContentType`] and [`Rejected::Body`].
pub(super) fn payload<'b>(
    sender: Sender,
    headers: Headers<'_>,
    body: &'b [u8],
) -> Result<Cow<'b, [u8]>, Rejected> {
    let kind = headers("content-type").ok_or(Rejected::ContentType)?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match (sender, kind.as_str()) {
        (_, "application/json") => Ok(Cow::Borrowed(body)),
        (Sender::GitHub, "application/x-www-form-urlencoded") => {
            let mut payloads = form_urlencoded::parse(body).filter(|(key, _)| key == "payload");
            match (payloads.next(), payloads.next()) {
                (Some((_, text)), None) => Ok(Cow::Owned(text.into_owned().into_bytes())),
                _ => Err(Rejected::Body),
            }
        }
        _ => Err(Rejected::ContentType),
    }
}

/// A header that names something: a few characters of a narrow set.
pub(super) fn word(
    headers: Headers<'_>,
    name: &'static str,
    longest: usize,
    and: &str,
) -> Result<String, Rejected> {
    let text = headers(name).ok_or(Rejected::Header(name))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || and.contains(c);
    if text.is_empty() || text.len() > longest || !text.chars().all(fits) {
        return Err(Rejected::Header(name));
    }
    Ok(text.to_owned())
}

/// A commit as hosts write it: 40 or 64 hex digits.
pub(super) fn commit(text: Option<String>) -> Result<String, String> {
    match text {
        Some(text) if matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("the commit is missing or malformed".to_owned()),
    }
}

/// A repository of at most so many names with `/` between them.
pub(super) fn repository(text: Option<String>, most: usize) -> Result<Repository, String> {
    let named = text.filter(|text| text.split('/').count() <= most);
    let repository = named.and_then(|text| Repository::parse(&text));
    repository.ok_or_else(|| "the repository is missing or malformed".to_owned())
}

/// A name for people: one line, cut.
pub(super) fn name(text: Option<String>) -> Option<String> {
    let text: String = text?.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    (!text.is_empty()).then_some(text)
}

/// A number that must be there.
pub(super) fn number(number: Option<u64>, of: &str) -> Result<u64, String> {
    number.filter(|n| *n > 0).ok_or_else(|| format!("the id of the {of} is missing"))
}

/// What is said of a payload that can't be read: where, and nothing of what stands there.
pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("it does not look like `{what}`: line {line}, column {column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_can_lead_nowhere_else() {
        assert!(repository(Some("a/.github".to_owned()), 2).is_ok());
        assert!(repository(Some("a/b/c".to_owned()), 3).is_ok());
        for bad in ["a/b/c", "a/..", "a/b?x"] {
            assert!(repository(Some(bad.to_owned()), 2).is_err(), "{bad}");
        }
        assert!(repository(None, 2).is_err());
    }

    #[test]
    fn a_commit_is_hex() {
        assert_eq!(commit(Some("A".repeat(40))), Ok("a".repeat(40)));
        assert!(commit(Some("g".repeat(40))).is_err() && commit(Some("a".repeat(39))).is_err());
        assert!(commit(None).is_err());
    }
}
