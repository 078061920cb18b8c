//! One requirement specifier (PEP 508), as far as a lockfile needs it.

use crate::python::normalised;

/// What a requirement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// Normalised: lower-case, runs of `-`, `_`, `.` are one `-`. For a bare URL or path, that.
    pub(super) name: String,
    /// The version, where exactly one is allowed.
    pub(super) version: Option<String>,
    /// The specifier, where it is not one exact version.
    pub(super) asks: Option<String>,
    /// The URL, repository or path it comes from, if it says so.
    pub(super) source: Option<String>,
    /// A path or an editable install.
    pub(super) local: bool,
    /// Sorted and joined by commas; empty where there are none.
    pub(super) extras: String,
    /// The environment marker, blanks normalised; empty where there is none.
    pub(super) marker: String,
}

impl Requirement {
    /// Reads a requirement without its options; `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Requirement> {
        let editable = ["-e ", "--editable ", "--editable="].iter().find_map(|flag| text.strip_prefix(flag));
        let named = editable.is_none().then(|| Requirement::named(text)).flatten();
        named.or_else(|| Requirement::located(editable.unwrap_or(text), editable.is_some()))
    }

    /// What only one requirement of a file may be for.
    pub(super) fn place(&self) -> String {
        let extras = if self.extras.is_empty() { String::new() } else { format!("[{}]", self.extras) };
        match self.marker.is_empty() {
            true => format!("{}{extras}", self.name),
            false => format!("{}{extras} ; {}", self.name, self.marker),
        }
    }

    /// `name [extras] @ url ; marker` or `name [extras] specifier ; marker`.
    fn named(text: &str) -> Option<Requirement> {
        let end = text
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
            .unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric())
            || !name.ends_with(|c: char| c.is_ascii_alphanumeric())
        {
            return None;
        }
        let rest = rest.trim_start();
        let (extras, rest) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']')?,
            None => ("", rest),
        };
        let mut extras: Vec<String> = extras.split(',').map(normalised).filter(|e| !e.is_empty()).collect();
        extras.sort();
        let rest = rest.trim();
        let (said, marker) = match rest.strip_prefix('@') {
            // A URL may hold a semicolon; a marker after one stands behind a blank.
            Some(url) => url.split_once(" ;").unwrap_or((url, "")),
            None => rest.split_once(';').unwrap_or((rest, "")),
        };
        let said = said.trim();
        let mut requirement = Requirement {
            name: normalised(name),
            version: None,
            asks: None,
            source: None,
            local: false,
            extras: extras.join(","),
            marker: marker.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        };
        if rest.starts_with('@') {
            requirement.source = Some(said.to_owned()).filter(|s| !s.is_empty());
            return requirement.source.is_some().then_some(requirement);
        }
        let said = said.strip_prefix('(').and_then(|s| s.strip_suffix(')')).unwrap_or(said).trim();
        if said.is_empty() {
            // A file that lies here, and no name: `./x` has failed above, `x.whl` has not.
            let file = [".whl", ".zip", ".tar.gz"].iter().any(|end| name.ends_with(end));
            return (!file).then_some(requirement);
        }
        if !said.split(',').all(|clause| is_clause(clause.trim())) {
            return None;
        }
        let exact = said.strip_prefix("===").or(said.strip_prefix("==")).map(str::trim);
        match exact.filter(|v| !v.is_empty() && !v.contains([',', '*', ' '])) {
            Some(version) => requirement.version = Some(version.to_owned()),
            None => requirement.asks = Some(said.chars().filter(|c| *c != ' ').collect()),
        }
        Some(requirement)
    }

    /// A bare URL, archive or folder.
    fn located(text: &str, editable: bool) -> Option<Requirement> {
        let (location, marker) = text.split_once(" ;").unwrap_or((text, ""));
        let location = location.trim();
        let remote = location.contains("://") || location.starts_with("git@");
        let archive = [".whl", ".zip", ".tar.gz"].iter().any(|end| location.ends_with(end));
        if location.is_empty()
            || location.ends_with('\\')
            || !(remote || editable || archive || location.contains(['/', '\\']) || location.starts_with('.'))
        {
            return None;
        }
        let egg = location.split_once("#egg=").map(|(_, egg)| egg.split(['&', '[']).next().unwrap_or(egg));
        Some(Requirement {
            name: egg.map_or_else(|| location.to_owned(), normalised),
            version: None,
            asks: None,
            source: Some(location.to_owned()),
            local: editable || !remote,
            extras: String::new(),
            marker: marker.split_ascii_whitespace().collect::<Vec<_>>().join(" "),
        })
    }
}

/// An operator and a version of one word: what old releases call a version need not be one by today's rules. pip lets a
/// comma stand at the end.
fn is_clause(clause: &str) -> bool {
    let operators = ["===", "==", "!=", "<=", ">=", "~=", "<", ">"];
    let version = operators.iter().find_map(|o| clause.strip_prefix(o)).map(str::trim);
    let sign = |c: char| c.is_alphanumeric() || matches!(c, '.' | '*' | '+' | '!' | '_' | '-');
    clause.is_empty() || version.is_some_and(|v| !v.is_empty() && v.chars().all(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_of_every_kind() {
        for (text, place, version, asks, source) in [
            ("Foo.Bar==1.0", "foo-bar", Some("1.0"), None, None),
            ("foo == 1.0 ; python_version  < '3'", "foo ; python_version < '3'", Some("1.0"), None, None),
            ("foo[b, a]===1.0", "foo[a,b]", Some("1.0"), None, None),
            ("foo>=1, <2", "foo", None, Some(">=1,<2"), None),
            ("foo==1.*", "foo", None, Some("==1.*"), None),
            ("foo", "foo", None, None, None),
            ("foo @ https://h/x.whl ; a", "foo ; a", None, None, Some("https://h/x.whl")),
            ("git+https://h/x.git#egg=Foo", "foo", None, None, Some("git+https://h/x.git#egg=Foo")),
            ("./x", "./x", None, None, Some("./x")),
            ("-e .", ".", None, None, Some(".")),
            ("x-1.0-py3-none-any.whl", "x-1.0-py3-none-any.whl", None, None, Some("x-1.0-py3-none-any.whl")),
        ] {
            let found = Requirement::read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found.place(), place, "{text}");
            assert_eq!(found.version.as_deref(), version, "{text}");
            assert_eq!(found.asks.as_deref(), asks, "{text}");
            assert_eq!(found.source.as_deref(), source, "{text}");
        }
        for bad in [
            "foo 1.0",
            "==1.0",
            "foo[",
            "{\"a\": 1}",
            "foo @",
            "!",
            "a==1 b==2",
            "a==1 \\",
            "a==",
            "a=1",
            "a<1,b",
        ] {
            assert_eq!(Requirement::read(bad), None, "{bad}");
        }
    }
}
