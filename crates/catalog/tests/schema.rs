//! The schema for editors says what the parser does: of every built-in file, and of every key that is taken out, put in
//! or given a value of another kind.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::disallowed_methods, reason = "this test looks at the files that the build script embeds")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use jsonschema::Validator;
use regreen_catalog::{Catalog, pattern_schema, playbook_schema};
use serde_json::{Value, json};

/// The first thing that is wrong by the schema.
fn wrong(schema: &Validator, value: &Value) -> Option<String> {
    schema.iter_errors(value).next().map(|error| format!("{}: {error}", error.instance_path()))
}

const FULL_PLAYBOOK: &str = r#"id = "x"
title = "t"
since = "1"
status = "draft"
explain = "e"
heals = ["network-timeout"]
resource = "disk"
tools = ["npm"]
needs = ["confirmed"]
paths = ["a/b"]
fallback = ["other"]
[guard]
risk = "medium"
attempts = 3
cooldown = "1m"
ci-only = true
prior = { healed = 1, tried = 2 }
[[step]]
id = "a"
use = "wait"
with = { tool = "{tool}" }
when = { finding = { probe = "cache", standing = "confirms" } }
timeout = "2m"
attempts = 2
group = "g"
[[step]]
id = "b"
playbook = "other"
when = { receipt = { step = "a", field = "asked", at-least = 2 } }
[[example]]
name = "n"
given = { class = "network-timeout", tool = "npm", confidence = 0.9, confirmed = true, attempts = 0 }
expect = { decision = "suggest", because = "paused" }
[[rehearsal]]
name = "r"
break = { step = "a", how = "unknown", times = 1, undo = "fails" }
expect = { outcome = "stuck", undone = [], needs-human = true }
"#;

const OTHER: &str = r#"id = "other"
title = "t"
since = "1"
status = "stable"
explain = "e"
heals = ["network-timeout"]
[guard]
risk = "low"
attempts = 1
cooldown = "0s"
[[step]]
id = "only"
use = "clear"
"#;

const FULL: &str = r#"id = "npm-x"
class = "network-timeout"
also = ["service-unavailable"]
title = "t"
since = "1"
status = "draft"
tools = ["npm"]
commands = ["install"]
strength = "cause"
explains = []
explain = "x"
fix = "y"
see = ["z"]
[match]
line = 'widget (?<host>[a-z]+)'
near = [{ line = "gadget", side = "before", within = 3 }]
unless = [{ line = "gizmo" }]
detail = [{ line = "gear", side = "before" }]
[holes]
host = "host"
[measured]
hits = 1
right = 1
n = 2
by = "me"
[[example]]
name = "a"
origin = "invented"
log = "gear\nwidget a"
expect = { line = 2, detail = 1, captures = { host = "a" } }
[[counterexample]]
name = "b"
why = "c"
log = "d"
"#;

/// A format with its schema, a file that says everything, and whether the parser takes a file.
struct Format {
    schema: Validator,
    full: Value,
    parses: fn(&str) -> bool,
    /// Tables whose keys are free, or are no keys of the format.
    free: fn(&str) -> bool,
}

impl Format {
    fn pattern() -> Format {
        Format {
            schema: jsonschema::validator_for(&pattern_schema()).unwrap(),
            full: toml::from_str(FULL).unwrap(),
            parses: |text| Catalog::load([("patterns/network-timeout/npm-x.toml", text)]).is_ok(),
            // Names of captures are free; a hole without a capture is what only the parser sees.
            free: |place| place.ends_with("/holes") || place.ends_with("/captures"),
        }
    }

    fn playbook() -> Format {
        let schema = playbook_schema(&["wait", "clear"], &["cache"]);
        Format {
            schema: jsonschema::validator_for(&schema).unwrap(),
            full: toml::from_str(FULL_PLAYBOOK).unwrap(),
            parses: |text| {
                Catalog::load([("playbooks/x.toml", text), ("playbooks/other.toml", OTHER)]).is_ok()
            },
            free: |place| place.ends_with("/with"),
        }
    }

    fn parses(&self, value: &Value) -> bool {
        (self.parses)(&toml::Table::try_from(value).unwrap().to_string())
    }

