//! Somebody's own patterns: the repository's and the operator's, as `diagnose`, `run` and `patterns` know them.

use std::{fs, process::Command};

use insta::assert_snapshot;
use serde_json::Value;

use crate::{said::Bare, support::stage::said};

const AWAY: &str = r#"id = "widget-away"
class = "network-timeout"
title = "widget could not reach its registry"
since = "0.1.0"
status = "stable"
strength = "cause"
explain = "The registry of widgets did not answer in time."
fix = "Ask #widgets who runs it."

[match]
line = '^widget: the registry did not answer within [0-9]+ s$'

[[example]]
name = "no answer"
origin = "recorded: widget 1.2.3, closed port"
log = "widget: the registry did not answer within 30 s"
expect = { line = 1 }
"#;

const LOG: &str = "widget 1.2.3\nwidget: the registry did not answer within 30 s\n";

fn git(bare: &Bare, arguments: &[&str]) {
    let names = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main"];
    let mut git = Command::new("git");
    git.args(names).args(arguments).current_dir(bare.work()).env("HOME", bare.base());
    assert!(git.output().unwrap().status.success(), "{arguments:?}");
}

/// A repository whose last commit holds these patterns.
fn repository(patterns: &[(&str, &str)]) -> Bare {
    let bare = Bare::new();
    let folder = bare.work().join(".regreen/patterns");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in patterns {
        fs::write(folder.join(name), text).unwrap();
    }
    fs::write(bare.work().join("build.log"), LOG).unwrap();
    git(&bare, &["init", "-q"]);
    git(&bare, &["add", "."]);
    git(&bare, &["commit", "-qm", "a"]);
    bare
}

