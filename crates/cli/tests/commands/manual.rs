//! What the README and the manual say to type is typed: every block ```` ```sh,run ```` in a fresh folder with an empty HOME, by a
//! shell. What can't be run here has a reason.

use std::{fs, path::Path, process::Command};

use crate::{
    said::Bare,
    support::stage::{REGREEN, said},
};

/// What no test types as it stands in the manual, and why. Whatever follows `regreen` is parsed all the same (`src/documented.rs`),
/// and each of its commands is run by another test of this crate.
const NOT_RUN: [(&str, &str); 31] = [
    ("regreen run", "wants a package manager's project: tests/scenarios.rs"),
    ("regreen demo", "wants a package manager, and takes seconds: tests/terminal.rs"),
    ("regreen serve", "waits for webhooks: tests/fleet.rs"),
    ("regreen worker", "waits for work: tests/fleet.rs"),
    ("regreen dispatch", "wants a CI host: tests/fleet.rs"),
    ("regreen token", "writes a fleet's ledger: tests/fleet.rs"),
    ("regreen report --git", "asks a CI host: tests/commands/history.rs"),
    ("regreen report --format html", "the same as without: tests/commands/report.rs"),
    ("regreen report --corpus", "wants labelled logs"),
    ("regreen bench", "takes minutes, or wants labelled logs: tests/bench.rs"),
    ("regreen lockfile", "wants lockfiles: tests/commands/lockfile.rs"),
    ("regreen cache", "wants caches: tests/commands/cache.rs"),
    ("regreen notify", "tells somebody: tests/commands/notify.rs"),
    ("regreen ledger", "wants a ledger: tests/commands/help_ledger.rs and crates/ledger"),
    ("regreen state", "wants something on record: tests/commands/transfer.rs"),
    ("regreen patterns", "wants files of the reader's: tests/commands/proving.rs"),
    ("regreen playbooks", "takes seconds: crates/engine/tests/rehearse.rs"),
    ("regreen init", "writes into a repository: its own tests"),
    ("regreen report logs/", "docs/start.md has it, and there it is run"),
    ("target/release/examples/intake", "measures for minutes: crates/server/tests/load.rs"),
    ("curl", "asks a server that waits: crates/server/tests/api"),
    ("ssh", "wants another machine"),
    ("gh", "wants GitHub"),
    ("cargo", "builds, or measures for minutes"),
    ("scripts/", "builds everything"),
    ("openssl", "makes a secret below /etc"),
    ("install", "writes below /etc"),
    ("systemctl", "wants a running systemd"),
    ("kubectl", "wants a cluster"),
    ("helm", "wants a cluster; the chart is rendered by `cargo xtask soak packages`"),
    ("sha256sum", "wants a release; `cargo xtask soak packages` does it"),
];

struct Block {
    place: String,
    info: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = fs::read_dir(top.join("docs")).unwrap().flatten().map(|entry| entry.path());
    let pages =
        docs.filter(|path| path.extension().is_some_and(|e| e == "md")).chain([top.join("README.md")]);
    let mut found = Vec::new();
    for path in pages {
        let mut open: Option<Block> = None;
        let text = fs::read_to_string(&path).unwrap();
        for (at, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(_), Some(_)) => found.extend(open.take()),
                (Some(info), None) => {
                    let place = format!("{}:{}", path.file_name().unwrap().display(), at + 1);
                    open = Some(Block { place, info: info.to_owned(), text: String::new() });
                }
                (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
                (None, None) => {}
            }
        }
    }
    found.retain(|block| block.info.split(',').next() == Some("sh"));
    found
}

#[test]
fn what_the_manual_says_to_type_is_typed() {
    let mut typed = 0;
    for block in blocks().iter().filter(|block| block.info.contains(",run")) {
        let bare = Bare::new();
        let log = "$ npm ci\nnpm error code ECONNRESET\nnpm error network read ECONNRESET\n";
        fs::create_dir(bare.work().join("logs")).unwrap();
        for name in ["build.log", "logs/build.log"] {
            fs::write(bare.work().join(name), log).unwrap();
        }
        let mut shell = Command::new("bash");
        let here = Path::new(REGREEN).parent().unwrap();
        let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap());
        shell.args(["-euc", &block.text]).current_dir(bare.work()).env_clear().env("PATH", path);
        shell.env("HOME", bare.base().join("home"));
        let ended = said(&mut shell);
        let expected = block.info.split(",exit-").nth(1).map_or(0, |code| code.parse().unwrap());
        assert_eq!(ended.code, expected, "{}: {}\n{}", block.place, block.text, ended.err);
        typed += 1;
    }
    assert!(typed > 5, "{typed} blocks were run");
}

#[test]
fn what_is_not_typed_has_a_reason() {
    let mut without = Vec::new();
    for block in blocks().iter().filter(|block| !block.info.contains(",run")) {
        let text = block.text.replace("\\\n", " ");
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let unreasoned = lines.filter(|line| !NOT_RUN.iter().any(|(start, _)| line.starts_with(start)));
        without.extend(
            unreasoned.map(|line| format!("{}: `{line}` is neither run nor has a reason", block.place)),
        );
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}
