//! The order of a merged list: that of both sides, where they agree; sorted, where each added something.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// One list with everything of both. What stands in both keeps the order of `ours`; between two such, what
/// only one side has is placed by `compare`.
pub(crate) fn ordered_union<K: Ord + Clone>(
    ours: &[K],
    theirs: &[K],
    compare: impl Fn(&K, &K) -> Ordering,
) -> Vec<K> {
    let in_ours: BTreeSet<&K> = ours.iter().collect();
    let in_theirs: BTreeSet<&K> = theirs.iter().collect();
    let mut seen: BTreeSet<&K> = BTreeSet::new();
    let mut union = Vec::with_capacity(ours.len().max(theirs.len()));
    let (mut left, mut right) = (ours.iter().peekable(), theirs.iter().peekable());
    loop {
        let from_ours = match (left.peek(), right.peek()) {
            (None, None) => return union,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(o), Some(t)) => match (in_theirs.contains(*o), in_ours.contains(*t)) {
                (false, false) => compare(o, t) != Ordering::Greater,
                // What both have waits until its turn has come on both sides.
                (both_o, _) => !both_o || in_ours.contains(*t),
            },
        };
        let next = if from_ours { left.next() } else { right.next() };
        if let Some(key) = next
            && seen.insert(key)
        {
            union.push(key.clone());
        }
        // The same head on the other side was the same thing.
        while right.peek().is_some_and(|t| seen.contains(*t)) {
            right.next();
        }
        while left.peek().is_some_and(|o| seen.contains(*o)) {
            left.next();
        }
    }
}

/// How npm sorts names and paths (`localeCompare` in English): punctuation, then digits, then letters
/// whatever their case; lower case first where nothing else differs. pip's and Cargo's names, which are ASCII
/// letters, digits, `-` and `_`, sort the same way.
pub(crate) fn registry_order(a: &str, b: &str) -> Ordering {
    const PUNCTUATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    let weight = |c: char| match PUNCTUATION.find(c) {
        Some(rank) => (0, rank as u32),
        None if c.is_ascii_digit() => (1, c as u32),
        None => (2, c.to_ascii_lowercase() as u32),
    };
    let primary = a.chars().map(weight).cmp(b.chars().map(weight));
    primary.then_with(|| b.cmp(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn additions_are_sorted_in() {
        let union = |a: &str, b: &str| -> String {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            ordered_union(&a, &b, char::cmp).into_iter().collect()
        };
        assert_eq!(union("ace", "abde"), "abcde");
        assert_eq!(union("", "ab"), "ab");
        assert_eq!(union("zya", "zxa"), "zxya");
        assert_eq!(union("ab", "ba"), "ab");
    }

    #[test]
    fn names_are_sorted_as_npm_sorts_them() {
        let mut names = ["ms", "is-odd", "isarray", "@types/node", "JSONStream", "is_b", "7zip", "json"];
        names.sort_by(|a, b| registry_order(a, b));
        assert_eq!(names, ["@types/node", "7zip", "is_b", "is-odd", "isarray", "json", "JSONStream", "ms"]);
    }

    proptest! {
        #[test]
        fn a_union_has_everything_once(
            ours in proptest::collection::btree_set(0u8..30, 0..12), theirs in proptest::collection::btree_set(0u8..30, 0..12),
        ) {
            let (o, t): (Vec<u8>, Vec<u8>) = (ours.iter().copied().collect(), theirs.iter().copied().collect());
            let want: Vec<u8> = ours.union(&theirs).copied().collect();
            prop_assert_eq!(ordered_union(&o, &t, u8::cmp), want);
        }
    }
}