#[test]
fn a_repository_s_pattern_names_the_cause_and_gives_advice() {
    let bare = repository(&[("widget-away.toml", AWAY)]);
    assert_snapshot!(bare.tell(&["diagnose", "build.log"]), @r"
    exit code 17
    --- out
    warning[widget-away]: infrastructure: network-timeout
     --> build.log:2:1
      |
    2 | widget: the registry did not answer within 30 s
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the cause
      = why: line 2: widget could not reach its registry; a pattern of the
             repository's own says so, which is advice and heals nothing
      = sure: confidence 0.00 in network-timeout; next: cache-corruption 0.24,
              config-failure 0.19, test-failure 0.13; fingerprint befe1f38e01f50dd
      = help: Ask #widgets who runs it.
    ");
    // What is only in the work tree is nobody's word yet.
    fs::write(
        bare.work().join(".regreen/patterns/widget-away.toml"),
        AWAY.replace("widget could", "it could"),
    )
    .unwrap();
    let said = said(&mut bare.command(&["patterns", "show", "widget-away", "--format", "json"]));
    let shape: Value = serde_json::from_slice(&said.out).unwrap();
    assert_eq!(
        (shape["source"].as_str(), shape["title"].as_str()),
        (Some("repository"), Some("widget could not reach its registry"))
    );
}

#[test]
fn an_invalid_one_is_a_warning_and_changes_no_exit_code() {
    let bad = AWAY.replace("[0-9]+", "([0-9]+");
    let taken = AWAY.replace("widget-away", "npm-lockfile-unreadable");
    let bare = repository(&[("npm-lockfile-unreadable.toml", &taken), ("widget-away.toml", &bad)]);
    fs::write(bare.work().join("build.log"), "npm error code ECONNRESET\n").unwrap();
    assert_snapshot!(bare.tell(&["diagnose", "--format", "json", "build.log"]), @r#"
    exit code 10
    --- out
    {"version":1,"input":"build.log","failed":true,"verdict":"infrastructure","class":"network-timeout","pattern":"npm-connection-lost","tool":"npm","step":null,"confidence":0.96,"evidence":[{"line":1,"column":1,"text":"npm error code ECONNRESET","role":"root"}],"alternatives":[{"class":"cache-corruption","confidence":0.0},{"class":"dependency-unresolvable","confidence":0.0}],"action":"heal","playbook":"failover-to-mirror","risk":"low","reason":"line 1: npm lost its connection to the registry","fingerprint":"80e624a32801c8c4","truncated":false,"warnings":["this pattern is left out: .regreen/patterns/npm-lockfile-unreadable.toml:1:6: the id `npm-lockfile-unreadable` is taken by a pattern (built-in); help: choose another id, for example `our-npm-lockfile-unreadable`","this pattern is left out: .regreen/patterns/widget-away.toml:11:8: `^widget: the registry did not answer within ([0-9]+ s$` is no regular expression: unclosed group; help: use the syntax of the regex crate, without Unicode classes, look-around and back-references"]}
    --- err
    regreen: warning: this pattern is left out: .regreen/patterns/npm-lockfile-unreadable.toml:1:6: the id `npm-lockfile-unreadable` is taken by a pattern (built-in); help: choose another id, for example `our-npm-lockfile-unreadable`
    regreen: warning: this pattern is left out: .regreen/patterns/widget-away.toml:11:8: `^widget: the registry did not answer within ([0-9]+ s$` is no regular expression: unclosed group; help: use the syntax of the regex crate, without Unicode classes, look-around and back-references
    "#);
    assert_snapshot!(bare.tell(&["patterns", "test", ".regreen/patterns/npm-lockfile-unreadable.toml"]), @r"
    exit code 4
    --- err
    regreen: warning: this pattern is left out: .regreen/patterns/npm-lockfile-unreadable.toml:1:6: the id `npm-lockfile-unreadable` is taken by a pattern (built-in); help: choose another id, for example `our-npm-lockfile-unreadable`
    regreen: warning: this pattern is left out: .regreen/patterns/widget-away.toml:11:8: `^widget: the registry did not answer within ([0-9]+ s$` is no regular expression: unclosed group; help: use the syntax of the regex crate, without Unicode classes, look-around and back-references
    regreen: error: .regreen/patterns/npm-lockfile-unreadable.toml:1:6: the id `npm-lockfile-unreadable` is taken by a pattern (built-in)
      help: choose another id, for example `our-npm-lockfile-unreadable`
    ");
}

#[test]
fn a_run_hears_the_operator_and_the_repository() {
    let bare = repository(&[("widget-broken.toml", "not toml at all")]);
    let folder = bare.base().join("operator");
    fs::create_dir_all(folder.join("network-timeout")).unwrap();
    fs::write(folder.join("network-timeout/widget-away.toml"), AWAY).unwrap();
    let config = bare.base().join("home/.config/regreen");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "patterns = \"../../../operator\"\n").unwrap();
    let script = "cat build.log; exit 3";
    let ran = bare.tell(&["run", "--report", "report.json", "--", "sh", "-c", script]);
    assert!(ran.starts_with("exit code 3\n"), "{ran}");
    assert!(
        ran.contains(
            "regreen: warning: this pattern is left out: .regreen/patterns/widget-broken.toml:1:5: key"
        ),
        "{ran}"
    );
    let report: Value = serde_json::from_slice(&fs::read(bare.work().join("report.json")).unwrap()).unwrap();
    assert_eq!((report["pattern"].as_str(), report["confidence"].as_f64()), (Some("widget-away"), Some(0.0)));
    assert_eq!(report["warnings"].as_array().unwrap().len(), 1);
    // A folder in the checkout is the repository's, whoever names it.
    let listed = said(bare.command(&["patterns", "list"]).env("REGREEN_PATTERNS", bare.work().join("own")));
    assert_eq!(listed.code, 4);
    fs::create_dir(bare.work().join("own")).unwrap();
    fs::write(bare.work().join("own/widget-away.toml"), AWAY).unwrap();
    let listed = said(bare.command(&["patterns", "list"]).env("REGREEN_PATTERNS", bare.work().join("own")));
    let out = String::from_utf8(listed.out).unwrap();
    let line = out.lines().find(|l| l.starts_with("widget-away")).unwrap();
    assert_eq!(
        line.split_whitespace().take(4).collect::<Vec<_>>(),
        ["widget-away", "network-timeout", "repository", "stable"]
    );
}