    /// Schema and parser say the same; whether both refuse it.
    fn refuses(&self, value: &Value, what: &str) -> bool {
        let by_schema = wrong(&self.schema, value);
        assert_eq!(by_schema.is_none(), self.parses(value), "{what}: {by_schema:?}");
        by_schema.is_some()
    }

    fn with(&self, place: &str, value: &Value) -> Value {
        let mut other = self.full.clone();
        *other.pointer_mut(place).unwrap() = value.clone();
        other
    }

    /// Every key taken out, put in, or given a value of another kind. How many of how many both refuse.
    fn keys(&self, only_parser: &[&str]) -> (usize, usize) {
        let (mut refused, mut tried) = (0, 0);
        let mut check = |value: &Value, what: &str| {
            tried += 1;
            refused += usize::from(self.refuses(value, what));
        };
        let mut places = Vec::new();
        tables(&self.full, "", &mut places);
        for place in &places {
            let free = (self.free)(place);
            if !free {
                let mut more = self.full.clone();
                more.pointer_mut(place).unwrap()["colour"] = json!("red");
                check(&more, &format!("{place}/colour"));
            }
            let table = self.full.pointer(place).unwrap().as_object().unwrap();
            for name in table.keys().filter(|_| !free) {
                let at = format!("{place}/{name}");
                if !only_parser.contains(&at.as_str()) {
                    let mut less = self.full.clone();
                    less.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
                    check(&less, &format!("{at} taken out"));
                }
                if !(self.free)(&at) {
                    for other in [json!(true), json!([[1]])] {
                        let what = format!("{at} = {other}");
                        let mut odd = self.full.clone();
                        odd.pointer_mut(place).unwrap()[name] = other;
                        check(&odd, &what);
                    }
                }
            }
        }
        assert!(places.len() >= 9, "{places:?}");
        (refused, tried)
    }
}

/// Every table of the value, by the pointers that lead to it.
fn tables(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(table) => {
            found.push(at.to_owned());
            table.iter().for_each(|(name, value)| tables(value, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, value)| tables(value, &format!("{at}/{i}"), found));
        }
        _ => {}
    }
}

fn files(below: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog").join(below);
    let mut found = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(fs::read_dir(path).unwrap().map(|file| file.unwrap().path())),
            false => found.push(path),
        }
    }
    found
}

fn all_valid(schema: &Value, files: &[PathBuf]) {
    let schema = jsonschema::validator_for(schema).unwrap();
    for path in files {
        let value: Value = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(wrong(&schema, &value), None, "{}", path.display());
    }
}

#[test]
fn every_built_in_file_is_valid() {
    let patterns = files("patterns");
    assert!(patterns.len() > 600, "{}", patterns.len());
    all_valid(&pattern_schema(), &patterns);
    // Which kinds and probes there are is code, and is tried where that is known.
    let playbooks = files("playbooks");
    assert!(playbooks.len() > 7, "{}", playbooks.len());
    let mut schema = playbook_schema(&[], &[]);
    schema["properties"]["step"]["items"]["properties"]["use"]["enum"].take();
    schema["properties"]["step"]["items"]["properties"]["use"] = json!({ "type": "string" });
    schema["$defs"]["condition"]["properties"]["finding"] = json!({ "type": "object" });
    all_valid(&schema, &playbooks);
}

#[test]
fn schema_and_parser_refuse_the_same_keys_of_a_pattern() {
    let format = Format::pattern();
    assert!(!format.refuses(&format.full, "the whole"));
    let (mut refused, mut tried) = format.keys(&["/holes"]);
    for (place, value) in [
        ("/class", json!("weather")),
        ("/class", json!("unknown")),
        ("/status", json!("new")),
        ("/strength", json!("iron")),
        ("/commands/0", json!("eat")),
        ("/commands/0", json!("deploy")),
        ("/tools/0", json!("N P M")),
        ("/also/0", json!("weather")),
        ("/id", json!("Npm X")),
        ("/match/near/0/side", json!("above")),
        ("/match/near/0/within", json!(0)),
        ("/match/near/0/within", json!(201)),
        ("/match/near/0/within", json!(200)),
        ("/holes/host", json!("planet")),
        ("/holes/host", json!("cache-key")),
    ] {
        tried += 1;
        refused += usize::from(format.refuses(&format.with(place, &value), &format!("{place} = {value}")));
    }
    assert!(refused > 60 && tried > refused + 10, "{refused} of {tried}");
}

