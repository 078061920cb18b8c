//! Whether a locked version is one that a range of `package.json` allows.

use nodejs_semver::{Range, Version};

/// The answer, where there can be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// The range is a tag, a URL, a path or a repository: only the text can be compared.
    NoRange,
}

/// Whether `version` satisfies `range` as npm reads both.
pub(super) fn fit(range: &str, version: Option<&str>) -> Fit {
    let range = match range.strip_prefix("npm:") {
        Some(alias) => {
            alias.char_indices().rev().find(|(i, c)| *c == '@' && *i > 0).map_or("", |(i, _)| &alias[i + 1..])
        }
        None => range,
    };
    if range.contains([':', '/']) {
        return Fit::NoRange;
    }
    let range = range.trim();
    // npm takes an empty range, and `latest` of whatever it has, for anything.
    if range.is_empty() {
        return Fit::Yes;
    }
    let (Ok(range), Some(Ok(version))) = (Range::parse(range), version.map(Version::parse)) else {
        return Fit::NoRange;
    };
    if range.satisfies(&version) { Fit::Yes } else { Fit::No }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_npms() {
        for (range, version, want) in [
            ("^1.2.0", "1.9.3", Fit::Yes),
            ("^1.2.0", "2.0.0", Fit::No),
            ("~2.1.2", "2.2.0", Fit::No),
            ("1 || >=3 <4", "3.5.0", Fit::Yes),
            ("", "9.9.9", Fit::Yes),
            ("*", "1.0.0", Fit::Yes),
            ("npm:@scope/other@^1.0.0", "1.4.0", Fit::Yes),
            ("npm:other@^1.0.0", "2.0.0", Fit::No),
            ("npm:@scope/other", "2.0.0", Fit::Yes),
            ("latest", "2.0.0", Fit::NoRange),
            ("file:../x", "1.0.0", Fit::NoRange),
            ("user/repo#semver:^1", "1.0.0", Fit::NoRange),
            ("^1.0.0-beta.1", "1.0.0-beta.3", Fit::Yes),
            ("^1.0.0", "1.1.0-beta.3", Fit::No),
        ] {
            assert_eq!(fit(range, Some(version)), want, "{version} for {range}");
        }
        assert_eq!(fit("^1.0.0", None), Fit::NoRange);
    }

    proptest! {
        #[test]
        fn any_range_has_an_answer(range in ".{0,40}", version in "[0-9a-z.+-]{0,20}") {
            fit(&range, Some(&version));
        }

        #[test]
        fn near_ranges_have_an_answer(range in "([~^<>=|* -]|[0-9]{1,20}|[.x@v]|npm:){0,12}") {
            fit(&range, Some("1.2.3"));
        }
    }
}
