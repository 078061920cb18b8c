//! Every `regreen …` in the README, the manual and the examples of each command's help is taken by the command line as it is: a
//! block of commands word for word, a command in the middle of a sentence by its names and options. `tests/commands/manual.rs`
//! runs what can be run.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod fences;

use std::fs;

use clap::{CommandFactory, Parser};

use self::fences::{commands, examples, fences, pages};
use crate::args::Args;

/// Names that begin like a command and are none.
const NAMES: [&str; 1] = ["regreen bell of SCHEMA"];

/// What is wrong with a command that stands there as it is typed.
fn refused(words: &[String]) -> Option<String> {
    let refused = Args::try_parse_from(words).err().filter(clap::Error::use_stderr);
    refused.map(|e| format!("{}: {e}", words.join(" ")))
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
        for (line, typed) in fences(&text).iter().flat_map(fences::Fence::typed) {
            for words in commands(&typed) {
                blocks += 1;
                wrong.extend(refused(&words).map(|why| format!("{shown}:{line}: {why}")));
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
    assert!(blocks > 100 && sentences > 100, "{blocks} {sentences}");
}

#[test]
fn every_example_of_a_commands_help_is_one() {
    let mut open = vec![Args::command()];
    let (mut wrong, mut without, mut seen) = (Vec::new(), Vec::new(), 0);
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands().cloned());
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let found = examples(&help);
        if help.contains("Example") && found.is_empty() && !help.contains("{\"mcpServers\"") {
            without.push(format!("{}: no example was found in: {help}", command.get_name()));
        }
        for line in found {
            let words = commands(&line);
            without.extend(words.is_empty().then(|| format!("`{line}` has no command")));
            seen += words.len();
            wrong.extend(words.iter().filter_map(|words| refused(words)));
        }
    }
    assert!(wrong.is_empty() && without.is_empty(), "{wrong:#?} {without:#?}");
    assert!(seen > 90, "{seen} examples");
}

#[test]
fn commands_are_found_in_what_a_shell_reads() {
    let of = |line: &str| commands(line).iter().map(|words| words.join(" ")).collect::<Vec<_>>();
    assert_eq!(of("CI=1 regreen run -- 'npm ci' | tee x"), ["regreen run -- npm ci"]);
    assert_eq!(of("- run: regreen diagnose a.log || true  # x"), ["regreen diagnose a.log"]);
    assert_eq!(of("sh 'regreen run -- mvn verify'"), ["regreen run -- mvn verify"]);
    assert_eq!(of("cd x && regreen status > y; regreen resume"), ["regreen status", "regreen resume"]);
    assert_eq!(of("target/release/regreen bench cache"), ["regreen bench cache"]);
    assert_eq!(of("the regreen binary"), [""; 0]);
    assert!(unknown("regreen incidents show ID --log JOB").is_none());
    assert!(unknown("regreen token create|list|revoke").is_none());
    assert!(unknown("regreen incidents shew").is_some() && unknown("regreen run --gone").is_some());
}

#[test]
fn commands_are_found_in_every_kind_of_block() {
    let page = "```console\n$ regreen resume\nsaid\n```\n\n```\n$ a\nb\n```\n\n```yaml\n- run: regreen status\n- run: x\n```\n\n\
                ```sh,run,exit-10\nregreen \\\n  audit # c\n# d\n```\n\n```toml\nregreen = 1\n```\n\n\
                ```text\nSays.\n\nExamples:\n  regreen pause     for a day\n  x | regreen y\n```\n";
    let found: Vec<String> =
        fences(page).iter().flat_map(fences::Fence::typed).map(|(at, line)| format!("{at} {line}")).collect();
    let want = [
        "2 regreen resume",
        "7 a",
        "8 b",
        "12 - run: regreen status",
        "18 regreen   audit # c",
        "26 regreen pause",
        "26 x | regreen y",
    ];
    assert_eq!(found, want);
    assert_eq!(fences(page)[3].marks, ["run", "exit-10"]);
    assert!(fences(page)[3].text().starts_with("regreen \\\n"), "the block as it stands");
}
