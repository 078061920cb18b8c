//! `self check`, and the man pages that packages carry.

use std::{fs, process::Command};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    said::{Bare, tell},
    support::stage::{REGREEN, said},
};

#[test]
fn a_self_check_says_what_this_is_and_what_does_not_work() {
    let bare = Bare::new();
    let told = |arguments: &[&str]| {
        bare.tell(arguments).replace(REGREEN, "[PROGRAM]").replace(std::env::consts::ARCH, "[ARCH]")
    };
    let plain = told(&["self", "check"]);
    let sound: Vec<&str> = plain
        .lines()
        .filter(|line| !["catalogue", "model", "update"].iter().any(|name| line.starts_with(name)))
        .collect();
    assert_snapshot!(sound.join("\n"), @r"
    exit code 0
    --- out
    regreen        0.1.0 for linux [ARCH], glibc
    program        [PROGRAM]
    configuration  no file of the operator's; the defaults hold
    own patterns   0
    state folder   [BASE]/state/regreen
    ledger         nothing is on record in this workspace
    nothing is wrong
    ");
    let json: Value =
        serde_json::from_slice(&said(&mut bare.command(&["self", "check", "--format", "json"])).out).unwrap();
    assert_eq!((&json["version"], &json["sound"]), (&json!(1), &json!(true)));
    assert!(
        json["patterns"][0].as_u64() > Some(500) && json["model"].as_str().unwrap().len() == 12,
        "{json}"
    );

    fs::create_dir_all(bare.base().join("home/.config/regreen")).unwrap();
    fs::write(bare.base().join("home/.config/regreen/config.toml"), "mode = \"always\"\n").unwrap();
    let mut broken =
        bare.command(&["self", "check", "--patterns", "nowhere", "--ledger", "/dev/null/ledger.db"]);
    broken.env("XDG_STATE_HOME", "/proc/1/nobody");
    let told = tell(&mut broken, bare.base());
    let problems: Vec<&str> = told
        .lines()
        .filter(|l| l.contains("problem:") || l.contains("help:") || l.contains("code"))
        .collect();
    assert_snapshot!(problems.join("\n"), @r"
    exit code 18
    configuration  problem: [BASE]/home/.config/regreen/config.toml:1:8: mode is one of observe, suggest, approve, auto
    own patterns   problem: 0, and 1 left out; the first: this pattern is left out: nowhere: No such file or directory (os error 2); help: name a folder of pattern files with --patterns, REGREEN_PATTERNS or `patterns` in the configuration
    state folder   problem: /proc/1/nobody/regreen can't be written to: No such file or directory (os error 2)
    ledger         problem: failed to open the ledger `/dev/null/ledger.db`: Not a directory (os error 20)
      help: `regreen patterns test FILE` says what is wrong
      help: set XDG_STATE_HOME to a folder that only you can write to
    ");
}

#[test]
fn help() {
    assert_snapshot!(Bare::new().tell(&["self", "check", "--help"]), @r#"
    exit code 0
    --- out
    Say which version this is, what it knows, what it reads, and what is out of date as far as that
    shows here

    Usage: regreen self check [OPTIONS]

    Options:
          --color <WHEN>
              When to colour: only on a terminal, always or never (also NO_COLOR)

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

          --format <FORMAT>
              How to say it

              Possible values:
              - plain: For people
              - json:  For programs: one object a line
              
              [default: plain]

          --patterns <DIR>
              A folder of your own patterns, beside the built-in ones and those in the repository's
              .regreen/patterns (default: `patterns` in the operator's configuration)
              
              [env: REGREEN_PATTERNS=]

          --ledger <ADDRESS>
              A fleet's ledger, postgres://USER@HOST/DATABASE or a file; else this workspace's
              
              [env: REGREEN_LEDGER]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      regreen self check
      regreen self check --format json

    Nothing is asked over the network. Exit code: 0 nothing is wrong, 18 something is.
    "#);
}

#[test]
fn man_pages_are_written_one_a_command() {
    let bare = Bare::new();
    let folder = bare.base().join("man");
    let mut manual = Command::new(REGREEN);
    assert_eq!(said(manual.args(["manual", "--man"]).arg(&folder)).code, 0);
    let page = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert!(page("regreen.1").contains("regreen\\-run(1)"), "{}", page("regreen.1"));
    assert!(page("regreen-incidents-show.1").contains("\\-\\-log"));
    // As `--help` has it.
    let run = page("regreen-run.1").replace('\\', "");
    let (_, synopsis) = run.split_once(".SH SYNOPSIS\n").unwrap();
    assert!(synopsis.starts_with("fBregreen runfR [OPTIONS] -- <CMD>...\n"), "{synopsis}");
    let (_, option) = run.split_once("fB--timeoutfR").unwrap();
    assert!(option.starts_with(" fI<DURATION>fR\n"), "{option}");
    assert!(!folder.join("regreen-manual.1").exists(), "a hidden command has a page");
}
