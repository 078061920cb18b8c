//! Every `regreen …` in the README and the manual is taken by the command line as it is: a block of commands word for
//! word, a command in the middle of a sentence by its names and options. `tests/commands/manual.rs` runs what can be run.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, Parser};

use crate::args::Args;

/// Pages that say what once was, or are made from the command line itself.
const LEFT_OUT: [&str; 2] = ["CHANGELOG.md", "cli.md"];

fn pages() -> Vec<PathBuf> {
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
    found
}

/// Names that begin like a command and are none.
const NAMES: [&str; 1] = ["regreen bell of SCHEMA"];

/// Commands of a page's blocks, each with its line.
fn in_blocks(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut block: Option<&str> = None;
    let mut joined = String::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            block = block.is_none().then_some(info.split(',').next().unwrap_or_default());
            continue;
        }
        let Some(language) = block else { continue };
        let said = match language {
            "console" => line.strip_prefix("$ "),
            "sh" | "yaml" | "groovy" => Some(line),
            _ => None,
        };
        joined.push_str(said.unwrap_or_default());
        if let Some(more) = joined.strip_suffix('\\') {
            joined = more.to_owned();
            continue;
        }
        let line = std::mem::take(&mut joined);
        found.extend(commands(&line).into_iter().map(|words| (at + 1, words)));
    }
    found
}

/// The commands of one line of a shell's, a YAML's or a Groovy's.
fn commands(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("regreen ").filter(|(at, _)| {
        let before = line[..*at].trim_end_matches("./").chars().next_back();
        before.is_none_or(|c| c == '\'' || c == '"' || (c == ' ' && starts_one(&line[..*at])))
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

/// What is wrong with a command within a sentence: a name or option that there is not.
fn unknown(text: &str) -> Option<String> {
    let mut command = Args::command();
    command.build();
    let mut at = &command;
    for word in text.split_whitespace().skip(1) {
        if word == "--" {
            return None;
        }
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split(['=', ',', '|', '…']).next().unwrap_or_default();
            let known = at.get_arguments().any(|arg| arg.get_long() == Some(name))
                || ["help", "version"].contains(&name);
            if !known {
                return Some(format!("there is no --{name}"));
            }
        } else if at.has_subcommands() && word.chars().all(|c| c.is_ascii_lowercase() || "-|,".contains(c)) {
            for name in word.split(['|', ',']).filter(|name| !name.is_empty()) {
                match at.find_subcommand(name) {
                    None => return Some(format!("there is no command `{name}`")),
                    Some(found) if name == word => at = found,
                    Some(_) => {}
                }
            }
        }
    }
    None
}

#[test]
fn every_documented_command_is_one() {
    let mut wrong = Vec::new();
    let (mut blocks, mut sentences) = (0, 0);
    for path in pages() {
        let text = fs::read_to_string(&path).unwrap();
        let shown = path.display();
        for (line, words) in in_blocks(&text) {
            blocks += 1;
            if let Err(e) = Args::try_parse_from(&words)
                && e.use_stderr()
            {
                wrong.push(format!("{shown}:{line}: {}: {e}", words.join(" ")));
            }
        }
        for (at, line) in text.lines().enumerate() {
            for code in line
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|code| code.starts_with("regreen ") && !NAMES.contains(code))
            {
                sentences += 1;
                wrong.extend(unknown(code).map(|why| format!("{shown}:{}: `{code}`: {why}", at + 1)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The pages were found, and read as they are written.
    assert!(blocks > 30 && sentences > 100, "{blocks} {sentences}");
}

#[test]
fn commands_are_found_in_what_a_shell_reads() {
    let of = |line: &str| commands(line).iter().map(|words| words.join(" ")).collect::<Vec<_>>();
    assert_eq!(of("CI=1 regreen run -- 'npm ci' | tee x"), ["regreen run -- npm ci"]);
    assert_eq!(of("- run: regreen diagnose a.log || true  # x"), ["regreen diagnose a.log"]);
    assert_eq!(of("sh 'regreen run -- mvn verify'"), ["regreen run -- mvn verify"]);
    assert_eq!(of("cd x && regreen status > y; regreen resume"), ["regreen status", "regreen resume"]);
    assert_eq!(of("the regreen binary"), [""; 0]);
    assert!(unknown("regreen incidents show ID --log JOB").is_none());
    assert!(unknown("regreen token create|list|revoke").is_none());
    assert!(unknown("regreen incidents shew").is_some() && unknown("regreen run --gone").is_some());
}
