//! Names that go into addresses and bodies: checked once, where they come in.

use std::fmt;

/// A repository, `owner/name`; at GitLab groups may be nested, `group/subgroup/name`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Repository(String);

/// Longest name of a repository.
const LONGEST: usize = 255;

impl Repository {
    /// A name of two or more parts of letters, digits, `.`, `_` and `-`. `None` for everything else, so that a name
    /// never leaves its place in an address.
    pub fn parse(text: &str) -> Option<Repository> {
        let part = |part: &str| {
            !part.is_empty()
                && !part.bytes().all(|b| b == b'.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let right = text.len() <= LONGEST && text.split('/').count() >= 2 && text.split('/').all(part);
        right.then(|| Repository(text.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name in lower case. Hosts tell no names apart by case, so whatever is counted, paused or known again by a
    /// repository is so by this.
    #[must_use]
    pub fn folded(&self) -> Repository {
        Repository(self.0.to_ascii_lowercase())
    }

    /// All but its last part: the owner, organisation or group.
    pub fn owner(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(owner, _)| owner)
    }

    /// Its first part: the owner, or the group at the top, that answers for everything below.
    pub fn organisation(&self) -> &str {
        self.0.split_once('/').map_or("", |(first, _)| first)
    }

    /// Its last part.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(_, name)| name)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// By what Regreen finds again what it wrote: a fingerprint or an incident's id, kept in the text as an HTML comment that
/// nobody sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Marker(String);

/// How a place in an order begins.
const ORDER: &str = "<!-- regreen-order ";

impl Marker {
    /// Letters, digits, `.`, `_`, `:`, `/` and `-`, at most 128 of them and at least 4. `None` for everything else.
    pub fn parse(text: &str) -> Option<Marker> {
        let right = (4..=128).contains(&text.len())
            && !text.contains("--")
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'/' | b'-'));
        right.then(|| Marker(text.to_owned()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in a text.
    pub fn comment(&self) -> String {
        format!("<!-- regreen {} -->", self.0)
    }

    /// A text that carries it.
    pub fn mark(&self, text: &str) -> String {
        format!("{}\n\n{}", text.trim_end(), self.comment())
    }

    /// A text that says which place it has among those with its marker, where nobody sees it: a number that grows, whichever
    /// node says it and whatever its clock shows, and where two have the same a second one.
    pub fn in_order(text: &str, (place, second): (i64, i64)) -> String {
        let text = text.trim_end();
        match second {
            0 => format!("{text}\n\n{ORDER}{place} -->"),
            second => format!("{text}\n\n{ORDER}{place}.{second} -->"),
        }
    }

    /// The place that a text says it has. It stands at the end, before a marker: what is quoted in it counts for nothing.
    pub fn place(text: &str) -> Option<(i64, i64)> {
        let place = |line: &str| {
            let place = line.strip_prefix(ORDER)?.strip_suffix(" -->")?;
            let (place, second) = place.split_once('.').unwrap_or((place, "0"));
            Some((place.parse::<i64>().ok()?, second.parse::<i64>().ok()?))
        };
        text.trim_end().lines().rev().take(3).find_map(|line| place(line.trim()))
    }

    /// Whether `there` comes after `new`: then it stays.
    pub fn is_newer(there: &str, new: &str) -> bool {
        matches!((Marker::place(there), Marker::place(new)), (Some(there), Some(new)) if there > new)
    }

    /// Whether a text carries it: at its very end, where [`Marker::mark`] put it, so that a quotation doesn't count.
    pub fn is_in(&self, text: &str) -> bool {
        text.trim_end().ends_with(&self.comment())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_place() {
        for right in ["a/b", "Octo-Org/hello.world_2", "group/sub/sub2/project"] {
            assert_eq!(Repository::parse(right).map(|r| r.to_string()).as_deref(), Some(right));
        }
        for wrong in [
            "", "a", "/a", "a/", "a//b", "../b", "a/..", "a/./b", "a/b?x", "a/b#x", "a/b%2f", "a b/c",
            "a/\u{e9}",
        ] {
            assert_eq!(Repository::parse(wrong), None, "{wrong}");
        }
        let nested = Repository::parse("g/s/p").map(|r| (r.owner().to_owned(), r.name().to_owned()));
        assert_eq!(nested, Some(("g/s".to_owned(), "p".to_owned())));
    }

    #[test]
    fn a_marker_is_found_where_it_was_put_and_not_in_a_quotation() {
        let marker = Marker::parse("npm-integrity/4f1c").unwrap_or_else(|| unreachable!("it is a good one"));
        let text = marker.mark("The cache is damaged.\n");
        assert!(marker.is_in(&text) && marker.is_in(&format!("{text}\r\n")));
        assert!(!marker.is_in(&format!("> {text}\n\nmy words")));
        let (old, new) = (marker.mark(&Marker::in_order("a", (1, 0))), Marker::in_order("b", (2, 0)));
        assert!(Marker::is_newer(&marker.mark(&new), &old) && !Marker::is_newer(&old, &new));
        assert!(!Marker::is_newer(&old, &old) && !Marker::is_newer("", &new) && !Marker::is_newer(&new, ""));
        let forged = marker.mark(&Marker::in_order("<!-- regreen-order 9 -->\n\nwords", (1, 0)));
        assert!(!Marker::is_newer(&forged, &new));
        // Changed twice within a millisecond; and a text of an earlier version, which has no second number.
        let twice = [(2, 9), (2, 10), (3, 1)].map(|place| marker.mark(&Marker::in_order("c", place)));
        let [first, second, third] = &twice;
        assert!(Marker::is_newer(second, first) && !Marker::is_newer(first, second));
        assert!(
            Marker::is_newer(third, second)
                && Marker::is_newer(first, &new)
                && !Marker::is_newer(&new, first)
        );
        for wrong in ["", "abc", "a --> b", "a--b", "x y z w", "<!-- a"] {
            assert_eq!(Marker::parse(wrong), None, "{wrong}");
        }
    }
}
