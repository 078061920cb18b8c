//! docs/config.schema.json describes what is read here: the same keys in every table, and nothing that it takes is refused
//! for its kind or range, nor the other way round.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{Config, parse};

fn schema() -> Value {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    serde_json::from_slice(&fs::read(top.join("docs/config.schema.json")).unwrap()).unwrap()
}

/// What is wrong with a file, by the program.
fn refused(text: &str) -> Option<String> {
    let read = parse("c", text).and_then(|file| Config::default().take("c", text, &file));
    read.err().map(|failed| failed.to_string())
}

/// Every table of the schema: its headings in TOML, and what it says.
fn tables(schema: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    for (name, of) in schema["properties"].as_object().unwrap() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if of["type"] == "object" {
            found.push((format!("[{path}]"), of.clone()));
            tables(of, &path, found);
        } else if of["items"]["type"] == "object" {
            found.push((format!("[[{path}]]"), of["items"].clone()));
        }
    }
}

fn keys(schema: &Value) -> BTreeSet<String> {
    schema["properties"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_table_has_the_keys_that_are_read() {
    let schema = schema();
    let mut all = vec![(String::new(), schema.clone())];
    tables(&schema, "", &mut all);
    assert!(all.len() > 20, "{}", all.len());
    for (heading, table) in all {
        let said = refused(&format!("{heading}\nno-such-key = 1\n")).unwrap();
        let (_, expected) = said.split_once(", expected ").unwrap_or_else(|| panic!("{heading}: {said}"));
        let read: BTreeSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert_eq!(keys(&table), read, "{heading}");
    }
}

/// A key with its definition, references followed.
fn leaves(schema: &Value, table: &Value) -> Vec<(String, Value)> {
    let follow = |of: &Value| match of["$ref"].as_str() {
        Some(place) => schema.pointer(place.trim_start_matches('#')).unwrap().clone(),
        None => of.clone(),
    };
    table["properties"].as_object().unwrap().iter().map(|(name, of)| (name.clone(), follow(of))).collect()
}

#[test]
fn ranges_and_words_are_those_that_are_read() {
    let schema = schema();
    // What stands beside the key, where a table wants more than it.
    let beside = |heading: &str, key: &str| match (heading, key) {
        ("[[notify.sink]]", key) if key != "kind" => "name = \"a\"\nkind = \"slack\"\naddress-file = \"f\"\n",
        ("[[serve.rule]]" | "[[serve.jobs.rule]]", "host" | "class") => "mode = \"auto\"\n",
        ("[[notify.rule]]", "class") => "sinks = []\n",
        ("[promotion]", "at") => "to = \"auto\"\n",
        ("[budget]" | "[serve.budget]", "money-per-day") => "cost-per-minute = 0.5\n",
        _ => "",
    };
    // And what stands in the table above it.
    let above = |heading: &str, key: &str| match (heading, key) {
        ("[serve.budget.organisation]", "money-per-day") => "[serve.budget]\ncost-per-minute = 0.5\n",
        _ => "",
    };
    let mut all = vec![(String::new(), schema.clone())];
    tables(&schema, "", &mut all);
    let (mut tried, mut wrong) = (0, Vec::new());
    for (heading, table) in all {
        for (key, of) in leaves(&schema, &table) {
            let says = |value: &str| {
                let (above, beside) = (above(&heading, &key), beside(&heading, &key));
                let text = format!("{above}{heading}\n{beside}{key} = {value}\n");
                (refused(&text), text)
            };
            let mut good = Vec::new();
            let mut bad = Vec::new();
            for word in of["enum"].as_array().into_iter().flatten() {
                good.push(format!("{word}"));
                bad.push("\"no-such-word\"".to_owned());
            }
            for (bound, step) in [("minimum", -1.0), ("maximum", 1.0)] {
                let Some(limit) = of[bound].as_f64() else { continue };
                let whole = of["type"] == "integer";
                let shown = |value: f64| if whole { format!("{value:.0}") } else { format!("{value:?}") };
                good.push(shown(limit));
                bad.push(shown(limit + if whole { step } else { step / 100.0 }));
            }
            // Of a sink by e-mail and of a proxy several keys are wanted together.
            let apart = matches!(
                (heading.as_str(), key.as_str()),
                ("[[notify.sink]]", "kind" | "encryption" | "port")
                    | ("[serve.proxy]" | "[[serve.proxy.rule]]", "role")
            );
            for value in good.iter().filter(|_| !apart) {
                let (why, text) = says(value);
                wrong.extend(why.map(|why| format!("the schema takes this, and it is refused: {text}{why}")));
                tried += 1;
            }
            for value in bad.iter().filter(|_| !apart) {
                let (why, text) = says(value);
                if why.is_none() {
                    wrong.push(format!("the schema refuses this, and it is taken: {text}"));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 80, "{tried}");
}

/// What the program makes of a file.
fn taken(text: &str) -> String {
    let mut config = Config::default();
    parse("c", text).and_then(|file| config.take("c", text, &file)).unwrap_or_else(|e| panic!("{e}: {text}"));
    format!("{config:?}")
}

/// Another good value of the same kind.
fn another(of: &Value) -> String {
    let default = &of["default"];
    if let Some(words) = of["enum"].as_array() {
        return words.iter().find(|word| *word != default).unwrap().to_string();
    }
    match default {
        Value::Bool(it) => (!it).to_string(),
        Value::Number(it) if it.is_u64() => (it.as_u64().unwrap() + 1).to_string(),
        Value::Number(it) => (it.as_f64().unwrap() + 0.03).to_string(),
        // A zone, or a duration within all limits.
        _ if default == "UTC" => "\"Europe/Berlin\"".to_owned(),
        _ => "\"2m\"".to_owned(),
    }
}

#[test]
fn what_holds_where_nothing_is_said_is_what_the_schema_says() {
    let schema = schema();
    let mail = "name = \"a\"\nkind = \"email\"\nhost = \"h\"\nfrom = \"a@b.c\"\nto = [\"a@b.c\"]\nquiet = \"22:00-07:00\"\n";
    let beside = |heading: &str| match heading {
        "[[notify.sink]]" => mail,
        "[promotion]" => "to = \"auto\"\n",
        "[serve.otlp]" => "endpoint = \"https://otel.example\"\n",
        _ => "",
    };
    let mut all = vec![(String::new(), schema.clone())];
    tables(&schema, "", &mut all);
    let mut compared = 0;
    for (heading, table) in all {
        for (key, mut of) in leaves(&schema, &table) {
            // It stands beside what the key refers to.
            let default = table["properties"][&key]["default"].clone();
            if default.is_null() {
                continue;
            }
            of["default"] = default.clone();
            let with = |value: &str| taken(&format!("{heading}\n{}{key} = {value}\n", beside(&heading)));
            let without = taken(&format!("{heading}\n{}", beside(&heading)));
            let say = |text: String| text.split_whitespace().collect::<String>();
            assert_eq!(say(with(&default.to_string())), say(without.clone()), "{heading} {key}");
            assert_ne!(with(&another(&of)), without, "{heading} {key}: nothing comes of it");
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn what_the_manual_shows_is_described() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut shown = 0;
    for page in ["configuration.md", "serve.md", "notifications.md", "ledger.md", "api.md"] {
        let text = fs::read_to_string(docs.join(page)).unwrap();
        for block in text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
            if block.contains('…') || block.contains("[Service]") {
                continue;
            }
            let value: toml::Table = toml::from_str(block).unwrap_or_else(|e| panic!("{page}: {e}\n{block}"));
            let value = serde_json::to_value(value).unwrap();
            let wrong: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
            assert!(wrong.is_empty(), "{page}: {wrong:?}\n{block}");
            let why = refused(block).filter(|why| !why.contains("no sink"));
            assert!(why.is_none(), "{page}: {}\n{block}", why.unwrap());
            shown += 1;
        }
    }
    assert!(shown > 6, "{shown}");
}
