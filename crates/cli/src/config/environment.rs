//! docs/configuration.md names every variable of the environment that the program reads by a name of its own, and none that it
//! does not read.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory;

use crate::args::Args;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The first column of the table, below the heading.
fn listed() -> BTreeSet<String> {
    let text = fs::read_to_string(top().join("docs/configuration.md")).unwrap();
    let (_, section) = text.split_once("\n## The environment\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned()).collect()
}

/// Every piece of text in the program that stands alone between quotation marks and is written like a variable.
fn written() -> BTreeSet<String> {
    let mut open: Vec<PathBuf> =
        fs::read_dir(top().join("crates")).unwrap().flatten().map(|e| e.path().join("src")).collect();
    // The scripts of other CI systems, made-up projects, tests.
    let apart = ["init", "lab", "testkit", "fuzz"];
    let mut found = BTreeSet::new();
    while let Some(path) = open.pop() {
        let within = path.strip_prefix(top()).unwrap_or(&path);
        if within.iter().any(|part| apart.iter().any(|name| part == *name))
            || path.ends_with("environment.rs")
        {
            continue;
        }
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        } else if let Ok(text) = fs::read_to_string(&path) {
            let plain =
                |word: &&str| word.len() > 4 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            found.extend(text.split('"').filter(plain).map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_variable_is_in_the_manual() {
    let (listed, written) = (listed(), written());
    let mut read: BTreeSet<String> =
        written.iter().filter(|name| name.starts_with("REGREEN_")).cloned().collect();
    let mut open = vec![Args::command()];
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands().cloned());
        let named = command.get_arguments().filter_map(|arg| arg.get_env());
        read.extend(named.map(|name| name.to_string_lossy().into_owned()));
    }
    assert!(read.len() > 15, "{read:?}");
    let missing: Vec<_> = read.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/configuration.md does not name {missing:?}");
    let unread: Vec<_> =
        listed.iter().filter(|name| !read.contains(*name) && !written.contains(*name)).collect();
    assert!(unread.is_empty(), "docs/configuration.md names {unread:?}, which nothing reads");
}