#[test]
fn schema_and_parser_refuse_the_same_keys_of_a_playbook() {
    let format = Format::playbook();
    assert!(!format.refuses(&format.full, "the whole"));
    // What other parts of the file name is what only the parser sees.
    let (mut refused, mut tried) = format.keys(&["/step/0/use"]);
    for (place, value, is_refused) in [
        ("/heals/0", json!("test-failure"), true),
        ("/heals/0", json!("trust-failure"), true),
        ("/tools/0", json!("N P M"), true),
        ("/needs/0", json!("luck"), true),
        ("/paths/0", json!("/etc/passwd"), true),
        ("/paths/0", json!("a/../b"), true),
        ("/paths/0", json!("..."), false),
        ("/paths/0", json!("{home}/x"), true),
        ("/paths/0", json!("sub/{lockfile}"), false),
        ("/paths/0", json!(""), true),
        ("/guard/risk", json!("some"), true),
        ("/guard/attempts", json!(0), true),
        ("/guard/attempts", json!(11), true),
        ("/guard/attempts", json!(10), false),
        ("/guard/cooldown", json!("soon"), true),
        ("/guard/cooldown", json!("0s"), false),
        ("/guard/prior/tried", json!(101), true),
        ("/step/0/id", json!("Two Words"), true),
        ("/step/0/timeout", json!("0s"), true),
        ("/step/0/timeout", json!("1d"), true),
        ("/step/0/attempts", json!(11), true),
        ("/step/0/with/tool", json!(7), true),
        ("/step/0/with/tool", json!(["a", "b"]), false),
        ("/step/0/with/tool", json!(["a", 7]), true),
        ("/step/0/when", json!({}), true),
        ("/step/0/when", json!({ "class": "network-timeout", "tool": ["npm"] }), true),
        ("/step/0/when", json!({ "class": "test-failure" }), true),
        ("/step/0/when", json!({ "class": "network-timeout" }), false),
        ("/step/0/when", json!({ "weather": "fine" }), true),
        ("/step/0/when", json!({ "all": [] }), true),
        ("/step/0/when", json!({ "all": [{ "any": [{ "tool": [] }] }] }), true),
        ("/step/0/when", json!({ "not": { "not": { "tool": ["npm"] } } }), false),
        ("/step/0/when", json!({ "finding": { "probe": "cache", "standing": "maybe" } }), true),
        ("/step/1/when/receipt", json!({ "step": "a", "field": "b" }), true),
        ("/step/1/when/receipt", json!({ "step": "a", "field": "b", "exists": false }), true),
        ("/step/1/when/receipt", json!({ "step": "a", "field": "b", "exists": true, "equals": "c" }), true),
        ("/step/1", json!({ "id": "b", "use": "clear", "playbook": "other" }), true),
        ("/step/1", json!({ "id": "b" }), true),
        ("/step/1", json!({ "id": "b", "playbook": "other", "attempts": 2 }), true),
        ("/step/1", json!({ "id": "b", "use": "clear", "pause": "1s" }), true),
        ("/example/0/given/class", json!("unknown"), false),
        ("/example/0/given/class", json!("weather"), true),
        ("/example/0/given/confidence", json!(1.5), true),
        ("/example/0/expect/decision", json!("pray"), true),
        ("/example/0/expect/because", json!("no-luck"), true),
        ("/rehearsal/0/break/how", json!("loudly"), true),
        ("/rehearsal/0/break/times", json!(0), true),
        ("/rehearsal/0/break/undo", json!("works"), true),
        ("/rehearsal/0/expect/outcome", json!("lost"), true),
    ] {
        tried += 1;
        let what = format!("{place} = {value}");
        assert_eq!(format.refuses(&format.with(place, &value), &what), is_refused, "{what}");
        refused += usize::from(is_refused);
    }
    assert!(refused > 100 && tried > refused + 10, "{refused} of {tried}");
}
