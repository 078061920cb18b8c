//! What a page says to type: its fenced blocks, and the lines of them that somebody types. `tests/commands/manual.rs` reads pages
//! by the same rules.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Pages that say what once was.
const LEFT_OUT: [&str; 1] = ["CHANGELOG.md"];

/// The README and all pages, without those that only say what once was.
pub fn pages() -> Vec<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut open = vec![top.join("docs"), top.join("integrations")];
    let mut found = vec![top.join("README.md"), top.join("CONTRIBUTING.md")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path if path.extension().is_some_and(|e| e == "md") => found.push(path),
                _ => {}
            }
        }
    }
    found.retain(|path| !LEFT_OUT.iter().any(|name| path.ends_with(name)));
    found.sort();
    found
}

/// A fenced block.
pub struct Fence {
    /// The line of its opening.
    pub line: usize,
    /// The first word of what stands there: `sh` of `sh,run`.
    pub language: String,
    /// The others.
    pub marks: Vec<String>,
    /// Its lines, with their numbers.
    lines: Vec<(usize, String)>,
}

/// The blocks of a page.
pub fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<Fence> = None;
    for (at, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(info), None) => {
                let mut words = info.split(',').map(str::to_owned);
                let language = words.next().unwrap_or_default();
                open = Some(Fence { line: at + 1, language, marks: words.collect(), lines: Vec::new() });
            }
            (None, Some(fence)) => fence.lines.push((at + 1, line.to_owned())),
            (None, None) => {}
        }
    }
    found
}

impl Fence {
    /// The block as it stands.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// What a person types into a shell, or a CI system does, each with its line. A block without a language is read as
    /// a shell's, so that no command is lost in one.
    pub fn typed(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut joined = String::new();
        for (at, line) in &self.lines {
            let said = match self.language.as_str() {
                "console" => line.strip_prefix("$ "),
                "sh" | "" => Some(line.strip_prefix("$ ").unwrap_or(line)),
                "yaml" | "groovy" if commands(line).is_empty() && joined.is_empty() => None,
                "yaml" | "groovy" => Some(line.as_str()),
                _ => None,
            };
            joined.push_str(said.unwrap_or_default());
            if let Some(more) = joined.strip_suffix('\\') {
                joined = more.to_owned();
                continue;
            }
            let line = std::mem::take(&mut joined);
            if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                found.push((*at, line.trim().to_owned()));
            }
        }
        if self.language == "text" {
            found.extend(examples(&self.text()).into_iter().map(|line| (self.line, line)));
        }
        found
    }
}

/// The examples that end a command's help, as in docs/cli.md.
pub fn examples(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Example"));
    let lines = lines.filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with('{'));
    // What stands further to the right says what it does.
    lines.map(|line| line.split("    ").next().unwrap_or(line).trim_end().to_owned()).collect()
}

/// The commands of Regreen's in one line of a shell's, a YAML's or a Groovy's.
pub fn commands(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("regreen ").filter(|(at, _)| {
        let before = line[..*at].trim_end_matches("target/release/").trim_end_matches("./");
        let last = before.chars().next_back();
        last.is_none_or(|c| c == '\'' || c == '"' || (c == ' ' && starts_one(before)))
    });
    starts.map(|(at, _)| words(&line[at..], line[..at].chars().next_back())).collect()
}

/// Whether a command may begin after these words: nothing, a separator, variables, or YAML's keys.
fn starts_one(before: &str) -> bool {
    let last = before.split_whitespace().next_back().unwrap_or("&&");
    let opens = ["&&", "||", "|", ";", "-", "run:", "script:", "then", "do", "env", "$"];
    opens.contains(&last) || last.ends_with(';') || (last.contains('=') && !last.starts_with('-'))
}

/// The words up to the end of the command, as a shell splits them; variables stay as they are.
fn words(text: &str, around: Option<char>) -> Vec<String> {
    let around = around.filter(|c| matches!(c, '\'' | '"'));
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if Some(c) == around => break,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == ' ' => words.extend(word.take()),
            None if matches!(c, '|' | '>' | ';' | '&' | '<') || (c == '#' && word.is_none()) => break,
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    // `2>` and the like belong to the shell.
    words.retain(|word| word != "…" && word != "2");
    words
}
