//! A patch, line by line: what was added and what was taken away.

use super::words::shown;

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiffLine {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// What a line of a unified diff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Added,
    Removed,
    /// Names a file or a place in it.
    Place,
    /// The same before and after.
    Same,
}

impl Kind {
    pub(super) const fn is_added(self) -> bool {
        matches!(self, Kind::Added)
    }

    pub(super) const fn is_removed(self) -> bool {
        matches!(self, Kind::Removed)
    }

    pub(super) const fn is_place(self) -> bool {
        matches!(self, Kind::Place)
    }
}

/// The lines of a unified diff. How many of each side follow is said by the diff itself: a removed line may look like a file's name.
pub(super) fn lines(diff: &str) -> Vec<DiffLine> {
    let (mut old, mut new) = (0u64, 0u64);
    let mut lines = Vec::new();
    for line in diff.lines() {
        let kind = match line.bytes().next() {
            Some(b'+') if new > 0 => {
                new -= 1;
                Kind::Added
            }
            Some(b'-') if old > 0 => {
                old -= 1;
                Kind::Removed
            }
            Some(b' ') if old > 0 && new > 0 => {
                (old, new) = (old - 1, new - 1);
                Kind::Same
            }
            _ => {
                if let Some(sides) = hunk(line) {
                    (old, new) = sides;
                }
                Kind::Place
            }
        };
        lines.push(DiffLine { kind, text: shown(line) });
    }
    lines
}

/// How many lines of each side follow `@@ -a,b +c,d @@`.
fn hunk(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.strip_prefix("@@ -")?.split(' ');
    let many = |part: &str| match part.split_once(',') {
        Some((_, many)) => many.parse().ok(),
        None => Some(1),
    };
    let old = many(parts.next()?)?;
    Some((old, many(parts.next()?.strip_prefix('+')?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_line_that_looks_like_a_file_is_a_removed_line() {
        let diff = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n--- a/x\n+++ b/x\n--- a/g\n+++ b/g\n@@ -0,0 +1 @@\n+<b>\n\\ No newline at end of file\n";
        let kinds: Vec<Kind> = lines(diff).iter().map(|line| line.kind).collect();
        let place = Kind::Place;
        assert_eq!(
            kinds,
            [
                place,
                place,
                place,
                Kind::Same,
                Kind::Removed,
                Kind::Added,
                place,
                place,
                place,
                Kind::Added,
                place
            ]
        );
        // Cut off or no diff at all: it is text all the same.
        assert!(lines("@@ -1,99999999999999999999 +1 @@\n-x\n\n").iter().all(|line| line.kind == place));
    }
}
