//! Regreen's own patches: written, and read in reverse to know what a file was before.

use std::fmt::Write;

use similar::{Change, TextDiff};

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// What changed in the file at `path`, as a unified diff that `git apply` takes.
pub fn unified(path: &str, old: &str, new: &str) -> String {
    unified_file(path, Some(old), Some(new))
}

/// The same where the file may have been made or taken away.
pub(crate) fn unified_file(path: &str, old: Option<&str>, new: Option<&str>) -> String {
    let side = |side: char, text: Option<&str>| match text {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let mut text = format!("--- {}\n+++ {}\n", side('a', old), side('b', new));
    let diff = TextDiff::from_lines(old.unwrap_or_default(), new.unwrap_or_default());
    for group in diff.grouped_ops(CONTEXT) {
        let changes: Vec<Change<&str>> = group.iter().flat_map(|op| diff.iter_changes(op)).collect();
        // Counted here: the ranges that the library gives for a hunk can be wrong where it begins with a deletion.
        let side = |index: fn(&Change<&str>) -> Option<usize>| {
            let lines: Vec<usize> = changes.iter().filter_map(index).collect();
            match lines.as_slice() {
                [] => "0,0".to_owned(),
                [only] => (only + 1).to_string(),
                [first, ..] => format!("{},{}", first + 1, lines.len()),
            }
        };
        let (old, new) = (side(|change| change.old_index()), side(|change| change.new_index()));
        let _infallible = writeln!(text, "@@ -{old} +{new} @@");
        for change in &changes {
            let _infallible = write!(text, "{}{}", change.tag(), change.value());
            if change.missing_newline() {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// The file at `path` as it was before the patch, where `now` is what the patch made of it. Strict: a line that is not
/// where the patch says makes the answer `None`; nothing is searched for and nothing is guessed.
pub(crate) fn reverse(patch: &str, path: &str, now: &str) -> Option<String> {
    let mut lines = patch.split_inclusive('\n').peekable();
    let (old, new) = (format!("--- a/{path}\n"), format!("+++ b/{path}\n"));
    lines.by_ref().find(|line| *line == old)?;
    lines.next().filter(|line| *line == new)?;
    let now: Vec<&str> = now.split_inclusive('\n').collect();
    let (mut before, mut at) = (String::new(), 0);
    while let Some(header) = lines.next_if(|line| line.starts_with("@@ ")) {
        let (mut old_left, start, mut new_left) = sizes(header)?;
        let mut hunk: Vec<(char, &str)> = Vec::new();
        while old_left + new_left > 0 {
            let line = lines.next()?;
            let kind = line.chars().next()?;
            match kind {
                ' ' => (old_left, new_left) = (old_left.checked_sub(1)?, new_left.checked_sub(1)?),
                '-' => old_left = old_left.checked_sub(1)?,
                '+' => new_left = new_left.checked_sub(1)?,
                _ => return None,
            }
            let mut text = line.get(1..)?;
            // "\ No newline at end of file": the line before it ends without one.
            if lines.next_if(|next| next.starts_with('\\')).is_some() {
                text = text.strip_suffix('\n')?;
            }
            hunk.push((kind, text));
        }
        now.get(at..start)?.iter().for_each(|line| before.push_str(line));
        at = start;
        for (kind, text) in hunk {
            if kind != '-' {
                now.get(at).filter(|line| **line == text)?;
                at += 1;
            }
            if kind != '+' {
                before.push_str(text);
            }
        }
    }
    now.get(at..)?.iter().for_each(|line| before.push_str(line));
    Some(before)
}

/// Lines of the old side, where the new side begins (from 0), and its lines: `@@ -3,4 +5 @@`.
fn sizes(header: &str) -> Option<(usize, usize, usize)> {
    let mut words = header.split(' ');
    let mut side = |sign: char| -> Option<(usize, usize)> {
        let word = words.find(|word| word.starts_with(sign))?.strip_prefix(sign)?;
        let (start, count) = word.split_once(',').unwrap_or((word, "1"));
        let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
        // An empty side names the line before it.
        Some((if count == 0 { start } else { start.checked_sub(1)? }, count))
    };
    let ((_, old), (start, new)) = (side('-')?, side('+')?);
    Some((old, start, new))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of lines out of a small alphabet, so that they repeat; some without an end of line.
    fn text(seed: &mut u64) -> String {
        let mut dice = |sides: u64| {
            *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 33) % sides
        };
        let ends = ["\n", "\r\n"];
        let mut text = String::new();
        for _ in 0..dice(24) {
            let word = ["a", "b", "- c", "+ d", "@@ -1 +1 @@", "--- a/f", ""][dice(7) as usize];
            text.push_str(word);
            text.push_str(ends[(dice(8) == 0) as usize]);
        }
        if dice(3) == 0 {
            text.push_str("last");
        }
        text
    }

    #[test]
    fn every_patch_can_be_taken_back() {
        let mut seed = 7;
        for _ in 0..3000 {
            let (old, new) = (text(&mut seed), text(&mut seed));
            if old == new {
                continue;
            }
            let patch = unified("f", &old, &new);
            assert_eq!(reverse(&patch, "f", &new).as_deref(), Some(old.as_str()), "{patch}");
        }
    }

    #[test]
    fn a_file_that_was_made_or_taken_away_has_one_side() {
        assert_eq!(unified_file("f", None, Some("1\n")), "--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+1\n");
        assert_eq!(unified_file("f", Some("1\n"), None), "--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n");
    }

    #[test]
    fn of_several_files_the_named_one_is_taken() {
        let both = format!("{}{}", unified("x", "1\n", "2\n"), unified("y", "3\n", "4\n"));
        assert_eq!(reverse(&both, "x", "2\n").as_deref(), Some("1\n"));
        assert_eq!(reverse(&both, "y", "4\n").as_deref(), Some("3\n"));
        assert_eq!(reverse(&both, "z", "4\n"), None);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let patch = unified("f", "1\n2\n3\n", "1\nx\n3\n");
        for now in ["1\ny\n3\n", "x\n", "", "0\n1\nx\n3\n"] {
            assert_eq!(reverse(&patch, "f", now), None, "{now:?}");
        }
        for cut in 1..patch.len() - 1 {
            let _no_panic = reverse(&patch[..cut], "f", "1\nx\n3\n");
        }
        assert_eq!(reverse("--- a/f\n+++ b/f\n@@ -99999999999999999999 +1 @@\n", "f", ""), None);
    }
}
