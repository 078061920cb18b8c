//! What stands after the question mark.

use std::fmt::Write as _;

use axum::http::Uri;
use regreen_ledger::Cursor;

/// Longest value that is taken, in bytes.
const LONGEST: usize = 256;

/// Names and values; of a name that stands twice, the first.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn of(uri: &Uri) -> Params {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
        // PostgreSQL takes no NUL, and nothing that is searched for has a control character.
        let sound = |value: &str| value.len() <= LONGEST && !value.chars().any(char::is_control);
        Params(pairs.filter(|(_, value)| sound(value)).take(32).collect())
    }

    /// The value, where there is one and it says something.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty())
    }

    /// The same list with another value for one name.
    pub(super) fn with(&self, path: &str, name: &str, value: &str) -> String {
        let others = self.0.iter().filter(|(own, value)| own != name && !value.is_empty());
        let pairs = others.map(|(own, value)| (own.as_str(), value.as_str()));
        link(path, &pairs.chain([(name, value)]).collect::<Vec<_>>())
    }
}

/// A path with what stands after its question mark.
pub(super) fn link(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A part of a path.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            other => _ = write!(out, "%{other:02X}"),
        }
    }
    out
}

/// A place in a list, as text.
pub(super) fn place(at: &Cursor) -> String {
    format!("{}.{}", at.opened_at, at.id)
}

/// A place in a list.
pub(super) fn placed(text: &str) -> Option<Cursor> {
    let (opened_at, id) = text.split_once('.')?;
    Some(Cursor { opened_at: opened_at.parse().ok()?, id: id.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        let params = Params::of(&"/x?q=a%26b%3D1&q=2&empty=&s=%22%3E".parse().unwrap());
        assert_eq!(
            (params.get("q"), params.get("empty"), params.get("s")),
            (Some("a&b=1"), None, Some("\">"))
        );
        assert_eq!(params.with("/x", "s", "é?"), "/x?q=a%26b%3D1&q=2&s=%C3%A9%3F");
        assert_eq!(Params::of(&"/x?q=%00&s=a%0Ab".parse().unwrap()).get("q"), None);
        assert_eq!(segment("../a b\"?<é"), "..%2Fa%20b%22%3F%3C%C3%A9");
        let at = Cursor { opened_at: 5, id: "a.b-1".to_owned() };
        assert_eq!(placed(&place(&at)), Some(at));
        assert_eq!(placed("x"), None);
    }
}
