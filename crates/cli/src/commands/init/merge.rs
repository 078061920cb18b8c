//! A merge of two texts that came from the same one, line by line.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The text with the changes of both; our lines where both changed the same ones.
    pub text: String,
    /// Where both changed the same lines, and not to the same: those lines of both, as git marks them, each with the number of the
    /// line in ours. `None` where there are none.
    pub conflicts: Option<String>,
}

/// A part of the text: lines of each side that belong to the same lines of what they came from.
struct Part<'t> {
    base: &'t [&'t str],
    ours: &'t [&'t str],
    theirs: &'t [&'t str],
}

/// Merges what became of `base` on either side.
pub fn merge(base: &str, ours: &str, theirs: &str) -> Merged {
    let lines = |text| str::split_inclusive::<char>(text, '\n').collect::<Vec<&str>>();
    let (base, ours, theirs) = (lines(base), lines(ours), lines(theirs));
    let (mut text, mut conflicts, mut line) = (String::new(), String::new(), 1);
    for Part { base, ours, theirs } in parts(&base, &ours, &theirs) {
        if ours == theirs || theirs == base {
            text.extend(ours.iter().copied());
        } else if ours == base {
            text.extend(theirs.iter().copied());
        } else {
            text.extend(ours.iter().copied());
            conflicts.push_str(&format!("line {line}\n"));
            for (mark, side) in [
                ("<<<<<<< yours", ours),
                ("||||||| as it was written", base),
                ("======= as it would be written", theirs),
            ] {
                conflicts.push_str(mark);
                conflicts.push('\n');
                for line in side {
                    conflicts.push_str(line.trim_end_matches('\n'));
                    conflicts.push('\n');
                }
            }
            conflicts.push_str(">>>>>>>\n");
        }
        line += ours.len();
    }
    Merged { text, conflicts: (!conflicts.is_empty()).then_some(conflicts) }
}

/// The texts in parts, which end where all three have the same line.
fn parts<'t>(base: &'t [&'t str], ours: &'t [&'t str], theirs: &'t [&'t str]) -> Vec<Part<'t>> {
    let (in_ours, in_theirs) = (kept(base, ours), kept(base, theirs));
    let mut parts = Vec::new();
    let (mut b, mut o, mut t) = (0, 0, 0);
    for (line, at) in in_ours.iter().zip(&in_theirs).enumerate() {
        let (Some(at_ours), Some(at_theirs)) = at else { continue };
        parts.push(Part { base: &base[b..line], ours: &ours[o..*at_ours], theirs: &theirs[t..*at_theirs] });
        parts.push(Part {
            base: &base[line..=line],
            ours: &ours[*at_ours..=*at_ours],
            theirs: &theirs[*at_theirs..=*at_theirs],
        });
        (b, o, t) = (line + 1, at_ours + 1, at_theirs + 1);
    }
    parts.push(Part { base: &base[b..], ours: &ours[o..], theirs: &theirs[t..] });
    parts
}

/// Where each line of `from` stands in `to`, if it is still there.
fn kept(from: &[&str], to: &[&str]) -> Vec<Option<usize>> {
    let mut kept = vec![None; from.len()];
    for op in capture_diff_slices(Algorithm::Myers, from, to) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for i in 0..len {
                kept[old_index + i] = Some(new_index + i);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::merge;

    fn whole(base: &str, ours: &str, theirs: &str) -> String {
        let merged = merge(base, ours, theirs);
        assert_eq!(merged.conflicts, None);
        merged.text
    }

    #[test]
    fn both_sides_changes_are_kept() {
        let base = "a\nb\nc\nd\ne\n";
        assert_eq!(whole(base, "a\nB\nc\nd\ne\n", "a\nb\nc\nd\nE\nf\n"), "a\nB\nc\nd\nE\nf\n");
        assert_eq!(whole(base, "0\na\nb\nd\ne\n", "a\nb\nc\nd\ne\n"), "0\na\nb\nd\ne\n");
        // Both did the same.
        assert_eq!(whole(base, "a\nc\nd\ne\n", "a\nc\nd\ne\nf\n"), "a\nc\nd\ne\nf\n");
    }

    #[test]
    fn what_both_changed_is_shown_and_not_decided() {
        let merged = merge("a\nb\nc\nd\n", "a\nmine\nc\nd\n", "a\nyours\nc\nD\n");
        let want = "line 2\n<<<<<<< yours\nmine\n||||||| as it was written\nb\n======= as it would be written\nyours\n>>>>>>>\n";
        assert_eq!(merged.conflicts.as_deref(), Some(want));
        assert_eq!(merged.text, "a\nmine\nc\nD\n");
    }

    fn text() -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(vec!["a\n", "b\n", "c\n", "\n"]), 0..12)
            .prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn one_side_alone_is_taken_as_it_is(base in text(), side in text()) {
            prop_assert_eq!(whole(&base, &base, &side), side.clone());
            prop_assert_eq!(whole(&base, &side, &base), side.clone());
            prop_assert_eq!(whole(&base, &side, &side), side);
        }

        #[test]
        fn the_sides_may_change_places(base in text(), ours in text(), theirs in text()) {
            let (one, other) = (merge(&base, &ours, &theirs), merge(&base, &theirs, &ours));
            prop_assert_eq!(one.conflicts.is_some(), other.conflicts.is_some());
            if one.conflicts.is_none() {
                prop_assert_eq!(one.text, other.text);
            }
        }
    }
}
