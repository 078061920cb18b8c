//! What the program says can be followed by whoever installed it: no package carries the manual's pages, so no message sends to a
//! file in docs/; and where one names a page by its title, there is such a page.

use std::{fs, path::Path};

use crate::top;

/// How a message names a page; its title and a closing quotation mark follow.
const PAGE: &str = "the manual's page “";

/// What is wrong with the messages of a source file. Comments and tests talk to people who have the source.
pub fn complaints(shown: &str, text: &str, titles: &[String]) -> Vec<String> {
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = program.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    let mut complaints = Vec::new();
    for (at, line) in lines {
        let place = format!("{shown}:{}", at + 1);
        if sends_to_a_file(line) {
            complaints
                .push(format!("{place}: no package carries docs/; say it, or which command or page says it"));
        }
        let named = line.split(PAGE).skip(1).filter_map(|rest| rest.split('”').next());
        let gone = named.filter(|title| !titles.iter().any(|known| known == title));
        complaints.extend(gone.map(|title| format!("{place}: no page of docs/ has the title “{title}”")));
    }
    complaints
}

/// Whether a line names a page by its file, but for a test that reads it.
fn sends_to_a_file(line: &str) -> bool {
    let name = |rest: &str| {
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_/.".contains(c))).unwrap_or(rest.len());
        rest[..end].trim_end_matches('.').ends_with(".md")
    };
    let of_a_test = ["join(\"docs/", "assert!("].iter().any(|part| line.contains(part));
    line.split("docs/").skip(1).any(name) && !of_a_test
}

/// The titles of all pages.
pub fn titles() -> Vec<String> {
    let pages = fs::read_dir(top().join("docs")).into_iter().flatten().flatten().map(|entry| entry.path());
    let texts = pages.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    texts.filter_map(|path| fs::read_to_string(path).ok()).filter_map(|text| title(&text)).collect()
}

fn title(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("# ")).map(str::to_owned)
}

/// Whether a file is of the program, and not of its tests or of the workshop.
pub fn is_of_the_program(path: &Path) -> bool {
    let below = path.strip_prefix(top()).unwrap_or(path);
    let mut parts = below.components().map(|part| part.as_os_str());
    parts.next().is_some_and(|first| first == "crates") && parts.nth(1).is_some_and(|second| second == "src")
}

#[cfg(test)]
mod tests {
    use super::complaints;

    #[test]
    fn a_message_sends_nobody_to_a_file_that_only_the_source_has() {
        let titles = ["Caches".to_owned()];
        let of = |line: &str| complaints("a.rs", line, &titles);
        assert_eq!(of("    .help(\"docs/caches.md lists them\")").len(), 1);
        assert_eq!(of("x (see docs/adr/0001-a.md).\",").len(), 1);
        assert_eq!(of("let e = \"the manual's page “Cashes” says it\";").len(), 1);
        for fine in [
            "/// See docs/caches.md.",
            "let e = \"the manual's page “Caches” says it\";",
            "let text = fs::read_to_string(top().join(\"docs/caches.md\"));",
            "assert!(missing.is_empty(), \"docs/caches.md does not name {missing:?}\");",
            "let text = include_str!(\"docs/caches.html\");",
            "}\n\n#[cfg(test)]\nmod tests {\n    \"docs/a.md\"",
        ] {
            assert_eq!(of(fine), [""; 0], "{fine}");
        }
    }
}
