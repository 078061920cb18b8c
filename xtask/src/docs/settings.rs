//! docs/settings.md: every setting, from docs/config.schema.json, which tests hold against what the program reads
//! (`crates/cli/src/config/described.rs`).

use serde_json::Value;

use super::{GENERATED, cell, put};

/// The page.
pub fn page(schema: &Value) -> String {
    let mut page = format!(
        "{GENERATED}# Every setting\n\nOf the operator's file, by table, with the default: what holds where nothing is said. Where that column is empty, it is nothing, or what the meaning says. What comes before what, and \
         the variables of the environment, are in [configuration.md](configuration.md). A duration is text such as \
         `\"90s\"`, `\"5m\"` or `\"1h 30m\"`.\n"
    );
    table(&mut page, schema, schema, "");
    page
}

/// One table of TOML, and below it those within it.
fn table(page: &mut String, schema: &Value, table: &Value, path: &str) {
    let required: Vec<&str> =
        table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut within = Vec::new();
    let mut rows = String::new();
    for (name, key) in table["properties"].as_object().into_iter().flatten() {
        let key_path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if key["type"] == "object" {
            within.push((key_path, key, false));
        } else if key["items"]["type"] == "object" {
            within.push((key_path, key, true));
        } else {
            let of = followed(schema, key);
            let meaning = [key, of].iter().find_map(|one| one["description"].as_str()).unwrap_or_default();
            let default = match (&key["default"], required.contains(&name.as_str())) {
                (Value::Null, true) => "required".to_owned(),
                (Value::Null, false) => String::new(),
                (value, _) => format!("`{value}`"),
            };
            let meaning = links(meaning.trim_end_matches(DURATION));
            put(
                &mut rows,
                &format!("| `{name}` | {} | {default} | {} |\n", cell(&takes(schema, of)), cell(&meaning)),
            );
        }
    }
    if !rows.is_empty() {
        put(page, &format!("\n| key | takes | default | meaning |\n|---|---|---|---|\n{rows}"));
    }
    for (path, of, many) in within {
        let heading = if many { format!("[[{path}]]") } else { format!("[{path}]") };
        put(page, &format!("\n## `{heading}`\n"));
        let mut said = vec![of["description"].as_str().unwrap_or_default()];
        said.extend(of["items"]["description"].as_str());
        said.dedup();
        put(page, &format!("\n{}\n", links(&said.join(" "))));
        self::table(page, schema, if many { &of["items"] } else { of }, &path);
    }
}

/// What the schema says at the end of each duration; the page says it once.
const DURATION: &str = " A duration such as \"90s\", \"5m\" or \"1h 30m\".";

/// What a key is defined by.
fn followed<'v>(schema: &'v Value, key: &'v Value) -> &'v Value {
    let place = key["$ref"].as_str().map(|place| place.trim_start_matches('#'));
    place.and_then(|place| schema.pointer(place)).unwrap_or(key)
}

/// What may stand there.
fn takes(schema: &Value, of: &Value) -> String {
    if of["not"].is_object() {
        return "not allowed".to_owned();
    }
    if let Some(words) = of["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    let duration = of["description"].as_str().is_some_and(|text| text.ends_with(DURATION));
    let said = match of["type"].as_str().unwrap_or_default() {
        "array" => {
            let of = followed(schema, &of["items"]);
            let each = of["description"].as_str().filter(|_| of["enum"].is_null());
            let each = each.map_or_else(|| takes(schema, of), |text| lower(text.trim_end_matches('.')));
            format!("a list: {each}")
        }
        "boolean" => "`true`, `false`".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "string" if duration => "a duration".to_owned(),
        _ => "text".to_owned(),
    };
    let limit = |name: &str| of[name].as_number().map(ToString::to_string);
    let below = limit("exclusiveMaximum").map(|most| format!(" to below {most}"));
    let to = limit("maximum").map(|most| format!(" to {most}")).or(below).unwrap_or_default();
    match limit("minimum") {
        Some(least) if to.is_empty() => format!("{said}, {least} or more"),
        Some(least) => format!("{said}, {least}{to}"),
        None => said,
    }
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_lowercase);
    // `OWNER/NAME` stays as it is.
    match text.chars().nth(1).is_some_and(char::is_uppercase) {
        true => text.to_owned(),
        false => first.chain(chars).collect(),
    }
}

/// `docs/serve.md` becomes a link to that page.
fn links(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ';', ':']);
        let end = &word[bare.len()..];
        match bare.strip_prefix("docs/").filter(|page| page.contains(".md")) {
            Some(page) => format!("[{}]({page}){end}", page.split('#').next().unwrap_or(page)),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_says_what_it_takes_and_what_holds_without_it() {
        let schema = json!({
            "$defs": { "mode": { "type": "string", "description": "How far.", "enum": ["a", "b"] } },
            "properties": {
                "mode": { "$ref": "#/$defs/mode", "default": "a" },
                "wait": { "type": "string", "description": format!("How long.{DURATION}") },
                "serve": { "type": "object", "description": "See docs/serve.md#a.", "required": ["x"], "properties": {
                    "x": { "type": "number", "minimum": 0, "maximum": 0.5 },
                    "rule": { "type": "array", "description": "Rules.", "items": { "type": "object", "description": "One.",
                        "properties": { "tools": { "type": "array", "description": "Which|what.",
                            "items": { "type": "string", "description": "A tool." } } } } } } },
            },
        });
        let page = page(&schema);
        for part in [
            "| `mode` | `\"a\"`, `\"b\"` | `\"a\"` | How far. |\n",
            "| `wait` | a duration |  | How long. |\n",
            "\n## `[serve]`\n\nSee [serve.md](serve.md#a).\n\n| key |",
            "| `x` | a number, 0 to 0.5 | required |  |\n",
            "\n## `[[serve.rule]]`\n\nRules. One.\n",
            "| `tools` | a list: a tool |  | Which\\|what. |\n",
        ] {
            assert!(page.contains(part), "{part}\n---\n{page}");
        }
    }
}
