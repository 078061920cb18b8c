//! Which entries a merge keeps: those that are there by the three-way rule, and those they need.

use std::collections::{BTreeMap, BTreeSet};

use super::Three;

/// What the three-way rule says of an entry's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Both sides have it, or one added it.
    Kept,
    /// One side removed what the other left as it was.
    Dropped,
    /// One side removed what the other changed.
    Contested,
}

/// The fate of an entry that at least one of `ours` and `theirs` has.
pub(crate) fn fate<T: PartialEq>(three: &Three<T>) -> Fate {
    match (&three.ours, &three.theirs, &three.base) {
        (Some(left), None, Some(base)) | (None, Some(left), Some(base)) if left == base => Fate::Dropped,
        (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => Fate::Contested,
        _ => Fate::Kept,
    }
}

/// The kept entries, and of the others those that a kept one needs, directly or not. `needs` names what an
/// entry is missing among those that are present so far.
pub(crate) fn settle<K: Ord + Clone>(
    fates: &BTreeMap<K, Fate>,
    needs: impl Fn(&K, &BTreeSet<K>) -> Vec<K>,
) -> BTreeSet<K> {
    let mut present: BTreeSet<K> =
        fates.iter().filter(|(_, fate)| **fate == Fate::Kept).map(|(key, _)| key.clone()).collect();
    let mut asking: Vec<K> = present.iter().cloned().collect();
    while let Some(key) = asking.pop() {
        for needed in needs(&key, &present) {
            if fates.contains_key(&needed) && present.insert(needed.clone()) {
                asking.push(needed);
            }
        }
    }
    present
}

/// Everything that can be reached from `roots`.
pub(crate) fn reach<K: Ord + Clone>(
    roots: impl IntoIterator<Item = K>,
    edges: impl Fn(&K) -> Vec<K>,
) -> BTreeSet<K> {
    let mut asking: Vec<K> = roots.into_iter().collect();
    let mut reached: BTreeSet<K> = asking.iter().cloned().collect();
    while let Some(key) = asking.pop() {
        for next in edges(&key) {
            if reached.insert(next.clone()) {
                asking.push(next);
            }
        }
    }
    reached
}
