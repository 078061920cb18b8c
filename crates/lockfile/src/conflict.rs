//! Takes a file with git's conflict markers apart into the whole files of both sides.

use crate::position::{Marker, marker};

/// Both sides of an unresolved merge, each the whole file as it would be had that side won every hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The side above `=======`.
    pub ours: Vec<u8>,
    /// The side below `=======`.
    pub theirs: Vec<u8>,
    /// The common ancestor, where every hunk shows it (`merge.conflictStyle` `diff3` or `zdiff3`).
    pub base: Option<Vec<u8>>,
    /// How many hunks were in conflict.
    pub hunks: usize,
}

/// Why the text has no two sides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoConflict {
    /// There is no marker at all.
    #[error("there are no conflict markers")]
    NoMarkers,
    /// The markers are not in the order that git writes: someone has edited between them.
    #[error("line {line}: this conflict marker has no partner")]
    Unbalanced {
        /// Line of the marker that doesn't fit; the last line where the closing one is missing.
        line: u64,
    },
}

/// Splits at the markers. Line ends, and everything outside the hunks, are kept as they are on all sides.
///
/// # Errors
/// Where there are no markers, or they don't match.
pub fn split_conflict(bytes: &[u8]) -> Result<Conflict, NoConflict> {
    let (mut ours, mut theirs, mut base) = (Vec::new(), Vec::new(), Vec::new());
    let (mut hunks, mut hunks_with_base) = (0, 0);
    let mut within: Option<Marker> = None;
    let mut number = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        number += 1;
        match (within, marker(line)) {
            (None, None) => {
                for side in [&mut ours, &mut theirs, &mut base] {
                    side.extend_from_slice(line);
                }
            }
            (Some(Marker::Ours), None) => ours.extend_from_slice(line),
            (Some(Marker::Base), None) => base.extend_from_slice(line),
            (Some(_), None) => theirs.extend_from_slice(line),
            (None, Some(Marker::Ours)) => {
                hunks += 1;
                within = Some(Marker::Ours);
            }
            (Some(Marker::Ours), Some(Marker::Base)) => {
                hunks_with_base += 1;
                within = Some(Marker::Base);
            }
            (Some(Marker::Ours | Marker::Base), Some(Marker::Theirs)) => within = Some(Marker::Theirs),
            (Some(Marker::Theirs), Some(Marker::End)) => within = None,
            (_, Some(_)) => return Err(NoConflict::Unbalanced { line: number }),
        }
    }
    match (within, hunks) {
        (Some(_), _) => Err(NoConflict::Unbalanced { line: number }),
        (None, 0) => Err(NoConflict::NoMarkers),
        (None, _) => Ok(Conflict { ours, theirs, base: (hunks == hunks_with_base).then_some(base), hunks }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_way_with_windows_line_ends() {
        let text = b"a\r\n<<<<<<< HEAD\r\nb\r\n=======\r\nc\r\n>>>>>>> topic\r\nd\r\n";
        let split = split_conflict(text).unwrap();
        assert_eq!(split.ours, b"a\r\nb\r\nd\r\n");
        assert_eq!(split.theirs, b"a\r\nc\r\nd\r\n");
        assert_eq!((split.base, split.hunks), (None, 1));
    }

    #[test]
    fn three_way_and_several_hunks() {
        let text = b"<<<<<<< o\n1\n||||||| b\n0\n=======\n2\n>>>>>>> t\nm\n<<<<<<< o\n||||||| b\nx\n=======\ny\n>>>>>>> t";
        let split = split_conflict(text).unwrap();
        assert_eq!(split.ours, b"1\nm\n");
        assert_eq!(split.theirs, b"2\nm\ny\n");
        assert_eq!(split.base.as_deref(), Some(&b"0\nm\nx\n"[..]));
        assert_eq!(split.hunks, 2);
    }

    #[test]
    fn a_base_is_known_only_if_every_hunk_shows_it() {
        let text =
            b"<<<<<<< o\n1\n||||||| b\n0\n=======\n2\n>>>>>>> t\n<<<<<<< o\n1\n=======\n2\n>>>>>>> t\n";
        assert_eq!(split_conflict(text).unwrap().base, None);
    }

    #[test]
    fn markers_without_a_partner() {
        assert_eq!(split_conflict(b"a\nb\n"), Err(NoConflict::NoMarkers));
        for (text, line) in [
            ("<<<<<<< o\na\n", 2),
            ("a\n=======\nb\n", 2),
            ("<<<<<<< o\n<<<<<<< o\n", 2),
            ("<<<<<<< o\n>>>>>>> t\n", 2),
            ("<<<<<<< o\n=======\n||||||| b\n>>>>>>> t\n", 3),
        ] {
            assert_eq!(split_conflict(text.as_bytes()), Err(NoConflict::Unbalanced { line }), "{text:?}");
        }
    }
}
