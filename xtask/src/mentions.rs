//! What pages name of this repository is there: scripts, files, tasks of the workshop, examples and tests of a crate; and where they
//! name the version, it is the workspace's.

use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::{dist::VERSION, soak, top};

/// Folders of this repository that no other has by such a name.
const OURS: [&str; 5] = ["scripts/", "crates/", "integrations/", "packaging/", "xtask/"];

/// What is shipped and says the version, with what stands before it there.
const SHIPPED: [(&str, &str); 9] = [
    ("action.yml", "default: \""),
    ("action.yml", "e.g. "),
    ("integrations/azure/azure-pipelines.yml", "REGREEN_VERSION: \""),
    ("integrations/buildkite/pipeline.yml", "REGREEN_VERSION: \""),
    ("integrations/circleci/config.yml", "REGREEN_VERSION: \""),
    ("integrations/gitlab/templates/infrastructure-auto-healing.yml", "default: \""),
    ("integrations/install.sh", "e.g. "),
    ("packaging/helm/regreen/Chart.yaml", "\nversion: "),
    ("packaging/helm/regreen/Chart.yaml", "\nappVersion: \""),
];

/// What is wrong with a page: each command or file that there is not, and another version than this.
pub fn complaints(shown: &str, text: &str) -> Vec<String> {
    let named = code(text).into_iter().filter_map(|(line, said)| {
        missing(&said).map(|what| format!("{shown}:{line}: `{said}`: there is no {what}"))
    });
    let old = versions(text).into_iter().filter(|(_, version)| *version != VERSION);
    named
        .chain(old.map(|(line, version)| format!("{shown}:{line}: {version} is not this version, {VERSION}")))
        .collect()
}

/// Which of what is shipped names another version.
///
/// # Errors
/// Where one can't be read.
pub fn shipped() -> Result<Vec<String>, String> {
    let mut complaints = Vec::new();
    for (file, before) in SHIPPED {
        let text = std::fs::read_to_string(top().join(file)).map_err(|e| format!("{file}: {e}"))?;
        if !text.contains(&format!("{before}{VERSION}")) {
            complaints.push(format!("{file}: it does not say version {VERSION}"));
        }
    }
    Ok(complaints)
}

/// Code within sentences, and lines of blocks that somebody types; each with its line.
fn code(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut typed = false;
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Code(words) => found.push((line(range.start), words.into_string())),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                typed = ["sh", "console", ""].contains(&info.split(',').next().unwrap_or_default());
            }
            Event::End(TagEnd::CodeBlock) => typed = false,
            Event::Text(block) if typed => {
                let first = line(range.start);
                let lines =
                    block.lines().enumerate().map(|(at, said)| (first + at, said.trim_start_matches("$ ")));
                found.extend(lines.map(|(at, said)| (at, said.to_owned())));
            }
            _ => {}
        }
    }
    found
}

/// What a command or path names that this repository does not have.
fn missing(said: &str) -> Option<String> {
    let words: Vec<&str> = said.split_whitespace().take_while(|word| *word != "#").collect();
    let first = *words.first()?;
    let pattern = |word: &str| word.contains(['<', '*', '…', '{', '$']);
    if OURS.iter().any(|folder| first.starts_with(folder)) && !pattern(first) {
        return (!top().join(first).exists()).then(|| first.to_owned());
    }
    if let Some(name) = first.strip_prefix("target/release/examples/") {
        let crates = std::fs::read_dir(top().join("crates")).into_iter().flatten().flatten();
        let known = crates.map(|of| of.path().join(format!("examples/{name}.rs"))).any(|file| file.exists());
        return (!known).then(|| format!("example {name}"));
    }
    if first != "cargo" {
        return None;
    }
    if words.get(1) == Some(&"xtask") {
        let task = words.get(2)?;
        let source = |file: String| top().join("xtask/src").join(file).exists();
        if !source(format!("{task}.rs")) && !source(format!("{task}/mod.rs")) {
            return Some(format!("task {task}"));
        }
        let suite =
            words.get(3).filter(|word| *task == "soak" && word.chars().all(|c| c.is_ascii_lowercase()));
        return suite.filter(|name| !soak::suites().contains(name)).map(|name| format!("suite {name}"));
    }
    let after =
        |flags: &[&str]| words.iter().position(|word| flags.contains(word)).and_then(|at| words.get(at + 1));
    let package = after(&["-p", "--package"]).and_then(|name| name.strip_prefix("regreen-"));
    if let Some(name) = package {
        let folder = Path::new("crates").join(name);
        let there = |file: String| top().join(&folder).join(file).exists();
        if !top().join(&folder).exists() {
            return Some(format!("crate {name}"));
        }
        if let Some(example) = after(&["--example"]).filter(|name| !there(format!("examples/{name}.rs"))) {
            return Some(format!("example {example}"));
        }
        let known =
            |name: &&&str| there(format!("tests/{name}.rs")) || there(format!("tests/{name}/main.rs"));
        return after(&["--test"]).filter(|name| !known(name)).map(|name| format!("test {name}"));
    }
    after(&["--path"]).filter(|path| !top().join(path).exists()).map(|path| (*path).to_owned())
}

