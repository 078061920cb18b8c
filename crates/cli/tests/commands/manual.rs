//! What the README and the manual say to type is typed: every block ```` ```sh,run ```` in a fresh folder with an empty HOME, by a
//! shell. Whatever can't be run as it stands has its reason in docs/tried.md, which readers see, and a test that runs it
//! otherwise, if there is one.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;

use crate::{
    fences::{Fence, commands, fences, pages},
    said::Bare,
    support::{
        stage::{REGREEN, said},
        toolchain::toolchain,
    },
};

/// A row of docs/tried.md.
struct Row {
    /// How a line begins that it is about.
    starts: String,
    /// The files that run such commands, or none.
    tests: Vec<String>,
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(top().join("docs/tried.md")).unwrap();
    let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let cells = text.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{line}");
        assert!(cells[1].trim().len() > 4, "no reason: {line}");
        Row { starts: code(cells[0]).concat(), tests: code(cells[2]) }
    });
    cells.collect()
}

fn blocks() -> Vec<(String, Fence)> {
    let named = pages().into_iter().flat_map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = fences(&fs::read_to_string(&path).unwrap());
        found.into_iter().map(move |fence| (name.clone(), fence))
    });
    named.collect()
}

/// Every command that some page names and no test types as it stands there, with its place; and each command that there is.
fn not_typed() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (page, fence) in blocks().into_iter().filter(|(_, fence)| !fence.marks.iter().any(|m| m == "run")) {
        for (line, typed) in fence.typed() {
            let place = format!("{page}:{line}");
            let own = commands(&typed).into_iter().map(|words| (place.clone(), words.join(" ")));
            match fence.language.as_str() {
                "sh" | "console" | "" if !typed.starts_with("regreen ") => {
                    found.push((place, typed.trim_start_matches("target/release/").to_owned()));
                }
                _ => found.extend(own),
            }
        }
    }
    let all = headings().into_iter().map(|command| ("cli.md".to_owned(), format!("regreen {command}")));
    found.extend(all);
    found
}

/// The words of each command after `regreen`, groups and all.
fn headings() -> BTreeSet<String> {
    let text = fs::read_to_string(top().join("docs/cli.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(" `regreen "));
    lines.map(|name| name.trim_end_matches('`').to_owned()).collect()
}

/// The row that speaks of this line: the one that says most.
fn row<'r>(rows: &'r [Row], line: &str) -> Option<&'r Row> {
    let begins = |row: &&Row| {
        line.strip_prefix(&row.starts).is_some_and(|rest| {
            row.starts.ends_with('/') || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-')
        })
    };
    rows.iter().filter(begins).max_by_key(|row| row.starts.len())
}

/// Whether somewhere in this text a list of arguments begins with the words of the command.
fn begins_arguments(text: &str, command: &str) -> bool {
    let words: Vec<String> = command.split(' ').map(|word| format!("\"{}\"", regex::escape(word))).collect();
    Regex::new(&format!(r"[\[(]\s*{}\s*[,\])]", words.join(r",\s*"))).unwrap().is_match(text)
}

#[test]
fn a_tests_words_are_arguments_only_where_they_stand_together() {
    for (text, begins) in [
        (r#"bare.tell(&["incidents", "list"])"#, true),
        ("args([\n    \"incidents\",\n    \"list\",\n])", true),
        (r#"args(["list", "incidents", "x"])"#, false),
        (r#"args(["incidents", "show"]); args(["list"])"#, false),
        (r#"{"incidents": ["list"]}"#, false),
        ("// regreen incidents list", false),
    ] {
        assert_eq!(begins_arguments(text, "incidents list"), begins, "{text}");
    }
}

#[test]
fn what_the_manual_says_to_type_is_typed() {
    let mut typed = 0;
    for (page, fence) in blocks().iter().filter(|(_, fence)| fence.marks.iter().any(|m| m == "run")) {
        let bare = Bare::new();
        let log = "$ npm ci\nnpm error code ECONNRESET\nnpm error network read ECONNRESET\n";
        fs::create_dir(bare.work().join("logs")).unwrap();
        for name in ["build.log", "logs/build.log"] {
            fs::write(bare.work().join(name), log).unwrap();
        }
        let mut shell = Command::new("bash");
        let here = Path::new(REGREEN).parent().unwrap();
        let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
        let text = fence.text();
        shell.args(["-euc", &text]).current_dir(bare.work()).env_clear().envs(toolchain()).env("PATH", path);
        shell.env("HOME", bare.base().join("home"));
        let ended = said(&mut shell);
        let code = fence.marks.iter().find_map(|mark| mark.strip_prefix("exit-"));
        let expected = code.map_or(0, |code| code.parse().unwrap());
        assert_eq!(ended.code, expected, "{page}:{}: {text}\n{}", fence.line, ended.err);
        typed += 1;
    }
    assert!(typed > 6, "{typed} blocks were run");
}

#[test]
fn what_is_not_typed_has_a_reason_that_readers_see() {
    let rows = rows();
    let (mut without, mut used) = (Vec::new(), BTreeSet::new());
    for (place, line) in not_typed() {
        match row(&rows, &line) {
            Some(row) => _ = used.insert(&row.starts),
            None => without.push(format!("{place}: `{line}` is neither run nor has a row in docs/tried.md")),
        }
    }
    let idle = rows.iter().filter(|row| !used.contains(&row.starts));
    without.extend(idle.map(|row| format!("docs/tried.md: no page has `{}` (any more)", row.starts)));
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn the_tests_that_are_named_for_them_run_them() {
    let (rows, headings) = (rows(), headings());
    let mut wrong = BTreeSet::new();
    let text = |file: &str| fs::read_to_string(top().join(file)).unwrap_or_default();
    for row in &rows {
        let missing = row.tests.iter().filter(|file| text(file).is_empty());
        wrong.extend(missing.map(|file| format!("`{}`: there is no {file}", row.starts)));
        let pictures = row.tests.iter().filter(|file| file.contains("/help_") || file.ends_with("manual.rs"));
        wrong.extend(pictures.map(|file| format!("`{}`: {file} runs no command", row.starts)));
    }
    let mut idle: BTreeSet<_> =
        rows.iter().flat_map(|row| row.tests.iter().map(|file| (&row.starts, file))).collect();
    let group = |words: &str| headings.iter().any(|heading| heading.starts_with(&format!("{words} ")));
    for (place, line) in not_typed() {
        let Some(row) = row(&rows, &line) else { continue };
        let command = match line.strip_prefix("regreen ") {
            // `target/release/examples/intake` is called `intake`.
            None => row.starts.rsplit(['/', ' ']).find(|part| !part.is_empty()).unwrap_or_default(),
            // A group is run by whoever runs its commands.
            Some(words) if group(words) => continue,
            Some(words) => {
                let is_it =
                    |heading: &&String| words == *heading || words.starts_with(&format!("{heading} "));
                let Some(command) = headings.iter().filter(is_it).max_by_key(|heading| heading.len()) else {
                    wrong.insert(format!("{place}: `{line}` is no command"));
                    continue;
                };
                command
            }
        };
        let run: Vec<_> = row.tests.iter().filter(|file| begins_arguments(&text(file), command)).collect();
        let wanted = line.starts_with("regreen ") || !row.tests.is_empty();
        let none = (wanted && run.is_empty())
            .then(|| format!("`{}`: none of its tests runs `{command}`", row.starts));
        wrong.extend(none);
        for file in run {
            idle.remove(&(&row.starts, file));
        }
    }
    wrong.extend(idle.iter().map(|(starts, file)| format!("`{starts}`: {file} runs none of its commands")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
