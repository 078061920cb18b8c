//! Which of two versions is the older one, where every ecosystem would say the same.

use std::cmp::Ordering;

/// Compares two versions; `None` where that depends on the ecosystem. A leading `v` counts for nothing. Semantic
/// versions are compared as such; others by the numbers of their release (`2.31.0`, `1!2.0` is not told), and where
/// those are the same nothing is said.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (bare(a), bare(b));
    if let (Ok(a), Ok(b)) = (semver::Version::parse(a), semver::Version::parse(b)) {
        return Some(a.cmp_precedence(&b));
    }
    let (x, y) = (release(a)?, release(b)?);
    let longest = x.len().max(y.len());
    let at = |numbers: &[u64], n: usize| numbers.get(n).copied().unwrap_or(0);
    (0..longest).map(|n| at(&x, n).cmp(&at(&y, n))).find(|o| o.is_ne())
}

fn bare(version: &str) -> &str {
    version.strip_prefix('v').unwrap_or(version)
}

/// The numbers in front.
fn release(version: &str) -> Option<Vec<u64>> {
    if version.contains(['!', ':', '/']) {
        return None;
    }
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let numbers: Option<Vec<u64>> =
        version[..end].trim_end_matches('.').split('.').map(|n| n.parse().ok()).collect();
    numbers.filter(|n| !n.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_where_that_is_sure() {
        for (a, b, want) in [
            ("1.2.3", "1.10.0", Some(Ordering::Less)),
            ("v1.2.3", "v1.2.2", Some(Ordering::Greater)),
            ("1.0.0-rc.1", "1.0.0", Some(Ordering::Less)),
            ("2.31", "2.4.1", Some(Ordering::Greater)),
            ("2.0.0.1", "2.0.0", Some(Ordering::Greater)),
            ("1.0rc1", "1.0", None),
            ("1.0.0+a", "1.0.0+b", Some(Ordering::Equal)),
            ("1!2.0", "3.0", None),
            ("main", "1.0", None),
        ] {
            assert_eq!(compare(a, b), want, "{a} {b}");
        }
    }
}