/// Versions of Regreen's that stand in a text: after its name and a `-`, an `@v`, a `tag v` or the like.
fn versions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for before in ["regreen@v", "regreen-", "regreen:", "rev: v", "REGREEN_VERSION: ", "REGREEN_VERSION="]
        {
            for (start, _) in line.match_indices(before) {
                let rest = line[start + before.len()..].trim_start_matches('"');
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let version = rest[..end].trim_end_matches('.');
                let parts: Vec<&str> = version.split('.').collect();
                if parts.len() == 3 && parts.iter().all(|part| !part.is_empty()) {
                    found.push((at + 1, version));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_found() {
        let gone = |said: &str| missing(said).unwrap_or_default();
        assert_eq!(gone("scripts/test"), "");
        assert_eq!(gone("scripts/tset --all"), "scripts/tset");
        assert_eq!(gone("crates/lockfile/tests/data/<tool>"), "");
        assert_eq!(gone("cargo xtask soak kill"), "");
        assert_eq!(gone("cargo xtask soak [SUITE]"), "");
        assert_eq!(gone("cargo xtask soak kiln"), "suite kiln");
        assert_eq!(gone("cargo xtask bench"), "task bench");
        assert_eq!(gone("cargo run -p regreen-server --example outage 500 3"), "");
        assert_eq!(gone("cargo run -p regreen-server --example outrage"), "example outrage");
        assert_eq!(gone("cargo test -p regreen-cli --test scenarios -- --include-ignored"), "");
        assert_eq!(gone("cargo test -p regreen-cli --test scenery"), "test scenery");
        assert_eq!(gone("cargo bench -p regreen-lockfiles"), "crate lockfiles");
        assert_eq!(gone("target/release/examples/intake 1000 60"), "");
        assert_eq!(gone("target/release/examples/outtake"), "example outtake");
        assert_eq!(gone("cargo install --path crates/cli --locked"), "");
        assert_eq!(gone("cargo fetch --locked"), "");
    }

    #[test]
    fn commands_are_found_in_sentences_and_blocks_with_their_lines() {
        let page = "`scripts/a` x\n\n```sh\nscripts/b # c\n```\n\n```toml\nscripts/d\n```\n\n| `scripts/e` |\n|---|\n";
        let found = complaints("p", page);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        let want = [
            "p:1: `scripts/a`: there is no scripts/a",
            "p:4: `scripts/b # c`: there is no scripts/b",
            "p:11: `scripts/e`: there is no scripts/e",
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn another_version_is_found() {
        let page = "uses: regreen/regreen@v9.1.0\nregreen-9.2.0-linux-x86_64\nrev: v9.3.0\nversion 3.2.1, regreen-VERSION\n";
        assert_eq!(versions(page), [(1, "9.1.0"), (2, "9.2.0"), (3, "9.3.0")]);
        assert_eq!(complaints("p", page).len(), 3);
        assert!(complaints("p", &format!("regreen/regreen@v{VERSION}")).is_empty());
    }
}
