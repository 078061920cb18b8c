//! What is said of an invalid file: the file, the line, the column, and what to do.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use regreen_catalog::Catalog;

const PATTERN: &str = r#"id = "npm-x"
class = "network-timeout"
title = "npm lost its connection"
since = "0.1.0"
status = "draft"
tools = ["npm"]
commands = ["install"]
strength = "cause"
explain = "x"
fix = "y"

[match]
line = '^npm error code (?<code>E[A-Z]+)$'

[holes]
code = "text"
"#;

const FILE: &str = "patterns/network-timeout/npm-x.toml";

fn error(file: &str, text: &str) -> String {
    Catalog::load([(file, text)]).unwrap_err().to_string()
}

#[test]
fn the_pattern_of_these_tests_is_valid() {
    let catalog = Catalog::load([(FILE, PATTERN)]).unwrap();
    assert_eq!(catalog.patterns().len(), 1);
    assert!(catalog.prove().is_empty());
}

#[test]
fn an_error_names_the_place_and_what_to_do() {
    for (from, to, want) in [
        ("fix = \"y\"", "fixx = \"y\"", ":10:1: unknown field `fixx`"),
        (
            "\"npm-x\"",
            "\"npm-y\"",
            ":1:6: the id `npm-y` differs from the file's name `npm-x`; help: name the file after the id",
        ),
        ("\"npm-x\"", "\"Npm\"", ":1:6: the id `Npm` is not kebab-case"),
        (
            "= \"network-timeout\"",
            "= \"network\"",
            ":2:9: `network` is no failure class; help: use one of lockfile-corruption",
        ),
        (
            "= \"network-timeout\"",
            "= \"test-failure\"",
            ":2:9: the class is `test-failure`, the folder is `network-timeout`",
        ),
        ("\"draft\"", "\"stable\"", ":5:10: a stable pattern without a real example"),
        ("[\"npm\"]", "[\"N P M\"]", ":6:10: `N P M` is no tool name"),
        ("[\"install\"]", "[\"eat\"]", ":7:13: `eat` is no kind of command"),
        ("\"cause\"", "\"code-final\"", ":2:9: `code-final` in the class `network-timeout`"),
        (
            "'^npm error code (?<code>E[A-Z]+)$'",
            "'(?<code>[0-9]+)'",
            ":13:8: `(?<code>[0-9]+)` requires no literal text",
        ),
        (
            "'^npm error code (?<code>E[A-Z]+)$'",
            "'npm (?<code>('",
            ":13:8: `npm (?<code>(` is no regular expression: unclosed group",
        ),
        ("'^npm error code (?<code>E[A-Z]+)$'", r"'npm (?<code>\p{Greek})'", "is no regular expression"),
        ("code = \"text\"", "", ":13:8: the capture `code` has no type; help: add `code = \"text\"`"),
        ("code = \"text\"", "code = \"text\"\nhost = \"host\"", ":17:8: the hole `host` has no capture"),
        (
            "[holes]",
            "near = [{ line = 'x', within = 0 }]\n\n[holes]",
            ":15:32: `within` is 0; help: use 1 to 200 lines",
        ),
        ("[holes]", "near = [{ line = '[0-9]' }]\n\n[holes]", "requires no literal text"),
        ("strength", "explains = [\"nobody\"]\nstrength", ": it explains `nobody`, which is no pattern"),
    ] {
        assert!(PATTERN.contains(from), "{from}");
        let said = error(FILE, &PATTERN.replacen(from, to, 1));
        assert!(
            said.starts_with(FILE) && said.contains(want) && said.contains("; help: "),
            "{said}\nwanted {want}"
        );
    }
}

#[test]
fn origins_are_of_three_kinds() {
    let with = |origin: &str| {
        let example = format!(
            "[[example]]\nname = \"a\"\norigin = \"{origin}\"\nlog = \"npm error code E1X\"\nexpect = {{ line = 1 }}\n"
        );
        Catalog::load([(FILE, format!("{PATTERN}\n{example}").as_str())])
    };
    for good in ["recorded: npm 11, npm ci", "source: npm 11.19.1, lib/utils/error-message.js", "invented"] {
        assert!(with(good).is_ok(), "{good}");
    }
    for bad in ["", "the internet", "recorded:", "source: "] {
        assert!(with(bad).unwrap_err().to_string().contains("is no origin"), "{bad}");
    }
}

#[test]
fn a_claim_that_does_not_hold_is_told() {
    let wrong = format!(
        "{PATTERN}\n[[example]]\nname = \"a\"\norigin = \"invented\"\nlog = \"x\\nnpm error code EX\"\nexpect = {{ line = 1 }}\n\
         [[counterexample]]\nname = \"b\"\nwhy = \"no\"\nlog = \"npm error code EX\"\n"
    );
    let catalog = Catalog::load([(FILE, wrong.as_str())]).unwrap();
    let said: Vec<String> = catalog.prove().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "npm-x: `a`: expected in line 1, found in [2]",
            "npm-x: `b`: must not be found (no), but is in line 1"
        ]
    );
}

#[test]
fn a_path_that_no_catalogue_has_is_an_error() {
    assert!(error("patterns/npm-x.toml", PATTERN).contains("no file of a catalogue has this path"));
    assert!(error("notes.toml", "").contains("no file of a catalogue has this path"));
}

#[test]
fn ids_are_unique_over_all_folders() {
    let banner = "id = \"npm-x\"\ntitle = \"t\"\nsince = \"0.1.0\"\ntools = [\"npm\"]\nkind = \"test\"\n[match]\nline = 'abcd'\n\
                  [[example]]\nname = \"a\"\norigin = \"invented\"\nlog = \"abcd\"\nexpect = { line = 1 }\n";
    let said = Catalog::load([(FILE, PATTERN), ("banners/npm-x.toml", banner)]).unwrap_err().to_string();
    assert!(said.contains("the id `npm-x` is taken"), "{said}");
}
