//! Whose a file is, by the repository's CODEOWNERS: the last line whose pattern fits counts.
//!
//! By <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
//! and <https://docs.gitlab.com/user/project/codeowners/reference/>. Only accounts of people are taken: a team can't be assigned,
//! and an address is nobody's name. Sections of GitLab's are read as one list, without what a section says for all its lines.

/// Longest text that is read, in bytes; GitHub takes no longer one either.
const LONGEST: usize = 3 << 20;
/// Most lines that are read.
const LINES: usize = 20_000;
/// Most people that are assigned.
const MOST: usize = 5;

/// The people that own a file, as the text says, in its order.
pub(super) fn owners<'t>(text: &'t str, file: &str) -> Vec<&'t str> {
    let text = text.get(..LONGEST.min(text.len())).unwrap_or_default();
    let rules = text.lines().take(LINES).filter_map(rule);
    let Some((_, names)) = rules.filter(|(pattern, _)| fits(pattern, file)).last() else { return Vec::new() };
    names.split_whitespace().filter_map(person).take(MOST).collect()
}

/// A pattern, and whoever stands behind it.
fn rule(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    // A heading of a section, and what GitLab excludes, own nothing.
    if line.is_empty() || line.starts_with(['#', '[', '^', '!']) {
        return None;
    }
    let (pattern, names) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    Some((pattern, names.split_once(" #").map_or(names, |(names, _)| names)))
}

/// `@ann`, as a host has it: no team, no role, no address.
fn person(name: &str) -> Option<&str> {
    let name = name.strip_prefix('@')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = (1..=100).contains(&name.len())
        && name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    good.then_some(name)
}

/// Whether a pattern is of a file. As in `.gitignore`: one with a slash in it, but for its end, begins at the top; one that ends in
/// a slash, or names a folder, is of all below it.
fn fits(pattern: &str, file: &str) -> bool {
    let inner = pattern.trim_end_matches('/');
    let (anchored, folder) = (inner.contains('/'), pattern.ends_with('/'));
    let wanted: Vec<&str> = inner.split('/').filter(|part| !part.is_empty()).collect();
    let parts: Vec<&str> = file.split('/').collect();
    if wanted.is_empty() {
        return false;
    }
    let starts = if anchored { 0..1 } else { 0..parts.len() };
    starts.into_iter().any(|at| of(&wanted, &parts[at..], folder))
}

/// Whether the first parts are the pattern's. Where it ends in `*`, nothing below the next folder is meant.
fn of(wanted: &[&str], parts: &[&str], folder: bool) -> bool {
    // By rows, so that no pattern takes long: which of the parts may come next.
    let mut next = vec![false; parts.len() + 1];
    next[0] = true;
    for want in wanted {
        let mut after = vec![false; parts.len() + 1];
        for at in (0..=parts.len()).filter(|at| next[*at]) {
            match *want {
                "**" => after[at..].fill(true),
                want if at < parts.len() && word(want.as_bytes(), parts[at].as_bytes()) => {
                    after[at + 1] = true
                }
                _ => {}
            }
        }
        next = after;
    }
    let below = !wanted.last().is_some_and(|last| *last == "*" && wanted.len() > 1);
    match (next[parts.len()], folder) {
        (true, false) => true,
        (_, true) => next[..parts.len()].contains(&true),
        (false, false) => below && next[..parts.len()].contains(&true),
    }
}

/// Whether a name is what a pattern with `*` and `?` says.
fn word(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: &str = ".github/workflows/ci.yml";

    #[test]
    fn the_last_line_that_fits_counts() {
        let text = "# all\n*  @ann @bob\n/.github/  @octo/infra @carl\n/.github/workflows/release.yml @eve\ndocs/* @dan\n";
        assert_eq!(owners(text, CI), ["carl"], "a team can't be assigned");
        assert_eq!(owners(text, "src/a.rs"), ["ann", "bob"]);
        assert_eq!(owners(text, "docs/a.md"), ["dan"]);
        assert_eq!(owners(text, "docs/b/a.md"), ["ann", "bob"], "no folder below is meant");
        assert_eq!(owners(".github @ann\n.github/workflows\n", CI), [""; 0], "it is taken from everybody");
        assert_eq!(owners("[CI] @ann\n^[Docs]\n* @bob # @eve\n", CI), ["bob"]);
        assert_eq!(owners("", CI), [""; 0]);
    }

    #[test]
    fn patterns_are_those_of_gitignore() {
        for (pattern, file, want) in [
            ("*", CI, true),
            ("*.yml", CI, true),
            ("*.yaml", CI, false),
            ("ci.yml", CI, true),
            ("/ci.yml", CI, false),
            ("workflows/", CI, true),
            ("/workflows/", CI, false),
            ("/.github/workflows/*", CI, true),
            ("/.github/*", CI, false),
            ("/.github/**", CI, true),
            ("**/workflows", CI, true),
            ("/.github/**/ci.yml", CI, true),
            (".github/workflows/c?.yml", CI, true),
            ("ci.yml/", CI, false),
            ("/", CI, false),
            ("**", ".gitlab-ci.yml", true),
            ("/.gitlab-ci.yml", ".gitlab-ci.yml", true),
        ] {
            assert_eq!(fits(pattern, file), want, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_persons_name_is_nobodys() {
        let names = "* @ann a@b.example @ @@maintainer @octo/team @-x @a\u{202e}b @a\"b @<b> @a;rm ann @bob";
        assert_eq!(owners(names, CI), ["ann", "bob"]);
        let many: String = (0..50).map(|n| format!(" @u{n}")).collect();
        assert_eq!(owners(&format!("*{many}"), CI).len(), MOST);
        // Neither long nor nested, nor what would take a matcher for ever.
        assert_eq!(owners(&format!("{} @ann\n* @bob", "*".repeat(5_000)), CI), ["bob"]);
        assert_eq!(owners(&format!("{} @ann", "**/".repeat(2_000) + "x"), CI), [""; 0]);
        assert_eq!(owners(&format!("* @{}", "a".repeat(101)), CI), [""; 0]);
    }
}
