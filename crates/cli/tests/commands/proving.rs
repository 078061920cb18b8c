//! `regreen patterns test`: a pattern file that is right, and every way in which one can be wrong.

use std::fs;

use insta::assert_snapshot;

use crate::said::Bare;

const GOOD: &str = r#"id = "widget-registry-away"
class = "network-timeout"
title = "widget could not reach its registry"
since = "0.1.0"
status = "draft"
tools = ["widget"]
strength = "cause"
explain = '''
widget asks its registry for every widget, and the registry did not answer in time.
'''
fix = '''
Run the job again; if it happens often, ask who runs the registry.
'''

[match]
line = '^widget: the registry did not answer within [0-9]+ s$'

[[example]]
name = "no answer"
origin = "invented"
log = '''
widget 1.2.3
widget: the registry did not answer within 30 s
'''
expect = { line = 2 }

[[counterexample]]
name = "a test that says so"
why = "the project's own words"
log = '''
test::registry: widget: the registry did not answer within 30 s
'''
"#;

fn file(bare: &Bare, name: &str, text: &str) -> String {
    let folder = bare.work().join("network-timeout");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
    format!("network-timeout/{name}")
}

#[test]
fn a_good_file_is_proved() {
    let bare = Bare::new();
    let path = file(&bare, "widget-registry-away.toml", GOOD);
    let said = bare.tell(&["patterns", "test", &path]);
    let proved = "exit code 0\n--- out\nnetwork-timeout/widget-registry-away.toml: proved by 1 example(s), 1 counterexample(s) and ";
    assert!(said.starts_with(proved), "{said}");
    // From its own folder too, where the path names none.
    let mut inside = bare.command(&["patterns", "test", "widget-registry-away.toml"]);
    inside.current_dir(bare.work().join("network-timeout"));
    assert_eq!(inside.output().unwrap().status.code(), Some(0));
}

#[test]
fn an_invalid_file_is_named_with_line_and_help() {
    let bare = Bare::new();
    let path =
        file(&bare, "widget-registry-away.toml", &GOOD.replace("status = \"draft\"", "status = \"new\""));
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 4
    --- err
    regreen: error: network-timeout/widget-registry-away.toml:5:10: unknown variant `new`, expected one of `draft`, `stable`, `retired`
      help: correct the file; `regreen patterns schema` and `regreen playbooks schema` describe its fields
    ");
    let path = file(&bare, "widget-registry-away.toml", &GOOD.replace("[0-9]+", "([0-9]+"));
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 4
    --- err
    regreen: error: network-timeout/widget-registry-away.toml:16:8: `^widget: the registry did not answer within ([0-9]+ s$` is no regular expression: unclosed group
      help: use the syntax of the regex crate, without Unicode classes, look-around and back-references
    ");
    let path = file(&bare, "other.toml", GOOD);
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 4
    --- err
    regreen: error: network-timeout/other.toml:1:6: the id `widget-registry-away` differs from the file's name `other`
      help: name the file after the id
    ");
    let path = file(&bare, "widget-registry-away.toml", "not toml at all");
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 4
    --- err
    regreen: error: network-timeout/widget-registry-away.toml:1:5: key with no value, expected `=`
      help: correct the file; `regreen patterns schema` and `regreen playbooks schema` describe its fields
    ");
    let binary = bare.work().join("network-timeout/binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
    assert_snapshot!(bare.tell(&["patterns", "test", "network-timeout/binary.toml", "no-such.toml"]), @r"
    exit code 3
    --- err
    regreen: error: network-timeout/binary.toml: stream did not contain valid UTF-8
    regreen: error: no-such.toml: No such file or directory (os error 2)
    ");
}

#[test]
fn what_does_not_hold_is_named_with_line_and_help() {
    let bare = Bare::new();
    let wrong_line = GOOD.replace("expect = { line = 2 }", "expect = { line = 1 }");
    let path = file(&bare, "widget-registry-away.toml", &wrong_line);
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 18
    --- err
    regreen: error: network-timeout/widget-registry-away.toml:19: `no answer`: expected in line 1, found in [2]
      help: correct the expression, or the line that the example expects
    ");
    let too_wide = GOOD.replace("'^widget: the", "'widget: the");
    let path = file(&bare, "widget-registry-away.toml", &too_wide);
    assert_snapshot!(bare.tell(&["patterns", "test", &path]), @r"
    exit code 18
    --- err
    regreen: error: network-timeout/widget-registry-away.toml:28: `a test that says so`: must not be found (the project's own words), but is in line 1
      help: correct the expression, or the line that the example expects
    regreen: error: network-timeout/widget-registry-away.toml:28: `a test that says so` is diagnosed by it (the project's own words)
      help: sharpen the expression, or add a context that must stand nearby
    ");
}

#[test]
fn a_pattern_that_takes_another_one_s_examples_is_seen() {
    let bare = Bare::new();
    // Cargo's last line whatever the cause was: the linker, a missing target, the code itself.
    let greedy = GOOD
        .replace("'^widget: the registry did not answer within [0-9]+ s$'", "'error: could not compile'")
        .replace(
            "widget: the registry did not answer within 30 s\n'''\nexpect",
            "error: could not compile\n'''\nexpect",
        )
        .replace("tools = [\"widget\"]\n", "tools = []\n");
    let path = file(&bare, "widget-registry-away.toml", &greedy);
    let said = bare.tell(&["patterns", "test", &path]);
    assert!(said.starts_with("exit code 18\n"), "{said}");
    let taken = "with it, `no cc` of `cargo-linker-missing` is diagnosed as network-timeout, and was toolchain-missing\n  \
                 help: every other pattern's example is a counterexample: sharpen the expression\n";
    assert!(said.contains(taken), "{said}");
}
