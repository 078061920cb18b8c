//! What a pull request says that makes a damaged lockfile whole again: what was damaged, what is changed, and why that may
//! be believed.
//!
//! As with an escalation, the same facts make the same text, so that who compares it with what stands there sends nothing
//! for nothing.

use std::fmt::Write;

use crate::{
    harmless::{harmless, short},
    markdown::{code, escaped, fence},
};

/// So many changes are listed; the text says how many more there are.
const LISTED: usize = 20;
/// So many characters of each.
const WIDE: usize = 500;
/// Most characters of a title. GitHub takes 256, GitLab 255.
const TITLE: usize = 120;

/// A lockfile that was made whole, with all that the text is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended<'a> {
    /// Its path from the top of the repository.
    pub path: &'a str,
    /// The branch that it is damaged on.
    pub base: &'a str,
    /// Its first damage; `None` where it can be read, and its history contradicts it.
    pub damage: Option<&'a str>,
    /// What was done, in a clause.
    pub done: &'a str,
    /// What is another in terms of packages, a line each.
    pub changes: &'a [String],
    /// Packages that have another version than in the file as it was (the last good one where that can't be read).
    pub versions_changed: usize,
    /// Packages in the result.
    pub entries: usize,
    /// Those of them whose version neither the file as it was, nor its history, nor a side of the merge held.
    pub unheld: usize,
    /// Whose history is believed: a commit or a branch.
    pub believed: &'a str,
    /// How many good versions it holds.
    pub versions: usize,
    /// The commit whose version it is from, where it is from one alone.
    pub from: Option<&'a str>,
    /// Whether it agrees with its manifest, in a clause.
    pub manifest: &'a str,
}

impl Mended<'_> {
    /// The title.
    pub fn title(&self) -> String {
        short(&harmless(&format!("Make {} whole again", self.path)), TITLE)
    }

    /// The text, in Markdown.
    pub fn body(&self) -> String {
        let sentence = |text: &str| escaped(&harmless(text));
        let (path, base) = (code(self.path), code(self.base));
        let damage = self.damage.unwrap_or("it holds checksums that its history contradicts");
        let mut text = format!(
            "{path} is damaged on {base}: {}.\n\n#### What this changes\n\n- {}\n- versions changed: {}\n",
            sentence(damage.trim_end_matches('.')),
            sentence(self.done),
            self.versions_changed
        );
        if !self.changes.is_empty() {
            let mut lines = String::new();
            for change in self.changes.iter().take(LISTED) {
                let _infallible = writeln!(lines, "{}", short(&harmless(change), WIDE));
            }
            let more = self.changes.len().saturating_sub(LISTED);
            if more > 0 {
                let _infallible = writeln!(lines, "and {more} more");
            }
            let fence = fence(&lines, 3);
            let _infallible = write!(text, "\n{fence}text\n{lines}{fence}\n");
        }
        let from =
            self.from.map_or(String::new(), |commit| format!("; this is from commit {}", code(commit)));
        let _infallible = write!(
            text,
            "\n#### Why it may be believed\n\n\
             - the first-parent history of {} holds {} good version(s) of it{from}\n\
             - packages whose version neither the damaged file nor that history held: {} of {}\n\
             - no checksum contradicts that history, is weaker or is gone, and no host is new: else it would have been refused\n\
             - {}\n\n\
             #### How to act\n\n\
             - `regreen lockfile repair --dry-run` with {path} on {base} comes to the same\n\
             - closed without merging, it is not proposed again while it would say the same\n",
            code(self.believed),
            self.versions,
            self.unheld,
            self.entries,
            sentence(self.manifest),
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Mended;

    #[test]
    fn nothing_of_a_lockfile_gets_out_of_its_place() {
        let changes: Vec<String> = (0..22).map(|n| format!("added: a```b{n} @all")).collect();
        let mended = Mended {
            path: "a`b\n/package-lock.json",
            base: "main",
            damage: Some("line 1: `<img src=x>` @all"),
            done: "merged both sides",
            changes: &changes,
            versions_changed: 0,
            entries: 3,
            unheld: 0,
            believed: "HEAD",
            versions: 2,
            from: None,
            manifest: "it agrees with package.json",
        };
        assert_eq!(mended.title(), "Make a`b /package-lock.json whole again");
        let body = mended.body();
        assert!(
            body.starts_with("``a`b /package-lock.json`` is damaged on `main`: line 1: \\`\\<img"),
            "{body}"
        );
        assert!(
            body.contains("\n````text\nadded: a```b0 @all\n") && body.contains("\nand 2 more\n````\n"),
            "{body}"
        );
        let outside: String = body.split("````").step_by(2).collect();
        assert!(!outside.contains("@all"), "{outside}");
    }
}
