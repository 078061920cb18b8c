//! Drafts of patterns: `patterns new` and `patterns suggest`.

use std::{fs, process::Stdio};

use insta::assert_snapshot;

use crate::{said::Bare, support::stage::said};

fn log(bare: &Bare, name: &str, text: &str) {
    let path = bare.work().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn new_drafts_a_pattern_that_proves_itself() {
    let bare = Bare::new();
    let token = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
    let lines = format!("widget 1.2.3\nwidget: error: the store at 10.0.0.7:81 refused {token} after 30 s\n");
    log(&bare, "build.log", &lines);
    let made = bare.tell(&["patterns", "new", "build.log", "--line", "2", "--class", "credential-failure"]);
    assert!(!made.contains(token), "{made}");
    assert_snapshot!(made, @r#"
    exit code 0
    --- out
    # A draft: replace every `FILL IN`, then `regreen patterns test widget-store-refused-after.toml`.
    id = 'widget-store-refused-after'
    class = 'credential-failure'
    title = 'FILL IN: what happened, in one line'
    since = "0.1.0"
    status = "draft"
    strength = "cause"

    explain = '''
    FILL IN: what it means, for whoever meets it.
    '''
    fix = '''
    FILL IN: what a person can do.
    '''

    [match]
    line = '^widget: error: the store at [0-9.]+(?::[0-9]+)? refused [^ ]+ after [0-9]+ s[ \t]*$'

    [[example]]
    name = "seen (1)"
    origin = 'recorded: FILL IN the tool, its version and how it came about'
    log = '''
    widget: error: the store at 10.0.0.7:81 refused *** after 30 s
    '''
    expect = { line = 1 }

    [[counterexample]]
    name = "a test that expects it"
    why = 'FILL IN: where else such words stand and mean nothing'
    log = '''
    expected output: "widget: error: the store at 10.0.0.7:81 refused *** after 30 s"
    '''
    "#);
    // Into a file, which is proved as it stands, and never overwritten.
    let arguments =
        ["patterns", "new", "build.log", "--class", "network-timeout", "--output", "own/widget-store.toml"];
    let saved = said(&mut bare.command(&arguments));
    assert_eq!((saved.code, saved.out.len()), (0, 0), "{}", saved.err);
    assert_eq!(said(&mut bare.command(&["patterns", "test", "own/widget-store.toml"])).code, 0);
    assert_snapshot!(bare.tell(&arguments), @r"
    exit code 3
    --- err
    regreen: error: own/widget-store.toml: File exists (os error 17)
    ");
    assert_snapshot!(bare.tell(&["patterns", "new", "build.log", "--line", "9"]), @r"
    exit code 3
    --- err
    regreen: error: there is no line 9 with words in what was read of the log
      help: name a line with --line NUMBER
    ");
}

#[test]
fn suggest_groups_what_recurs() {
    let bare = Bare::new();
    for (n, name) in ["alpha", "beta", "gamma"].iter().enumerate() {
        let text =
            format!("starting\nwidget: error: cannot weave {name} on loom {n}\nwidget: error: giving up\n");
        log(&bare, &format!("logs/{n}.log"), &text);
    }
    log(&bare, "logs/known.log", "npm error code ECONNRESET\n");
    assert_snapshot!(bare.tell(&["patterns", "suggest", "logs"]), @r#"
    exit code 0
    --- out
    # Suggestion 1 of 1: in 3 logs: logs/0.log, logs/1.log, logs/2.log
    # A draft: replace every `FILL IN`, then `regreen patterns test widget-cannot-weave-alpha-loom.toml`.
    id = 'widget-cannot-weave-alpha-loom'
    class = 'network-timeout'  # a guess from the words of these failures
    title = 'FILL IN: what happened, in one line'
    since = "0.1.0"
    status = "draft"
    strength = "cause"

    explain = '''
    FILL IN: what it means, for whoever meets it.
    '''
    fix = '''
    FILL IN: what a person can do.
    '''

    [match]
    line = '^[ \t]*widget:[ \t]+error:[ \t]+cannot[ \t]+weave[ \t]+[^ ]+[ \t]+on[ \t]+loom[ \t]+[^ ]+'

    [[example]]
    name = "seen (1)"
    origin = 'recorded: FILL IN the tool, its version and how it came about'
    log = '''
    widget: error: cannot weave alpha on loom 0
    '''
    expect = { line = 1 }

    [[example]]
    name = "seen (2)"
    origin = 'recorded: FILL IN the tool, its version and how it came about'
    log = '''
    widget: error: cannot weave beta on loom 1
    '''
    expect = { line = 1 }

    [[example]]
    name = "seen (3)"
    origin = 'recorded: FILL IN the tool, its version and how it came about'
    log = '''
    widget: error: cannot weave gamma on loom 2
    '''
    expect = { line = 1 }

    [[counterexample]]
    name = "a test that expects it"
    why = 'FILL IN: where else such words stand and mean nothing'
    log = '''
    expected output: "widget: error: cannot weave alpha on loom 0"
    '''
    "#);
    let listed = bare.tell(&["patterns", "suggest", "logs/*.log", "--least", "3", "--output", "drafts"]);
    assert_snapshot!(listed, @r"
    exit code 0
    --- out
    drafts/widget-cannot-weave-alpha-loom.toml (in 3 logs)
    ");
    assert_eq!(fs::read_dir(bare.work().join("drafts")).unwrap().count(), 1);
    assert_snapshot!(bare.tell(&["patterns", "suggest", "logs/1.log"]), @r"
    exit code 0
    --- out
    nothing to suggest: of 1 failure(s) that no signature names, no line stands in 2
    ");
}

#[test]
fn suggest_reads_the_ledger() {
    let bare = Bare::new();
    let nothing = bare.tell(&["patterns", "suggest"]);
    assert!(nothing.contains("nothing to suggest: of 0 failure(s)"), "{nothing}");
    for n in ["3", "22"] {
        let script = format!("echo 'widget: error: cannot weave on loom {n}'; exit 3");
        let mut run = bare.command(&["run", "--", "sh", "-c", &script]);
        assert_eq!(run.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code(), Some(3));
    }
    let said = bare.tell(&["patterns", "suggest"]);
    assert!(said.contains("# Suggestion 1 of 1: in 2 logs: [INCIDENT"), "{said}");
    assert!(said.contains("cannot[ \\t]+weave[ \\t]+on[ \\t]+loom[ \\t]+[0-9]+'"), "{said}");
}

#[test]
fn import_drafts_what_it_can_and_names_the_rest() {
    let bare = Bare::new();
    let rules = "[[rule]]\nname = 'Tray offline'\npattern = 'tray [0-9]+ went offline'\n\n[[rule]]\nname = 'x'\npattern = '(?=a)tray'\n";
    log(&bare, "ruleset.toml", rules);
    assert_snapshot!(bare.tell(&["patterns", "import", "ruleset.toml"]), @r#"
    exit code 18
    --- out
    # From PyTorch test-infra: Tray offline
    # Its expression: tray [0-9]+ went offline
    # A draft: replace every `FILL IN`, then `regreen patterns test tray-offline.toml`.
    id = 'tray-offline'
    class = 'runner-failure'  # a guess, because it says "offline"
    title = 'Tray offline'
    since = "0.1.0"
    status = "draft"
    strength = "cause"

    explain = '''
    Tray offline
    '''
    fix = '''
    FILL IN: what a person can do.
    '''

    [match]
    line = 'tray [0-9]+ went offline'

    # FILL IN: a log in which it must be found, before it can be stable:
    # [[example]]
    # name = "seen"
    # origin = "recorded: TOOL VERSION, how"
    # log = ""
    # expect = { line = 1 }
    --- err
    regreen: warning: skipped `x`, whose expression is `(?=a)tray`: `(?=a)tray` is no regular expression: look-around, including look-ahead and look-behind, is not supported; use the syntax of the regex crate, without Unicode classes, look-around and back-references
    "#);
    log(&bare, "bomb.xml", "<!DOCTYPE a [<!ENTITY b 'x'>]><a>&b;</a>");
    assert_snapshot!(bare.tell(&["patterns", "import", "bomb.xml"]), @r"
    exit code 4
    --- err
    regreen: error: bomb.xml: it is no XML to read: XML with DTD detected
    ");
    let schema = said(&mut bare.command(&["patterns", "schema"]));
    let schema: serde_json::Value = serde_json::from_slice(&schema.out).unwrap();
    assert_eq!(schema, regreen_catalog::pattern_schema());
    let schema = said(&mut bare.command(&["playbooks", "schema"]));
    let schema: serde_json::Value = serde_json::from_slice(&schema.out).unwrap();
    let kinds = schema["properties"]["step"]["items"]["properties"]["use"]["enum"].as_array().unwrap();
    assert!(kinds.contains(&"repair-lockfile".into()), "{kinds:?}");
}
