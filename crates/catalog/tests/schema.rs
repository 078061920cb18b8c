//! The schema for editors says what the parser does: of every built-in file, and of every key that is taken out, put in
//! or given a value of another kind.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]
#![allow(clippy::disallowed_methods, reason = "this test looks at the files that the build script embeds")]

use std::{fs, path::Path};

use regreen_catalog::{Catalog, pattern_schema};
use serde_json::{Value, json};

/// The first thing that is wrong by the keywords that the schema uses; another keyword stops the test.
fn wrong(schema: &Value, value: &Value, at: &str) -> Option<String> {
    for (keyword, rule) in schema.as_object().unwrap() {
        let bad = match keyword.as_str() {
            "$schema" | "title" | "description" => None,
            "type" => {
                let is = match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("type {other}"),
                };
                (!is).then(|| format!("{at}: {value} is no {rule}"))
            }
            "enum" => (!rule.as_array().unwrap().contains(value)).then(|| format!("{at}: {value}")),
            "pattern" => {
                let regex = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                value.as_str().filter(|text| !regex.is_match(text)).map(|text| format!("{at}: {text}"))
            }
            "minimum" => value.as_i64().filter(|v| *v < rule.as_i64().unwrap()).map(|v| format!("{at}: {v}")),
            "maximum" => value.as_i64().filter(|v| *v > rule.as_i64().unwrap()).map(|v| format!("{at}: {v}")),
            "required" => {
                let names = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                names
                    .filter(|_| value.is_object())
                    .find(|n| value.get(n).is_none())
                    .map(|n| format!("{at}: no {n}"))
            }
            "items" => value.as_array().into_iter().flatten().find_map(|item| wrong(rule, item, at)),
            "properties" => rule.as_object().unwrap().iter().find_map(|(name, rule)| {
                value.get(name).and_then(|value| wrong(rule, value, &format!("{at}.{name}")))
            }),
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                let mut others =
                    others.filter(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                match rule {
                    Value::Bool(false) => others.next().map(|(name, _)| format!("{at}: {name} is too much")),
                    rule => others.find_map(|(name, value)| wrong(rule, value, &format!("{at}.{name}"))),
                }
            }
            other => panic!("the schema uses `{other}`, which this test does not know"),
        };
        if bad.is_some() {
            return bad;
        }
    }
    None
}

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

fn parses(value: &Value) -> bool {
    let text = toml::Table::try_from(value).unwrap().to_string();
    Catalog::load([("patterns/network-timeout/npm-x.toml", text.as_str())]).is_ok()
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

#[test]
fn every_built_in_pattern_is_valid() {
    let schema = pattern_schema();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/patterns");
    let mut files = 0;
    for class in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(class.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let value: Value = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(wrong(&schema, &value, ""), None, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 600, "{files}");
}

#[test]
fn schema_and_parser_refuse_the_same_keys() {
    let schema = pattern_schema();
    let full: Value = toml::from_str(FULL).unwrap();
    assert!(parses(&full) && wrong(&schema, &full, "").is_none());
    let mut places = Vec::new();
    tables(&full, "", &mut places);
    assert!(places.len() >= 9, "{places:?}");
    let (mut refused, mut tried) = (0, 0);
    let mut check = |value: &Value, what: &str| {
        let by_schema = wrong(&schema, value, "");
        assert_eq!(by_schema.is_none(), parses(value), "{what}: {by_schema:?}");
        tried += 1;
        refused += usize::from(by_schema.is_some());
    };
    for place in &places {
        // Names of captures are free; a hole without a capture is what only the parser sees.
        let free = place.ends_with("/holes") || place.ends_with("/captures");
        if !free {
            let mut more = full.clone();
            more.pointer_mut(place).unwrap()["colour"] = json!("red");
            check(&more, &format!("{place}/colour"));
        }
        let names: Vec<String> = full.pointer(place).unwrap().as_object().unwrap().keys().cloned().collect();
        for name in names.iter().filter(|name| !free && *name != "holes") {
            let mut less = full.clone();
            less.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
            check(&less, &format!("{place}/{name} taken out"));
            for other in [json!(true), json!([[1]])] {
                let mut odd = full.clone();
                odd.pointer_mut(place).unwrap()[name] = other;
                check(&odd, &format!("{place}/{name} of another kind"));
            }
        }
    }
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
        let mut other = full.clone();
        *other.pointer_mut(place).unwrap() = value.clone();
        check(&other, &format!("{place} = {value}"));
    }
    assert!(refused > 60 && tried > refused + 10, "{refused} of {tried}");
}
